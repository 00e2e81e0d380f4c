"""Every adaptor passes the conformance tests of its library, in every environment, without exceptions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import shoal

# Of which the conformance tests reach what the defaults do not: masks, several heads, an end without a terminal state.
VARIANTS = [
    *((name, {}) for name in shoal.list()),
    ("market", {"actions": "discrete"}),
    ("matrix_game", {"actions": [2, 3], "payoffs": [0] * 12}),
    ("switch", {"n_agents": 4, "max_steps": 7}),
]


def label(value: object) -> str:
    return value if isinstance(value, str) else "-".join(value) or "default"


every_variant = pytest.mark.parametrize(("name", "params"), VARIANTS, ids=label)


@pytest.fixture(autouse=True)
def broken_protocol_is_an_error():
    """api_test also warns of what is true of a game: agents with different spaces, observations of zeros."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", module="pettingzoo.test.parallel_test")
        warnings.filterwarnings("error", category=UserWarning, module="shoal")
        yield


@every_variant
def test_pettingzoo(name, params):
    pytest.importorskip("pettingzoo")
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, render_test, seed_test
    from pettingzoo.utils.conversions import parallel_to_aec

    from shoal.adaptors.pettingzoo import ParallelEnv

    def make(**kwargs):
        return ParallelEnv(name, **params, **kwargs)

    def make_aec(**kwargs):
        return parallel_to_aec(make(**kwargs))

    parallel_api_test(make(), num_cycles=200)
    parallel_seed_test(make, num_cycles=100)
    api_test(make_aec(), num_cycles=200)
    seed_test(make_aec, num_cycles=100)
    render_test(make_aec)


@every_variant
def test_gymnasium(name, params):
    pytest.importorskip("gymnasium")
    from gymnasium.utils.env_checker import data_equivalence
    from gymnasium.vector import AutoresetMode
    from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

    from shoal.adaptors.gymnasium import VectorEnv

    plain = VectorEnv(name, 3, **params)
    assert plain.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert plain.num_envs == 3 * plain.env.spec.agents
    envs = [DictInfoToList(RecordEpisodeStatistics(plain)), DictInfoToList(VectorEnv(name, 3, copy=False, **params))]
    first = [env.reset(seed=7)[0] for env in envs]
    assert data_equivalence(first[0], first[1])
    assert first[0] in plain.observation_space
    ended = 0
    plain.action_space.seed(1)
    for _ in range(110):
        actions = plain.action_space.sample()
        results = [env.step(actions) for env in envs]
        assert data_equivalence(results[0][:4], results[1][:4])
        observations, rewards, terminated, truncated, infos = results[0]
        assert observations in plain.observation_space
        for array, dtype in ((rewards, np.float32), (terminated, np.bool_), (truncated, np.bool_)):
            assert array.shape == (plain.num_envs,) and array.dtype == dtype
        for row in range(plain.num_envs):
            if "final_obs" in infos[row]:
                assert terminated[row] or truncated[row]
                assert infos[row]["final_obs"] in plain.single_observation_space
                ended += 1
    assert ended > 0 or plain.env.spec.max_episode_steps > 110
    for env in envs:
        env.close()
    with pytest.raises(shoal.InputError, match="close"):
        plain.reset()


@every_variant
def test_torchrl(name, params):
    pytest.importorskip("torchrl")
    from torchrl.envs.utils import check_env_specs

    from shoal.adaptors.torchrl import Env

    env = Env(name, num_envs=3, **params)
    check_env_specs(env, seed=0, break_when_any_done="both")
    rollout = env.rollout(110, break_when_any_done=False)
    assert rollout.batch_size == (3, 110)
    assert rollout["next", "done"].any() or env.env.spec.max_episode_steps > 110


@every_variant
def test_stable_baselines3(name, params):
    pytest.importorskip("stable_baselines3")
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecMonitor

    from shoal.adaptors.stable_baselines3 import VecEnv

    env = VecEnv(name, 2, **params)
    env.seed(3)
    first = env.reset()
    env.seed(3)
    np.testing.assert_array_equal(first, env.reset())
    model = PPO("MlpPolicy", VecMonitor(env), n_steps=16, batch_size=32, n_epochs=1, device="cpu", seed=0)
    model.learn(32 * env.num_envs)
    env.close()


@every_variant
def test_rllib(name, params):
    pytest.importorskip("ray.rllib")
    from ray.rllib.utils.pre_checks.env import check_multiagent_environments

    from shoal.adaptors.rllib import MultiAgentEnv

    env = MultiAgentEnv({"name": name, **params})
    check_multiagent_environments(env)
    first, _ = env.reset(seed=7)
    again, _ = env.reset(seed=7)
    assert list(first) == env.possible_agents and all((first[agent] == again[agent]).all() for agent in first)
    over = False
    for _ in range(2000):
        acting = list(env.agents)
        actions = {agent: env.get_action_space(agent).sample() for agent in acting}
        observations, rewards, terminated, truncated, infos = env.step(actions)
        assert list(observations) == list(rewards) == list(infos) == acting
        assert list(terminated) == list(truncated) == [*acting, "__all__"]
        assert all(observations[agent] in env.get_observation_space(agent) for agent in acting)
        over = terminated["__all__"] or truncated["__all__"]
        assert over == (not env.agents) and not (terminated["__all__"] and truncated["__all__"])
        if over:
            break
    assert over
