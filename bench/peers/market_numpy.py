"""The dealer market (docs/market.md) in NumPy, vectorised over instances, customers as bits of 64-bit words.

    python market_numpy.py --check      against known answers of the specification
    python market_numpy.py              measures on demand, see peer.py

The same work as shoal's market in mode `step`: fresh uniform actions, customers, rewards, observations, metrics, auto reset. Differs:
the instances of a batch begin and end their episodes together, and an observation is 21 numbers in one array for all.
"""
import math

import market_spec as spec
import numpy as np
import peer
import processes
from market_spec import CLUSTERS, PER_CLUSTER, Q, S0_HIGH, S0_LOW, S0_MEAN, S0_SD, SIGMA_STEP

EVERYONE = np.uint64((1 << PER_CLUSTER) - 1)
f32 = np.float32
LOWEST = np.array([-1, -1, 0], np.float32)[:, None, None]
METRICS = ("reward", "spread", "hedge", "inventory", "abs_inventory", "trades", "abs_z", "idle")


def reference(v):
    """S_ref(v) * 2 / s0."""
    ve = np.minimum(v * f32(1 / spec.V_MAX), f32(0.99))
    safe = np.maximum(ve, f32(1e-4))
    curve = f32(spec.OMEGA) / safe * -np.expm1(np.log1p(-safe) * f32(1 / spec.OMEGA))
    return np.where(ve < 1e-4, 1 + ve * f32((1 - 1 / spec.OMEGA) / 2), curve)


