"""docs/benchmarks.md, made of what was measured. What it says about the figures is computed from them, or true whatever
they are."""

import json
import statistics
import tomllib
from pathlib import Path

from budgets import verdicts
from side_by_side import LENGTHS, middle
from soak import flat

HEAD = """# Benchmarks

[`bench/run.py`](../bench/README.md) writes this page. With Debian and an hour you can measure everything again. Each section begins
with the machine that it was measured on. Times depend on the machine. Requests, bytes and instructions do not:
`bench/budgets`, which CI runs, checks them.
"""


def table(head, rows):
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines) + "\n"


def measured_on(machine):
    shared = ""
    if machine["load"] > machine["cores"] / 4:
        shared = f" The machine's load was {machine['load']:.1f} when this began."
    return (
        f"{machine['date']}, commit {machine['commit']}, Rust {machine['rustc']}; {machine['system']} on {machine['cores']} "
        f"cores ({machine['cpu']}), Linux {machine['kernel']}.{shared}\n"
    )


def mb(size):
    return f"{size / 1e6:.1f}"


def best(values, shown):
    """The values as text, the least of them in bold."""
    return [f"**{text}**" if value == min(values) else text for value, text in zip(values, map(shown, values))]


def side_by_side(machine, result):
    waits, names = result["waits"], result["contenders"]
    keys = [each["key"] for each in names]

    def mean(key, what, length):
        return statistics.mean(
            row[what] for row in waits if row["contender"] == key and row["length"] == length
        )

    def three(key, what):
        return sum(mean(key, what, length) for length in LENGTHS)

    columns = [
        ("requests, all three", [three(key, "requests") for key in keys], "{:.1f}".format),
        ("lag, average", [three(key, "lag") / len(LENGTHS) for key in keys], "{:.2f} s".format),
        ("CPU, all three", [three(key, "cpu") for key in keys], "{:.3f} s".format),
        ("bytes on the wire, all three", [three(key, "bytes") for key in keys], lambda size: f"{size / 1e3:.1f} kB"),
        ("peak memory", [max(row["peak"] for row in waits if row["contender"] == key) for key in keys],
         lambda size: f"{mb(size)} MB"),
        ("start to first request", [middle(result["starts"], key, "first_request") for key in keys],
         lambda time: f"{time * 1e3:.0f} ms"),
        ("on disk", [result["disk"][key]["bytes"] for key in keys], lambda size: f"{mb(size)} MB"),
    ]  # fmt: skip
    parts = [(f"{what}, {length} s", [mean(key, what, length) for key in keys], shown)
             for what, shown in (("requests", "{:.1f}".format), ("lag", "{:.2f} s".format)) for length in LENGTHS]  # fmt: skip
    parts.append(("CPU of one poll", [middle(result["starts"], key, "cpu") for key in keys],
                  lambda time: f"{time * 1e3:.0f} ms"))  # fmt: skip
    head = ["", *(each["name"] for each in names)]
    told = [["version", *(each["version"] for each in names)],
            ["seconds between polls", *(str(each["interval"] or "its own") for each in names)]]  # fmt: skip
    lost = [title for title, values, _ in columns if values[0] != min(values)]
    verdict = f"maestro-gate is best in {len(columns) - len(lost)} of these {len(columns)} rows"
    verdict += f"; not in {'; '.join(lost)}." if lost else "."
    asks = mean("gh", "requests", 180) / mean("gate", "requests", 180)
    return f"""## Side by side

{measured_on(machine)}
Every tool waits {result["rounds"]} times for runs of 20, 60 and 180 seconds (give or take a tenth). The waits
begin 1, 3, 5, 7 and 9 seconds after the run, because a ten-second loop that begins with the run would meet its end by luck.
All tools sign in and poll the same [stand-in service](../examples/stand-in/README.md) over TLS, except `gh`, which polls a
translation of the same run into GitHub's API. Its answers are a tenth as long as GitHub's, which favours `gh`.
The stand-in compresses its answers if a client accepts that, as most gateways do. Its list has thirty previous runs of
about that length; only maestro-gate uses them. All runs take real time. Everything is measured from outside:
requests by the stand-in, bytes by a relay in front of it, CPU (user and system, with all children) and memory (of the largest
process) by the kernel.

{table(head, told + [[title, *best(values, shown)] for title, values, shown in columns])}
{verdict} One by one:

{table(head, [[title, *best(values, shown)] for title, values, shown in parts])}
- **Requests and lag** can be traded for each other: polling twice as often halves the lag. A ten-second
  loop sees the end five seconds late on average. `gh`, with three requests every three seconds, sees it a little sooner than
  maestro-gate, with {asks:.1f} times as many requests in three minutes. No service could give that rate to everybody.
- **Lag** is the time from the end of the run, by the stand-in's clock, to the end of the process.
- **On disk** counts all files that a program opens or executes for one poll, according to `strace`: the program, its libraries
  and modules, and the roots that it trusts. maestro-gate is one file; it reads the system's roots only if it needs them.
"""


