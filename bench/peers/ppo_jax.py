"""PPO on the JAX market (market_jax.py), everything in one compiled call a stage.

    python ppo_jax.py --check                 the update against ppo_spec.py, and that it learns
    python ppo_jax.py --task rollout          policy, sampling, environment, storage, at the best batch
    python ppo_jax.py --task train            rollout and update, 64 instances
    python ppo_jax.py --task update           the update alone, in seconds: advantages, 4 epochs of 8 minibatches

The same update as shoal's: ppo_spec.py. Differs: with shards (XLA host devices) each shuffles its own samples, and
a minibatch has a part in each; its gradient is the mean over shards.
"""
import jax
import jax.numpy as jnp
import market_jax as market
import numpy as np
import peer
import ppo_spec as spec
from jax import lax
from jax_shards import compile_for, grid, split
from ppo_spec import FIELDS

INDEX_BITS = 15  # a sort key's low bits are the sample's index, the rest is random


def network(layers, x):
    for i in (0, 2):
        x = jnp.tanh(x @ layers[i] + layers[i + 1])
    return x @ layers[4] + layers[5]


def log_probability(log_sd, mean, action):
    return jnp.sum(-0.5 * ((action - mean) * jnp.exp(-log_sd)) ** 2, axis=1) - jnp.sum(log_sd) - spec.ACTIONS * spec.HALF_LOG_2PI


def rollout(c, parameters, s):
    """The state, rows [T, agents, 28] (FIELDS without the last two), values [T + 1, agents], rewards and ends [T, agents]."""
    rows = c.merchants * c.batch
    log_sd, actor, critic = parameters[0], parameters[1:7], parameters[7:]

    def body(s, _):
        x = market.observe(c, s).reshape(spec.INPUTS, rows).T
        mean, value = network(actor, x), network(critic, x)[:, 0]
        noise = market.normals(market.words(s.key, s.tick, 6, (4 * c.merchants,)))[:3 * c.merchants].reshape(3, rows).T
        action = mean + jnp.exp(log_sd) * noise
        s, reward, done = market.step(c, s, action.T.reshape(3, c.merchants, c.batch))
        fields = jnp.concatenate([x, action, mean, log_probability(log_sd, mean, action)[:, None]], axis=1)
        return s, (fields, value, reward.reshape(rows), jnp.tile(done, c.merchants).astype(jnp.float32))
    s, (fields, values, rewards, ended) = lax.scan(body, s, None, length=c.steps)
    last = network(critic, market.observe(c, s).reshape(spec.INPUTS, rows).T)[:, 0]
    return s, (fields, jnp.concatenate([values, last[None]]), rewards, ended)


def advantages(rewards, values, ended):
    def body(following, x):
        reward, value, after, end = x
        live = spec.DISCOUNT * (1 - end)
        following = reward + live * after - value + spec.LAMBDA * live * following
        return following, following
    return lax.scan(body, jnp.zeros_like(values[0]), (rewards, values[:-1], values[1:], ended), reverse=True)[1]


def loss(parameters, rows, old_log_sd, kl_coefficient):
    x, action, mean0, log_p0, advantage, target = (rows[:, columns] for columns in FIELDS.values())
    log_sd, mean = parameters[0], network(parameters[1:7], x)
    ratio = jnp.exp(log_probability(log_sd, mean, action) - log_p0)
    surrogate = jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - spec.CLIP, 1 + spec.CLIP) * advantage)
    value_loss = 0.5 * jnp.mean((network(parameters[7:], x)[:, 0] - target) ** 2)
    change = log_sd - old_log_sd
    kl = jnp.mean(jnp.sum(0.5 * ((mean0 - mean) * jnp.exp(-log_sd)) ** 2, axis=1)) + jnp.sum(change + 0.5 * jnp.exp(-2 * change) - 0.5)
    return -jnp.mean(surrogate) + spec.VALUE_WEIGHT * value_loss + kl_coefficient * kl, kl


def adam_start(parameters):
    zeros = [jnp.zeros_like(p) for p in parameters]
    return zeros, zeros, jnp.float32(0)


def descend(parameters, adam, gradients, rate):
    norm = jnp.sqrt(sum(jnp.sum(g**2) for g in gradients))
    scale = jnp.minimum(spec.MAX_NORM / (norm + 1e-6), 1)
    gradients = [g * scale for g in gradients]
    mean = [spec.BETA1 * m + (1 - spec.BETA1) * g for m, g in zip(adam[0], gradients)]
    square = [spec.BETA2 * v + (1 - spec.BETA2) * g * g for v, g in zip(adam[1], gradients)]
    step = adam[2] + 1
    first, second = 1 - spec.BETA1**step, 1 - spec.BETA2**step
    parameters = [p - rate / first * m / (jnp.sqrt(v / second) + spec.EPSILON) for p, m, v in zip(parameters, mean, square)]
    return parameters, (mean, square, step)


