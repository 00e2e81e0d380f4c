"""Runs that are killed, or whose disk fills, at random moments go on as if nothing had happened.

Each run is begun, broken off several times while it trains, writes checkpoints or is extended, and resumed to its end. Its rows must
be those of a run that nobody disturbed. SHOAL_STORM sets how many runs of each kind: 5 by default, 200 in scripts/nightly.
"""

import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

SHOAL = os.environ["SHOAL"]
CONFIG = """
[env]
name = "matrix_game"
rounds = 8
group_1 = 1
[policy]
hidden = [8]
[calibrator]
[[calibrator.target]]
metrics = ["player_1.action_1"]
values = [0.25]
[validation]
every = 10
episodes = 8
final_episodes = 16
[settling]
share = 0.2
[train]
stages = 60
instances = 8
threads = 1
device = "cpu"
checkpoint_every = 3
"""
STAGES = 90  # after the extension
TIMES = ("seconds", "agent_steps_per_second", "phases")


def rows(run):
    found = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key not in TIMES} for row in found]


def train(*arguments, wait=None, limit=None):
    """@param wait  seconds before it is killed  @param limit  bytes that a file may have: writing more fails, as on a full disk"""
    small = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
    process = subprocess.Popen(
        [SHOAL, "train", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=small
    )
    try:
        _, err = process.communicate(timeout=wait or 300)
    except subprocess.TimeoutExpired:
        process.kill()
        _, err = process.communicate()
    assert process.returncode in (0, -9) or (limit and process.returncode == 1), (process.returncode, err.decode())
    assert b"terminate called" not in err and b"std::" not in err, err
    return process.returncode


def goes_on(run):
    return (run / "config.toml").is_file() and any((run / "checkpoints").glob("*.pt"))


def storm(config, run, expected, disturb):
    """@param disturb  what the next start suffers: arguments of train()"""
    while not goes_on(run):
        if run.exists():  # nothing was saved yet: begun anew
            subprocess.run(["rm", "-r", str(run)], check=True)
        train(config, "--out", run, **disturb())
    # An extension begins where the run has ended: how long a calibration lasts follows from the number of stages.
    for extension in ([], ["--set", f"train.stages={STAGES}"]):
        for _ in range(2):
            train("--resume", run, *extension, **disturb())
        assert train("--resume", run, *extension) == 0
    assert rows(run) == expected, f"{run}: other rows"
    assert (run / "summary.json").is_file() and not list(run.rglob("*.partial"))


def main():
    runs = int(os.environ.get("SHOAL_STORM", "5"))
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        config = folder / "c.toml"
        config.write_text(CONFIG)
        begin = time.time()
        train(config, "--out", folder / "calm")
        whole = time.time() - begin
        train("--resume", folder / "calm", "--set", f"train.stages={STAGES}")
        expected = rows(folder / "calm")
        largest = max(path.stat().st_size for path in (folder / "calm").rglob("*") if path.is_file())
        for number in range(runs):
            storm(config, folder / f"killed-{number}", expected, lambda: {"wait": chance.uniform(0.05, 1.2) * whole})
            storm(config, folder / f"full-{number}", expected, lambda: {"limit": chance.randint(300, largest + 1000)})
        print(f"{runs} runs killed and {runs} with a full disk, several times each, ended as an undisturbed one")


sys.exit(main())
