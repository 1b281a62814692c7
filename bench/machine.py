"""What a measurement was made on and of."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

from stand import ROOT


def facts():
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())  # fmt: skip
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024

    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--", "src", "Cargo.toml", "Cargo.lock") else ""
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()
    return {
        "cpu": cpu, "cores": os.cpu_count(), "memory_gib": memory, "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "commit": git("rev-parse", "--short=10", "HEAD") + changed, "rustc": rustc[1] if len(rustc) > 1 else "",
        "load": os.getloadavg()[1],
    }  # fmt: skip
