"""The program shoal from Python, and the policies that it trains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import shoal

torch = pytest.importorskip("torch")

try:
    from shoal.program import find_program

    find_program()
except shoal.InputError:
    pytest.skip("the program shoal is not built", allow_module_level=True)


def play(run, seed: int, steps: int, num_envs: int = 256, **options) -> dict[str, float]:
    generator = torch.Generator().manual_seed(seed)
    with run.make(num_envs, seed=seed) as env:
        out = env.reset()
        for _ in range(steps):
            out = env.step(run.act(out, generator=generator, **options))
        return env.metrics()


GAMES = {
    "discrete": {"env": {"name": "switch", "max_steps": 9}, "policy": {"central_critic": True, "indication": "agent"}},
    "continuous": {"env": {"name": "market", "merchants": 3, "steps": 8}, "policy": {"map": "supertype"}},
    "groups": {"env": {"name": "two_role"}, "policy": {"map": "group", "algorithm": "a2c"}},
    "padded": {"env": {"name": "two_role"}, "policy": {"pad_groups": True, "indication": "agent"}},
    "values": {
        "env": {"name": "switch", "max_steps": 9},
        "policy": {"algorithm": "dqn", "learning_starts": 100, "batch": 32},
    },
    "sections": {
        "env": {"name": "matrix_game", "rounds": 4, "group_1": 1},
        "policy": {"supertype_2": {"algorithm": "uniform"}},
    },
}


@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
def test_loaded_policies_play_as_the_program_does(game, tmp_path):
    """The same means over episodes, as far as chance allows: it would tell a layer or an agent out of place."""
    config = {**game, "train": {"stages": 40, "instances": 64, "threads": 1, "checkpoint_every": 40}}
    config["policy"] = {"hidden": [16], **config["policy"]}
    rows: list[dict] = []
    run = shoal.load(shoal.train(config, out=tmp_path / "run", callback=rows.append))
    assert [row["stage"] for row in rows] == list(range(40))
    steps = run.spec.max_episode_steps
    ours = play(run, 3, steps, num_envs=2048)
    # The policies of the last stages hardly differ from the last ones; each stage has 64 instances.
    theirs = {k: np.mean([row["metrics"][k] for row in rows[-5:]]) for k in ours}
    spread = {k: np.std([row["metrics"][k] for row in rows[-10:]]) for k in ours}
    scale = {k: max(abs(row["metrics"][k]) for row in rows) for k in ours}
    for key in (k for k in ours if k.endswith(("return", "total", "arrived"))):
        assert ours[key] == pytest.approx(theirs[key], abs=4 * spread[key] + 0.05 * scale[key]), key


def test_callback_false_ends_the_training_and_saves(tmp_path):
    config = {"env": {"name": "matrix_game", "rounds": 4}, "train": {"stages": 100000, "instances": 16, "threads": 1}}
    folder = shoal.train(config, out=tmp_path / "run", callback=lambda row: row["stage"] < 3)
    assert 3 < int(sorted((folder / "checkpoints").iterdir())[-1].stem.split("-")[1]) < 100000


def test_policies_are_modules(tmp_path):
    config = {"env": {"name": "matrix_game", "rounds": 4}, "policy": {"hidden": [8, 4]}, "train": {"stages": 1}}
    policy = shoal.load(shoal.train(config, out=tmp_path / "run", seed=2, threads=1)).policies["policy.0"]
    x = torch.randn(5, policy.actor_inputs)
    script = torch.jit.script(policy)
    torch.jit.save(script, str(tmp_path / "policy.pt"))
    assert torch.equal(torch.jit.load(str(tmp_path / "policy.pt"))(x), policy(x))
    assert policy.value(x).shape == (5,)
    first, second = (policy.act(x, deterministic=True)[1] for _ in range(2))
    assert torch.equal(first, second) and first.dtype == torch.int32


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"env": {"name": "switch", "n_agents": 9}}, r"config:3: env.n_agents = 9: expected an integer in \[2, 4\]"),
        ({"env": {"name": "switch"}, "policy": {"central_critic": None}}, "None: expected a boolean"),
        ("missing.toml", "missing.toml"),
    ],
)
def test_refusals_are_the_programs(config, message, tmp_path):
    with pytest.raises(shoal.InputError, match=message):
        shoal.train(config, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_loaded(tmp_path):
    with pytest.raises(shoal.InputError, match="expected the folder of a run"):
        shoal.load(tmp_path)
    config = {"env": {"name": "recall"}, "policy": {"memory": "gru"}, "train": {"stages": 1, "instances": 4}}
    run = shoal.load(shoal.train(config, out=tmp_path / "run", threads=1))
    assert not run.policies
    with run.make(2) as env, pytest.raises(shoal.Error, match="with memory cannot act"):
        run.act(env.reset())


def test_a_plugins_run_is_loaded(tmp_path):
    """SHOAL_PLUGINS names the plugin for the package and for the program; the run's configuration names it too."""
    plugin = Path(shoal.__file__).parents[2] / "tests" / "chase.so"
    if not plugin.exists():
        pytest.skip("the sample plugin is not built")
    code = (
        "import shoal; config = {'env': {'name': 'chase'}, 'policy': {'map': 'group', 'hidden': [8]}, 'train': "
        "{'stages': 1, 'instances': 4, 'threads': 1}}; run = shoal.load(shoal.train(config, out='run')); "
        "env = run.make(3); env.step(run.act(env.reset())); print(*run.policies)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "SHOAL_PLUGINS": str(plugin)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "policy.0 policy.1\n", done.stderr


def test_the_last_whole_checkpoint_counts(tmp_path):
    config = {"env": {"name": "matrix_game"}, "train": {"stages": 2, "instances": 4, "checkpoint_every": 1}}
    folder = shoal.train(config, out=tmp_path / "run", threads=1)
    last = sorted((folder / "checkpoints").iterdir())[-1]
    last.write_bytes(last.read_bytes()[:1000])
    assert shoal.load(folder).policies


def test_a_dictionary_says_what_a_file_does(tmp_path, monkeypatch):
    """Relative paths, numbers of numpy, and text of any kind."""
    monkeypatch.chdir(tmp_path)
    config = {"env": {"name": "matrix_game", "rounds": np.int64(3)}, "train": {"stages": 1, "instances": np.int32(4)}}
    shoal.train({**config, "policy": {"learning_rate": np.float32(0.5)}}, out="first", threads=1)
    frozen = {"policy": {"agent_1": {"algorithm": "frozen", "run": "first"}}}
    shoal.train({**config, **frozen}, out="second", threads=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]
    rows: list[dict] = []
    with pytest.raises(shoal.InputError, match="exists"):
        shoal.train(config, out="first", callback=rows.append)
    assert not rows, "of the run that is there already"
    for policy in ({"learning_rate": float("nan")}, {"a\x7f\n\u00e9": "\x7f\n"}, {"run": "\ud800"}):
        with pytest.raises(shoal.InputError):
            shoal.train({**config, "policy": policy}, out="third")


def test_the_module_is_the_program():
    listed = subprocess.run([sys.executable, "-m", "shoal", "list", "switch"], capture_output=True, text=True)
    assert listed.returncode == 0 and "Keys of [env]" in listed.stdout
    wrong = subprocess.run([sys.executable, "-m", "shoal", "lisst"], capture_output=True, text=True)
    assert wrong.returncode == 2


def test_an_interrupt_saves_the_run(tmp_path):
    code = (
        "import shoal; shoal.train({'env': {'name': 'matrix_game', 'rounds': 4}, 'train': {'stages': 100000,"
        f"'instances': 16, 'threads': 1}}}}, out={str(tmp_path / 'run')!r}, callback=lambda row: print(flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    process.stdout.read()
    assert process.wait() != 0
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 2