def rates(result):
    ordinary = [f"{ours} MB/s with {secrets} ({theirs})" for secrets, (ours, theirs) in result["ordinary"].items()]
    return (f"Sanitizing an ordinary text ran at {' and '.join(ordinary)}, and the slowest of the hostile texts at {result['slowest']} MB/s. In\n"
            "brackets is the rate of the crate `aho-corasick`, which only looks for the secrets as they stand.")  # fmt: skip


def cost(machine, result):
    budget = tomllib.loads((Path(__file__).parent / "budgets.toml").read_text())
    rows = [[what, f"{found:,}", f"{written:,}", "yes" if holds else "NO"]
            for what, found, written, holds in verdicts(result, budget)]  # fmt: skip
    return f"""## What it costs

{measured_on(machine)}
{table(["", "measured", "budget", "holds"], rows)}
The size is that of the release for x86_64 musl. Instructions are counted by callgrind and must stay
within {budget["instructions"]["within"]:.0%} of the recorded number, in both directions, so that an improvement is not lost
unnoticed. CPU is the kernel's number, until the first request was sent.

{rates(result["sanitizing_rates"])}

### What profiles led to

| what showed | before | after |
|---|---|---|
| the system's roots (145 files on Debian, each twice) were read, decoded and parsed at every start; now only for a certificate that the bundled roots and `ca-file` don't trust | 27.0 million instructions to the first request, 9.5 ms | 4.2 million, 1.9 ms |
| the library's verifier included code for revocation lists, which the gate never has | 3,430,088 bytes | 3,397,320 bytes |
| every event was kept for the report: half a MiB in four minutes of a soak | without limit | the first and the last 500 |
| each token is redacted in everything that is shown, in five forms: the tokens of half a day took megabytes | 120 bytes a byte of token | 10 bytes |
| a list was cut into its runs byte by byte, each was read three times, and its timestamps by a format | 10,000 runs: 1.7 times the CPU of Python's `json` | 1.1 times, 14,600 instructions per run |
| each of these runs was read by `serde_json`, field by field; now one that is as documented is scanned eight bytes at a time | 14,600 instructions per run | 7,500 |
| the body of a list was copied before it was read, ids and time stamps were read byte by byte, and each status was copied | 6,300 instructions per run | 3,500 |
| a profile for the smallest program; every signal was polled with every answer, and the address made anew | 275,000 instructions for a poll, 3.16 MB | 172,000, 3.36 MB |
| a trace with escapes was put together twice | 34.5 MB for a trace of 7 MB | 27 to 30 MB |
| a long body moved as it grew and left gaps in memory, and the JSON report, in one piece, fitted none of them | 19 to 33 MB for a trace of 7 MB with all reports | 19 MB |
| the memory for the runs of a list moved as it grew, too | 10,000 runs: 0.56 to 0.59 of the CPU of Python's `json` | 0.48 to 0.54 |
| the gate was the future that tokio's `block_on` runs, for which tokio asks the system for events after each wake | 10.8 system calls per poll | 9 |
| every answer went through all runs of its pipeline, and a shared list told of 10,000 runs at most | 20,000 runs of one pipeline: 3.9 requests per run; 5,000: 2.0 | as many per run for 20,000 as for 1,000 (simulated: `src/core/monitor/tests/shared_lists.rs`) |
| every text was searched byte by byte, a trace twice, and the patterns were built anew for each secret; now a filter skips most of a text | 284 instructions per byte of an ordinary trace, 1,248 of the slowest | 17 and 173, by themselves |

What remains of a start is the handshake; two thirds of it are arithmetic. No part dominates a poll: the allocator takes
12 %, addresses 8 %, copying 6 %, JSON 6 %. The rest is spread over the layers of the HTTP client.
"""


