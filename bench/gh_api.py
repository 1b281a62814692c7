"""As much of GitHub's REST API over TLS as `gh run watch` asks for, telling the stand-in's run in GitHub's words.

The answers have only the keys that gh reads; GitHub's own are ten to twenty times as long."""

import json
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stand import PASSWORD, PIPELINE, USERNAME

REPOSITORY = "/api/v3/repos/acme/sales"


def certificate(folder):
    """A self-signed certificate for this machine, made by openssl."""
    key, cert = folder / "gh-key.pem", folder / "gh-cert.pem"
    if not cert.exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "30", "-subj", "/CN=stand-in GitHub", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
             "-keyout", key, "-out", cert],
            check=True, capture_output=True,
        )  # fmt: skip
    return key, cert


class GitHub:
    def __init__(self, stand_in, run, folder):
        self.stand_in, self.run, self.lines = stand_in, run, []
        self.asked = threading.Lock()
        self.connection = stand_in.connect()
        account = {"username": USERNAME, "password": PASSWORD, "totp": None}
        self.connection.request("POST", "/auth/sign-in", json.dumps(account), {"content-type": "application/json"})
        self.token = json.load(self.connection.getresponse())["tokens"]["accessToken"]
        key, self.ca_file = certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key)
        context.set_alpn_protocols(["http/1.1"])
        github = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                github.lines.append((time.monotonic(), self.path))
                self.answer(github.said(self.path.split("?")[0], self.headers["host"]))

            def do_POST(self):
                github.lines.append((time.monotonic(), self.path))
                self.rfile.read(int(self.headers["content-length"] or 0))
                self.answer({"data": {"repository": {"pullRequests": {"nodes": []}}}})

            def answer(self, what):
                body = json.dumps(what).encode()
                head = f"HTTP/1.1 {200 if what is not None else 404} OK\r\ncontent-type: application/json\r\n"
                self.wfile.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def status(self):
        with self.asked:
            path = f"/platform/pipeline/{PIPELINE}/pipeline_run/{self.run}"
            self.connection.request("GET", path, headers={"authorization": self.token})
            word = json.load(self.connection.getresponse())["last_status"]
        return {"RUNNING": ("in_progress", ""), "SUCCESS": ("completed", "success")}[word]

    def said(self, path, host):
        at, base = "2024-01-15T10:30:00Z", f"https://{host}{REPOSITORY}"
        if path == f"{REPOSITORY}/actions/runs/45":
            status, conclusion = self.status()
            return {
                "id": 45, "name": "sales", "display_title": "sales", "head_branch": "main", "head_sha": "0" * 40,
                "status": status, "conclusion": conclusion, "event": "push", "workflow_id": 7, "created_at": at,
                "updated_at": at, "run_started_at": at, "url": f"{base}/actions/runs/45",
                "html_url": f"https://{host}/acme/sales/actions/runs/45", "jobs_url": f"{base}/actions/runs/45/jobs",
                "head_commit": {"message": "load"},
                "head_repository": {"name": "sales", "owner": {"login": "acme"}},
            }  # fmt: skip
        if path == f"{REPOSITORY}/actions/runs/45/jobs":
            status, conclusion = self.status()
            job = {"id": 9, "run_id": 45, "name": "load", "status": status, "conclusion": conclusion,
                   "started_at": at, "completed_at": at, "html_url": f"https://{host}/acme/sales/9", "steps": []}  # fmt: skip
            return {"total_count": 1, "jobs": [job]}
        if path == f"{REPOSITORY}/check-runs/9/annotations":
            return []
        if path == f"{REPOSITORY}/actions/workflows/7":
            return {"id": 7, "name": "sales", "state": "active"}
        return None

    def stop(self):
        self.server.shutdown()
