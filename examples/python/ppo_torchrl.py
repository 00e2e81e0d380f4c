"""PPO of TorchRL: a policy and a critic for each group of agents.

    python examples/python/ppo_torchrl.py two_role --updates 30
"""

import argparse

import torch
from tensordict.nn import TensorDictModule, TensorDictSequential
from torch.distributions import Categorical
from torchrl.modules import MLP, ProbabilisticActor
from torchrl.objectives import ClipPPOLoss, ValueEstimators

from shoal.adaptors.torchrl import Env


def make_loss(env: Env, group) -> ClipPPOLoss:
    """The loss of a group with one discrete head; it holds the group's actor and critic."""
    name = group.name
    hidden = {"num_cells": [64, 64], "activation_class": torch.nn.Tanh, "device": env.device}
    logits = TensorDictModule(
        MLP(group.width, group.choices, **hidden), in_keys=[(name, "observation")], out_keys=[(name, "logits")]
    )
    actor = ProbabilisticActor(
        logits,
        in_keys=[(name, "logits")],
        out_keys=[(name, "action")],
        distribution_class=Categorical,
        return_log_prob=True,
        log_prob_key=(name, "log_prob"),
    )
    critic = TensorDictModule(
        MLP(group.width, 1, **hidden), in_keys=[(name, "observation")], out_keys=[(name, "value")]
    )
    loss = ClipPPOLoss(actor, critic, clip_epsilon=0.2, entropy_coeff=0.01, normalize_advantage=True)
    loss.set_keys(
        action=(name, "action"),
        sample_log_prob=(name, "log_prob"),
        value=(name, "value"),
        advantage=(name, "advantage"),
        value_target=(name, "value_target"),
        reward=(name, "reward"),
        done=(name, "done"),
        terminated=(name, "terminated"),
    )
    loss.make_value_estimator(ValueEstimators.GAE, gamma=0.99, lmbda=0.95)
    return loss


def train(name: str, *, num_envs=64, updates=30, steps=32, epochs=4, minibatches=4, seed=0, report=print, **make):
    """The mean returns of the updates' episodes, over all supertypes."""
    torch.manual_seed(seed)
    env = Env(name, num_envs=num_envs, seed=seed, **make)
    losses = [make_loss(env, group) for group in env.env.spec.groups]
    policy = TensorDictSequential(*(loss.actor_network for loss in losses))
    optimizer = torch.optim.Adam([p for loss in losses for p in loss.parameters()], lr=1e-3)
    means = []
    for update in range(updates):
        env.env.clear_metrics()
        with torch.no_grad():
            rollout = env.rollout(steps, policy, break_when_any_done=False)
            for loss in losses:
                loss.value_estimator(
                    rollout, params=loss.critic_network_params, target_params=loss.target_critic_network_params
                )
        rows = rollout.reshape(-1)
        for _ in range(epochs):
            for chosen in torch.randperm(len(rows), device=env.device).chunk(minibatches):
                total = 0
                for loss in losses:
                    parts = loss(rows[chosen])
                    total = total + sum(value for key, value in parts.items() if key.startswith("loss_"))
                optimizer.zero_grad()
                total.backward()
                optimizer.step()
        metrics, supertypes = env.env.metrics(), env.env.spec.supertypes
        means.append(sum(metrics[f"{s.name}.return"] for s in supertypes) / len(supertypes))
        report(f"update {update + 1}/{updates}  return {means[-1]:.3f}")
    env.close()
    return means


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?", default="two_role")
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--updates", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    train(**vars(parser.parse_args()))
