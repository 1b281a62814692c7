#!/usr/bin/env python3
"""Measures, and writes docs/benchmarks.md and the table of docs/scale.md.

    bench/run.py                       everything: about an hour, on a machine that has nothing else to do
    bench/run.py side-by-side budgets  only these; the page keeps what was measured of the others before
    bench/run.py --quick ...           a tenth of the time, to see that it works; nothing is written
    bench/run.py page                  writes the page from what was measured before

Parts: side-by-side, budgets, scale, soak, fleet. `bench/README.md` says what each does and needs."""

import json
import os
import subprocess
import sys

import budgets
import fleet
import machine
import page
import scale
import side_by_side
import soak
from stand import ROOT, WORK

MEASURED = ROOT / "bench" / "measured"
PARTS = ("side-by-side", "budgets", "scale", "soak", "fleet")
TARGET = "x86_64-unknown-linux-musl"


def build():
    """The release as it is shipped, the stand-in optimised so that it is not what is measured, and what measures."""
    subprocess.run([ROOT / ".ci/apt", "curl", "jq", "gh", "strace", "valgrind", "openssl", "cc:gcc", "node:nodejs"],
                   check=True)  # fmt: skip
    subprocess.run([ROOT / ".ci/python", WORK / "python", ROOT / "bench/requirements.txt"], check=True)
    subprocess.run(["rustup", "target", "add", TARGET], capture_output=True)
    gate = subprocess.run([ROOT / "ci/build", TARGET], check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    pace = {"LTO": "off", "CODEGEN_UNITS": "16", "OPT_LEVEL": "2"}
    environment = {**os.environ, **{f"CARGO_PROFILE_RELEASE_{key}": value for key, value in pace.items()}}
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--release", "--example", "stand-in", "--target-dir", WORK],
                   check=True, cwd=ROOT, env=environment)  # fmt: skip
    subprocess.run(["cc", "-O2", "-o", WORK / "measure", ROOT / "bench/measure.c"], check=True)
    return str(ROOT / gate), str(WORK / "release/examples/stand-in"), str(WORK / "measure")


def measure(part, gate, program, tool, quick):
    match part:
        case "side-by-side":
            return side_by_side.run(gate, program, tool, quick)
        case "budgets":
            return budgets.measure(gate, program, tool)
        case "scale":
            return scale.run(gate, program, tool, quick)
        case "soak":
            return soak.run(gate, program, 3 if quick else 20)
        case "fleet":
            return fleet.measured()


def main(words):
    quick = "--quick" in words
    parts = [word for word in words if word != "--quick"] or list(PARTS)
    if unknown := set(parts) - {*PARTS, "page"}:
        raise SystemExit(f"run.py: {', '.join(unknown)}: not one of {', '.join(PARTS)}, page")
    WORK.mkdir(parents=True, exist_ok=True)
    if parts != ["page"]:
        built = build()
    for part in [part for part in parts if part != "page"]:
        print(f"== {part}", flush=True)
        result = {"machine": machine.facts(), "result": measure(part, *built, quick)}
        if quick:
            print(json.dumps(result["result"], indent=1)[:4000])
            continue
        MEASURED.mkdir(exist_ok=True)
        (MEASURED / f"{part}.json").write_text(json.dumps(result, indent=1) + "\n")
        if part == "fleet":
            fleet.write(result["result"])
    if not quick:
        (ROOT / "docs/benchmarks.md").write_text(page.written(MEASURED))


if __name__ == "__main__":
    main(sys.argv[1:])
