"""TensorBoard's own reader sees in a run's event files what metrics.jsonl holds, also after the run was resumed."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("skipped: the Python package tensorboard is not installed")
    sys.exit(77)

CONFIG = """
[env]
name = "matrix_game"
rounds = 4
[calibrator]
kind = "rl"
hidden = [8]
[[calibrator.target]]
metrics = ["player_1.action_1"]
values = [0.25]
[validation]
every = 1
episodes = 8
final_episodes = 16
[settling]
share = 0.5
"""
SMALL = ["train.instances=4", "train.threads=1", "train.device=cpu", "policy.hidden=[8]", "policy.minibatches=1"]


def shoal(*arguments):
    subprocess.run([os.environ["SHOAL"], "train", *arguments], check=True, stdout=subprocess.DEVNULL)


def overrides(*assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


def expected(row):
    """Tags and values of one row of metrics.jsonl."""
    scalars = {"calibrator/reward": row["r_cal_mean"]}
    scalars |= {f"returns/{name}": x["mean"] for name, x in row["returns"].items()}
    scalars |= {f"policy/{name}": row[name] for name in ("kl", "entropy", "value_loss")}
    return scalars


def check(run, stages):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in rows] == list(range(stages)), rows
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    for tag in expected(rows[0]):
        seen = [(event.step, event.value) for event in events.Scalars(tag)]
        wanted = [(row["stage"], float(numpy.float32(expected(row)[tag]))) for row in rows]
        assert seen == wanted, f"{tag}: {seen}, metrics.jsonl has {wanted}"
    for tag in ("validation", "calibrated", "settled"):  # in some stages only
        seen = [(event.step, event.value) for event in events.Scalars(f"{tag}/r_cal")]
        wanted = [(row["stage"], float(numpy.float32(row[tag]["r_cal"]["mean"]))) for row in rows if tag in row]
        assert wanted and seen == wanted, f"{tag}: {seen}, metrics.jsonl has {wanted}"
    rates = [event.value for event in events.Scalars("throughput/agent_steps_per_second")]
    assert len(rates) == stages and min(rates) > 0, rates


def main():
    with tempfile.TemporaryDirectory() as folder:
        config, run = pathlib.Path(folder, "tiny.toml"), pathlib.Path(folder, "run")
        config.write_text(CONFIG)
        shoal(str(config), "--out", str(run), *overrides("train.stages=3", *SMALL))
        check(run, 3)
        shoal("--resume", str(run), *overrides("train.stages=5"))
        check(run, 5)


main()
