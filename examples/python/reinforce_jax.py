"""Policy gradients in JAX: acting and the update are jitted, on arrays that the simulator lends by DLPack.

    python examples/python/reinforce_jax.py matrix_game --updates 30

The simulator overwrites its arrays in each step, and JAX takes arrays for constant. So each step writes into a slot of
a rollout, and the update is done before the next rollout begins. JAX copies memory that is not aligned to 64 bytes.
"""

import argparse
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import shoal


def init(key, sizes):
    keys = jax.random.split(key, len(sizes) - 1)
    return [(jax.random.normal(k, (i, o)) / np.sqrt(i), jnp.zeros(o)) for k, i, o in zip(keys, sizes, sizes[1:])]


def logits(parameters, observations):
    for weights, bias in parameters[:-1]:
        observations = jnp.tanh(observations @ weights + bias)
    weights, bias = parameters[-1]
    return observations @ weights + bias


@jax.jit
def act(parameters, observations, key):
    return jax.random.categorical(key, logits(parameters, observations)).astype(jnp.int32)


def loss(parameters, observations, actions, advantages, entropy):
    log_p = jax.nn.log_softmax(logits(parameters, observations))
    chosen = jnp.take_along_axis(log_p, actions[..., None], -1)[..., 0]
    return -(chosen * advantages).mean() + entropy * (jnp.exp(log_p) * log_p).sum(-1).mean()


@partial(jax.jit, static_argnames=("gamma", "entropy"))
def update(parameters, moments, step, observations, actions, rewards, ended, lr=0.01, gamma=0.97, entropy=0.02):
    """One step of Adam along REINFORCE's gradient, whose baseline is the mean return of each time step."""

    def back(ahead, now):
        reward, end = now
        ahead = reward + gamma * ahead * ~end
        return ahead, ahead

    _, returns = jax.lax.scan(back, jnp.zeros_like(rewards[0]), (rewards, ended), reverse=True)
    advantages = returns - returns.mean((1, 2), keepdims=True)
    advantages /= advantages.std() + 1e-6
    gradient = jax.grad(loss)(parameters, observations, actions, advantages, entropy)
    first, second = moments
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
    size = lr * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    parameters = jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v) + 1e-8), parameters, first, second)
    return parameters, (first, second)


def train(name, *, num_envs=256, updates=100, steps=64, seed=0, report=print, **params):
    """The mean returns of the updates' episodes. Environments with one group and one discrete head."""
    env = shoal.make(name, num_envs=num_envs, seed=seed, **params)
    (group,) = env.spec.groups
    key = jax.random.key(seed)
    parameters = init(key, (group.width, 64, group.discrete[0].choices))
    moments = (jax.tree.map(jnp.zeros_like, parameters),) * 2
    rows = (num_envs, group.agents)
    observations = np.zeros((steps + 1, *rows, group.width), np.float32)
    rewards = np.zeros((steps, *rows), np.float32)
    terminated, truncated = np.zeros((2, steps, *rows), np.bool_)
    slots = [
        env.bind(observations=observations[t + 1], rewards=rewards[t], terminated=terminated[t], truncated=truncated[t])
        for t in range(steps)
    ]
    env.reset(out={"observations": observations[0]})
    means = []
    for u in range(updates):
        env.clear_metrics()
        actions = []
        for t in range(steps):
            key, one = jax.random.split(key)
            actions.append(act(parameters, observations[t], one))
            env.step(actions[t], out=slots[t])
        lent = [jax.dlpack.from_dlpack(x) for x in (observations[:steps], rewards, terminated | truncated)]
        parameters, moments = update(parameters, moments, u + 1, lent[0], jnp.stack(actions), *lent[1:])
        jax.block_until_ready(parameters)
        observations[0] = observations[steps]
        metrics = env.metrics()
        means.append(sum(metrics[f"{s.name}.return"] for s in env.spec.supertypes) / len(env.spec.supertypes))
        report(f"update {u + 1}/{updates}  return {means[-1]:.3f}")
    return means


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?", default="matrix_game")
    parser.add_argument("--num-envs", type=int, default=256)
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    train(**vars(parser.parse_args()))