def scale(machine, result):
    rows = []
    for row in result["crowds"]:
        rows.append([
            f"{row['runs']:,}", f"{row['looks']:,}", f"{row['looks'] / row['runs']:.1f}", f"{row['cpu']:.2f} s",
            f"{row['cpu'] / row['looks'] * 1e6:.0f} µs", f"{mb(row['peak'])} MB", f"{row['lag_middle']:.1f} s",
            f"{row['lag_most']:.1f} s",
        ])  # fmt: skip
    head = ["runs", "polls", "polls per run", "CPU", "CPU per poll", "peak memory", "lag, median", "lag, maximum"]
    looks, (none, many) = result["looks"], result["lists"]
    listed = "it read no list"
    if many["lists"]:
        listed = (
            f"one list of {many['list_bytes'] / 1e6:.1f} MB cost {(many['cpu'] - none['cpu']) * 1e3:.0f} ms of CPU and "
            f"{mb(max(0, many['peak'] - none['peak']))} MB of memory"
        )
    smallest, largest = result["crowds"][0], result["crowds"][-1]
    each = (largest["peak"] - smallest["peak"]) / max(1, largest["runs"] - smallest["runs"])
    return f"""## Scale

{measured_on(machine)}
This is one process. The runs finish one after the other in the second minute, and there are no previous runs: polls are up to ten
seconds apart, and the lag of a single run is luck.

{table(head, rows)}
One more run costs {each / 1e3:.1f} kB. **{looks["looks"]:,} polls** of 1,000 runs, one per second each: {mb(looks["first"])} MB
resident after the first tenth, {mb(looks["last"])} MB at the end, {looks["bytes_a_look"] * 1000:.1f} bytes per thousand
polls (± {looks["error"] * 1000:.1f}). A pipeline with **{many["past"]:,} previous runs**: {listed}.
"""


def soak(machine, result):
    rows = [
        [str(number), mb(row["first"]), mb(row["last"]), mb(row["peak"]),
         f"{row['grows_by'] / 1024:+.0f} ± {2 * row['error'] / 1024:.0f}", str(row["descriptors"]), f"{row['polls']:,}",
         ", ".join(row["verdicts"])]
        for number, row in enumerate(result["gates"], 1)
    ]  # fmt: skip
    broken = flat(result)
    verdict = "Flat, and every run passed." if not broken else "NOT flat: " + "; ".join(broken)
    head = ["gate", "MB half-way", "MB at the end", "maximum MB", "growth, KiB", "maximum descriptors", "polls",
            "verdict"]  # fmt: skip
    return f"""## Stamina

{measured_on(machine)}
{result["seconds"] // 60} minutes over TLS with a service that misbehaves in {result["faults"]} ways, each in one of a hundred
requests (`bench/soak.py` lists them). Every fifth sign-in fails, and tokens expire every two minutes. There were
{result["requests"]:,} requests, {result["a_second"]:.0f} per second, from {len(result["gates"])} gates with {result["runs_each"]} runs each.
Growth is the slope, with twice its standard error, through the minimum of each half minute in the second half. In the first half, buffers and the
list of events, which holds a thousand, still fill. The tokens of a sign-in take up to 8 KiB; those
of the newest 4 sign-ins are stored.

{table(head, rows)}
{verdict}

Tests in simulated time cover longer waits: 26 hours through more than fifty lives of a token, with the real client over sockets
(`src/api/client/tests/long_wait.rs`), and a hundred thousand polls through the core (`src/core/monitor/tests/endurance.rs`).
"""


def written(folder):
    parts = [HEAD]
    for name, part in (("side-by-side", side_by_side), ("budgets", cost), ("scale", scale), ("soak", soak)):
        file = folder / f"{name}.json"
        if file.exists():
            kept = json.loads(file.read_text())
            parts.append(part(kept["machine"], kept["result"]))
    return "\n".join(parts)
