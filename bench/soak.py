"""Twenty real minutes over TLS with a service that misbehaves in every way it knows, each in one request of a hundred,
at fifty requests a second. Memory and descriptors have to stay flat, and every run has to pass in the end."""

import json
import math
import os
import random
import resource
import shutil
import subprocess
import time
from pathlib import Path

from stand import PASSWORD, PIPELINE, USERNAME, WORK, StandIn, scenario

# A request that hangs takes one of a gate's eight places for half a minute, so that one gate alone could not go on asking.
GATES, RUNS_EACH = 20, 10
EVERY = 5.0

# What the three tokens of a sign-in may take. Those of the newest four sign-ins are remembered, to be kept out of the reports.
SIGN_IN, SIGN_INS = 8 * 1024, 4

# No gate may hold more descriptors. The system holds it to that, because only root may count them: a gate with secrets is not
# dumpable, and its /proc/PID/fd is closed to its own user. A gate that leaks them can open no connection and no report.
DESCRIPTORS = 32


def text(status, body, **further):
    return {"status": status, "body": {"text": body}, **further}


# Each way to misbehave that a gate has to outlive. Those that end a watch at once (a certificate, 407, 400, a redirect to
# another origin, a sign-in without a token) are told in tests/it; 401 is what a token past its two minutes gets.
FAULTS = {
    "500": text(500, '{"msg":"There was an error retrieving the pipeline_run.","error":"Database connection error"}'),
    "502, a page": text(502, "<html><h1>502</h1></html>", headers={"content-type": "text/html"}),
    "503, retry-after in seconds": text(503, "", headers={"retry-after": "2"}),
    "429, retry-after as a date": text(429, "", headers={"retry-after": "now+2s"}),
    "408": text(408, ""),
    "425": text(425, ""),
    "404": text(404, ""),
    "410": text(410, ""),
    "204": {"status": 204},
    "302 in a circle": text(302, "", headers={"location": "/again"}),
    "200, null": text(200, "null"),
    "200, nothing": text(200, ""),
    "200, {}": text(200, "{}"),
    "200, a page": text(200, "<!DOCTYPE html><title>Sign in</title>SUCCESS"),
    "no date": {"without_headers": ["date", "content-type"]},
    "wrapped": {"edits": ["wrap"]},
    "an unknown word": {"edits": [{"set": {"last_status": "PAUSED"}}]},
    "no word": {"edits": [{"drop": "last_status"}]},
    "a word that is none": {"edits": [{"set": {"last_status": 7}}]},
    "another run's record": {"edits": [{"set": {"pipeline_run_id": "another", "last_status": "SUCCESS"}}]},
    "a key twice": {"edits": [{"swap": ['"trace"', '"last_status"']}]},
    "bytes that are no UTF-8": {"edits": [{"swap_bytes": ["RUNNING", [0xFF, 0xFE]]}]},
    "more behind the end": {"edits": [{"append": "}"}]},
    "a trace of 100 KB": {"edits": [{"set": {"trace": "\u001b[31m##[error]" * 8000}}]},
    "not HTTP": {"body": {"raw": [22, 3, 1, 0, 5]}, "end": "close"},
    "no answer, closed": {"cut": "before", "end": "close"},
    "no answer, reset": {"cut": "before", "end": "reset"},
    "no answer at all": {"cut": "before", "end": "hang"},
    "cut in the head": {"cut": "head"},
    "cut in the body": {"cut": {"body": 40}},
    "cut in the body, reset": {"cut": {"body": 40}, "end": "reset"},
    "late": {"delay": "3s"},
    "byte by byte": {"trickle": {"bytes": 8, "every": "20ms"}},
    "9 MB": {"fill": {"total": 9_000_000}},
    "without end": {"fill": {}},
    "gzip": {"gzip": "right"},
    "gzip only by name": {"gzip": "claimed"},
    "half a gzip": {"gzip": "truncated"},
    "a gzip with a wrong sum": {"gzip": "corrupt"},
    "a bomb": {"fill": {"total": 1_000_000_000}, "gzip": "right"},
    "a length too short": {"framing": {"length": 10}, "end": "close"},
    "a length too long": {"framing": {"length": 100_000}, "end": "close"},
    "chunks": {"framing": "chunked"},
    "chunks of no size": {"framing": "chunked_bad_size"},
    "chunks of a wrong size": {"framing": "chunked_wrong_size"},
    "chunks without end": {"framing": "chunked_no_end"},
    "until it closes": {"framing": "until_close"},
    "100 before": {"interim": 100},
    "103 before": {"interim": 103},
}


def script():
    """A hundred looks with each fault once, in an order that is always the same; and sign-ins of which every fifth fails."""
    looks = [{"on": "run", "reply": reply} for reply in FAULTS.values()]
    looks += [{"on": "run", "reply": {}} for _ in range(100 - len(looks))]
    random.Random(2026).shuffle(looks)
    signs_in = [{"on": "sign_in", "reply": {"times": 8}}, {"on": "sign_in", "reply": text(503, "")},
                {"on": "sign_in", "reply": {"cut": "before", "end": "reset"}}]  # fmt: skip
    return looks + signs_in


