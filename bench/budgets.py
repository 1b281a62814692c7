"""budgets.py GATE STAND_IN MEASURE: measures a release and holds it to budgets.toml, beside this file."""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import lists
import texts
from stand import PASSWORD, PIPELINE, RUN, USERNAME, WORK, StandIn, scenario

LOOKS = 20


def arguments(stand_in, gate):
    return [gate, "--base-url", stand_in.base, "--ca-file", stand_in.ca_file, "--pipeline-id", PIPELINE, "--run-id", RUN,
            "--poll-interval", "1s", "--timeout", "5m"]  # fmt: skip


def environment():
    return {"PATH": os.environ["PATH"], "DADOSFERA_USERNAME": USERNAME, "DADOSFERA_PASSWORD": PASSWORD}


def until(what, stand_in, count, path):
    """Waits for so many requests to a path."""
    ends = time.monotonic() + 120
    while sum(path in request.path for request in stand_in.seen()) < count:
        if time.monotonic() > ends:
            raise SystemExit(f"budgets: {what} took more than two minutes")
        time.sleep(0.02)


def instructions(gate, program):
    """Instructions until the first request is sent, and for one look, of a gate that waits over TLS."""
    folder = WORK / "budgets"
    shutil.rmtree(folder, ignore_errors=True)
    # While the first answer is held back, the gate has sent its request and sleeps.
    held = {"on": "sign_in", "reply": {"delay": "5s"}}
    stand_in = StandIn(program, scenario({RUN: None}, script=[held]), folder)
    counting = ["valgrind", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no", f"--callgrind-out-file={folder}/counted"]
    with open(folder / "gate.txt", "wb") as out:
        watched = subprocess.Popen([*counting, *arguments(stand_in, gate)], env=environment(), stdout=out, stderr=out)
    try:
        until("sign-in", stand_in, 1, "/auth/sign-in")
        first = part(watched, folder, 1)
        # The first looks are not like the others: memory is taken for the first time.
        until("a look", stand_in, 3, "/pipeline_run/")
        part(watched, folder, 2)
        before = len(stand_in.seen())
        until("the looks", stand_in, 3 + LOOKS, "/pipeline_run/")
        looks = part(watched, folder, 3)
        asked = len(stand_in.seen()) - before
        return first, looks / asked
    finally:
        watched.terminate()
        watched.wait()
        stand_in.stop()


def part(watched, folder, number):
    """What was counted since the last part, a moment after the last request: the gate sleeps."""
    time.sleep(0.4)
    subprocess.run(["callgrind_control", "--dump", str(watched.pid)], check=True, capture_output=True)
    out = folder / f"counted.{number}"
    for _ in range(500):
        if out.exists() and (found := re.search(r"^totals: (\d+)", out.read_text(), re.M)):
            return int(found[1])
        time.sleep(0.02)
    raise SystemExit("budgets: callgrind does not answer")


def waiting(gate, program):
    """The most memory that a gate ever held that has made some looks over TLS, in bytes; and its CPU (not the time that went
    by) at the first request, in seconds."""
    folder = WORK / "budgets-memory"
    held = {"on": "sign_in", "reply": {"delay": "1s"}}
    stand_in = StandIn(program, scenario({RUN: None}, script=[held]), folder)
    watched = subprocess.Popen(arguments(stand_in, gate), env=environment(), stdout=subprocess.DEVNULL)
    try:
        until("sign-in", stand_in, 1, "/auth/sign-in")
        time.sleep(0.2)
        tasks = Path(f"/proc/{watched.pid}/task").iterdir()
        cpu = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
        until("the looks", stand_in, 10, "/pipeline_run/")
        status = Path(f"/proc/{watched.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024, cpu
    finally:
        watched.terminate()
        watched.wait()
        stand_in.stop()


def gone_after_signal(gate, program, tries=5):
    """Seconds from SIGTERM to the end of a gate that waits for a run, though nobody reads one of its reports: of several the
    least, for what else the machine does can only add to them."""
    folder = WORK / "budgets-signal"
    shutil.rmtree(folder, ignore_errors=True)
    stand_in = StandIn(program, scenario({RUN: None}), folder)
    os.mkfifo(folder / "unread")
    took = []
    try:
        for _ in range(tries):
            looks = sum("/pipeline_run/" in request.path for request in stand_in.seen())
            command = [*arguments(stand_in, gate), "--json", str(folder / "unread")]
            watched = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
            until("a look", stand_in, looks + 1, "/pipeline_run/")
            before = time.monotonic()
            watched.terminate()
            watched.wait()
            took.append(time.monotonic() - before)
        return min(took)
    finally:
        stand_in.stop()


def system_calls(gate, program):
    """System calls for one poll of a gate that waits over TLS, counted by strace."""
    folder = WORK / "budgets-calls"
    stand_in = StandIn(program, scenario({RUN: None}), folder)
    trace = folder / "trace.txt"
    traced = subprocess.Popen(["strace", "-f", "-o", trace, *arguments(stand_in, gate)], env=environment(), stdout=subprocess.DEVNULL)

    def so_far(polls):
        """Lines and requests, a moment after that many polls: the gate sleeps."""
        until("the polls", stand_in, polls, "/pipeline_run/")
        time.sleep(0.3)
        return len(trace.read_text().splitlines()), len(stand_in.seen())

    try:
        (lines, requests), (lines_after, requests_after) = so_far(5), so_far(5 + LOOKS)
        return (lines_after - lines) / (requests_after - requests)
    finally:
        # The gate, not strace: it ends with it.
        for child in Path(f"/proc/{traced.pid}/task/{traced.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
        traced.wait()
        stand_in.stop()


def threads_of_version(gate):
    """How many threads and processes `--version` and `--help` start."""
    started = 0
    for flag in ("--version", "--help"):
        trace = subprocess.run(["strace", "-f", "-e", "trace=clone,clone3,fork,vfork", gate, flag], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, check=True).stderr  # fmt: skip
        started += trace.count("clone") + trace.count("fork")
    return started


def version_against_true(gate, rounds=300):
    """The times of `--version` and of /bin/true in seconds, taken in turns: of many the lower quartile, for what else the
    machine does can only add to them."""

    def time_of(command):
        before = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - before

    pairs = [(time_of([gate, "--version"]), time_of(["/bin/true"])) for _ in range(rounds)]
    return tuple(statistics.quantiles(times)[0] for times in zip(*pairs))


def measure(gate, program, tool):
    first, look = instructions(gate, program)
    memory, cpu = waiting(gate, program)
    version, true = version_against_true(gate)
    gone = gone_after_signal(gate, program)
    return {
        "bytes": os.path.getsize(gate), "to_first_request": first, "per_poll": look, "waiting_bytes": memory,
        "cpu_to_first_request": cpu, "version": version, "true": true,
        "gone_after_signal": gone, "system_calls": system_calls(gate, program), "threads_of_version": threads_of_version(gate),
        **texts.measure(gate, program, tool), "lists": lists.measure(gate, program, tool),
    }  # fmt: skip


SANITIZING = {
    "ordinary": "instructions per byte of a text, sanitizing it, ordinary",
    "hostile": "instructions per byte of a text, sanitizing it, slowest",
    "of_aho_corasick": "sanitizing an ordinary text, of aho-corasick's",
}


def verdicts(measured, budget):
    """(what, measured, most, holds) for each budget. What got much better must be written down, or it would be lost again
    unseen."""
    size, counts = budget["size"], budget["instructions"]
    yield "size in bytes, at most", measured["bytes"], size["most"], measured["bytes"] <= size["most"]
    rows = [("size in bytes, as it is", measured["bytes"], size["bytes"], size["within"])]
    rows += [
        ("instructions to the first request", measured["to_first_request"], counts["to_first_request"], counts["within"]),
        ("instructions per poll", round(measured["per_poll"]), counts["per_poll"], counts["within"]),
    ]
    for what, found, written, within in rows:
        yield what, found, written, abs(found / written - 1) <= within
    version = budget["version"]
    most = round((version["ratio"] * measured["true"] + version["plus_ms"] / 1e3) * 1e6)
    found = round(measured["version"] * 1e6)
    yield f"--version in µs (/bin/true: {round(measured['true'] * 1e6)})", found, most, found <= most
    most = round(budget["cpu"]["to_first_request_ms"] * 1e3)
    found = round(measured["cpu_to_first_request"] * 1e6)
    yield "CPU to the first request, in µs", found, most, found <= most
    # What was measured before this row came has none.
    if "gone_after_signal" in measured:
        most = round(budget["signal"]["gone_within_s"] * 1e6)
        found = round(measured["gone_after_signal"] * 1e6)
        yield "gone after a signal, in µs", found, most, found <= most
    if "system_calls" in measured:
        most = budget["system_calls"]["per_poll"]
        yield "system calls per poll", measured["system_calls"], most, measured["system_calls"] <= most
        yield "threads started by --version and --help", measured["threads_of_version"], 0, not measured["threads_of_version"]
    if "per_byte" in measured:
        for name, found in measured["per_byte"].items():
            written = budget["texts"][f"{name}_per_byte"]
            holds = abs(found / written - 1) <= budget["texts"]["within"]
            yield f"instructions per byte of a trace, {name}", round(found, 1), written, holds
        for name, what in SANITIZING.items():
            most, found = budget["texts"][f"sanitizing_{name}"], measured["sanitizing"][name]
            yield what, round(found, 2), most, found <= most
        for name, found in measured["peak_with_trace"].items():
            most = budget["texts"]["peak_" + name.replace(" ", "_")]
            yield f"peak memory with a trace of 7 MB, {name}, in bytes", found, most, found <= most
        most = round(budget["signal"]["gone_within_s"] * 1e6)
        found = round(measured["gone_from_texts"] * 1e6)
        yield "gone after a signal during long texts, in µs", found, most, found <= most
        for count, cpu in measured["lists"].items():
            most = budget["lists"]["of_python"]
            found = round(cpu["gate"] / cpu["python"], 2)
            yield f"CPU for a list of {int(count):,} runs, of Python's", found, most, found <= most
    most = budget["memory"]["waiting_bytes"]
    yield "peak memory waiting, in bytes", measured["waiting_bytes"], most, measured["waiting_bytes"] <= most


def main(gate, program, tool):
    budget = tomllib.loads((Path(__file__).parent / "budgets.toml").read_text())
    measured = measure(gate, program, tool)
    broken = False
    for what, found, written, holds in verdicts(measured, budget):
        broken |= not holds
        print(f"{what:58} {found:>12,}  budget {written:>12,}  {'ok' if holds else 'BROKEN'}")
    if broken:
        print("budgets: what a release costs is not what bench/budgets.toml says. If it is meant, write it down there.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
