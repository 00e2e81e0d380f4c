"""A study that is interrupted, killed and started again repeats no finished run and ends with the tables of an uninterrupted one.

Slow: each run is a process that loads LibTorch."""

import csv
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

CONFIG = """[env]
name = "matrix_game"
rounds = 8
[policy]
hidden = [8]
minibatches = 1
[calibrator]
kind = "rl"
hidden = [8]
[[calibrator.target]]
metrics = ["player_1.action_1"]
values = [0.25]
[validation]
episodes = 8
final_episodes = 16
[train]
instances = 4
stages = 600
checkpoint_every = 10
device = "cpu"
"""
STUDY = """[study]
seeds = [1, 2]
[[experiment]]
name = "game"
config = "tiny.toml"
[[experiment]]
name = "free"
config = "free.toml"
[[method]]
name = "one"
[[method]]
name = "two"
set = ["policy.epochs=2"]
"""
TIMES = ("seconds", "agent_steps_per_second")


def start(*arguments):
    return subprocess.Popen(
        [os.environ["SHOAL"], "study", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def study(*arguments, code=0):
    process = start(*arguments)
    out, err = process.communicate()
    assert process.returncode == code, (process.returncode, out, err)
    return out, err


def runs(folder):
    return sorted(path for path in (folder / "runs").glob("*/*/seed-*"))


def finished(folder):
    return {path: path.stat().st_mtime_ns for path in (folder / "runs").glob("*/*/*/summary.json")}


def resumable(folder):
    """Runs with a checkpoint that are not finished."""
    return [run for run in runs(folder) if list(run.glob("checkpoints/*.pt")) and not (run / "summary.json").exists()]


def stop(process, folder, when, how):
    """Sends the signal as soon as `when(folder)`."""
    for _ in range(6000):
        if when(folder):
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(how)
    return process.communicate()


def table(folder):
    """table.csv and pairs.csv without the figures of time."""
    with open(folder / "table.csv", newline="") as file:
        rows = [{k: v for k, v in row.items() if not k.startswith(TIMES)} for row in csv.DictReader(file)]
    with open(folder / "pairs.csv", newline="") as file:
        return rows, [row for row in csv.DictReader(file) if row["figure"] not in TIMES]


def check_resumption(folder, file):
    whole, parts = folder / "whole", folder / "parts"
    study(file, "--out", whole, "--jobs", 2)
    assert len(finished(whole)) == 8, finished(whole)

    process = start(file, "--out", parts, "--jobs", 1, "--batch", 2)  # seeds side by side
    out, err = stop(process, parts, lambda f: len(finished(f)) >= 2 and resumable(f), signal.SIGINT)
    assert process.returncode == 130, (process.returncode, out, err)
    assert f"go on with: shoal study {file} --out {parts}" in out, out
    kept = finished(parts)
    assert 2 <= len(kept) < 8, kept
    assert resumable(parts), runs(parts)
    assert not (parts / "table.csv").exists()

    process = start(file, "--out", parts, "--jobs", 2)
    stop(process, parts, lambda f: len(finished(f)) > len(kept) and resumable(f), signal.SIGKILL)
    (parts / "runs/free/two/seed-2/checkpoints").mkdir(parents=True, exist_ok=True)  # half made
    for _ in range(600):  # its runs save and end by themselves
        process = start(file, "--out", parts, "--batch", 2)
        out, err = process.communicate()
        if "in use by another" not in err:
            break
        assert process.returncode == 2, err
        time.sleep(0.05)
    assert process.returncode == 0, (out, err)

    assert {path: finished(parts)[path] for path in kept} == kept, "a finished run was repeated"
    assert table(parts) == table(whole), (table(parts), table(whole))
    before = finished(parts)
    _, err = study(file, "--out", parts)
    assert "8 of 8 runs finished before" in err, err
    assert finished(parts) == before

    rows, pairs = table(whole)
    assert [(row["experiment"], row["method"], row["seeds"]) for row in rows] == [
        ("game", "one", "2"), ("game", "two", "2"), ("free", "one", "2"), ("free", "two", "2"),
    ], rows  # fmt: skip
    assert float(rows[0]["r_cal_last_tenth_sd"]) > 0 and float(rows[0]["S1_mean"]) > 0, rows[0]
    assert rows[2]["r_cal_last_tenth_mean"] == "" and rows[2]["return_slope_mean"] != "", "no calibrator: no fit"
    summaries = [json.loads((whole / f"runs/game/one/seed-{seed}/summary.json").read_text()) for seed in (1, 2)]
    mean = sum(summary["r_cal_auc"] for summary in summaries) / 2
    assert abs(float(rows[0]["r_cal_auc_mean"]) - mean) < 1e-12, (rows[0], summaries)
    assert {row["method"] for row in pairs} == {"two"}, pairs
    return whole


def check_broken_rows(file, whole):
    metrics = whole / "runs/game/two/seed-1/metrics.jsonl"
    lines = metrics.read_text().splitlines(keepends=True)
    metrics.write_text("".join(lines[:100] + lines[101:]))
    out, err = study(file, "--out", whole, code=1)
    assert "game/two/seed-1" in err and "row 101: stage 101, expected 100" in err, err
    assert [row["seeds"] for row in table(whole)[0]] == ["2", "1", "2", "2"]
    assert "game/two/seed-1" in (whole / "table.md").read_text()


def check_failing_cells(folder):
    """One that only a Trainer refuses, and one whose configuration is at fault."""
    (folder / "broken.toml").write_text(CONFIG.replace("rounds", "round"))
    file = folder / "failing.toml"
    text = STUDY.replace("free.toml", "broken.toml").replace("[1, 2]", "[1]")
    file.write_text(text.replace("policy.epochs=2", "policy.minibatches=1000"))
    out, err = study(file, "--out", folder / "failing", "--jobs", 1, code=1)
    assert "game/two/seed-1: --set policy.minibatches = 1000: expected at most 64" in err, err
    assert "free/one/seed-1: " in err and "broken.toml:3: env.round: unknown key" in err, err
    assert [row["seeds"] for row in table(folder / "failing")[0]] == ["1", "0", "0", "0"]


def check_runs_side_by_side(folder):
    """Seeds that train in one process: folders as of runs by themselves, and one that cannot go on does not stop the other."""
    program = [os.environ["SHOAL"], "train"]
    runs = [folder / f"both/seed-{seed}" for seed in (5, 6)]
    seeds = ["--seed", "5", "--seed", "6", "--threads", "1", "--set", "train.stages=4"]
    done = subprocess.run([*program, folder / "tiny.toml", "--out", folder / "both", *seeds], capture_output=True, text=True)
    assert done.returncode == 0, done
    assert [json.loads((run / "summary.json").read_text())["seed"] for run in runs] == [5, 6]
    assert "stage 4/4  r_cal 0." in done.stderr, done.stderr

    checkpoint, last = sorted(runs[0].glob("checkpoints/*.pt"))  # of the beginning and of the end: no whole one is left
    for path in (checkpoint, last):
        path.write_bytes(path.read_bytes()[:100])
    more = [*program, "--resume", runs[0], "--resume", runs[1], "--set", "train.stages=6"]
    done = subprocess.run(more, capture_output=True, text=True)
    assert done.returncode == 1 and f"shoal: {runs[0]}: {checkpoint}: " in done.stderr, done
    assert json.loads((runs[1] / "summary.json").read_text())["stages"] == 6

    for arguments, expected in (
        ([folder / "tiny.toml", "--out", folder / "twice", "--seed", "5", "--seed", "5"], "--seed 5: given twice"),
        (["--resume", runs[1], "--resume", f"{runs[1]}/."], "given twice"),
        ([folder / "tiny.toml", "--out", folder / "both", *seeds], "both/seed-5: exists; expected a folder"),
    ):
        done = subprocess.run([*program, *arguments], capture_output=True, text=True)
        assert done.returncode == 2 and expected in done.stderr and done.stderr.count("\n") == 1, done
    assert not (folder / "twice").exists()


def check_bad_input(folder, file, whole):
    bad = folder / "bad.toml"
    bad.write_text(STUDY.replace("seeds", "seed"))
    _, err = study(bad, "--out", folder / "bad", code=2)
    assert err == f"shoal: {bad}:2: study.seed: unknown key; did you mean seeds?\n", err
    assert not (folder / "bad").exists()
    file.write_text(STUDY.replace("epochs=2", "epochs=3"))
    _, err = study(file, "--out", whole, code=2)
    assert "a run of another configuration" in err and "epochs = 3" in err and err.count("\n") == 1, err
    _, err = study(file, "--out", folder, code=2)
    assert "no study.toml there" in err, err


def check_summary_of_a_run(folder):
    """A run has a summary when, and only when, it has reached its last stage."""
    run = folder / "run"
    program = [os.environ["SHOAL"], "train"]
    small = ["--threads", "1", "--seed", "9", "--set", "train.stages=3"]
    subprocess.run([*program, folder / "tiny.toml", "--out", run, *small], check=True, capture_output=True)
    summary = json.loads((run / "summary.json").read_text())
    assert summary["stages"] == 3 and summary["seed"] == 9, summary
    more = [*program, "--resume", run, "--set", "train.stages=1000000"]
    process = subprocess.Popen(more, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len((run / "metrics.jsonl").read_text().splitlines()) < 10:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert not (run / "summary.json").exists()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "tiny.toml").write_text(CONFIG)
        free = CONFIG[: CONFIG.index("[calibrator]")] + CONFIG[CONFIG.index("[train]") :]
        (folder / "free.toml").write_text(free)
        check_summary_of_a_run(folder)
        check_runs_side_by_side(folder)
        file = folder / "grid.toml"
        file.write_text(STUDY)
        whole = check_resumption(folder, file)
        check_broken_rows(file, whole)
        check_failing_cells(folder)
        check_bad_input(folder, file, whole)


main()
