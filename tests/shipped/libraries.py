#!/usr/bin/env python3
"""tests/shipped/libraries.py PROGRAM: holds the list of libraries that the program contains to Cargo.lock.

The list is what `cargo audit bin` and scanners of images read: JSON, compressed with zlib, in the section `.dep-v0`.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def listed(program: str) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        section = Path(folder, "section")
        dump = ["objcopy", "--dump-section", f".dep-v0={section}", program, str(Path(folder, "copy"))]
        subprocess.run(dump, check=True)
        return json.loads(zlib.decompress(section.read_bytes()))["packages"]


def main() -> None:
    packages = listed(sys.argv[1])
    locked = {(each["name"], each["version"]) for each in tomllib.loads(Path(ROOT, "Cargo.lock").read_text())["package"]}
    # What a build script needs is listed too, and marked.
    inside = {(each["name"], each["version"]) for each in packages if each.get("kind", "runtime") == "runtime"}
    names = {name for name, _ in inside}
    unknown = sorted(inside - locked)
    missing = sorted({"maestro-gate", "reqwest", "ring", "rustls", "tokio", "url"} - names)
    ours = [each["name"] for each in packages if each.get("root")]
    # Libraries of the tests alone.
    too_many = sorted(names & {"httpmock", "proptest", "tempfile"})
    if unknown or missing or too_many or ours != ["maestro-gate"]:
        sys.exit(f"libraries: not in Cargo.lock {unknown}, missing {missing}, too many {too_many}, root {ours}")
    print(f"libraries: the program lists its {len(inside)} libraries, as in Cargo.lock")


if __name__ == "__main__":
    main()
