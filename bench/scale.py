"""How it grows: one process and one to five thousand runs; a hundred thousand looks; ten thousand past runs in a list."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from soak import least_of, slope
from stand import PASSWORD, PIPELINE, USERNAME, WORK, StandIn, scenario

COUNTS = (1, 10, 100, 1000, 5000)
# The runs end one after the other within a minute, beginning a minute after the gate.
FIRST, SPREAD = 60.0, 60.0


def command(gate, stand_in, names, *further):
    ids = [word for name in names for word in ("--run-id", name)]
    return [gate, "--base-url", stand_in.base, "--ca-file", stand_in.ca_file, "--pipeline-id", PIPELINE, "--timeout",
            "30m", "--ci", "none", "--quiet", *ids, *further]  # fmt: skip


def environment():
    return {"PATH": os.environ["PATH"], "DADOSFERA_USERNAME": USERNAME, "DADOSFERA_PASSWORD": PASSWORD}


def crowd(gate, program, measure, count):
    """One gate, so many runs."""
    folder = WORK / "scale" / str(count)
    shutil.rmtree(folder, ignore_errors=True)
    ends = {f"run_{number:05}": FIRST + SPREAD * number / count for number in range(count)}
    stand_in = StandIn(program, scenario({name: f"{round(end * 1000)}ms" for name, end in ends.items()}), folder)
    try:
        out = folder / "measured.json"
        arguments = [measure, out, *command(gate, stand_in, ends, "--json", folder / "report.json")]
        with open(folder / "log.txt", "wb") as log:
            subprocess.run(arguments, env=environment(), stdout=log, stderr=log)
        measured = json.loads(out.read_text())
        if measured["code"] != 0:
            raise RuntimeError(f"{count} runs ended with {measured['code']}")
        looks, last = 0, {}
        for request in stand_in.seen():
            if found := re.search(r"/pipeline_run/(run_\d+)$", request.path):
                looks += 1
                last[found[1]] = request.at
        lags = sorted(last[name] - stand_in.began - end for name, end in ends.items())
        return {
            "runs": count, "looks": looks, "cpu": measured["cpu"], "peak": measured["peak"],
            "lag_middle": lags[len(lags) // 2], "lag_most": lags[-1],
            "whole": measured["ended"] - stand_in.began - max(ends.values()),
        }  # fmt: skip
    finally:
        stand_in.stop()


def many_looks(gate, program, looks):
    """A thousand runs, looked at once a second, until there were so many looks: the memory on the way."""
    count = 1000
    folder = WORK / "looks"
    shutil.rmtree(folder, ignore_errors=True)
    names = [f"run_{number:05}" for number in range(count)]
    stand_in = StandIn(program, scenario(dict.fromkeys(names)), folder)
    # Without the past no list spares a look.
    asked = command(gate, stand_in, names, "--poll-interval", "1s", "--history=false")
    watched = subprocess.Popen(asked, env=environment(), stdout=subprocess.DEVNULL)
    samples = []
    try:
        while (made := len(stand_in.seen())) < looks:
            status = Path(f"/proc/{watched.pid}/status").read_text()
            resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
            samples.append((made, resident))
            time.sleep(0.5)
    finally:
        watched.terminate()
        watched.wait()
        stand_in.stop()
    # The first tenth is the way up.
    settled = least_of([(made, resident) for made, resident in samples if made > looks / 10], looks / 20)
    rise, error = slope(settled)
    return {
        "looks": samples[-1][0], "first": settled[0][1], "last": settled[-1][1],
        "bytes_a_look": rise, "error": error, "peak": max(resident for _, resident in samples),
    }  # fmt: skip


def long_list(gate, program, measure, past):
    """One look at a pipeline with so many past runs; the list counts only where the gate asks for it."""
    folder = WORK / "list"
    shutil.rmtree(folder, ignore_errors=True)
    history = {"count": past, "newest": "1h", "every": "1h", "takes": "14m", "spread": "3m"}
    stand_in = StandIn(program, scenario({"run": "2s"}, history=history), folder)
    try:
        out = folder / "measured.json"
        subprocess.run(
            [measure, out, *command(gate, stand_in, ["run"])], env=environment(), stdout=subprocess.DEVNULL, check=True
        )
        asked = sum(request.path.endswith("/pipeline_run") for request in stand_in.seen())
        connection = stand_in.connect()
        account = json.dumps({"username": USERNAME, "password": PASSWORD, "totp": None})
        connection.request("POST", "/auth/sign-in", account, {"content-type": "application/json"})
        token = json.load(connection.getresponse())["tokens"]["accessToken"]
        connection.request("GET", f"/platform/pipeline/{PIPELINE}/pipeline_run", headers={"authorization": token})
        size = len(connection.getresponse().read())
        return {**json.loads(out.read_text()), "past": past, "lists": asked, "list_bytes": size}
    finally:
        stand_in.stop()


def run(gate, program, measure, quick):
    counts = COUNTS[:3] if quick else COUNTS
    return {
        "crowds": [crowd(gate, program, measure, count) for count in counts],
        "looks": many_looks(gate, program, 20_000 if quick else 100_000),
        "lists": [long_list(gate, program, measure, past) for past in (0, 10_000)],
    }
