"""The dealer market (docs/market.md) in JAX: batched arrays with the instance as the last axis, lax.scan, auto reset.

    python market_jax.py --check [--kind bits]      against known answers of the specification
    python market_jax.py [--kind bits]              measures on demand, see peer.py

The same work as shoal's market in mode `step`: fresh uniform actions, customers, rewards, observations, metrics, auto reset. Two
kinds: every customer an element (plain), or a bit of a word (bits). Differs: the instances of a batch begin and end their episodes
together; equal quotes are told apart by one random order a customer (plain) or a word of 25 customers (bits).
"""
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import market_spec as spec
import peer
from jax import lax
from jax_shards import compile_for, grid, split
from market_spec import ARRIVAL, CLUSTERS, CUSTOMERS, GAMMA_MAX, OMEGA, PER_CLUSTER, S0_HIGH, S0_LOW, S0_MEAN, S0_SD, SIGMA_STEP, V_MAX

HALF = (1 << 25) - 1  # half a cluster, in the low bits of a word
NONE = 1 << 30  # a sort key that no customer accepts
TIE = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1, 0xD3A2646D, 0xFD7046C5, 0xB55A4F09, 0x6C8E9CF5, 0x2545F491)


class Config(NamedTuple):
    merchants: int = 5
    batch: int = 64
    steps: int = 96
    p: tuple = (0.5, 0.5)        # connection probability of supertype 1 and 2, all clusters
    tau: tuple = (0.5, 0.5)
    tau_var: float = 0.01        # of supertype 2
    unwind: bool = True
    bits: bool = False           # 25 customers a word instead of one


class State(NamedTuple):         # B is always the last axis
    key: jax.Array               # [B] u32, one stream per instance
    tick: jax.Array              # [B] u32, never reset: the counter of the stream
    t: jax.Array                 # [B]
    links: jax.Array             # [500, B] u32, bit i = linked to merchant i; with `bits` [n, 20, B], bit k = customer k of 25
    kind: jax.Array              # [11, n, B] the type: connected fractions, tolerance
    z: jax.Array                 # [n, B]
    mid: jax.Array               # [B]
    s0: jax.Array
    last_return: jax.Array
    flow: jax.Array              # [2, n, B] customer-bought and -sold volume of the last step
    action: jax.Array            # [3, n, B]
    volume: jax.Array            # [n, B] own volume of the episode
    demand: jax.Array            # [B] all customers' volume of the episode
    bins: jax.Array              # [2, 10, B] trades by supertype and quantity
    sums: jax.Array              # [8, n, B] reward, spread, hedge, inventory, |inventory|, trades, |z|, idle
    episode: dict                # the metrics of the last finished episode


def mix(x):
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def words(key, tick, purpose, shape):
    """Random 32-bit words [*shape, B], a function of (instance key, tick, purpose, index)."""
    stream = mix(key ^ mix(tick * jnp.uint32(64) + jnp.uint32(purpose)))
    index = jnp.arange(math.prod(shape), dtype=jnp.uint32).reshape(shape + (1,))
    return mix(index * jnp.uint32(0x9E3779B9) + stream)


def bernoulli_words(p, words):
    """Words whose bits are 1 with probability p; words(count) are as many random ones as p has binary digits."""
    if p >= 1 or p <= 0:
        return jnp.full_like(words(1)[0], 0xFFFFFFFF if p >= 1 else 0)
    digits = spec.binary_digits(p)
    random = words(len(digits))
    result = random[0]
    for digit, word in zip(digits[1:], random[1:]):
        result = result | word if digit else result & word
    return result


def uniforms(w):
    return (w >> 8).astype(jnp.float32) * 2.0**-24 + 2.0**-25


def normals(w):
    """[2k, B] words to [2k, B] normals."""
    u, half = uniforms(w), w.shape[0] // 2
    radius, angle = jnp.sqrt(-2 * jnp.log(u[:half])), 2 * jnp.pi * u[half:]
    return jnp.concatenate([radius * jnp.cos(angle), radius * jnp.sin(angle)])


