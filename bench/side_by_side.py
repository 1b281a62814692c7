"""The same three runs, waited for by maestro-gate and by what people use today; everything measured from outside.

Nothing is time-compressed: the others sleep real seconds between two looks, and what is compared is what that costs."""

import concurrent.futures
import json
import os
import shutil
import statistics
import subprocess
import time

from contenders import Stage, all_of, on_disk
from stand import WORK, Relay

LENGTHS = (20, 60, 180)
# How much longer or shorter than its name a run is, and how many seconds after its beginning the contender starts: five
# places spread over the ten seconds of a fixed interval, because a loop that starts with the run meets its end by luck.
ROUNDS = ((0.97, 1), (1.05, 3), (1.00, 5), (0.93, 7), (1.09, 9))
# What a service that knows the pipeline could tell about it: 30 runs before, as long as this one give or take a tenth.
HISTORY = {"count": 30, "newest": "1d", "every": "1d"}


def wait_for(contender, program, measure, length, number):
    """One contender, one run."""
    factor, late = ROUNDS[number]
    takes = round(length * factor, 3)
    folder = WORK / "side" / f"{contender.key}-{length}-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    history = {**HISTORY, "takes": f"{round(length * 900)}ms", "spread": f"{round(length * 200)}ms"}
    stage = Stage(contender, program, folder, f"{round(takes * 1000)}ms", Relay, history)
    stand_in = stage.stand_in
    try:
        time.sleep(max(0.0, stand_in.began + late - time.monotonic()))
        out = folder / "measured.json"
        with open(folder / "out.txt", "wb") as log:
            subprocess.run([measure, out, *stage.command()], env=stage.environment(), stdout=log, stderr=log)
        measured = json.loads(out.read_text())
        if measured["code"] != 0:
            raise RuntimeError(f"{contender.key} ended with {measured['code']}: {(folder / 'out.txt').read_text()}")
        return {
            "contender": contender.key, "length": length, "round": number, "takes": takes, "late": late,
            "requests": len(stage.requests()), "connections": stage.relay.connections, "bytes": stage.relay.bytes,
            "lag": measured["ended"] - (stand_in.began + takes), "cpu": measured["cpu"], "peak": measured["peak"],
        }  # fmt: skip
    finally:
        stage.stop()


def wait_for_all(contenders, program, measure, rounds, at_once):
    """Every contender for every run, `at_once` of them beside each other: they sleep nearly all the time."""
    # By length and round, so that all contenders share a moment of the machine.
    jobs = [(contender, length, number) for number in range(rounds) for length in LENGTHS for contender in contenders]
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        waits = []
        for contender, length, number in jobs:
            waits.append(pool.submit(wait_for, contender, program, measure, length, number))
            # Not all at the same instant.
            time.sleep(0.5)
        return [wait.result() for wait in waits]


def starts(contenders, program, measure, rounds):
    """From the start to the first request, and one whole look at a run that is over: in turns, nothing beside them."""
    rows = []
    for contender in contenders:
        shutil.rmtree(WORK / "start" / contender.key, ignore_errors=True)
    stages = {contender.key: Stage(contender, program, WORK / "start" / contender.key, 0) for contender in contenders}
    try:
        for number in range(rounds + 1):
            for contender in contenders:
                stage = stages[contender.key]
                before = len(stage.requests())
                out = stage.folder / "measured.json"
                subprocess.run([measure, out, *stage.command()], env=stage.environment(), capture_output=True, check=True)
                while len(stage.requests()) <= before:
                    time.sleep(0.001)
                measured = json.loads(out.read_text())
                # The first round fills the caches.
                if number > 0:
                    rows.append({
                        "contender": contender.key, "first_request": stage.requests()[before] - measured["started"],
                        "whole": measured["ended"] - measured["started"], "cpu": measured["cpu"],
                        "peak": measured["peak"],
                    })  # fmt: skip
    finally:
        for stage in stages.values():
            stage.stop()
    return rows


def middle(rows, contender, key, **where):
    fits = [row[key] for row in rows if row["contender"] == contender and all(row[k] == v for k, v in where.items())]
    return statistics.median(fits)


def run(gate, program, measure, quick):
    contenders = all_of(gate)
    rounds = 1 if quick else len(ROUNDS)
    for contender in contenders:
        contender.version()
    disk = {contender.key: on_disk(contender, program) for contender in contenders}
    started = starts(contenders, program, measure, 3 if quick else 20)
    waits = wait_for_all(contenders, program, measure, rounds, 15)
    return {
        "rounds": rounds, "waits": waits, "starts": started, "disk": disk, "load": os.getloadavg()[0],
        "contenders": [
            {"key": each.key, "name": each.name, "interval": each.interval, "version": each.version()}
            for each in contenders
        ],
    }  # fmt: skip
