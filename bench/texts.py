"""What long texts cost: instructions for each byte of a trace, the most memory, and the time until a signal is obeyed.

The gate knows a password and the tokens of a sign-in. The ordinary text is a log of Spark; the slow one is all escapes, twice,
around beginnings of the password and of a token. `sanitizing` has more hostile texts, and more secrets."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from itertools import count, islice

from stand import PASSWORD, PIPELINE, ROOT, RUN, USERNAME, WORK, StandIn, scenario

SIZE = 7_000_000
REPORTS = ["--json", "report.json", "--junit", "junit.xml", "--trace-file", "trace.txt"]


def ordinary(size):
    def lines():
        for n in count():
            yield (f"2024-01-15 10:{n // 60 % 60:02}:{n % 60:02},{n % 1000:03} INFO [executor-{n % 7}] o.a.s.TaskSetManager: "
                   f"Finished task {n}.0 in stage 12.0 (TID {n * 3}) in {n % 977} ms on 10.0.3.{n % 250} ({n % 200}/200) 50% done\n")
            if n % 40 == 0:
                yield ('Traceback (most recent call last):\n  File "/opt/app/etl.py", line 42, in <module>\n'
                       '    raise ValueError("{\\"code\\": 504}")\nA execução não terminou\n')  # fmt: skip

    return "".join(islice(lines(), size // 140))[:size]


def slow(size):
    password, token = PASSWORD[:-1], "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIi"
    part = f"{password}%2541{token}&amp;amp;{password}\\\\u005c{token}\n"
    return part * (size // len(part))


def failed(trace, **further):
    run = {"record": {"pipeline_run_id": RUN, "last_status": "FAILED", "trace": trace}}
    plan = scenario({}, **further)
    plan["pipelines"] = [{"pipeline_id": PIPELINE, "runs": [run]}]
    return plan


def started(gate, stand_in, logs="never", before=(), reports=()):
    command = [*before, gate, "--base-url", stand_in.base, "--ca-file", stand_in.ca_file, "--pipeline-id", PIPELINE,
               "--run-id", RUN, "--logs", logs, "--timeout", "5m", "--history", "false", *reports]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "DADOSFERA_USERNAME": USERNAME, "DADOSFERA_PASSWORD": PASSWORD}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=WORK / "budgets-texts")


def instructions(gate, program, text):
    """Of a gate whose run failed with this trace, to its end."""
    folder = WORK / "budgets-texts"
    shutil.rmtree(folder, ignore_errors=True)
    stand_in = StandIn(program, failed(text), folder)
    counting = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/counted"]
    try:
        out = started(gate, stand_in, before=counting).communicate()[0].decode()
        return int(re.search(r"Collected : (\d+)", out)[1])
    finally:
        stand_in.stop()


def peak(gate, program, tool, text, reports):
    """The most memory of such a gate, in bytes."""
    out = WORK / "budgets-texts" / "measured.json"
    stand_in = StandIn(program, failed(text), out.parent)
    try:
        started(gate, stand_in, before=[tool, out], reports=reports).communicate()
        return json.loads(out.read_text())["peak"]
    finally:
        stand_in.stop()


def gone(gate, program, plan, logs, says):
    """Seconds from SIGTERM to the end of a gate, sent as soon as it has said this."""
    stand_in = StandIn(program, plan, WORK / "budgets-texts")
    try:
        watched = started(gate, stand_in, logs)
        while says not in watched.stdout.readline():
            pass
        if logs != "never":
            while not any(request.path.endswith("/logs") for request in stand_in.seen()):
                time.sleep(0.01)
        before = time.monotonic()
        watched.send_signal(signal.SIGTERM)
        watched.stdout.read()
        watched.wait()
        return time.monotonic() - before
    finally:
        stand_in.stop()


def sanitizing():
    """Instructions for each byte: of our sanitizing, and of the crate `aho-corasick`, by secrets and text."""
    folder = WORK / "sanitizing"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build = ["cargo", "build", "--quiet", "--locked", "--release", "--target-dir", WORK / "sanitizing-build"]
    subprocess.run(build, cwd=ROOT / "bench" / "sanitizing", check=True)
    command = ["valgrind", "--tool=callgrind", "--dump-before=sanitizing::mark", f"--callgrind-out-file={folder}/counted",
               WORK / "sanitizing-build" / "release" / "sanitizing"]  # fmt: skip
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
    # The first part ends before the first text; then each text has two.
    parts = (int(re.search(r"^totals: (\d+)", (folder / f"counted.{n}").read_text(), re.M)[1]) for n in count(2))
    return [{"secrets": secrets, "text": text, "ours": next(parts) / int(length), "theirs": next(parts) / int(length)}
            for length, secrets, text in (line.split("\t") for line in out.splitlines())]  # fmt: skip


def rates():
    """The same in MB/s, of the program that `sanitizing` has built."""
    command = [WORK / "sanitizing-build" / "release" / "sanitizing", "--times"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    rows = [(int(ours), int(theirs), secrets, text) for ours, theirs, secrets, text in (line.split("\t") for line in lines)]
    ordinary = {secrets: [ours, theirs] for ours, theirs, secrets, text in rows if text == "ordinary"}
    return {"ordinary": ordinary, "slowest": min(ours for ours, *_ in rows)}


def slowest(rows):
    """Of what `sanitizing` gives."""
    hostile = max((row for row in rows if row["text"] != "ordinary"), key=lambda row: row["ours"])
    ordinary = [row for row in rows if row["text"] == "ordinary"]
    return {
        "ordinary": max(row["ours"] for row in ordinary),
        "hostile": hostile["ours"],
        "hostile_text": f"{hostile['secrets']}, {hostile['text']}",
        "of_aho_corasick": max(row["ours"] / row["theirs"] for row in ordinary),
    }


def measure(gate, program, tool):
    gate, program, tool = (os.path.abspath(path) for path in (gate, program, tool))
    none = instructions(gate, program, "why")
    per_byte = {name: (instructions(gate, program, text) - none) / len(text)
                for name, text in (("ordinary", ordinary(SIZE)), ("slow", slow(SIZE // 4)))}  # fmt: skip
    peaks = {name: peak(gate, program, tool, ordinary(SIZE), reports)
             for name, reports in (("in the log", []), ("with reports", REPORTS))}  # fmt: skip
    logs = {"on": "logs", "reply": {"status": 200, "body": {"text": slow(60_000_000)}}}
    seconds = [gone(gate, program, failed(slow(25_000_000)), "never", b"status FAILED"),
               gone(gate, program, failed("why", script=[logs]), "always", b"status FAILED")]  # fmt: skip
    return {"sanitizing": slowest(sanitizing()), "sanitizing_rates": rates(), "per_byte": per_byte, "peak_with_trace": peaks,
            "gone_from_texts": max(seconds)}  # fmt: skip