class Market:
    """All instances step together and finish together: reset() runs inside step(). Instances are the last axis, but one for links."""

    def __init__(self, merchants=5, batch=64, steps=96, p=(0.5, 0.5), tau=(0.5, 0.5), tau_var=0.01, unwind=True, seed=0):
        self.n, self.batch, self.steps, self.unwind = merchants, batch, steps, unwind
        self.p, self.tau, self.tau_var = [p[0]] + [p[1]] * (merchants - 1), tau, tau_var
        self.rng = np.random.Generator(np.random.SFC64(seed))
        self.observation = np.empty((21, merchants, batch), f32)
        self.weights = np.stack([Q, Q * reference(Q), np.ones(CLUSTERS, f32)], 1)  # volume, cost, trades
        self.instance = np.arange(batch)
        self.side_row = np.stack([self.instance, self.instance + batch])
        self.reset()

    def words(self, *shape):
        return self.rng.bit_generator.random_raw(math.prod(shape)).reshape(shape)

    def bernoulli(self, p, *shape):
        """Words whose bits are 1 with probability p, of which 24 binary digits count; one random word for each digit."""
        if p >= 1:
            return np.full(shape, ~np.uint64(0))
        if p <= 0:
            return np.zeros(shape, np.uint64)
        digits = spec.binary_digits(p)
        result = self.words(*shape)
        for digit in digits[1:]:  # the first one is 1
            (np.bitwise_or if digit else np.bitwise_and)(result, self.words(*shape), out=result)
        return result

    def reset(self):
        n, batch, rng = self.n, self.batch, self.rng
        self.links = np.stack([self.bernoulli(p, batch, CLUSTERS) & EVERYONE for p in self.p])
        kind = self.observation[10:]  # the type: linked fractions, tolerance
        np.multiply(np.bitwise_count(self.links).transpose(2, 0, 1), f32(1 / PER_CLUSTER), out=kind[:10])
        kind[10, 0] = self.tau[0]
        kind[10, 1:] = np.clip(self.tau[1] + self.tau_var**0.5 * rng.standard_normal((n - 1, batch), f32), 0, 1)
        self.gamma = f32(spec.GAMMA_MAX) * (1 - kind[10])
        self.t = 0
        self.z = np.zeros((n, batch), f32)
        self.mid, self.last_return = np.ones(batch, f32), np.zeros(batch, f32)
        self.s0 = self.draw_s0(rng.standard_normal(batch, f32))
        self.flow, self.action = np.zeros((2, n, batch), f32), np.zeros((3, n, batch), f32)
        self.volume, self.demand = np.zeros((n, batch), f32), np.zeros(batch, f32)
        self.bins, self.sums = np.zeros((2, batch, CLUSTERS), f32), np.zeros((len(METRICS), n, batch), f32)

    def draw_s0(self, normal):
        return (f32(S0_MEAN) + f32(S0_SD) * normal).clip(f32(S0_LOW), f32(S0_HIGH))

    def observe(self):
        o = self.observation
        o[0] = self.t / self.steps
        np.multiply(self.z, f32(0.01), out=o[1]).clip(-10, 10, out=o[1])
        o[2] = (self.s0 - f32(S0_MEAN)) * f32(1 / S0_SD)
        o[3] = (self.last_return * f32(1 / SIGMA_STEP)).clip(-5, 5)
        np.multiply(self.flow, f32(0.01), out=o[4:6])
        o[6:9] = self.action
        np.multiply(self.volume, f32(1 / (100 * max(self.t, 1))), out=o[9])
        return o

    def customers(self, quotes):
        """quotes [2, n, batch]: eps_sell, which buying customers pay, and eps_buy. Returns the trades [2, n, batch, cluster] of
        either side and the arrivals [batch, cluster]."""
        n, batch = self.n, self.batch
        arrived = self.bernoulli(spec.ARRIVAL, batch, CLUSTERS)
        arrived &= EVERYONE
        wanting = np.empty((2, batch, CLUSTERS), np.uint64)
        np.bitwise_and(arrived, self.words(batch, CLUSTERS), out=wanting[0])
        np.bitwise_xor(arrived, wanting[0], out=wanting[1])
        rows = quotes.transpose(0, 2, 1).copy()
        order = rows.argsort(axis=2).transpose(2, 0, 1).copy()  # [rank, 2, batch]
        rows.sort(axis=2)
        ties = (rows[:, :, 1:] == rows[:, :, :-1]).any(2) & (rows[:, :, 0] < 1)
        tied = np.flatnonzero(ties.any(0))
        before = wanting[:, tied]
        row = order * batch + self.instance
        by_rank = self.links.reshape(-1, CLUSTERS).take(row, axis=0)
        if (rows[:, :, -1] >= 1).any():
            by_rank[(rows >= 1).transpose(2, 0, 1)] = 0
        for links in by_rank:  # becomes what each rank takes
            links &= wanting
            wanting ^= links
        trades = np.empty((2, n, batch, CLUSTERS), np.uint8)
        row += np.array([0, n * batch])[:, None]
        trades.reshape(-1, CLUSTERS)[row] = np.bitwise_count(by_rank)
        if tied.size:
            trades[:, :, tied] = self.customers_one_by_one(before, quotes[:, :, tied], self.links[:, tied])
        return trades, np.bitwise_count(arrived)

    def customers_one_by_one(self, wanting, quotes, links):
        """The trades of instances with equal quotes, where every customer draws among equals."""
        rank = (quotes[:, None] < quotes[:, :, None]).sum(2).astype(f32)
        rank[quotes >= 1] = np.inf
        customer = np.arange(PER_CLUSTER, dtype=np.uint64)
        linked = (links[..., None] >> customer & np.uint64(1)).astype(bool)
        key = np.where(linked, rank[..., None, None] + self.rng.random((2, *linked.shape), f32), f32(np.inf))
        best = key.argmin(1)
        served = (wanting[..., None] >> customer & np.uint64(1)).astype(bool) & (key.min(1) < np.inf)
        return np.stack([((best == i) & served).sum(3) for i in range(self.n)], 1)

    def step(self, action):
        """action [3, n, batch]: eps_buy, eps_sell, hedge. Returns observation [21, n, batch], reward [n, batch], done."""
        action = action.clip(LOWEST, f32(1))
        eps_buy, eps_sell, hedge = action
        trades, arrivals = self.customers(action[1::-1])
        half_spread = self.s0 * f32(0.5) * self.mid
        totals = trades.reshape(-1, CLUSTERS).astype(f32) @ self.weights
        flow, worth, count = totals.T.copy().reshape(3, 2, self.n, self.batch)
        spread = ((1 + eps_sell) * worth[0] + (1 + eps_buy) * worth[1]) * half_spread
        z = self.z + flow[1] - flow[0]
        closed = hedge * np.abs(z)
        cost = closed * reference(closed) * half_spread
        z *= 1 - hedge
        noise = self.rng.standard_normal((2, self.batch), f32)
        self.last_return = f32(-(SIGMA_STEP**2) / 2) + f32(SIGMA_STEP) * noise[0]
        move = self.mid * np.expm1(self.last_return)
        inventory = z * move
        self.mid = self.mid + move
        self.t += 1
        done = self.t >= self.steps
        rest = np.abs(z)
        if done and self.unwind:
            cost += rest * reference(rest) * (self.s0 * f32(0.5) * self.mid)
        risk = np.abs(inventory)
        reward = (spread - cost + inventory - self.gamma * risk) * f32(1e4 / (50 * 5 / self.n))
        idle = (eps_buy >= 1) & (eps_sell >= 1)
        for total, x in zip(self.sums, (reward, spread, cost, inventory, risk, count[0] + count[1], rest, idle)):
            total += x
        both = trades[0] + trades[1]
        self.bins[0] += both[0]
        self.bins[1] += both[1:].sum(0, dtype=np.uint8)
        self.z, self.flow, self.action = z, flow, action
        self.volume += flow[0] + flow[1]
        self.demand += arrivals.astype(f32) @ Q
        self.s0 = self.draw_s0(noise[1])
        if done:
            share = self.volume / np.maximum(self.demand, 1)
            self.episode = {"share": share, "quantity": percentiles(self.bins), "sums": self.sums}
            self.reset()
        return self.observe(), reward, done


