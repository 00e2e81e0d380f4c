"""The repeated prisoner's dilemma with memory 1 (docs/matrix-game.md) in NumPy, vectorised over instances.

    python matrix_numpy.py --check      against known answers
    python matrix_numpy.py              measures on demand, see peer.py

The same work as shoal's matrix_game in mode `step`: fresh uniform actions, rewards with altruism, observations, metrics, auto reset.
Differs: the instances of a batch begin and end their episodes together, and there are two players with two actions, no more.
"""
import matrix_spec as spec
import numpy as np
import peer
import processes
from matrix_spec import OTHER, ROUNDS, WIDTH

f32 = np.float32


class Game:
    """Instances are the last axis."""

    def __init__(self, batch, altruism=0.0, altruism_sd=0.0, seed=0):
        self.batch, self.mean, self.sd = batch, altruism, altruism_sd
        self.rng = np.random.Generator(np.random.SFC64(seed))
        self.observation = np.empty((WIDTH, 2, batch), f32)
        self.reset()

    def reset(self):
        normal = self.rng.standard_normal((2, self.batch), f32)
        self.altruism = (f32(self.mean) + f32(self.sd) * normal).clip(-1, 1)
        self.round = 0
        self.payoff, self.defections = np.zeros((2, self.batch), f32), np.zeros((2, self.batch), f32)
        self.observation[:5] = 0
        self.observation[5] = self.altruism

    def step(self, action):
        """action [2, batch] bool: defects. Returns observation [WIDTH, 2, batch], reward [2, batch], done."""
        o, own = self.observation, self.observation[2]
        o[0] = 1
        own[...] = action
        np.subtract(1, own, out=o[1])
        o[3], o[4] = o[1, OTHER], o[2, OTHER]
        payoff = own * (f32(2) - o[4])  # the table as a polynomial: 3 - 3 other + own (2 - other)
        payoff -= o[4] * f32(3)
        payoff += f32(3)
        reward = self.altruism * payoff[OTHER]
        reward += payoff
        self.payoff += payoff
        self.defections += own
        self.round += 1
        done = self.round == ROUNDS
        if done:
            defected = self.defections / ROUNDS
            self.episode = np.stack([self.payoff / ROUNDS, 1 - defected, defected]), self.payoff.mean(0) / ROUNDS
            self.reset()
        return o, reward, done


def play(altruism, actions):
    game, observations, rewards, ended = Game(7, altruism), [], [], []
    for row in actions:
        o, reward, done = game.step(np.tile(row[:, None] == 1, 7))
        observations.append(o[:, :, 3].copy())
        rewards.append(reward[:, 3])
        ended.append(done)
    return np.stack(observations), np.stack(rewards), ended, game.episode[0][:, :, 3]


def random_steps(batch, seed):
    game = Game(batch, seed=seed)
    bits = game.rng.bit_generator

    def actions():
        """A bit each."""
        return np.unpackbits(bits.random_raw(batch // 32).view(np.uint8)).reshape(2, batch)

    def work():
        for _ in range(ROUNDS):
            game.step(actions())
        return ROUNDS * batch * 2
    return work


def main():
    options = peer.arguments(__doc__)
    if options.check:
        return spec.check(play)
    processes.serve({f"batch {batch}": (random_steps, batch) for batch in (1024, 2048, 4096, 8192, 16384)},
                    options.threads, options.seconds, ["numpy"])


if __name__ == "__main__":
    main()
