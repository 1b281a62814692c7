# shellcheck shell=bash
# Sourced by the scripts that run real clients: builds the gate and its stand-in service, and starts that.
#
# Wants $work, a folder to make. Gives $gate (the binary), $service (its address), expect, expect_none, start_stand_in and
# stop_stand_in. The documented runs take a second and a half.

# The documented runs (examples/stand-in/scenarios/documented.json).
pipeline=1b33ad2f_33d3_4837_9eeb_83c82c8b909d
good_run=e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c
bad_run=f9d8e7c6_b5a4_3928_1c0d_6e5f4a3b2c1d
endless_run=a9f82c14_7e21_4b5a_8c9d_12345abcdef0/b3c4d5e6_7f8a_9b0c_1d2e_3f4a5b6c7d8e
username=ci@example.com
password=correct-horse-battery
export pipeline good_run bad_run endless_run username password

# expect WHAT PATTERN FILE: the file has a line with the pattern; else everything in it is shown.
expect() {
    if grep -qE -e "$2" "$3"; then
        echo "  ok: $1"
    else
        echo "  FAILED: $1: no line of $3 has $2"
        sed 's/^/  | /' "$3"
        exit 1
    fi
}

# expect_none WHAT PATTERN FILE: no line has it.
expect_none() {
    if grep -qE -e "$2" "$3"; then
        echo "  FAILED: $1: a line of $3 has $2"
        sed 's/^/  | /' "$3"
        exit 1
    fi
    echo "  ok: $1"
}

start_stand_in() {
    : "${work:?}"
    cargo build --quiet --locked --bin maestro-gate --example stand-in
    gate=$PWD/target/debug/maestro-gate
    rm -rf "$work"
    mkdir -p "$work"
    target/debug/examples/stand-in --port 0 --speed 600 >"$work/stand-in.log" 2>&1 &
    stand_in=$!
    service=
    local tries=0
    until service=$(sed -n 's/^stand-in Maestro at \([^ ]*\).*/\1/p' "$work/stand-in.log") && [ -n "$service" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ]; then
            echo "the stand-in does not start" >&2
            cat "$work/stand-in.log" >&2
            exit 1
        fi
        sleep 0.1
    done
    export gate service
}

stop_stand_in() {
    if [ -n "${stand_in:-}" ]; then kill "$stand_in" 2>/dev/null || true; fi
}