def percentiles(bins):
    """Nearest rank: [2, batch, 10] counts to [2, batch, 9] quantities; zero without trades."""
    cumulative, trades = bins.cumsum(2), bins.sum(2)
    need = trades[:, :, None] * np.arange(1, 10, dtype=f32) / 10
    below = (cumulative[:, :, None, :] < need[:, :, :, None] - f32(1e-4)).sum(3)
    return np.where(trades[:, :, None] > 0, below + 1, 0)


def episode(market, draw):
    for _ in range(market.steps):
        market.step(draw().astype(f32))
    return market.episode


def check():
    batch = 500
    still = np.zeros((3, 5, batch), f32)
    for p in spec.SHARES:
        spec.check_shares(p, episode(Market(batch=batch, p=p), lambda: still)["share"].mean(1))
    rng = np.random.default_rng(1)
    apart = still + np.arange(5, dtype=f32)[:, None] * f32(0.01)  # no two quotes alike: the bits' path
    spec.check_ranks(episode(Market(batch=batch), lambda: apart)["share"].mean(1))
    for h in spec.HEDGING:
        def quotes(h=h):
            return np.concatenate([rng.normal(0, 0.1, (2, 5, batch)), np.full((1, 5, batch), h)])
        spec.check_hedging(h, episode(Market(batch=batch, unwind=False, seed=1), quotes)["sums"].mean((1, 2)))


def random_steps(merchants, batch, seed):
    market = Market(merchants=merchants, batch=batch, seed=seed)
    scale = f32(1) - LOWEST

    def work():
        for _ in range(market.steps):
            market.step(market.rng.random((3, merchants, batch), f32) * scale + LOWEST)
        return market.steps * batch * merchants
    return work


def main():
    options = peer.arguments(__doc__, merchants=5)
    if options.check:
        return check()
    processes.serve({f"batch {batch}": (random_steps, options.merchants, batch) for batch in (64, 128, 256, 512, 1024)},
                    options.threads, options.seconds, ["numpy"])


if __name__ == "__main__":
    main()
