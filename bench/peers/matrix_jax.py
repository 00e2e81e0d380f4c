"""The repeated prisoner's dilemma with memory 1 (docs/matrix-game.md) in JAX: instances on the last axis, lax.scan, auto reset.

    python matrix_jax.py --check      against known answers
    python matrix_jax.py              measures on demand, see peer.py

The same work, and the same differences, as matrix_numpy.py.
"""
from typing import NamedTuple

import jax
import jax.numpy as jnp
import matrix_spec as spec
import numpy as np
import peer
from jax import lax
from jax_shards import compile_for, grid, split
from market_jax import mix, normals
from matrix_spec import ROUNDS


class State(NamedTuple):
    key: jax.Array         # [B] u32
    tick: jax.Array        # [] u32, never reset
    round: jax.Array       # []
    altruism: jax.Array    # [2, B]
    payoff: jax.Array      # [2, B] of the episode
    defections: jax.Array  # [2, B]
    action: jax.Array      # [2, B] of the last round, f32: 1 defects
    episode: jax.Array     # [4, 2, B] payoff a round, frequency of action 0 and 1, welfare of the last finished episode


def fresh(key, tick, episode, mean=0.0, sd=0.0):
    noise = normals(mix(key ^ mix(tick * 2 + jnp.arange(2, dtype=jnp.uint32))[:, None]))
    noise = jnp.concatenate([noise, -noise])[:2]
    zero = jnp.zeros((2, key.size))
    return State(key, tick, jnp.int32(0), jnp.clip(mean + sd * noise, -1, 1), zero, zero, zero, episode)


def observe(s):
    """[6, 2, B]"""
    seen = jnp.broadcast_to((s.round > 0).astype(jnp.float32), s.action.shape)
    cooperated = seen - s.action
    return jnp.stack([seen, cooperated, s.action, cooperated[::-1], s.action[::-1], s.altruism])


def step(s, action, mean=0.0):
    """action [2, B] f32. Returns the state, reward [2, B], done []."""
    other = action[::-1]
    payoff = 3 - 3 * other + action * (2 - other)
    reward = payoff + s.altruism * payoff[::-1]
    s = s._replace(tick=s.tick + 1, round=s.round + 1, payoff=s.payoff + payoff, defections=s.defections + action, action=action)
    done = s.round == ROUNDS

    def restart(s):
        defected, each = s.defections / ROUNDS, s.payoff / ROUNDS
        welfare = jnp.broadcast_to(each.mean(0), each.shape)
        return fresh(s.key, s.tick, jnp.stack([each, 1 - defected, defected, welfare]), mean)
    return lax.cond(done, restart, lambda s: s, s), reward, done


def start(batch, seed=0, mean=0.0):
    key = mix(jnp.arange(batch, dtype=jnp.uint32) + mix(jnp.uint32(seed + 0x1234567)))
    return fresh(key, jnp.uint32(0), jnp.zeros((4, 2, batch)), mean)


def random_steps(s):
    """An episode of uniform actions; observations are built in every round."""
    def body(carry, _):
        s, _, total = carry
        word = mix(s.key ^ mix(s.tick + jnp.uint32(0x9E3779B9)))
        action = jnp.stack([word & 1, word >> 31]).astype(jnp.float32)
        s, reward, _ = step(s, action)
        return (s, observe(s), total + reward), None
    return lax.scan(body, (s, observe(s), jnp.zeros_like(s.payoff)), None, length=ROUNDS)[0]


def setting(batch, shards):
    holder = [split([start(batch // shards, k) for k in range(shards)])]
    run = compile_for(shards, random_steps, donate=True)

    def work():
        holder[0], *_ = jax.block_until_ready(run(holder[0]))
        return ROUNDS * batch * 2
    return work


def play(altruism, actions):
    def body(s, action):
        s, reward, done = step(s, action, altruism)
        return s, (observe(s)[:, :, 3], reward[:, 3], done)
    rows = jnp.broadcast_to(jnp.asarray(actions, jnp.float32)[:, :, None], (ROUNDS, 2, 7))
    s, (observations, rewards, ended) = lax.scan(body, start(7, mean=altruism), rows)
    return np.asarray(observations), np.asarray(rewards), np.asarray(ended), np.asarray(s.episode[:3, :, 3])


def main():
    options = peer.arguments(__doc__)
    if options.check:
        return spec.check(play)
    batches = (256, 1024, 2048, 4096, 8192, 16384)
    peer.serve({text: lambda batch=batch, shards=shards: setting(batch, shards) for text, batch, shards in grid(batches, options.threads)},
               options.seconds, ["jax", "jaxlib"])


if __name__ == "__main__":
    main()