def limited():
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def descriptors(pid):
    """How many are open, where that can be seen; else the limit."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        return DESCRIPTORS


def sample(pid):
    """Resident bytes, open descriptors and threads."""
    status = Path(f"/proc/{pid}/status").read_text()
    field = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.split()[1:]}
    return int(field["VmRSS"]) * 1024, descriptors(pid), int(field["Threads"])


def slope(points):
    """Least squares: the slope of y over x, and its standard error."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    rest = sum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    return rise, math.sqrt(rest / max(1, count - 2) / spread)


def least_of(samples, seconds):
    """The least of each stretch of time: what an answer of 8 MB takes for a moment is no growth."""
    stretches = {}
    for at, value in samples:
        key = int(at // seconds)
        stretches[key] = min(stretches.get(key, value), value)
    return [(key * seconds, value) for key, value in sorted(stretches.items())]


def run(gate, program, minutes):
    folder = WORK / "soak"
    shutil.rmtree(folder, ignore_errors=True)
    length = round(minutes * 60)
    names = [f"run_{number}" for number in range(GATES * RUNS_EACH)]
    # Short lives that the token does not tell of: it is renewed when it is refused, ten times in the twenty minutes.
    life = {"life": "2m", "claims": False}
    plan = scenario(dict.fromkeys(names, length), script=script(), script_repeats=True, tokens=life)
    stand_in = StandIn(program, plan, folder)
    environment = {"PATH": os.environ["PATH"], "DADOSFERA_USERNAME": USERNAME, "DADOSFERA_PASSWORD": PASSWORD}
    gates, samples = [], []
    began = time.monotonic()
    try:
        for number in range(GATES):
            own = folder / str(number)
            own.mkdir()
            watched = " ".join(names[number * RUNS_EACH : (number + 1) * RUNS_EACH])
            command = [gate, "--base-url", stand_in.base, "--ca-file", stand_in.ca_file, "--pipeline-id", PIPELINE,
                       "--run-id", watched, "--poll-interval", "1s", "--timeout", f"{length + 600}s", "--json",
                       own / "report.json", "--trace-file", own / "trace.txt", "--ci", "none"]  # fmt: skip
            with open(own / "log.txt", "wb") as out:
                gates.append(subprocess.Popen(command, env=environment, stdout=out, stderr=out, preexec_fn=limited))
        # A minute before the end, so that no gate is measured on its way out.
        while (at := time.monotonic() - began) < length - 60:
            samples.append((at, [sample(watched.pid) for watched in gates]))
            time.sleep(EVERY - (time.monotonic() - began) % EVERY)
        codes = [watched.wait(timeout=600) for watched in gates]
    finally:
        for watched in gates:
            if watched.poll() is None:
                watched.kill()
                watched.wait()
        seen = stand_in.seen()
        stand_in.stop()
    return judged(samples, codes, seen, folder, length)


def judged(samples, codes, seen, folder, length):
    # The first half is the way up: buffers and connections are taken for the first time, and the list of events fills up
    # to its thousand.
    warm = length / 2
    gates = []
    for number in range(GATES):
        resident = least_of([(at, each[number][0]) for at, each in samples if at >= warm], 30)
        rise, error = slope(resident)
        span = resident[-1][0] - resident[0][0]
        own = [each[number] for _, each in samples]
        report = json.loads((folder / str(number) / "report.json").read_text())
        gates.append({
            "first": resident[0][1], "last": resident[-1][1], "peak": max(row[0] for row in own),
            "grows_by": rise * span, "error": error * span, "descriptors": max(row[1] for row in own),
            "descriptors_last": own[-1][1], "threads": max(row[2] for row in own), "code": codes[number],
            "verdicts": sorted({row["verdict"] for row in report["runs"]}), "polls": report["polls"],
        })  # fmt: skip
    sign_ins = sum(request.path.endswith("/auth/sign-in") and request.status == 200 for request in seen)
    return {
        "seconds": length, "gates": gates, "faults": len(FAULTS), "requests": len(seen), "sign_ins": sign_ins,
        "a_second": len(seen) / length, "runs_each": RUNS_EACH,
        "samples": [[round(at), [row[0] for row in each]] for at, each in samples[:: max(1, len(samples) // 60)]],
    }  # fmt: skip


def flat(result):
    """No gate's memory grows by more than 128 KiB and what the scatter of its samples explains, and all of them together by
    no more than 32 KiB each and what their tokens take; none holds more descriptors than its connections and files; and
    every run passed."""
    rows = result["gates"]
    mean = sum(row["grows_by"] for row in rows) / len(rows)
    error = math.sqrt(sum(row["error"] ** 2 for row in rows)) / len(rows)
    tokens = min(SIGN_INS, result["sign_ins"] / len(rows) / 2) * SIGN_IN
    together = [f"all gates: {mean:.0f} bytes each"] if mean > 32 * 1024 + tokens + 2 * error else []
    return together + [
        f"gate {number}: {row}" for number, row in enumerate(rows)
        if row["grows_by"] > 128 * 1024 + 2 * row["error"] or row["descriptors"] > DESCRIPTORS or row["code"] != 0
        or row["verdicts"] != ["passed"]
    ]  # fmt: skip
