"""The PPO update in PyTorch on the CPU: advantages, 4 epochs of 8 minibatches of 3,840 samples.

    python ppo_torch.py --check               against ppo_spec.py
    python ppo_torch.py --kind eager          measures on demand, in seconds, see peer.py
    python ppo_torch.py --kind compiled       with torch.compile, with torch's tanh and with a rational one

The same update as shoal's: ppo_spec.py. As there, all parameters lie in one tensor, so that clipping and fused Adam are one call each, and
a sample's fields in one row, so that a minibatch is one gather.
"""
import numpy as np
import peer
import ppo_spec as spec
import torch
from ppo_spec import FIELDS
from torch.nn.functional import linear

SHAPES = [p.shape[::-1] for p in spec.start_parameters(np.random.default_rng(0))]  # weights as torch has them, [out, in]


class Tanh(torch.autograd.Function):
    """A rational approximation (Eigen's), for torch.compile, which fuses it: torch's own is slower than the matrix products here."""

    @staticmethod
    def forward(ctx, x):
        x = x.clamp(-7.90531110763549805, 7.90531110763549805)
        square = x * x
        above = -2.76076847742355e-16
        for k in (2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08, 1.48572235717979e-05, 6.37261928875436e-04,
                  4.89352455891786e-03):
            above = above * square + k
        below = 1.19825839466702e-06
        for k in (1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03):
            below = below * square + k
        y = x * above / below
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        (y,) = ctx.saved_tensors
        return gradient * (1 - y * y)


def network(layers, x, tanh):
    for i in (0, 2):
        x = tanh(linear(x, layers[i], layers[i + 1]))
    return linear(x, layers[4], layers[5])


def log_probability(log_sd, mean, action):
    return ((action - mean) * torch.exp(-log_sd)).square().sum(1).mul(-0.5) - (log_sd.sum() + spec.ACTIONS * spec.HALF_LOG_2PI)


def loss(parameters, rows, old_log_sd, kl_coefficient, tanh=torch.tanh):
    x, action, mean0, log_p0, advantage, target = (rows[:, columns] for columns in FIELDS.values())
    log_sd, mean = parameters[0], network(parameters[1:7], x, tanh)
    ratio = torch.exp(log_probability(log_sd, mean, action) - log_p0)
    surrogate = torch.minimum(ratio * advantage, ratio.clamp(1 - spec.CLIP, 1 + spec.CLIP) * advantage)
    value_loss = (network(parameters[7:], x, tanh).squeeze(1) - target).square().mean() * 0.5
    change = log_sd - old_log_sd
    kl = ((mean0 - mean) * torch.exp(-log_sd)).square().sum(1).mul(0.5).mean() + (change + 0.5 * torch.exp(-2 * change) - 0.5).sum()
    return -surrogate.mean() + spec.VALUE_WEIGHT * value_loss + kl_coefficient * kl, kl


def rational_loss(*arguments):
    return loss(*arguments, tanh=Tanh.apply)


def advantages(rewards, values, ended):
    live = spec.DISCOUNT * (1 - ended)
    errors = rewards + live * values[1:] - values[:-1]
    live = live * spec.LAMBDA
    result, following = torch.empty_like(rewards), torch.zeros_like(rewards[0])
    for t in range(len(rewards) - 1, -1, -1):
        following = torch.addcmul(errors[t], live[t], following, out=result[t])
    return result