def update(learner, batch, sharded):
    """learner: parameters, Adam's state, KL coefficient, stage."""
    parameters, adam, kl_coefficient, stage = learner
    fields, values, rewards, ended = batch
    mean_of = (lambda x: lax.pmean(x, "shard")) if sharded else (lambda x: x)
    advantage = advantages(rewards, values, ended)
    target = advantage + values[:-1]
    centred = advantage - mean_of(jnp.mean(advantage))
    advantage = centred / (jnp.sqrt(mean_of(jnp.mean(centred**2))) + 1e-8)
    rows = jnp.concatenate([fields, advantage[..., None], target[..., None]], axis=2).reshape(-1, 30)
    rate = spec.RATE * (1 + stage / spec.RATE_SCALE) ** -spec.RATE_EXPONENT
    old_log_sd, total = parameters[0], len(rows)
    index = jnp.arange(total, dtype=jnp.uint32)

    def minibatch(carry, chosen):
        (_, kl), gradients = jax.value_and_grad(loss, has_aux=True)(carry[0], rows[chosen], old_log_sd, kl_coefficient)
        return descend(*carry, mean_of(gradients), rate), kl

    def epoch(carry, k):
        seed = market.mix(stage.astype(jnp.uint32) * spec.EPOCHS + k)
        keys = (market.mix(index * jnp.uint32(0x9E3779B9) + seed) << INDEX_BITS) | index
        order = lax.sort(keys, is_stable=False) & ((1 << INDEX_BITS) - 1)
        return lax.scan(minibatch, carry, order.reshape(spec.MINIBATCHES, -1))
    (parameters, adam), kls = lax.scan(epoch, (parameters, adam), jnp.arange(spec.EPOCHS, dtype=jnp.uint32))
    kl = mean_of(jnp.mean(kls[-1]))
    factor = jnp.where(kl > 2 * spec.KL_TARGET, 1.5, jnp.where(kl < 0.5 * spec.KL_TARGET, 0.5, 1.0))
    kl_coefficient = jnp.clip(kl_coefficient * factor, spec.LEAST_KL_COEFFICIENT, spec.MOST_KL_COEFFICIENT)
    return parameters, adam, kl_coefficient, stage + 1


def new_learner():
    parameters = [jnp.asarray(p) for p in spec.start_parameters(np.random.default_rng(0))]
    return parameters, adam_start(parameters), jnp.float32(spec.KL_COEFFICIENT), jnp.float32(0)


def setting(task, bits, batch, shards):
    c = market.Config(batch=batch // shards, bits=bits)
    assert (batch // shards) * c.merchants * c.steps <= 1 << INDEX_BITS or task == "rollout"
    samples = c.steps * batch * c.merchants
    holder = [split([new_learner()] * shards), split([market.start(c, k) for k in range(shards)])]
    run_rollout = compile_for(shards, lambda x: rollout(c, x[0][0], x[1]))

    def roll():
        holder[1], _ = jax.block_until_ready(run_rollout(holder))
        return samples
    if task == "rollout":
        return roll

    def stage(x):
        s, stored = rollout(c, x[0][0], x[1])
        return update(x[0], stored, shards > 1), s
    run_stage = compile_for(shards, stage)

    def train():
        holder[:] = jax.block_until_ready(run_stage(holder))
        return samples
    if task == "train":
        return train
    _, stored = run_rollout(holder)
    run_update = compile_for(shards, lambda x: update(x[0], x[1], shards > 1))

    def learn():
        holder[0] = jax.block_until_ready(run_update((holder[0], stored)))
        return 1
    return learn


def check():
    def loss_and_gradients(parameters, *rest):
        (value, _), gradients = jax.value_and_grad(loss, has_aux=True)([jnp.asarray(p) for p in parameters], *rest)
        return float(value), [np.asarray(g) for g in gradients]

    def step(parameters, gradients):
        return [np.asarray(p) for p in descend(parameters, adam_start(parameters), gradients, spec.RATE)[0]]
    spec.check(loss_and_gradients, lambda *x: np.asarray(advantages(*x)), step)
    c = market.Config(bits=True)

    @jax.jit
    def stage(learner, s):
        s, stored = rollout(c, learner[0], s)
        return update(learner, stored, False), s, jnp.mean(stored[2])
    learner, s, rewards = new_learner(), market.start(c), []
    for _ in range(30):
        learner, s, reward = stage(learner, s)
        rewards.append(float(reward))
    first, last = np.mean(rewards[:5]), np.mean(rewards[-5:])
    peer.require("learns", last > first + 0.1, f"reward a step {first:.3f} in stages 1 to 5, {last:.3f} in stages 26 to 30")


def main():
    options = peer.arguments(__doc__, task=["rollout", "train", "update"])
    if options.check:
        return check()
    task = options.task
    kinds = (True,) if task == "update" else (True, False)
    batches = (32, 64, 128, 256) if task == "rollout" else (spec.INSTANCES,)
    settings = {("bits" if bits else "plain") + ", " + text: lambda bits=bits, batch=batch, shards=shards: setting(task, bits, batch, shards)
                for text, batch, shards in grid(batches, options.threads) for bits in kinds if bits or batch <= 64}
    timing = {"best": min, "measure": peer.seconds_each} if task == "update" else {}
    peer.serve(settings, options.seconds, ["jax", "jaxlib"], **timing)


if __name__ == "__main__":
    main()