def reference(v):
    """S_ref(v) * 2 / s0."""
    ve = jnp.minimum(v / V_MAX, 0.99)
    safe = jnp.maximum(ve, 1e-4)
    return jnp.where(ve < 1e-4, 1 + ve * (1 - 1 / OMEGA) / 2, OMEGA / safe * -jnp.expm1(jnp.log1p(-safe) / OMEGA))


def draw_s0(normal):
    return jnp.clip(S0_MEAN + S0_SD * normal, S0_LOW, S0_HIGH)


def fresh(c, key, tick):
    """A new episode for every instance."""
    n, batch = c.merchants, c.batch
    if c.bits:
        links = [bernoulli_words(c.p[i > 0], lambda k, i=i: words(key, tick, 32 + i, (k, 2 * CLUSTERS))) for i in range(n)]
        links = jnp.stack(links) & HALF
        fraction = jnp.sum(lax.population_count(links).reshape(n, CLUSTERS, 2, batch), axis=2).transpose(1, 0, 2) / PER_CLUSTER
    else:
        p = jnp.array([c.p[0]] + [c.p[1]] * (n - 1))
        linked = (words(key, tick, 1, (n, CUSTOMERS)) >> 8) < (p * 2.0**24).astype(jnp.uint32)[:, None, None]
        links = jnp.sum(linked.astype(jnp.uint32) << jnp.arange(n, dtype=jnp.uint32)[:, None, None], axis=0, dtype=jnp.uint32)
        fraction = jnp.mean(linked.reshape(n, CLUSTERS, PER_CLUSTER, batch).astype(jnp.float32), axis=2).transpose(1, 0, 2)
    draws = normals(words(key, tick, 2, (n + 1 + (n + 1) % 2,)))
    tau = jnp.clip(c.tau[1] + c.tau_var**0.5 * draws[:n], 0, 1).at[0].set(c.tau[0])
    zero = jnp.zeros((n, batch))
    return State(key, tick + 1, jnp.zeros(batch, jnp.int32), links, jnp.concatenate([fraction, tau[None]]), zero,
                 jnp.ones(batch), draw_s0(draws[n]), jnp.zeros(batch), jnp.zeros((2, n, batch)), jnp.zeros((3, n, batch)),
                 zero, jnp.zeros(batch), jnp.zeros((2, CLUSTERS, batch)), jnp.zeros((8, n, batch)), blank(c))


def blank(c):
    n, batch = c.merchants, c.batch
    return {"share": jnp.zeros((n, batch)), "quantity": jnp.zeros((2, 9, batch)), "sums": jnp.zeros((8, n, batch))}


def observe(c, s):
    n, batch = c.merchants, c.batch
    common = jnp.stack([s.t / c.steps, (s.s0 - S0_MEAN) / S0_SD, jnp.clip(s.last_return / SIGMA_STEP, -5, 5)])
    return jnp.concatenate([
        jnp.broadcast_to(common[:, None], (3, n, batch)), jnp.clip(s.z / 100, -10, 10)[None], s.flow / 100, s.action,
        (s.volume / (100 * jnp.maximum(s.t, 1)))[None], s.kind])


def apart(s, values):
    """Computes `values` in a loop of their own: XLA would fuse them into the loop over customers and repeat them for each
    (it drops optimization_barrier on the CPU). The branch is always the first one."""
    return lax.cond(s.t[0] >= 0, lambda x: x, lambda x: jax.tree.map(jnp.zeros_like, x), values)


