"""The stand-in service as a process, its clock told in ours, and a relay before it that counts bytes."""

import asyncio
import http.client
import json
import re
import ssl
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench"
USERNAME, PASSWORD = "ci@example.com", "correct-horse-battery"
PIPELINE = "1b33ad2f_33d3_4837_9eeb_83c82c8b909d"
RUN = "e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c"

LINE = re.compile(r"^ *([0-9.]+) s  (\S+) (\S+) -> ([0-9]+)(  \(as ordered\))?$")


def scenario(runs, tls=True, history=None, **further):
    """A scenario with one pipeline; `runs` maps a run's id to the seconds it takes, or to None: it never ends."""

    def run(name, takes):
        ended = {"after": takes, "set": {"last_status": "SUCCESS", "updated_at": f"begin+{takes}"}}
        record = {"pipeline_run_id": name, "created_at": "begin"}
        return {"record": record, "then": [] if takes is None else [ended]}

    pipeline = {"pipeline_id": PIPELINE, "runs": [run(name, takes) for name, takes in runs.items()]}
    if history:
        pipeline["history"] = history
    return {
        "tls": "trusted" if tls else "off",
        # As most gateways before a service do.
        "compresses": True,
        "accounts": [{"username": USERNAME, "password": PASSWORD}],
        "pipelines": [pipeline],
        **further,
    }


class Request:
    """One line of the stand-in's log: when it was read (in our monotonic seconds), what it was, how it was answered."""

    def __init__(self, at, method, path, status, ordered):
        self.at, self.method, self.path, self.status, self.ordered = at, method, path, status, ordered


class StandIn:
    def __init__(self, program, plan, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scenario.json").write_text(json.dumps(plan))
        self.process = subprocess.Popen(
            [program, "--port", "0", "--scenario", str(folder / "scenario.json")], stdout=subprocess.PIPE, text=True
        )
        self.requests = []
        self._lines, pem = [], []
        self.base = re.search(r"at (\S+)", self.process.stdout.readline())[1]
        self.port = urlsplit(self.base).port
        self.tls = self.base.startswith("https")
        self.ca_file = folder / "ca.pem"
        if self.tls:
            for line in self.process.stdout:
                pem.append(line.strip())
                if "END CERTIFICATE" in line:
                    break
            self.ca_file.write_text("\n".join(pem[pem.index("-----BEGIN CERTIFICATE-----"):]) + "\n")
        threading.Thread(target=self._listen, daemon=True).start()
        self.began = self._calibrate()

    def _listen(self):
        for line in self.process.stdout:
            if found := LINE.match(line.rstrip("\n")):
                self._lines.append((float(found[1]), found[2], found[3], int(found[4]), bool(found[5])))

    def context(self):
        return ssl.create_default_context(cafile=str(self.ca_file))

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context(), timeout=30)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def _calibrate(self):
        """When its clock began, in ours: from the quickest of some requests on an open connection."""
        connection, best = self.connect(), None
        for _ in range(6):
            before = time.monotonic()
            connection.request("GET", "/calibrate")
            connection.getresponse().read()
            after = time.monotonic()
            while not self._lines:
                time.sleep(0.001)
            at = self._lines.pop()[0]
            if best is None or after - before < best[0]:
                best = (after - before, (before + after) / 2 - at)
        connection.close()
        return best[1]

    def seen(self):
        """What was asked so far."""
        return [Request(self.began + at, *rest) for at, *rest in list(self._lines)]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Relay:
    """Passes TCP on to a port of this machine, and counts what passes: bytes both ways and connections."""

    _loop = None

    def __init__(self, port):
        if Relay._loop is None:
            Relay._loop = asyncio.new_event_loop()
            threading.Thread(target=Relay._loop.run_forever, daemon=True).start()
        self.to, self.bytes, self.connections = port, 0, 0
        self.server = asyncio.run_coroutine_threadsafe(self._start(), Relay._loop).result()
        self.port = self.server.sockets[0].getsockname()[1]

    async def _start(self):
        return await asyncio.start_server(self._accepted, "127.0.0.1", 0)

    async def _accepted(self, reader, writer):
        self.connections += 1
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer), return_exceptions=True)

    async def _pump(self, reader, writer):
        try:
            while piece := await reader.read(65536):
                self.bytes += len(piece)
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def stop(self):
        Relay._loop.call_soon_threadsafe(self.server.close)
