"""PPO of Stable-Baselines3: each agent is an environment of its own to it, and all share one policy.

    python examples/python/ppo_sb3.py switch --steps 200000
"""

import argparse

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor

from shoal.adaptors.stable_baselines3 import VecEnv


class Returns(BaseCallback):
    """Keeps the mean return of the last episodes, once a rollout."""

    def __init__(self, report) -> None:
        super().__init__()
        self.means: list[float] = []
        self.report = report

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        if self.model.ep_info_buffer:
            self.means.append(float(np.mean([info["r"] for info in self.model.ep_info_buffer])))
            self.report(f"{self.num_timesteps} agent steps  return {self.means[-1]:.3f}")


def train(name: str, *, num_envs=64, steps=200_000, batch_size=512, seed=0, report=print, **params):
    """The mean returns of the rollouts."""
    env = VecMonitor(VecEnv(name, num_envs=num_envs, seed=seed, **params))
    returns = Returns(report)
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=batch_size, n_epochs=4, learning_rate=1e-3,
                ent_coef=0.01, seed=seed, device="cpu")  # fmt: skip
    model.learn(steps, callback=returns)
    env.close()
    return returns.means


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?", default="switch")
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    train(**vars(parser.parse_args()))
