"""The contenders: how each is started, its version, and what it needs on the disk."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from gh_api import GitHub
from stand import PASSWORD, PIPELINE, ROOT, RUN, USERNAME, WORK, StandIn, scenario

HERE = ROOT / "bench" / "contenders"
PYTHON = WORK / "python" / "bin" / "python"


class Contender:
    """`interval` is the seconds between two looks, None if the program decides."""

    def __init__(self, key, name, interval, command, version):
        self.key, self.name, self.interval, self.command, self._version = key, name, interval, command, version

    def version(self):
        out = subprocess.run(self._version, capture_output=True, text=True, check=True).stdout
        return re.search(r"[0-9]+(\.[0-9]+)+", out)[0]


def all_of(gate):
    return [
        Contender("gate", "maestro-gate", None, [gate, "--ca-file", "CA", "--timeout", "15m", "--ci", "none"],
                  [gate, "--version"]),
        Contender("curl", "`curl` and `jq` in a loop", 10, [HERE / "curl-jq.sh"], ["curl", "--version"]),
        Contender("python", "Python `requests` loop", 10, [PYTHON, HERE / "requests_loop.py"],
                  [PYTHON, "-c", "import requests; print(requests.__version__)"]),
        Contender("node", "Node `fetch` loop", 10, ["node", HERE / "fetch-loop.mjs"], ["node", "--version"]),
        Contender("gh", "`gh run watch`", 3, ["gh", "run", "watch", "45", "--exit-status", "-R", "HOST/acme/sales"],
                  ["gh", "--version"]),
    ]  # fmt: skip


class Stage:
    """One stand-in with one run, and what stands before it for one contender."""

    def __init__(self, contender, stand_in_program, folder, takes, relay=None, history=None):
        self.contender, self.folder = contender, folder
        self.stand_in = StandIn(stand_in_program, scenario({RUN: takes}, history=history), folder)
        self.github = GitHub(self.stand_in, RUN, folder) if contender.key == "gh" else None
        port = self.github.port if self.github else self.stand_in.port
        self.relay = relay(port) if relay else None
        self.port = self.relay.port if self.relay else port

    def command(self):
        host, ca = f"127.0.0.1:{self.port}", self.stand_in.ca_file
        return [str(word).replace("HOST", host).replace("CA", str(ca)) if word in ("CA", "HOST/acme/sales") else str(word)
                for word in self.contender.command]  # fmt: skip

    def environment(self):
        ca = str(self.github.ca_file if self.github else self.stand_in.ca_file)
        base = f"https://127.0.0.1:{self.port}"
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "BASE_URL": base, "CA_FILE": ca,
            "DADOSFERA_USERNAME": USERNAME, "DADOSFERA_PASSWORD": PASSWORD, "PIPELINE_ID": PIPELINE, "RUN_ID": RUN,
            "MAESTRO_BASE_URL": base, "MAESTRO_PIPELINE_ID": PIPELINE, "MAESTRO_RUN_ID": RUN,
            "NODE_EXTRA_CA_CERTS": ca, "GH_HOST": f"127.0.0.1:{self.port}", "GH_ENTERPRISE_TOKEN": "a-token",
            "GH_NO_UPDATE_NOTIFIER": "1", **({"SSL_CERT_FILE": ca} if self.github else {}),
        }  # fmt: skip

    def requests(self):
        """When each request of the contender was read."""
        if self.github:
            return [at for at, _ in self.github.lines]
        return [request.at for request in self.stand_in.seen()]

    def stop(self):
        if self.github:
            self.github.stop()
        if self.relay:
            self.relay.stop()
        self.stand_in.stop()


def on_disk(contender, stand_in_program):
    """Bytes of all files that it opens or executes for one look: programs, libraries, modules, roots. strace tells."""
    folder = WORK / "disk" / contender.key
    shutil.rmtree(folder, ignore_errors=True)
    stage = Stage(contender, stand_in_program, folder, 0)
    log = folder / "strace.txt"
    try:
        strace = ["strace", "-f", "-qq", "-e", "trace=execve,open,openat", "-e", "status=successful", "-o", log]
        subprocess.run([*strace, *stage.command()], env=stage.environment(), capture_output=True, check=True)
    finally:
        stage.stop()
    paths = set()
    for line in log.read_text(errors="replace").splitlines():
        if found := re.search(r'(?:execve|openat|open)\((?:AT_FDCWD, )?"(/[^"]*)"', line):
            path = Path(found[1]).resolve()
            if path.is_file() and not str(path).startswith(("/proc/", "/sys/", "/dev/", str(folder))):
                paths.add(path)
    return {"bytes": sum(path.stat().st_size for path in paths), "files": len(paths)}
