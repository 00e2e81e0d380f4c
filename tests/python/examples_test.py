"""The examples run, learn in a short run, and the snippets of getting-started.md and python.md do what they show."""

from __future__ import annotations

import re
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

    means = train("matrix_game", num_envs=16, steps=16 * 2 * 64 * 12, threads=1)
    assert means[0] > 120 and means[-1] < 100


def test_ppo_of_torchrl():
    pytest.importorskip("torchrl")
    from ppo_torchrl import train

    means = train("two_role", updates=10, num_envs=32, threads=1, report=lambda _: None)
    assert means[0] < 5 and np.mean(means[-3:]) > 7  # the best of 16 steps: docs/two-role.md


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


def snippets():
    text = "".join((ROOT / "docs" / page).read_text() for page in ("getting-started.md", "python.md"))
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("code", snippets(), ids=lambda code: code.strip().splitlines()[0][:40])
def test_snippets_of_the_docs(code, tmp_path):
    for library in ("torch", "jax", "pettingzoo", "gymnasium", "torchrl", "stable_baselines3"):
        if re.search(rf"^(import|from) {library}\b|shoal\.adaptors\.{library}\b", code, re.MULTILINE):
            pytest.importorskip(library)
    if "shoal.train" in code and not has_program():
        pytest.skip("the program shoal is not built")
    if "cuda" in code:
        compile(code, "docs/python.md", "exec")
        return
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
