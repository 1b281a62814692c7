"""What it costs to read a long list of runs, against Python's `json` (in C) with the same list, in turns."""

import json
import os
import subprocess
import time

from stand import PASSWORD, PIPELINE, RUN, USERNAME, WORK, StandIn, scenario

COUNTS = (10_000, 50_000)
TRIES = 7


def stand_in_with(program, previous):
    """Without TLS and compression, which Python's side has not either."""
    history = {"count": previous, "newest": "1h", "every": "1h", "takes": "14m", "spread": "3m"}
    return StandIn(program, scenario({RUN: "0s"}, tls=False, history=history, compresses=False), WORK / "budgets-lists")


def body_of(stand_in):
    connection = stand_in.connect()
    account = json.dumps({"username": USERNAME, "password": PASSWORD, "totp": None})
    connection.request("POST", "/auth/sign-in", account, {"content-type": "application/json"})
    token = json.load(connection.getresponse())["tokens"]["accessToken"]
    connection.request("GET", f"/platform/pipeline/{PIPELINE}/pipeline_run", headers={"authorization": token})
    return connection.getresponse().read()


def cpu_of_gate(gate, measure, stand_in):
    """Of one that chooses the newest run from the list, polls it and ends."""
    out = WORK / "budgets-lists" / "measured.json"
    command = [measure, out, gate, "--base-url", stand_in.base, "--pipeline-id", PIPELINE, "--run-id", "latest", "--max-age", "any",
               "--timeout", "1m", "--ci", "none", "--quiet", "--history", "false"]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "DADOSFERA_USERNAME": USERNAME, "DADOSFERA_PASSWORD": PASSWORD}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return json.loads(out.read_text())["cpu"]


def cpu_of_python(body):
    before = time.process_time()
    json.loads(body)
    return time.process_time() - before


def measure(gate, program, tool):
    """Seconds of CPU for lists of so many runs, of several tries the least: what else the machine does can only add to them."""
    empty = stand_in_with(program, 0)
    try:
        start = min(cpu_of_gate(gate, tool, empty) for _ in range(TRIES))
    finally:
        empty.stop()
    found = {}
    for count in COUNTS:
        stand_in = stand_in_with(program, count)
        try:
            body = body_of(stand_in)
            pairs = [(cpu_of_gate(gate, tool, stand_in), cpu_of_python(body)) for _ in range(TRIES)]
        finally:
            stand_in.stop()
        found[str(count)] = {"bytes": len(body), "gate": min(gate for gate, _ in pairs) - start, "python": min(python for _, python in pairs)}
    return found
