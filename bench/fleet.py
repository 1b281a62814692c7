"""The simulation's figures in the documentation: what a hundred thousand gates a day cost (docs/scale.md), and what the forecast
is worth (docs/pipelines.md). `examples/forecast-bench` computes them.

    bench/run.py fleet      runs the simulation and writes the figures, each block with a hash of what it was computed from
    bench/fleet.py check    fails if that has changed since"""

import hashlib
import re
import subprocess
import sys

from stand import ROOT, WORK

GATES = 100_000
SCALE, PIPELINES = ROOT / "docs/scale.md", ROOT / "docs/pipelines.md"
BLOCK = re.compile(r"<!-- simulation (\S+) -->\n.*?<!-- /simulation -->", re.S)

# What the figures depend on.
INPUTS = ["src/core/forecast.rs", "src/core/forecast/predictive.rs", "src/core/schedule.rs", "src/core/spacing.rs",
          "examples/forecast-bench/*.rs"]  # fmt: skip

# How the simulation calls them, and how the pages do.
SHOWN = {
    "run-notebook, dbt-cloud-cli, await-remote-run: 5 s": "every 5 s",
    "wait-on-check, trigger-and-wait: 10 s": "every 10 s",
    "gh run watch: 3 s, three requests": "`gh run watch`: three requests every 3 s",
    "codebuild: 30 s, two requests": "two requests every 30 s",
    "ours without a history: the ramp": "maestro-gate, without previous runs",
    "ours, 20 past runs": "**maestro-gate, with 20 previous runs**",
}
ROWS = {
    "spread 5 %, 8 runs": "run times vary by 5 %, 8 runs known",
    "spread 10 %, 8 runs": "by 10 %, 8 runs known",
    "spread 10 %, 20 runs": "by 10 %, 20 runs known",
    "spread 20 %, 8 runs": "by 20 %, 8 runs known",
    "spread 20 %, 20 runs": "by 20 %, 20 runs known",
    "two peaks, 30 % at 0.4x": "two peaks, 30 % of the runs at 0.4 of the time",
    "10 % early failures": "one in ten fails early",
    "spread 100 %, exponential": "any length (exponential), 20 runs known",
    "lognormal sigma 1, 3 runs": "nearly any length (lognormal, σ 1), 3 runs known",
    "2x longer, 20 runs": "runs take twice as long as they did",
    "2x shorter": "half as long",
    "history all too long, 4x": "the previous runs were four times as long",
    "history all too short, 4x": "four times too short",
    "always fails at 10 %": "all runs now fail at 10 % of the usual time",
}
PEERS = {
    "ours, 20 past runs": "maestro-gate, 20 runs known",
    "ours without a history: the ramp": "maestro-gate without previous runs",
    "wait-on-check, trigger-and-wait: 10 s": "wait-on-check, trigger-and-wait: 10 s",
    "gh run watch: 3 s, three requests": "`gh run watch`: 3 s, three requests each",
    "tfci: 2, 4, 6, then 7 s": "tfci: 2, 4, 6, then 7 s",
    "databricks CLI: 1 s growing to 10 s": "databricks CLI: 1 s growing to 10 s",
    "run-notebook, dbt-cloud-cli, await-remote-run: 5 s": "run-notebook, dbt-cloud-cli, await-remote-run: 5 s",
    "codebuild: 30 s, two requests": "codebuild: 30 s, two requests each",
    "dbt-cloud-action: 30 s after 30 s": "dbt-cloud-action: 30 s after 30 s",
    "Smithy waiters: 2 s doubling to 120 s, full jitter": "Smithy waiters: 2 s doubling to 120 s",
}


def fingerprint():
    """Of the code that the figures depend on, without comments and blank lines."""
    text = []
    for pattern in INPUTS:
        for path in sorted(ROOT.glob(pattern)):
            lines = (line.strip() for line in path.read_text().splitlines())
            text += [path.name, *(line for line in lines if line and not line.startswith("//"))]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()[:16]


def stale():
    """The pages whose figures were computed from other code."""
    written = {page: BLOCK.findall(page.read_text()) for page in (SCALE, PIPELINES)}
    return [page.name for page, hashes in written.items() if not hashes or set(hashes) != {fingerprint()}]


