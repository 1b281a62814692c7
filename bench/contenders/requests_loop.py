"""The same in Python, with one connection kept open."""

import os
import sys
import time

import requests

base = os.environ["BASE_URL"]
session = requests.Session()
session.verify = os.environ["CA_FILE"]
account = {"username": os.environ["DADOSFERA_USERNAME"], "password": os.environ["DADOSFERA_PASSWORD"], "totp": None}
answer = session.post(f"{base}/auth/sign-in", json=account, timeout=30)
answer.raise_for_status()
session.headers["authorization"] = answer.json()["tokens"]["accessToken"]
url = f"{base}/platform/pipeline/{os.environ['PIPELINE_ID']}/pipeline_run/{os.environ['RUN_ID']}"
while True:
    answer = session.get(url, timeout=30)
    answer.raise_for_status()
    status = answer.json()["last_status"]
    print(status, flush=True)
    if status in ("SUCCESS", "FAILED"):
        sys.exit(0 if status == "SUCCESS" else 1)
    time.sleep(10)
