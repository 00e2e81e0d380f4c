"""The repeated prisoner's dilemma (docs/matrix-game.md, the defaults of `shoal list matrix_game`) and its known answers."""
import numpy as np
from peer import require

ROUNDS, WIDTH = 64, 6
PAYOFF = np.array([[3, 0], [5, 1]], np.float32)  # own action, the other's: 0 cooperates, 1 defects
OTHER = [1, 0]

# Observation of a player, [WIDTH] numbers: 1 after the first round; own last action and then the other's as one-hots; altruism.


def check(play):
    """play(altruism, actions [ROUNDS, 2 players]) -> observations [ROUNDS, WIDTH, 2], rewards [ROUNDS, 2], ended [ROUNDS] and
    the episode's metrics [3, 2]: payoff a round, frequencies of action 0 and 1."""
    rng = np.random.default_rng(1)
    for altruism in (0.0, 0.5):
        actions = rng.integers(0, 2, (ROUNDS, 2))
        actions[:, 1] = np.concatenate([[0], actions[:-1, 0]])  # tit for tat
        payoffs = np.stack([PAYOFF[actions[:, 0], actions[:, 1]], PAYOFF[actions[:, 1], actions[:, 0]]], 1)
        observed, rewards, ended, metrics = play(altruism, actions)
        expected = np.zeros((ROUNDS, WIDTH, 2), np.float32)
        for t, round_ in enumerate(actions[:-1]):  # the last round's observation is the next episode's first
            for player in (0, 1):
                own, other = round_[player], round_[1 - player]
                expected[t, :5, player] = [1, own == 0, own == 1, other == 0, other == 1]
        expected[:, 5] = altruism
        name = f"tit for tat, altruism {altruism}: "
        require(name + "observations", np.allclose(observed, expected), f"{ROUNDS} rounds")
        require(name + "rewards", np.allclose(rewards, payoffs + altruism * payoffs[:, ::-1]), f"sum {np.sum(rewards):g}")
        require(name + "end", list(ended) == [False] * (ROUNDS - 1) + [True], f"after {ROUNDS} rounds")
        frequency = (actions == 1).mean(0)
        require(name + "metrics", np.allclose(metrics, [payoffs.mean(0), 1 - frequency, frequency]), f"payoffs {metrics[0]}")
