# shellcheck shell=bash
# Sourced by tests/container/run: the image as a docker action and as a docker step, in act through podman's socket. That
# ends $socket, the process that this starts.

: "${work:?}" "${state:?}" "${log:?}" "${service:?}" "${pipeline:?}" "${good_run:?}" "${bad_run:?}" "${username:?}" "${password:?}"

echo "a docker action and a docker step of GitHub, in act"
.ci/python target/tools/act tests/act/tools.txt
act=$PWD/target/tools/act/bin/act

# An action of the kind `docker`: the runner itself hands its inputs on, with hyphens in the names.
mkdir -p "$work/image"
cat >"$work/image/action.yml" <<'END'
name: gate in a container
description: the image as a docker action
inputs:
  pipeline-id: {description: the pipeline}
  run-id: {description: the run}
  base-url: {description: the service}
  poll-interval: {description: between two looks}
  username: {description: who}
  password: {description: the secret}
outputs:
  verdict: {description: the word}
  trace: {description: the error}
runs:
  using: docker
  image: docker://localhost/gate-test/shell:latest
END
project=$work/project
mkdir -p "$project/.github/workflows"
cat >"$project/.github/workflows/gate.yml" <<END
on: push
jobs:
  action:
    runs-on: ubuntu-latest
    steps:
      - id: gate
        uses: acme/image@v1
        with:
          pipeline-id: $pipeline
          run-id: \${{ vars.RUN }}
          base-url: $service
          poll-interval: 1s
          username: \${{ secrets.DADOSFERA_USERNAME }}
          password: \${{ secrets.DADOSFERA_PASSWORD }}
      - shell: sh
        run: echo "> deploying"
      - if: failure()
        shell: sh
        run: echo "held \$OUTCOME \$VERDICT, \$TRACE"
        env:
          OUTCOME: \${{ steps.gate.outcome }}
          VERDICT: \${{ steps.gate.outputs.verdict }}
          TRACE: \${{ steps.gate.outputs.trace }}
  step:
    runs-on: ubuntu-latest
    steps:
      - id: gate
        uses: docker://localhost/gate-test/shell:latest
        env:
          MAESTRO_BASE_URL: $service
          MAESTRO_PIPELINE_ID: $pipeline
          MAESTRO_RUN_ID: $good_run
          DADOSFERA_USERNAME: \${{ secrets.DADOSFERA_USERNAME }}
          DADOSFERA_PASSWORD: \${{ secrets.DADOSFERA_PASSWORD }}
      - shell: sh
        run: echo "after a pass \$VERDICT \$SECONDS_RUN"
        env:
          VERDICT: \${{ steps.gate.outputs.verdict }}
          SECONDS_RUN: \${{ steps.gate.outputs.duration-seconds }}
END
git -C "$project" init -q -b main
git -C "$project" -c user.name=t -c user.email=t@example.com -c commit.gpgsign=false commit -q --allow-empty -m x

podman system service --time=0 "unix://$state/socket" 2>"$work/socket.log" &
export socket=$!
for _ in $(seq 100); do
    [ ! -S "$state/socket" ] || break
    sleep 0.1
done

# in_act JOB RUN: the log ends with a line `code N`.
in_act() {
    local code=0
    (cd "$project" && env -i PATH="$PATH" HOME="$work" DOCKER_HOST="unix://$state/socket" "$act" push --job "$1" \
        --pull=false --rm -P ubuntu-latest=localhost/gate-test/busybox:latest --container-daemon-socket - \
        --no-cache-server --local-repository "acme/image@v1=$work/image" --var RUN="$2" \
        --secret DADOSFERA_USERNAME="$username" --secret DADOSFERA_PASSWORD="$password") >"$log" 2>&1 || code=$?
    echo "code $code" >>"$log"
}

in_act action "$good_run"
expect 'the action: a pass lets the job go on' '\| > deploying' "$log"
expect 'green' '^code 0$' "$log"
in_act action "$bad_run"
expect 'the action: a failure leaves its outputs' '\| held failure failed, Connection timeout: Unable to connect' "$log"
expect_none 'holds the job' '\| > deploying' "$log"
expect 'red' '^code 1$' "$log"
sed -n '/Summary - /,/^\[/p' "$log" >"$work/summary"
expect 'its trace is on the summary' 'Connection timeout: Unable to connect' "$work/summary"
in_act step "$good_run"
expect 'the step: a pass lets the job go on' 'after a pass passed 923' "$log"
expect 'green' '^code 0$' "$log"