class Learner:
    def __init__(self, parameters, loss):
        flat = torch.cat([torch.from_numpy(p).t().flatten() for p in parameters])
        self.loss, self.flat, self.gradient = loss, flat, torch.zeros_like(flat)
        self.mean, self.square, self.steps = torch.zeros_like(flat), torch.zeros_like(flat), torch.zeros(())
        self.parameters = [p.detach().requires_grad_() for p in self.views(flat)]
        for p, gradient in zip(self.parameters, self.views(self.gradient)):
            p.grad = gradient
        self.kl_coefficient, self.stage = torch.tensor(spec.KL_COEFFICIENT), 0

    @staticmethod
    def views(flat):
        return [part.view(shape) for part, shape in zip(flat.split([int(np.prod(s)) for s in SHAPES]), SHAPES)]

    @torch.no_grad()
    def descend(self):
        self.gradient.mul_((spec.MAX_NORM / (self.gradient.norm() + 1e-6)).clamp_max(1))
        self.steps.add_(1)
        rate = spec.RATE * (1 + self.stage / spec.RATE_SCALE) ** -spec.RATE_EXPONENT
        torch._fused_adam_([self.flat], [self.gradient], [self.mean], [self.square], [], [self.steps], lr=rate, beta1=spec.BETA1,
                           beta2=spec.BETA2, weight_decay=0, eps=spec.EPSILON, amsgrad=False, maximize=False)

    def update(self, fields, rewards, values, ended):
        with torch.no_grad():
            advantage = advantages(rewards, values, ended)
            target = advantage + values[:-1]
            sd, mean = torch.std_mean(advantage)
            rows = torch.cat([fields, ((advantage - mean) / (sd + 1e-8)).unsqueeze(2), target.unsqueeze(2)], 2).flatten(0, 1)
            old_log_sd = self.parameters[0].clone()
        for _ in range(spec.EPOCHS):
            kls = 0
            for index in torch.randperm(len(rows)).chunk(spec.MINIBATCHES):
                self.gradient.zero_()
                total, kl = self.loss(self.parameters, rows.index_select(0, index), old_log_sd, self.kl_coefficient)
                total.backward()
                self.descend()
                kls = kls + kl.detach()
        kl = float(kls) / spec.MINIBATCHES
        factor = 1.5 if kl > 2 * spec.KL_TARGET else 0.5 if kl < 0.5 * spec.KL_TARGET else 1.0
        self.kl_coefficient.mul_(factor).clamp_(spec.LEAST_KL_COEFFICIENT, spec.MOST_KL_COEFFICIENT)
        self.stage += 1


def setting(loss):
    rng = np.random.default_rng(0)
    learner = Learner(spec.start_parameters(rng), loss)
    columns = spec.INSTANCES * spec.MERCHANTS
    fields = torch.from_numpy(spec.samples(rng, spec.start_parameters(rng), spec.SAMPLES)[:, :28]).view(spec.STEPS, columns, 28)
    values = 0.1 * torch.randn(spec.STEPS + 1, columns)
    rewards, ended = torch.randn(spec.STEPS, columns), torch.zeros(spec.STEPS, columns)
    ended[-1] = 1
    return lambda: learner.update(fields, rewards, values, ended)


def check():
    def loss_and_gradients(loss):
        def call(parameters, rows, old_log_sd, kl_coefficient):
            learner = Learner(parameters, loss)
            value, _ = loss(learner.parameters, torch.from_numpy(rows), torch.from_numpy(old_log_sd), torch.tensor(kl_coefficient))
            value.backward()
            return value.item(), [g.t().numpy() for g in learner.views(learner.gradient)]
        return call

    def step(parameters, gradients):
        learner = Learner(parameters, loss)
        learner.gradient.copy_(torch.cat([torch.from_numpy(np.ascontiguousarray(g.T)).flatten() for g in gradients]))
        learner.descend()
        return [p.t().numpy() for p in learner.views(learner.flat)]

    def estimate(*arrays):
        return advantages(*map(torch.from_numpy, arrays)).numpy()
    for each in (loss, rational_loss):
        spec.check(loss_and_gradients(each), estimate, step)


def main():
    options = peer.arguments(__doc__, kind=["eager", "compiled"])
    torch.set_num_threads(options.threads)
    if options.check:
        return check()
    settings = {"torch.tanh": loss, "rational tanh": rational_loss} if options.kind == "compiled" else {"torch.tanh": loss}
    wrap = (lambda f: torch.compile(f, fullgraph=True)) if options.kind == "compiled" else lambda f: f
    peer.serve({text: lambda f=f: setting(wrap(f)) for text, f in settings.items()}, options.seconds, ["torch"], best=min, measure=peer.seconds_each)


if __name__ == "__main__":
    main()
