"""PPO of RLlib: all agents share one policy.

    python examples/python/ppo_rllib.py switch --updates 20
"""

import argparse
import time

import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig

from shoal.adaptors.rllib import MultiAgentEnv


def make_config(name: str, num_envs: int, steps: int, seed: int, params: dict) -> PPOConfig:
    """Collects in this process. A minibatch is a quarter of the agents' steps."""
    agents = len(MultiAgentEnv({"name": name, **params}).possible_agents)
    network = DefaultModelConfig(fcnet_hiddens=[64, 64], fcnet_activation="tanh", vf_share_layers=False)
    return (
        PPOConfig()
        .environment(MultiAgentEnv, env_config={"name": name, **params})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=num_envs, rollout_fragment_length=steps)
        .multi_agent(policies={"shared"}, policy_mapping_fn=lambda *_, **__: "shared")
        .rl_module(model_config=network)
        .training(train_batch_size_per_learner=num_envs * steps, minibatch_size=num_envs * steps * agents // 4,
                  num_epochs=4, lr=1e-3, gamma=0.99, lambda_=0.95, clip_param=0.2, entropy_coeff=0.01,
                  vf_loss_coeff=0.5, vf_clip_param=float("inf"), use_kl_loss=False, grad_clip=0.5)
        .debugging(seed=seed, log_level="ERROR")
    )  # fmt: skip


def train(name: str, *, num_envs=64, steps=64, updates=20, seed=0, report=print, **params):
    """The mean returns of an agent over the episodes of the last updates."""
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    algorithm = make_config(name, num_envs, steps, seed, params).build_algo()
    means = []
    for update in range(updates):
        start = time.perf_counter()
        sampled = algorithm.train()["env_runners"]
        seconds = time.perf_counter() - start
        returns = sampled.get("agent_episode_returns_mean", {}).values()
        means.append(sum(returns) / len(returns) if returns else float("nan"))
        agent_steps = sum(sampled["num_agent_steps_sampled"].values())
        report(f"update {update + 1}/{updates}  return {means[-1]:.3f}  {agent_steps / seconds:,.0f} agent-steps/s")
    algorithm.stop()
    return means


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?", default="switch")
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    train(**vars(parser.parse_args()))