def customers(c, s, eps_buy, eps_sell):
    """Counts [2, n, 10, B] of trades (customer buys, customer sells) by merchant and cluster, and the arrivals [10, B]."""
    n, batch = c.merchants, c.batch
    w = words(s.key, s.tick, 3, (CUSTOMERS,))
    arrived = (w & 0x7FFF) < jnp.uint32(round(ARRIVAL * 0x8000))
    buys = (w & 0x8000) != 0

    def keys(eps):  # equal quotes share a rank; eps = 1 attracts nobody
        rank = jnp.sum(eps[None] < eps[:, None], axis=1).astype(jnp.int32)
        return jnp.where(eps < 1, rank << 12, NONE)

    buy_key, sell_key = apart(s, (keys(eps_sell), keys(eps_buy)))
    best = jnp.full((CUSTOMERS, batch), NONE)
    one = jnp.zeros((CUSTOMERS, batch), jnp.uint32)  # five 6-bit counters fit one word: a cluster has 50 customers
    high = jnp.zeros((CUSTOMERS, batch), bool)       # the chosen merchant is counted in the second word
    for i in range(n):
        tie = ((w * jnp.uint32(TIE[i])) >> 20).astype(jnp.int32)
        key = jnp.where(buys, buy_key[i], sell_key[i]) + tie
        better = ((s.links & (1 << i)) != 0) & (key < best)  # never for a key of NONE or more
        best = jnp.where(better, key, best)
        one = jnp.where(better, jnp.uint32(1 << 6 * (i % 5)), one)
        high = jnp.where(better, i >= 5, high)
    one = jnp.where(arrived, one, 0)
    groups = [jnp.where(side & (high == (j == 1)), one, 0) for side in (buys, ~buys) for j in range((n + 4) // 5)]
    groups = tuple(x.reshape(CLUSTERS, PER_CLUSTER, batch) for x in groups + [arrived.astype(jnp.uint32)])
    # one reduction of several operands: separate sums would each repeat the loop over customers
    totals = lax.reduce(groups, (jnp.uint32(0),) * len(groups), lambda a, b: tuple(x + y for x, y in zip(a, b)), (1,))
    half = len(totals) // 2
    counts = [jnp.stack([(totals[side * half + i // 5] >> (6 * (i % 5))) & 63 for i in range(n)]) for side in (0, 1)]
    return jnp.stack(counts).astype(jnp.float32), totals[-1].astype(jnp.float32)


def customers_in_bits(c, s, eps_buy, eps_sell):
    """The same counts with 25 customers (half a cluster) a word. Equal quotes: one random order for each word and step."""
    n, batch = c.merchants, c.batch
    arrived = bernoulli_words(ARRIVAL, lambda k: words(s.key, s.tick, 3, (k, 2 * CLUSTERS))) & HALF
    direction, order = words(s.key, s.tick, 7, (2, 2 * CLUSTERS))
    wanting = (arrived & direction, arrived & ~direction)
    quotes = jnp.stack([eps_sell, eps_buy])
    cheaper = quotes[:, None] < quotes[:, :, None]  # [side, i, k, B]: k than i
    offered = jnp.where(quotes < 1, jnp.uint32(HALF), 0)

    def served(links, before):
        """Customers of each merchant: those linked to it, and not to one that before(i, k, links[k]) lets through."""
        for i in range(n):
            better = jnp.zeros_like(direction)
            for k in range(n):
                if k != i:
                    better |= before(i, k, links[k])
            yield links[i] & ~better

    def halves(x):
        return jnp.sum(x.reshape(x.shape[:-2] + (CLUSTERS, 2, batch)), axis=-2, dtype=jnp.uint32).astype(jnp.float32)

    def count(takers):
        return halves(jnp.stack([jnp.stack([lax.population_count(x & wanting[j]) for x in takers(j)]) for j in (0, 1)]))

    def all_differ(x):
        masks, offered, links = x
        return count(lambda j: served(links & offered[j, :, None], lambda i, k, bits: bits & masks[j, i, k]))

    def some_are_equal(x):
        ranks, offered, links = x
        keys = [[ranks[j, i] + ((order * jnp.uint32(TIE[i]) + jnp.uint32(j << 31)) >> 20) for i in range(n)] for j in (0, 1)]

        def first(j, i, k):
            return keys[j][k] < keys[j][i] if k > i else keys[j][k] <= keys[j][i]
        return count(lambda j: served(links & offered[j, :, None], lambda i, k, bits: jnp.where(first(j, i, k), bits, 0)))

    ranks, offered = apart(s, (jnp.sum(cheaper, axis=2).astype(jnp.uint32) << 12, offered))
    if n < 8:  # with few merchants the branch costs more than it saves, see README.md
        return some_are_equal((ranks, offered, s.links)), halves(lax.population_count(arrived))
    equal = (quotes[:, None] == quotes[:, :, None]) & (quotes < 1)[:, None] & ~jnp.eye(n, dtype=bool)[:, :, None]
    masks = jnp.where(cheaper, jnp.uint32(0xFFFFFFFF), 0)
    counts = lax.cond(jnp.any(equal), lambda x: some_are_equal((ranks, *x[1:])), all_differ, (masks, offered, s.links))
    return counts, halves(lax.population_count(arrived))


def percentiles(bins):
    """Nearest rank: [2, 10, B] counts to [2, 9, B] quantities; zero without trades."""
    cumulative, trades = jnp.cumsum(bins, axis=1), jnp.sum(bins, axis=1)
    need = trades[:, None] * jnp.arange(1, 10)[None, :, None] / 10
    below = jnp.sum(cumulative[:, None] < need[:, :, None] - 1e-4, axis=2)
    return jnp.where(trades[:, None] > 0, below + 1.0, 0.0)


def step(c, s, action):
    """action [3, n, B]: eps_buy, eps_sell, hedge. Returns the next state, reward [n, B], done [B]."""
    n = c.merchants
    eps_buy, eps_sell = jnp.clip(action[0], -1, 1), jnp.clip(action[1], -1, 1)
    hedge = jnp.clip(action[2], 0, 1)
    counts, arrivals = (customers_in_bits if c.bits else customers)(c, s, eps_buy, eps_sell)
    q = jnp.arange(1, CLUSTERS + 1, dtype=jnp.float32)[:, None]
    flow = jnp.sum(counts * q, axis=2)
    half_spread = s.s0 / 2 * s.mid
    worth = jnp.sum(counts * (q * reference(q)), axis=2) * half_spread
    spread = (1 + eps_sell) * worth[0] + (1 + eps_buy) * worth[1]
    z = s.z + flow[1] - flow[0]
    closed = hedge * jnp.abs(z)
    cost = closed * reference(closed) * half_spread
    z = (1 - hedge) * z
    noise = normals(words(s.key, s.tick, 4, (2,)))
    last_return = -SIGMA_STEP**2 / 2 + SIGMA_STEP * noise[0]
    move = s.mid * jnp.expm1(last_return)
    inventory = z * move
    t = s.t + 1
    done = t >= c.steps
    if c.unwind:
        rest = jnp.abs(z)
        cost = cost + jnp.where(done, rest * reference(rest) * s.s0 / 2 * (s.mid + move), 0.0)
    gamma = GAMMA_MAX * (1 - s.kind[10])
    income = spread - cost + inventory - gamma * jnp.abs(inventory)
    reward = income * (1e4 / (50 * 5 / n))
    idle = ((eps_buy >= 1) & (eps_sell >= 1)).astype(jnp.float32)
    sums = s.sums + jnp.stack([reward, spread, cost, inventory, jnp.abs(inventory), jnp.sum(counts, (0, 2)), jnp.abs(z), idle])
    trades = jnp.sum(counts, axis=0)
    bins = s.bins + jnp.stack([trades[0], jnp.sum(trades[1:], axis=0)])
    s = s._replace(tick=s.tick + 1, t=t, z=z, mid=s.mid + move, s0=draw_s0(noise[1]), last_return=last_return, flow=flow,
                   action=jnp.stack([eps_buy, eps_sell, hedge]), volume=s.volume + flow[0] + flow[1],
                   demand=s.demand + jnp.sum(arrivals * q, axis=0), bins=bins, sums=sums)

    def restart(old):
        new = fresh(c, old.key, old.tick)
        new = new._replace(episode={"share": old.volume / jnp.maximum(old.demand, 1), "quantity": percentiles(old.bins), "sums": old.sums})
        return jax.tree.map(lambda a, b: jnp.where(done, a, b), new, old)

    return lax.cond(jnp.any(done), restart, lambda old: old, s), reward, done


def start(c, seed=0):
    index = jnp.arange(c.batch, dtype=jnp.uint32)
    return fresh(c, mix(index + mix(jnp.uint32(seed) + jnp.uint32(0x1234567))), jnp.zeros(c.batch, jnp.uint32))


def random_steps(c, s, length):
    """`length` steps under uniform random actions; observations are built at every step."""
    def body(carry, _):
        s, _, total = carry
        u = uniforms(words(s.key, s.tick, 5, (3, c.merchants)))
        s, reward, _ = step(c, s, u * jnp.array([2.0, 2.0, 1.0])[:, None, None] - jnp.array([1.0, 1.0, 0.0])[:, None, None])
        return (s, observe(c, s), total + reward), None
    carry = (s, observe(c, s), jnp.zeros((c.merchants, c.batch)))
    return lax.scan(body, carry, None, length=length)[0]


def episode(c, draw, seed=0):
    """The metrics of one episode, means over instances and, for the sums, merchants too."""
    @jax.jit
    def run(s):
        return lax.scan(lambda s, _: (step(c, s, draw(s))[0], None), s, None, length=c.steps)[0]
    metrics = run(start(c, seed)).episode
    return jnp.mean(metrics["share"], axis=1), jnp.mean(metrics["sums"], axis=(1, 2))


def check(bits):
    batch = 500
    still = jnp.zeros((3, 5, batch))
    for p in spec.SHARES:
        spec.check_shares(p, episode(Config(batch=batch, p=p, bits=bits), lambda s: still)[0])
    apart = still + jnp.arange(5)[:, None] * 0.01
    spec.check_ranks(episode(Config(batch=batch, bits=bits), lambda s: apart)[0])
    ten, alike = Config(merchants=10, batch=batch, bits=bits), jnp.zeros((3, 10, batch))  # both branches of customers_in_bits
    spec.check_shares(ten.p, episode(ten, lambda s: alike)[0])
    spec.check_ranks(episode(ten, lambda s: alike + jnp.arange(10)[:, None] * 0.01)[0])
    for h in spec.HEDGING:
        def quotes(s, h=h):
            eps = normals(words(s.key, s.tick, 5, (10,))).reshape(2, 5, batch) * 0.1
            return jnp.concatenate([eps, jnp.full((1, 5, batch), h)])
        spec.check_hedging(h, episode(Config(batch=batch, unwind=False, bits=bits), quotes, 1)[1])


def setting(merchants, bits, batch, shards):
    """The work of one setting; the batch is split over the shards, XLA's host devices."""
    c = Config(merchants=merchants, batch=batch // shards, bits=bits)
    holder = [split([start(c, k) for k in range(shards)])]
    run = compile_for(shards, lambda s: random_steps(c, s, c.steps), donate=True)

    def work():
        holder[0], *_ = jax.block_until_ready(run(holder[0]))
        return c.steps * batch * merchants
    return work


def main():
    options = peer.arguments(__doc__, kind=["plain", "bits"], merchants=5)
    bits = options.kind == "bits"
    if options.check:
        return check(bits)
    batches = (64, 128, 256, 512) if bits else (16, 32, 64, 128)
    peer.serve({text: lambda batch=batch, shards=shards: setting(options.merchants, bits, batch, shards)
                for text, batch, shards in grid(batches, options.threads)}, options.seconds, ["jax", "jaxlib"])


if __name__ == "__main__":
    main()
