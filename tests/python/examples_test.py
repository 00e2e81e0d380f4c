"""The examples run, learn in a short run, and the snippets of getting-started.md and python.md do what they show."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import shoal

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples" / "python"))


def test_examples_are_short():
    for path in (ROOT / "examples" / "python").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 120, path


def learns_to_defect(means):
    """In the prisoners' dilemma of 64 rounds: 144 for uniform players, 64 where both defect."""
    assert means[0] > 120
    assert np.mean(means[-3:]) < 80


def test_ppo_in_torch():
    pytest.importorskip("torch")
    from ppo_torch import train

    learns_to_defect(train("matrix_game", updates=16, num_envs=16, threads=1, report=lambda _: None))
    train("market", updates=1, num_envs=4, steps=4, threads=1, report=lambda _: None)
    train("switch", updates=1, num_envs=4, steps=60, threads=1, n_agents=4, report=lambda _: None)


def test_ppo_of_stable_baselines3():
    pytest.importorskip("stable_baselines3")
    from ppo_sb3 import train

    means = train("matrix_game", num_envs=16, steps=16 * 2 * 64 * 12, threads=1, report=lambda _: None)
    assert means[0] > 120 and means[-1] < 100


def test_ppo_of_torchrl():
    pytest.importorskip("torchrl")
    from ppo_torchrl import train

    means = train("two_role", updates=10, num_envs=32, threads=1, report=lambda _: None)
    assert means[0] < 5 and np.mean(means[-3:]) > 7  # the best of 16 steps: docs/two-role.md


def test_ppo_of_rllib():
    pytest.importorskip("ray.rllib")
    from ppo_rllib import train

    means = train("matrix_game", updates=14, num_envs=16, report=lambda _: None)
    assert means[0] > 120 and means[-1] < 100


def test_reinforce_in_jax():
    pytest.importorskip("jax")
    from reinforce_jax import train

    learns_to_defect(train("matrix_game", updates=16, num_envs=64, threads=1, report=lambda _: None))


def has_program():
    from shoal.program import find_program

    try:
        return find_program().exists()
    except shoal.InputError:
        return False


@pytest.mark.skipif(not has_program(), reason="the program shoal is not built")
def test_throughputs_are_compared():
    pytest.importorskip("torch")
    script = ROOT / "python" / "compare_throughput.py"
    for name in ("REINFORCE, shoal", "PPO, PyTorch"):
        command = [sys.executable, str(script), "--measure", name, "--seconds", "0.1"]
        assert float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) > 0
    table = runpy.run_path(str(script))["table"]
    assert table({"PPO, shoal": [2000, 4000, 9000], "PPO, X": [1000, 1000, 3000]}).splitlines()[2:] == [
        "| PPO, shoal | 2,000 | 4,000 | 9,000 | 1.0 | 1.0 | 1.0 |",
        "| PPO, X | 1,000 | 1,000 | 3,000 | 2.0 | 3.0 | 4.0 |",
    ]


def snippets():
    text = "".join((ROOT / "docs" / page).read_text() for page in ("getting-started.md", "python.md"))
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("code", snippets(), ids=lambda code: code.strip().splitlines()[0][:40])
def test_snippets_of_the_docs(code, tmp_path):
    for library in ("torch", "jax", "pettingzoo", "gymnasium", "torchrl", "stable_baselines3", "ray"):
        if re.search(rf"^(import|from) {library}\b|shoal\.adaptors\.{library}\b", code, re.MULTILINE):
            pytest.importorskip(library)
    if "shoal.train" in code and not has_program():
        pytest.skip("the program shoal is not built")
    if "load_environment" in code and not any(map(shutil.which, ("c++", "g++", "clang++"))):
        pytest.skip("no C++ compiler")
    if "cuda" in code:
        compile(code, "docs/python.md", "exec")
        return
    if "load_environment" in code:
        shutil.copy(ROOT / "examples" / "plugin" / "chase.hpp", tmp_path)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
