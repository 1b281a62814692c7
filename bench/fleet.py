"""What a hundred thousand gates a day ask of the service, and what they cost their runners: from the simulation
(`examples/forecast-bench`), written into docs/scale.md between its marks."""

import re
import subprocess

from stand import ROOT, WORK

GATES = 100_000
BEGIN, END = "<!-- simulation -->", "<!-- /simulation -->"

# How the simulation calls them, and how the page does.
SHOWN = {
    "run-notebook, dbt-cloud-cli, await-remote-run: 5 s": "every 5 s",
    "wait-on-check, trigger-and-wait: 10 s": "every 10 s",
    "gh run watch: 3 s, three requests": "`gh run watch`: three requests every 3 s",
    "codebuild: 30 s, two requests": "two requests every 30 s",
    "ours without a history: the ramp": "maestro-gate, without previous runs",
    "ours, 20 past runs": "**maestro-gate, with 20 previous runs**",
}


def measured():
    """The schedules' costs, each a mean over the four lengths of runs, and the peaks of a herd."""
    said = subprocess.run(["cargo", "run", "--quiet", "--locked", "--release", "--example", "forecast-bench",
                           "--target-dir", WORK], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # fmt: skip
    return read(said)


def read(said):
    schedules, herds = {}, {}
    for line in said.splitlines():
        name, *cells = (part.strip() for part in line.split("|"))
        if len(cells) == 4 and name in SHOWN:
            costs = [tuple(map(float, cell.split()[:2])) for cell in cells]
            schedules[name] = (sum(lag for lag, _ in costs) / 4, sum(asked for _, asked in costs) / 4)
        elif len(cells) == 2 and re.fullmatch(r"\d+ +\d+ +[\d.]+", cells[0]):
            mean, peak, _ = cells[0].split()
            herds[name] = (int(mean), int(peak))
    if missing := set(SHOWN) - set(schedules):
        raise SystemExit(f"fleet: the simulation says nothing of {', '.join(missing)}")
    return {"schedules": schedules, "herds": herds}


def block(result):
    rows = ["| polls | requests per gate | per day | per second | lag | runners wait needlessly, per day |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    for name, shown in SHOWN.items():
        lag, asked = result["schedules"][name]
        rows.append(
            f"| {shown} | {asked:.0f} | {asked * GATES / 1e6:.1f} million | {asked * GATES / 86400:.0f} | {lag:.1f} s | "
            f"{lag * GATES / 60:,.0f} minutes |"
        )
    (lag, asked) = result["schedules"]["ours, 20 past runs"]
    (lag10, asked10), (lag5, asked5) = (
        result["schedules"][name] for name in ("wait-on-check, trigger-and-wait: 10 s",
                                               "run-notebook, dbt-cloud-cli, await-remote-run: 5 s"))  # fmt: skip
    herd = result["herds"].get("pipelines of 2 min to 1 h, runs end")
    evenly = ""
    if herd:
        evenly = (
            f"\nTen thousand gates that start in the same second make {herd[0]} requests per second on average in the next "
            f"quarter of an hour, and {herd[1]:,} at most: each has its own pace.\n"
        )
    return (
        "\n".join(rows)
        + f"\n\nCompared with every ten seconds, this is {1 - asked / asked10:.0%} fewer requests and saves "
        f"{(lag10 - lag) * GATES / 60:,.0f} runner minutes per day; compared with every five seconds, {1 - asked / asked5:.0%} "
        f"fewer requests and {(lag5 - lag) * GATES / 60:,.0f} minutes.\n{evenly}"
    )


def write(result):
    path = ROOT / "docs/scale.md"
    before, rest = path.read_text().split(BEGIN + "\n")
    behind = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n{block(result)}{END}{behind}")
