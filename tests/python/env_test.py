"""What an environment does: arrays without copies, groups, ends of episodes, supertypes, metrics, state."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import random_actions

import shoal

FIELDS = ("observations", "rewards", "terminated", "truncated", "masks", "alive", "final_observations")


def groups_of(arrays) -> dict:
    return arrays if isinstance(arrays, dict) else {"agents": arrays}


def snapshot(out: shoal.Outputs) -> list[np.ndarray]:
    return [array.copy() for field in FIELDS for array in groups_of(getattr(out, field)).values()]


def test_shapes_and_types_are_those_of_the_spec(name):
    env = shoal.make(name, num_envs=3)
    out = env.reset()
    assert out is env.outputs
    for group in env.spec.groups:
        one = {f: groups_of(getattr(out, f))[group.name if len(env.spec.groups) > 1 else "agents"] for f in FIELDS}
        rows = (3, group.agents)
        for field in ("observations", "final_observations"):
            assert one[field].shape == (*rows, group.width) and one[field].dtype == np.float32
        assert one["rewards"].shape == rows and one["rewards"].dtype == np.float32
        assert one["masks"].shape == (*rows, group.choices)
        for field in ("terminated", "truncated", "alive"):
            assert one[field].shape == rows and one[field].dtype == np.bool_
        assert one["alive"].all()


def test_the_same_seed_gives_the_same_episodes_on_any_threads(name):
    trajectories = []
    for threads, seed in ((1, 5), (2, 5), (1, 6)):
        env = shoal.make(name, num_envs=7, seed=seed, threads=threads)
        rng = np.random.default_rng(1)
        steps = [snapshot(env.reset())]
        steps += [snapshot(env.step(random_actions(env, rng))) for _ in range(20)]
        trajectories.append(steps)
    for a, b in zip(trajectories[0], trajectories[1]):
        for x, y in zip(a, b):
            np.testing.assert_array_equal(x, y)


def test_seeds_differ():
    first = [shoal.make("market", seed=seed).reset().observations.copy() for seed in (1, 2)]
    assert (first[0] != first[1]).any()


def test_an_episode_ends_and_the_next_begins_in_the_same_step(rng):
    env = shoal.make("switch", num_envs=4, max_steps=6)
    first = env.reset().observations.copy()
    for _ in range(5):
        out = env.step(np.full((4, 2), 4, np.int32))
        assert not (out.terminated | out.truncated).any()
    out = env.step(np.full((4, 2), 4, np.int32))
    assert out.truncated.all() and not out.terminated.any()
    np.testing.assert_array_equal(out.observations, first)
    np.testing.assert_array_equal(out.final_observations, first)  # nobody moved
    out = env.step(np.zeros((4, 2), np.int32))
    assert not out.truncated.any()


def test_the_dead_are_not_alive_until_the_episode_ends(rng):
    env = shoal.make("switch", num_envs=64, n_agents=4)
    env.reset()
    died = 0
    alive = env.outputs.alive.copy()
    for _ in range(400):
        out = env.step(random_actions(env, rng))
        over = (out.terminated | out.truncated).all(axis=1, keepdims=True)
        np.testing.assert_array_equal(out.alive, over | (alive & ~out.terminated))
        assert not out.observations[~out.alive].any()
        died += int((out.terminated & ~over).sum())
        alive = out.alive.copy()
    assert died > 0


def test_groups_are_dictionaries():
    env = shoal.make("two_role", num_envs=2)
    out = env.reset()
    assert list(out.observations) == ["a", "b"]
    out = env.step({"a": np.zeros((2, 1), np.int32), "b": np.zeros((2, 1, 1), np.int32)})
    assert out.rewards["b"].shape == (2, 1)
    padded = shoal.make("two_role", num_envs=2, observation={"pad_groups": True})
    assert padded.reset().observations.shape == (2, 2, 7)
    assert padded.outputs.masks.tolist()[0] == [[True] * 3 + [False] * 2, [True] * 5]


def test_observation_options():
    plain = shoal.spec("recall").groups[0]
    assert shoal.spec("recall", observation={"indication": "agent"}).groups[0].width == plain.width + plain.agents
    assert shoal.spec("recall", observation={"width": 40}).groups[0].width == 40
    assert shoal.spec("market", observation={"type": False}).groups[0].width == 10


def test_masks_tell_illegal_choices():
    env = shoal.make("matrix_game", num_envs=2, actions=[2, 3], payoffs=[0.0] * 12)
    assert env.spec.groups[0].masked
    assert env.reset().masks[0].tolist() == [[True, True, False], [True, True, True]]


# ---- Arrays without copies ------------------------------------------------------------------------------------------


def test_numpy_and_torch_share_the_memory(name, rng):
    torch = pytest.importorskip("torch")
    env = shoal.make(name, num_envs=3)
    env.reset()
    for field in FIELDS:
        for array in groups_of(getattr(env.outputs, field)).values():
            assert array.flags.writeable
            assert np.from_dlpack(array).ctypes.data == array.ctypes.data
            assert torch.from_dlpack(array).data_ptr() == array.ctypes.data or array.size == 0
    seen = {key: torch.from_dlpack(x) for key, x in groups_of(env.outputs.observations).items()}
    env.step(random_actions(env, rng))
    for key, array in groups_of(env.outputs.observations).items():
        np.testing.assert_array_equal(seen[key].numpy(), array)


def test_jax_shares_the_memory():
    jax = pytest.importorskip("jax")
    env = shoal.make("matrix_game", num_envs=16)
    out = env.reset()
    array = jax.dlpack.from_dlpack(out.observations)
    assert array.unsafe_buffer_pointer() == out.observations.ctypes.data
    assert jax.dlpack.from_dlpack(out.terminated).unsafe_buffer_pointer() == out.terminated.ctypes.data
    env.step(jax.numpy.zeros((16, 2), "int32"))


def test_actions_of_any_library_and_any_strides_are_taken(rng):
    torch = pytest.importorskip("torch")
    actions = rng.integers(0, 2, (5, 2)).astype(np.int32)
    wide = np.zeros((5, 4), np.int32)
    wide[:, ::2] = actions
    read_only = actions.copy()
    read_only.flags.writeable = False
    variants = [actions, actions[..., None], wide[:, ::2], np.asfortranarray(actions), torch.from_numpy(actions)]
    variants += [read_only, memoryview(actions), actions[::-1].copy()[::-1]]
    results = []
    for variant in variants:
        env = shoal.make("matrix_game", num_envs=5)
        env.reset()
        results.append(snapshot(env.step(variant)))
    for other in results[1:]:
        for x, y in zip(results[0], other):
            np.testing.assert_array_equal(x, y)


def test_steps_write_into_arrays_of_the_caller(rng):
    torch = pytest.importorskip("torch")
    env = shoal.make("matrix_game", num_envs=4)
    twin = shoal.make("matrix_game", num_envs=4)
    width = env.spec.groups[0].width
    rollout = torch.full((3, 4, 2, width + 5), 7.0)  # rows with room behind them
    rewards = np.zeros((3, 4, 2), np.float32)
    ends = torch.zeros((3, 4, 2), dtype=torch.uint8)
    slots = [env.bind(observations=rollout[t, ..., :width], rewards=rewards[t], terminated=ends[t]) for t in range(3)]
    env.reset(out=slots[0])
    twin.reset()
    for t in range(1, 3):
        actions = random_actions(twin, rng)
        out = env.step(actions, out=slots[t])
        expected = twin.step(actions)
        assert out is slots[t]
        assert out.observations.data_ptr() == rollout[t].data_ptr()
        np.testing.assert_array_equal(rollout[t, ..., :width].numpy(), expected.observations)
        np.testing.assert_array_equal(rewards[t], expected.rewards)
    assert (rollout[..., width:] == 7).all()
    out = env.step(actions, out={"rewards": rewards[0]})
    np.testing.assert_array_equal(rewards[0], twin.step(actions).rewards)
    assert out.observations is env.outputs.observations


def test_masks_and_alive_of_the_caller_are_written_in_every_environment(name):
    env = shoal.make(name, num_envs=2)
    if len(env.spec.groups) > 1:
        mine = {g.name: np.zeros((2, g.agents), np.uint8) for g in env.spec.groups}
        env.reset(out={"alive": mine})
        assert all(array.all() for array in mine.values())
    else:
        group = env.spec.groups[0]
        mine, masks = np.zeros((2, group.agents), bool), np.zeros((2, group.agents, group.choices), bool)
        env.reset(out={"alive": mine, "masks": masks})
        assert mine.all() and masks.all()


def test_arrays_outlive_the_environment():
    env = shoal.make("market", num_envs=8, threads=2)
    observations = env.reset().observations
    supertypes = env.supertypes
    before = observations.copy(), supertypes.copy()
    env.close()
    del env
    np.testing.assert_array_equal(observations, before[0])
    np.testing.assert_array_equal(supertypes, before[1])
    supertypes[:] = 0


def test_the_modules_own_arrays_lend_by_dlpack():
    torch = pytest.importorskip("torch")
    env = shoal.make("recall", num_envs=2)
    array = env._sim.make_output("observations", 0)
    assert isinstance(array, shoal.Array)
    assert array.shape == (2, 4, 6) and array.dtype == "float32" and array.device == "cpu"
    assert array.__dlpack_device__() == (1, 0)
    assert torch.from_dlpack(array).data_ptr() == np.from_dlpack(array).ctypes.data == array.numpy().ctypes.data
    assert "versioned" in repr(array.__dlpack__(max_version=(1, 0)))
    assert "versioned" not in repr(array.__dlpack__())
    with pytest.raises(shoal.InputError, match='stream = 1: expected None on device "cpu"'):
        array.__dlpack__(stream=1)


def test_streams_are_numbered_as_in_the_array_api():
    from shoal import _sim

    assert _sim.parse_stream(None) == (True, 0)  # the legacy default stream
    assert _sim.parse_stream(1) == (True, 0)
    assert _sim.parse_stream(2) == (True, 2)  # cudaStreamPerThread
    assert _sim.parse_stream(0x7F0012345678) == (True, 0x7F0012345678)
    assert _sim.parse_stream(-1) == (False, 0)
    for wrong in (0, -2):
        with pytest.raises(shoal.InputError, match=f"stream = {wrong}: expected None or 1"):
            _sim.parse_stream(wrong)


# ---- What episodes depend on and leave ------------------------------------------------------------------------------


def test_supertypes_are_read_and_written():
    env = shoal.make("market", num_envs=3)
    spec = env.spec.supertypes
    assert env.supertypes.shape == (3, len(spec), max(len(s.coordinates) for s in spec))
    initial = [c.initial for c in spec[0].coordinates]
    np.testing.assert_allclose(env.supertypes[1, 0, : len(initial)], initial)
    env.supertypes[1, 0] = 1  # of instance 1
    different = (env.reset().observations != shoal.make("market", num_envs=3).reset().observations).any(axis=2)
    assert different[1, 0] and not different[[0, 2]].any()
    assert (env.supertypes[1, 0] == 1).all()


def test_metrics_are_means_over_episodes():
    env = shoal.make("matrix_game", num_envs=4, rounds=8)
    env.reset()
    assert math.isnan(env.metrics()["welfare"])
    for _ in range(16):
        env.step(np.zeros((4, 2), np.int32))
    assert env.metric_episodes.tolist() == [2] * 4
    assert env.metrics()["episode_length"] == 8 and env.metrics()["player_1.action_1"] == 1
    assert env.metric_sums.shape == (4, len(env.spec.metrics))
    env.clear_metrics()
    assert env.metric_episodes.sum() == 0


def test_a_state_goes_on_in_another_environment(name, rng):
    env = shoal.make(name, num_envs=2, seed=3)
    env.reset()
    for _ in range(5):
        env.step(random_actions(env, rng))
    twin = shoal.make(name, num_envs=2, seed=3)
    twin.reset()
    for instance in range(2):
        twin.import_state(instance, env.export_state(instance))
    before, after = snapshot(env.observe())[0], snapshot(twin.observe())[0]
    np.testing.assert_array_equal(before, after)
    for _ in range(5):
        actions = random_actions(env, rng)
        for x, y in zip(snapshot(env.step(actions))[:3], snapshot(twin.step(actions))[:3]):
            np.testing.assert_array_equal(x, y)


def test_pictures(name, rng):
    env = shoal.make(name, num_envs=2)
    env.reset()
    env.step(random_actions(env, rng))
    assert env.can_draw
    picture = env.draw(1, scale=8)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert len(np.unique(picture)) > 2


# ---- The registry ---------------------------------------------------------------------------------------------------


def test_the_registry_describes_every_environment(name):
    description = shoal.describe(name)
    spec = shoal.spec(name)
    assert description.name == spec.name == name and description.summary
    assert {field.name for field in description.fields} == set(spec.params)
    assert all(field.help for field in description.fields)
    assert description.fields[0].name in str(description)
    assert spec.agents == len(spec.supertype_of) > 0 and spec.metrics[-1] == "episode_length"


def test_parameters_of_every_type_are_taken():
    spec = shoal.spec("market", merchants=np.int64(3), steps=7, arrival=np.float32(0.5), penalty="downside",
                      terminal_unwind=np.bool_(False), links_1=np.linspace(0, 1, 10), quantities=tuple(range(1, 11)))
    assert spec.agents == 3 and spec.params["steps"] == 7 and spec.params["arrival"] == 0.5
    assert spec.params["terminal_unwind"] is False and spec.params["links_1"][-1] == 1
    assert spec.params["merchants"] == 3 and spec.params["penalty"] == "downside"


def test_resolved_parameters_make_the_same_environment(name):
    spec = shoal.spec(name)
    assert shoal.spec(name, **spec.params) == spec


def test_import_needs_neither_torch_nor_numpy():
    import subprocess
    import sys

    code = "import shoal, sys; print(sorted({'torch', 'numpy', 'gymnasium'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
