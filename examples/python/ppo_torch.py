"""PPO in PyTorch, on the CPU or CUDA. The simulator writes into the rollout's tensors: nothing is copied.

    python examples/python/ppo_torch.py switch --updates 60
    python examples/python/ppo_torch.py market --device cuda --num-envs 4096
"""

import argparse
import time

import torch
from torch import nn
from torch.distributions import Categorical, Normal

import shoal


class Policy(nn.Module):
    """Actor and critic, which all agents of the group share."""

    def __init__(self, group: shoal.Group) -> None:
        super().__init__()
        self.choices = [head.choices for head in group.discrete]
        self.deviation = nn.Parameter(torch.full((len(group.continuous),), -0.5))
        self.actor, self.critic = (
            nn.Sequential(nn.Linear(group.width, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs))
            for outputs in (sum(self.choices) or len(group.continuous), 1)
        )

    def forward(self, observations, masks):
        """The distribution of each head, and the value."""
        out = self.actor(observations)
        if not self.choices:
            return [Normal(out, self.deviation.exp())], self.critic(observations)[..., 0]
        logits = out.masked_fill(~masks, -1e9).split(self.choices, -1)
        return [Categorical(logits=x) for x in logits], self.critic(observations)[..., 0]

    def sample(self, heads):
        return torch.stack([h.sample() for h in heads], -1) if self.choices else heads[0].sample()

    def log_prob(self, heads, actions):
        if not self.choices:
            return heads[0].log_prob(actions).sum(-1)
        return sum(h.log_prob(a) for h, a in zip(heads, actions.unbind(-1)))


def train(name: str, *, num_envs=64, device="cpu", seed=0, updates=60, steps=64, epochs=4, minibatches=4, lr=1e-3,
          gamma=0.99, decay=0.95, clip=0.2, entropy=0.01, report=print, **params):  # fmt: skip
    torch.manual_seed(seed)
    env = shoal.make(name, num_envs=num_envs, device=device, seed=seed, **params)
    (group,) = env.spec.groups
    stream = None if device == "cpu" else torch.cuda.current_stream().cuda_stream or 1
    policy = Policy(group).to(device)
    optimizer = torch.optim.Adam(policy.parameters(), lr=lr)

    def tensor(*shape, dtype=torch.float32):
        return torch.zeros(shape[0], num_envs, group.agents, *shape[1:], dtype=dtype, device=device)

    observations, final = tensor(steps + 1, group.width), tensor(steps, group.width)
    masks, alive = tensor(steps + 1, group.choices, dtype=torch.bool), tensor(steps + 1, dtype=torch.bool)
    rewards, log_probs, values, advantages = (tensor(steps) for _ in range(4))
    terminated, truncated = tensor(steps, dtype=torch.bool), tensor(steps, dtype=torch.bool)
    heads = len(group.discrete) or len(group.continuous)
    actions = tensor(steps, heads, dtype=torch.int32 if group.discrete else torch.float32)
    first = env.bind(observations=observations[0], masks=masks[0], alive=alive[0])
    slots = [
        env.bind(observations=observations[t + 1], masks=masks[t + 1], alive=alive[t + 1], rewards=rewards[t],
                 terminated=terminated[t], truncated=truncated[t], final_observations=final[t])
        for t in range(steps)
    ]  # fmt: skip

    env.reset(out=first, stream=stream)
    means = []
    for update in range(updates):
        start = time.perf_counter()
        env.clear_metrics()
        with torch.no_grad():
            for t in range(steps):
                distributions, values[t] = policy(observations[t], masks[t])
                actions[t] = policy.sample(distributions)
                log_probs[t] = policy.log_prob(distributions, actions[t])
                env.step(actions[t], out=slots[t], stream=stream)
            ahead, advantage = policy.critic(observations[steps])[..., 0], torch.zeros_like(rewards[0])
            for t in reversed(range(steps)):
                cut = truncated[t] & ~terminated[t]
                bootstrap = torch.where(cut, policy.critic(final[t])[..., 0], ahead) * ~terminated[t]
                delta = rewards[t] + gamma * bootstrap - values[t]
                advantage = delta + gamma * decay * advantage * ~(terminated[t] | truncated[t])
                advantages[t], ahead = advantage, values[t]
            returns = advantages + values
        acted = alive[:steps].flatten().nonzero()[:, 0]
        flat = [x[:steps].flatten(0, 2) for x in (observations, masks, actions, log_probs, advantages, returns)]
        for _ in range(epochs):
            for rows in acted[torch.randperm(len(acted), device=device)].chunk(minibatches):
                o, m, a, old, adv, ret = (x[rows] for x in flat)
                distributions, value = policy(o, m)
                ratio = (policy.log_prob(distributions, a) - old).exp()
                adv = (adv - adv.mean()) / (adv.std() + 1e-8)
                surrogate = torch.minimum(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()
                bonus = sum(h.entropy().mean() for h in distributions)
                loss = -surrogate + 0.5 * (value - ret).square().mean() - entropy * bonus
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
                optimizer.step()
        observations[0], masks[0], alive[0] = observations[steps], masks[steps], alive[steps]
        metrics = env.metrics()
        means.append(sum(metrics[f"{s.name}.return"] for s in env.spec.supertypes) / len(env.spec.supertypes))
        speed = num_envs * group.agents * steps / (time.perf_counter() - start)
        report(f"update {update + 1}/{updates}  return {means[-1]:.3f}  {speed:,.0f} agent-steps/s")
    return means


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?", default="switch")
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    train(**vars(parser.parse_args()))
