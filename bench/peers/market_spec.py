"""The market's numbers and the known answers that every peer is checked against (docs/market.md)."""
import numpy as np
from peer import require

CLUSTERS, PER_CLUSTER = 10, 50
CUSTOMERS = CLUSTERS * PER_CLUSTER
ARRIVAL = 1 / 8
SIGMA_STEP = 0.10 / (252 * 96) ** 0.5
S0_MEAN, S0_SD, S0_LOW, S0_HIGH = 1.5e-4, 0.5e-4, 0.2e-4, 5e-4
OMEGA, V_MAX, GAMMA_MAX = (1.6 - 1) / (1.6 - 2), 5000.0, 0.2
Q = np.arange(1, CLUSTERS + 1, dtype=np.float32)

SHARES = ((1.0, 0.5), (0.5, 0.5), (0.3, 0.8))  # link probabilities of supertypes 1 and 2 to check

# Hedge fraction -> spread PnL, hedge cost, mean |inventory PnL| a merchant and step, in 1e-4, for quotes ~ N(0, 0.1).
HEDGING = {0: (47, 0, 1272), 0.1: (47, 6.2, 384), 0.25: (47, 10.5, 214), 0.5: (46, 15.8, 106), 0.75: (46, 20.5, 46), 1: (46, 26.5, 0)}


def binary_digits(p):
    """The binary digits of p after the point, last one first, without trailing zeros; at most 24."""
    value = round(p * 2**24)
    digits = [value >> k & 1 for k in range(24)]
    return digits[digits.index(1):] if 1 in digits else []


def check_shares(p, share):
    """share [n]: means over instances after an episode of equal quotes, whose expectation has a closed form."""
    n = len(share)
    expected, unmatched = p[0] * (1 - (1 - p[1]) ** n) / (n * p[1]), (1 - p[0]) * (1 - p[1]) ** (n - 1)
    found, rest = float(share[0]), float(1 - share.sum())
    require(f"equal quotes of {n}, links {p}", abs(found - expected) < 0.03 * expected and abs(rest - unmatched) < 0.003,
            f"share {found:.4f} (expected {expected:.4f}), unmatched {rest:.4f} (expected {unmatched:.4f})")


def check_ranks(share):
    """share [n] of merchants linked with 1/2 whose quotes ascend: 1/2, 1/4, ..."""
    expected = 0.5 ** np.arange(1, len(share) + 1)
    require("ascending quotes", bool(np.all(np.abs(np.asarray(share) - expected) < 0.01)),
            " ".join(f"{x:.4f}" for x in share) + " (expected 1/2, 1/4, ...)")


def check_hedging(h, sums):
    """sums: of an episode, means over instances and merchants; [1], [2], [4] are spread, hedge cost, |inventory PnL|."""
    found = [float(sums[k]) / 96 * 1e4 for k in (1, 2, 4)]
    ok = all(abs(a - b) <= 0.03 * b + 0.51 for a, b in zip(found, HEDGING[h]))
    require(f"hedge fraction {h}", ok, "spread {:.1f}, hedge {:.2f}, |inventory| {:.1f}".format(*found) + f" (expected {HEDGING[h]})")
