#!/usr/bin/env python3
"""coverage.py LCOV_FILE: the lines of what decides and what treats hostile text that tests reach, without the tests' own.

Exits with 1 if one of the modules has less than 95 %."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("src/core", "src/report/sanitize", "src/report/escape", "src/api/failure")
LEAST = 0.95


def lines(file):
    """The numbers of the lines of each source file, and how often each was reached."""
    found, name = {}, None
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            name = str(Path(value).relative_to(ROOT))
        elif key == "DA":
            number, count = value.split(",")[:2]
            found.setdefault(name, {})[int(number)] = int(count)
    return found


def own(name, reached):
    """Without tests: they are in files of their own, or behind the last of the code."""
    if "tests" in Path(name).with_suffix("").parts:
        return {}
    text = (ROOT / name).read_text().splitlines()
    end = next((number for number, line in enumerate(text, 1) if line.strip() == "#[cfg(test)]"), len(text) + 1)
    return {number: count for number, count in reached.items() if number < end}


def main(file):
    found = {name: own(name, reached) for name, reached in lines(Path(file)).items()}
    is_short = False
    for module in MODULES:
        of = {name: reached for name, reached in found.items() if name.startswith((module + "/", module + ".rs")) and reached}
        every = sum(len(reached) for reached in of.values())
        hit = sum(count > 0 for reached in of.values() for count in reached.values())
        if not every:
            raise SystemExit(f"coverage: {module} is not in {file}")
        is_short |= hit / every < LEAST
        print(f"{module}: {hit} of {every} lines, {hit / every:.1%}")
        for name, reached in sorted(of.items()):
            if missed := sorted(number for number, count in reached.items() if count == 0):
                print(f"  not reached: {name}:{','.join(map(str, missed))}")
    return 1 if is_short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
