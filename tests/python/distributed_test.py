"""Several processes under torchrun train one run. Slow, for each start loads LibTorch three times."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import shoal

pytest.importorskip("torch")

try:
    from shoal.program import find_program

    PROGRAM = find_program()
except shoal.InputError:
    pytest.skip("the program shoal is not built", allow_module_level=True)

CLOCKS = ("seconds", "agent_steps_per_second", "phases")


def command(processes: int, *arguments: object) -> list[str]:
    if processes == 1:
        return [str(PROGRAM), *map(str, arguments)]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [sys.executable, *launcher, "-m", "shoal", *map(str, arguments)]


def run(processes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(command(processes, *arguments), capture_output=True, text=True, env=environment, timeout=300)


def train(processes: int, *arguments: object) -> str:
    done = run(processes, "train", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def assert_close(a, b, tolerance: float, at: str = "") -> None:
    """Two JSON values, numbers up to the order of sums."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), at
        for key in a.keys() - set(CLOCKS):
            assert_close(a[key], b[key], tolerance, f"{at}.{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), at
        for i, (x, y) in enumerate(zip(a, b)):
            assert_close(x, y, tolerance, f"{at}[{i}]")
    elif isinstance(a, float):
        assert a == pytest.approx(b, rel=tolerance, abs=tolerance), at
    else:
        assert a == b, at


COMMON = """
[train]
stages = 4
instances = 8
threads = 1
device = "cpu"
checkpoint_every = 2
"""
TARGETS = """
[[calibrator.target]]
metrics = ["player_1.action_1"]
values = [0.25]
[validation]
every = 2
episodes = 8
final_episodes = 16
"""
GAME = '[env]\nname = "matrix_game"\nrounds = 8\n'
RUNS = {
    "ppo and es": GAME + '[policy]\nhidden = [8]\n[calibrator]\nkind = "es"\n' + TARGETS,
    "ppo and rl": GAME + '[policy]\nhidden = [8]\n[calibrator]\nkind = "rl"\nhidden = [8]\n' + TARGETS,
    "search": GAME + '[policy]\nhidden = [8]\n[calibrator]\nkind = "cmaes"\nperiod = 1\n' + TARGETS,
    "a2c with dead agents": '[env]\nname = "pursuit"\n[policy]\nalgorithm = "a2c"\nhidden = [8]\n',
    "reinforce of groups": '[env]\nname = "two_role"\n[policy]\nalgorithm = "reinforce"\nmap = "group"\nhidden = [8]\n',
    "memory": '[env]\nname = "recall"\n[policy]\nmemory = "gru"\nmemory_size = 8\nhidden = [8]\nminibatches = 2\n',
    "uniform opponents": GAME + '[policy]\nhidden = [8]\n[policy.agent_1]\nalgorithm = "uniform"\n',
}


@pytest.mark.parametrize("text", RUNS.values(), ids=RUNS)
def test_two_processes_train_as_one(text, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(text + COMMON)
    train(1, config, "--out", tmp_path / "one")
    train(2, config, "--out", tmp_path / "two")
    one, two = rows(tmp_path / "one"), rows(tmp_path / "two")
    assert len(one) == 4
    assert_close(one, two, 2e-3)
    summaries = [json.loads((tmp_path / name / "summary.json").read_text()) for name in ("one", "two")]
    assert_close(*({k: v for k, v in s.items() if k != "digest"} for s in summaries), 2e-2)


def test_a_run_goes_on_with_another_number_of_processes(tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(RUNS["memory"] + COMMON)
    train(1, config, "--out", tmp_path / "whole")
    train(2, config, "--out", tmp_path / "run", "--set", "train.stages=2")
    train(1, "--resume", tmp_path / "run", "--set", "train.stages=3")
    train(2, "--resume", tmp_path / "run", "--set", "train.stages=4")
    assert_close(rows(tmp_path / "whole"), rows(tmp_path / "run"), 2e-3)


def wait_for(condition, process: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.05)


def endless(tmp_path: Path) -> tuple[subprocess.Popen, Path]:
    """Two processes in a long training, some stages of which are done, and the run's folder."""
    config, folder = tmp_path / "run.toml", tmp_path / "run"
    config.write_text(GAME + "[policy]\nhidden = [8]\n" + COMMON)
    words = command(2, "train", config, "--out", folder, "--set", "train.stages=1000000")
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: (folder / "metrics.jsonl").exists() and len(rows_so_far(folder)) > 8, process)
    return process, folder


def rows_so_far(folder: Path) -> list[str]:
    return (folder / "metrics.jsonl").read_text().splitlines()


def workers_of(process: subprocess.Popen) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"shoal" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_process_that_dies_ends_the_run_and_leaves_its_checkpoint_whole(tmp_path):
    process, folder = endless(tmp_path)
    os.kill(workers_of(process)[1], signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode != 0
    done = len(rows_so_far(folder))
    train(1, "--resume", folder, "--set", f"train.stages={done + 2}")
    assert [row["stage"] for row in rows(folder)] == list(range(done + 2))


@pytest.mark.parametrize("signalled", ["all", "torchrun"])
def test_an_interrupt_saves_the_stage_that_all_have_ended(signalled, tmp_path):
    """As a terminal's Ctrl-C does, which every process gets, and as a job scheduler does."""
    process, folder = endless(tmp_path)
    if signalled == "all":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode != 0
    done = len(rows(folder))
    assert (folder / "checkpoints").is_dir()
    assert max(int("".join(filter(str.isdigit, p.name))) for p in (folder / "checkpoints").iterdir()) == done


def test_a_study_is_spread_over_processes(tmp_path):
    (tmp_path / "run.toml").write_text(RUNS["search"] + COMMON)
    (tmp_path / "study.toml").write_text(
        '[study]\nseeds = [1, 2]\n[[experiment]]\nname = "game"\nconfig = "run.toml"\n[[method]]\nname = "one"\n'
        '[[method]]\nname = "two"\nset = ["policy.epochs=2"]\n'
    )
    done = run(2, "study", tmp_path / "study.toml", "--out", tmp_path / "study")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("4 of 4 runs in table.csv") == 1, done.stdout
    assert len(list((tmp_path / "study" / "runs").glob("*/*/*/summary.json"))) == 4


FAULTS = {
    "pairs": (["--set", "train.instances=6"], "train.instances = 6: expected a multiple of 4: 2 processes, each with"),
    "dqn": (["--set", "policy.algorithm=dqn", "--set", "calibrator.kind=fixed"], '"dqn": trains in one process'),
    "seeds": (["--seed", "1", "--seed", "2"], "several processes train one run"),
}


@pytest.mark.parametrize("arguments, message", FAULTS.values(), ids=FAULTS)
def test_what_several_processes_cannot_do_is_one_line(arguments, message, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(RUNS["ppo and es"] + COMMON)
    done = run(2, "train", config, "--out", tmp_path / "run", *arguments)
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if line.startswith("shoal: ") and message in line], done.stderr
    assert not (tmp_path / "run").exists()


def test_other_commands_are_refused():
    done = run(2, "list")
    assert done.returncode != 0
    assert "shoal: list: one process does it; several can do train and study" in done.stderr
