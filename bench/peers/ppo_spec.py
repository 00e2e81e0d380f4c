"""shoal's PPO update in NumPy, 64-bit, to check the peers against: what is written here is what all of them do.

The defaults of PpoOptions (include/shoal/learn/options.hpp, src/learn/ppo.cpp): the clipped surrogate and a penalty on KL(old || new)
whose weight adapts after each update, no clipping of values, advantages standardised once over all samples of the update, Adam on a
gradient of limited norm. Actor and critic have two hidden layers of 64 each; log_sd is a free parameter. 64 instances of 5 merchants
for 96 steps make 30,720 samples: 4 epochs of 8 minibatches, every epoch in a new random order.
"""
import numpy as np
from peer import require

INSTANCES, MERCHANTS, STEPS = 64, 5, 96
EPOCHS, MINIBATCHES = 4, 8
SAMPLES = INSTANCES * MERCHANTS * STEPS
INPUTS, HIDDEN, ACTIONS = 21, 64, 3
DISCOUNT, LAMBDA = 0.99, 0.95
CLIP, VALUE_WEIGHT, MAX_NORM = 0.3, 0.5, 0.5
KL_TARGET, KL_COEFFICIENT, LEAST_KL_COEFFICIENT, MOST_KL_COEFFICIENT = 0.01, 0.2, 1e-4, 1e4
RATE, RATE_EXPONENT, RATE_SCALE = 3e-4, 0.6, 200
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-5
HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))

# A sample's fields, side by side in one row so that a minibatch is gathered at once: name -> columns.
FIELDS = {"observation": slice(0, 21), "action": slice(21, 24), "mean": slice(24, 27), "log_p": 27, "advantage": 28, "target": 29}


def start_parameters(rng):
    """log_sd, then weight [in, out] and bias of the actor's three layers and of the critic's. Orthogonal, as shoal's."""
    parameters = [np.full(ACTIONS, -0.5)]
    for outputs, last in ((ACTIONS, 0.01), (1, 1.0)):
        for fan_in, fan_out, gain in ((INPUTS, HIDDEN, 2**0.5), (HIDDEN, HIDDEN, 2**0.5), (HIDDEN, outputs, last)):
            q, r = np.linalg.qr(rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out))))
            q = q * np.sign(np.diag(r))
            parameters += [gain * (q if fan_in >= fan_out else q.T), np.zeros(fan_out)]
    return [p.astype(np.float32) for p in parameters]


def network(layers, x):
    for i in (0, 2):
        x = np.tanh(x @ layers[i] + layers[i + 1])
    return x @ layers[4] + layers[5]


def log_probability(log_sd, mean, action):
    return (-0.5 * ((action - mean) * np.exp(-log_sd)) ** 2).sum(1) - log_sd.sum() - ACTIONS * HALF_LOG_2PI


def samples(rng, parameters, count):
    """Rows [count, 30] as a rollout leaves them, of random observations, advantages and targets."""
    x = rng.standard_normal((count, INPUTS))
    mean = network(parameters[1:7], x)
    action = mean + np.exp(parameters[0]) * rng.standard_normal((count, ACTIONS))
    log_p = log_probability(parameters[0], mean, action)
    rest = rng.standard_normal((count, 2))
    return np.concatenate([x, action, mean, log_p[:, None], rest], 1).astype(np.float32)


def loss(parameters, rows, old_log_sd, kl_coefficient):
    x, action, mean0, log_p0, advantage, target = (rows[:, columns] for columns in FIELDS.values())
    log_sd, mean = parameters[0], network(parameters[1:7], x)
    ratio = np.exp(log_probability(log_sd, mean, action) - log_p0)
    surrogate = np.minimum(ratio * advantage, np.clip(ratio, 1 - CLIP, 1 + CLIP) * advantage)
    value_loss = 0.5 * ((network(parameters[7:], x)[:, 0] - target) ** 2).mean()
    change = log_sd - old_log_sd
    kl = (0.5 * ((mean0 - mean) * np.exp(-log_sd)) ** 2).sum(1).mean() + (change + 0.5 * np.exp(-2 * change) - 0.5).sum()
    return -surrogate.mean() + VALUE_WEIGHT * value_loss + kl_coefficient * kl


def advantages(rewards, values, ended):
    """rewards, ended [T, columns], values [T + 1, columns]."""
    result, following = np.zeros_like(rewards), 0
    for t in reversed(range(len(rewards))):
        live = DISCOUNT * (1 - ended[t])
        following = rewards[t] + live * values[t + 1] - values[t] + LAMBDA * live * following
        result[t] = following
    return result


def first_step(parameters, gradients):
    """Adam's first step, stage 0."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    gradients = [g * min(1, MAX_NORM / (norm + 1e-6)) for g in gradients]
    return [p - RATE * g / (np.abs(g) + EPSILON) for p, g in zip(parameters, gradients)]


def check(loss_and_gradients, estimate, descend):
    """loss_and_gradients(parameters, rows, old_log_sd, kl_coefficient), estimate(rewards, values, ended) -> advantages,
    descend(parameters, gradients) -> parameters after Adam's first step; arrays as here."""
    rng = np.random.default_rng(3)
    old = start_parameters(rng)
    rows = samples(rng, old, 500)
    parameters = [p + 0.05 * rng.standard_normal(p.shape) for p in old]  # away from the old ones: clips, KL > 0
    exact = [old[0].astype(np.float64), 0.7]
    found, gradients = loss_and_gradients([p.astype(np.float32) for p in parameters], rows, old[0], 0.7)
    expected = loss(parameters, rows, *exact)
    require("PPO loss", abs(found - expected) < 1e-4 * abs(expected), f"{found:.6f} (expected {expected:.6f})")
    for k in range(3):
        direction = [rng.standard_normal(p.shape) for p in parameters]
        ahead, behind = ([p + sign * 1e-6 * d for p, d in zip(parameters, direction)] for sign in (1, -1))
        slope = (loss(ahead, rows, *exact) - loss(behind, rows, *exact)) / 2e-6
        along = sum(float((g * d).sum()) for g, d in zip(gradients, direction))
        require(f"gradient, direction {k}", abs(along - slope) < 1e-3 * (1 + abs(slope)), f"{along:.5f} (expected {slope:.5f})")
    moved = descend(old, gradients)
    gap = max(np.abs(a - b).max() for a, b in zip(moved, first_step(old, gradients)))
    require("Adam's first step", gap < 1e-6, f"largest gap {gap:.1e}")
    shape = (STEPS, 7)
    rewards, values, ended = rng.standard_normal(shape), rng.standard_normal((STEPS + 1, 7)), (rng.random(shape) < 0.05) * 1.0
    gap = np.abs(estimate(*(a.astype(np.float32) for a in (rewards, values, ended))) - advantages(rewards, values, ended)).max()
    require("advantages", gap < 1e-4, f"largest gap {gap:.1e}")