def measured():
    """What the simulation printed, as figures."""
    said = subprocess.run(["cargo", "run", "--quiet", "--locked", "--release", "--example", "forecast-bench",
                           "--target-dir", WORK], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # fmt: skip
    return read(said)


def read(said):
    """Schedules: (lag, requests, product) at 2, 5, 15 and 60 minutes; herds: (mean, peak, peak over mean); rows: (usual time,
    product, lag, requests, bound, best)."""
    schedules, herds, rows = {}, {}, {}
    for line in said.splitlines():
        name, *cells = (part.strip() for part in line.split("|"))
        if len(cells) == 4 and name in SHOWN | PEERS:
            schedules[name] = [tuple(map(float, cell.split())) for cell in cells]
        elif len(cells) == 3 and (found := re.fullmatch(r"(\d+) +(\d+) +([\d.]+)", cells[0])):
            herds[name] = (int(found[1]), int(found[2]), float(found[3]))
        elif len(cells) == 4 and (found := re.fullmatch(r"(.*?) +(\d+)", name)) and len(cells[1].split()) == 3:
            figures = map(float, [found[2], *cells[1].split(), *cells[2].split()])
            rows.setdefault(found[1].strip(), []).append(tuple(figures))
    if missing := (set(SHOWN) | set(PEERS)) - set(schedules) | set(ROWS) - set(rows):
        raise SystemExit(f"fleet: the simulation says nothing of {', '.join(sorted(missing))}")
    return {"schedules": schedules, "herds": herds, "rows": rows}


def mean(schedule):
    """Lag and requests, each a mean over the four lengths of runs."""
    return sum(lag for lag, *_ in schedule) / 4, sum(requests for _, requests, *_ in schedule) / 4


def scale(result):
    lines = ["| polls | requests per gate | per day | per second | lag | runners wait needlessly, per day |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name, shown in SHOWN.items():
        lag, asked = mean(result["schedules"][name])
        lines.append(
            f"| {shown} | {asked:.0f} | {asked * GATES / 1e6:.1f} million | {asked * GATES / 86400:.0f} | {lag:.1f} s | "
            f"{lag * GATES / 60:,.0f} minutes |"
        )
    lag, asked = mean(result["schedules"]["ours, 20 past runs"])
    lag10, asked10 = mean(result["schedules"]["wait-on-check, trigger-and-wait: 10 s"])
    lag5, asked5 = mean(result["schedules"]["run-notebook, dbt-cloud-cli, await-remote-run: 5 s"])
    lines += ["", f"Compared with every ten seconds, this is {1 - asked / asked10:.0%} fewer requests and saves "
              f"{(lag10 - lag) * GATES / 60:,.0f} runner minutes per day; compared with every five seconds, {1 - asked / asked5:.0%} "
              f"fewer requests and {(lag5 - lag) * GATES / 60:,.0f} minutes."]  # fmt: skip
    if herd := result["herds"].get("pipelines of 2 min to 1 h, runs end"):
        lines += ["", f"Ten thousand gates that start in the same second make {herd[0]} requests per second on average in the next "
                  f"quarter of an hour, and {herd[1]:,} at most: each has its own pace."]  # fmt: skip
    return lines


def span(values, digits=2):
    least, most = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return least if least == most else f"{least}-{most}"


def worth(result):
    lines = ["| the previous runs, and the runs now | product | best possible | lag | requests |", "|---|---|---|---|---|"]
    for name, shown in ROWS.items():
        usual = [row for row in result["rows"][name] if row[0] in (120, 300, 900, 3600)]
        product, lag, requests, bound = ([row[column] for row in usual] for column in (1, 2, 3, 4))
        lines.append(f"| {shown} | {span(product)} | {span(bound)} | {span(lag)} | {span(requests)} |")
    return lines


def peers(result):
    lines = ["| | lag | requests | product |", "|---|---|---|---|"]
    for name, shown in PEERS.items():
        lag, requests, product = result["schedules"][name][2]
        lines.append(f"| {shown} | {lag:.1f} s | {requests:.0f} | {product:.2f} |")
    return lines


def herd(result):
    uneven = [peak for *_, peak in result["herds"].values()]
    return [f"Gates that start in the same second (a cron job on the hour) don't stay in step. Ten thousand of them make, after the first "
            f"minute, at most {span(uneven).replace('-', ' to ')} times their average requests per second."] if uneven else []  # fmt: skip


def write(result):
    for page, blocks in ((SCALE, [scale(result)]), (PIPELINES, [worth(result), peers(result), herd(result)])):
        blocks, text = iter(blocks), page.read_text()

        def block(found):
            lines = next(blocks)
            # What was not simulated this time stays as it is.
            body = "\n".join(lines) + "\n" if lines else found[0].split("\n", 1)[1].rsplit("<!-- /simulation -->", 1)[0]
            return f"<!-- simulation {fingerprint()} -->\n{body}<!-- /simulation -->"

        page.write_text(BLOCK.sub(block, text))


if __name__ == "__main__":
    if sys.argv[1:] != ["check"]:
        raise SystemExit("usage: bench/fleet.py check (bench/run.py fleet writes the figures)")
    if pages := stale():
        raise SystemExit(f"{', '.join(pages)}: the simulation's figures are older than the code. Run bench/run.py fleet.")
