#!/usr/bin/env python3
"""Agent steps a second of training: the examples of examples/python beside shoal's own learners, a Markdown table.

    PYTHONPATH=build/release/python .venv/bin/python python/compare_throughput.py [--rounds 5] [--seconds 5]

All train in the same environment, with as many instances and the same rollout. PPO has two hidden layers of 64 for the
actor and as many for the critic, and makes 4 passes in 4 minibatches; REINFORCE, the example in JAX, has one hidden
layer, no critic, and one pass. A measurement is a process of its own on the same cores. It holds rollouts and updates,
but the first ones. A round measures everyone once, so its ratios are paired; every other round goes backwards. What
lacks its library is left out. Use a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INSTANCES, STEPS, MINIBATCHES, WARM_UP = 64, 64, 4, 3
ENDLESS = 1 << 30


class Enough(Exception):
    """Ends an example's training."""


class Clock:
    """Counts the updates after the first ones, and their seconds."""

    def __init__(self, seconds: float) -> None:
        self.limit, self.updates, self.seconds = seconds, -WARM_UP, 0.0

    def __call__(self, _: object) -> None:
        """Each example reports every update."""
        if not self.tick(time.perf_counter()):
            raise Enough

    def tick(self, now: float) -> bool:
        """Whether to go on."""
        self.updates += 1
        if self.updates == 0:
            self._start = now
        if self.updates > 0:
            self.seconds = now - self._start
        return self.seconds < self.limit


def torch_ppo(env: str, rows: int, clock: Clock) -> None:
    from ppo_torch import train

    train(env, num_envs=INSTANCES, steps=STEPS, minibatches=MINIBATCHES, updates=ENDLESS, report=clock)


def sb3_ppo(env: str, rows: int, clock: Clock) -> None:
    from ppo_sb3 import train

    train(env, num_envs=INSTANCES, batch_size=rows // MINIBATCHES, steps=ENDLESS, report=clock)


def torchrl_ppo(env: str, rows: int, clock: Clock) -> None:
    from ppo_torchrl import train

    train(env, num_envs=INSTANCES, steps=STEPS, minibatches=MINIBATCHES, updates=ENDLESS, report=clock)


def rllib_ppo(env: str, rows: int, clock: Clock) -> None:
    from ppo_rllib import train

    train(env, num_envs=INSTANCES, steps=STEPS, updates=ENDLESS, report=clock)


def jax_reinforce(env: str, rows: int, clock: Clock) -> None:
    from reinforce_jax import train

    train(env, num_envs=INSTANCES, steps=STEPS, updates=ENDLESS, report=clock)


def shoal_train(env: str, clock: Clock, policy: dict) -> None:
    import shoal

    train = {"stages": 1_000_000, "instances": INSTANCES, "steps": STEPS}
    with tempfile.TemporaryDirectory() as folder:
        # The callback gets rows late, with the times at which they were written.
        shoal.train(
            {"env": {"name": env}, "policy": policy, "train": train},
            out=Path(folder) / "run",
            callback=lambda row: clock.tick(row["seconds"]),
        )


def shoal_ppo(env: str, rows: int, clock: Clock) -> None:
    shoal_train(env, clock, {"hidden": [64, 64], "epochs": 4, "minibatches": MINIBATCHES})


def shoal_reinforce(env: str, rows: int, clock: Clock) -> None:
    shoal_train(env, clock, {"algorithm": "reinforce", "hidden": [64]})


# Ratios are to shoal's own of the same algorithm.
LEARNERS = {
    "PPO": {
        "shoal": shoal_ppo,
        "PyTorch": torch_ppo,
        "Stable-Baselines3": sb3_ppo,
        "TorchRL": torchrl_ppo,
        "RLlib": rllib_ppo,
    },
    "REINFORCE": {"shoal": shoal_reinforce, "JAX": jax_reinforce},
}
NAMES = [f"{algorithm}, {learner}" for algorithm, learners in LEARNERS.items() for learner in learners]


def measure(name: str, env: str, seconds: float) -> None:
    """Prints the agent steps a second."""
    import shoal

    rows = INSTANCES * STEPS * shoal.spec(env).agents
    clock = Clock(seconds)
    try:
        algorithm, learner = name.split(", ")
        LEARNERS[algorithm][learner](env, rows, clock)
    except Enough:
        pass
    print(json.dumps(rows * clock.updates / clock.seconds))


def measured(name: str, options: argparse.Namespace) -> float | str:
    """Agent steps a second, or why there are none."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(options.threads))
    command = [sys.executable, __file__, "--measure", name, "--env", options.env, "--seconds", str(options.seconds)]
    done = subprocess.run(command, env={**os.environ, **threads}, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return float(done.stdout.splitlines()[-1])
    return (done.stderr.strip().splitlines() or ["no message"])[-1]


def table(rates: dict[str, list[float]]) -> str:
    def spread(values: list[float], form: str) -> str:
        return " | ".join(format(x, form) for x in (min(values), statistics.median(values), max(values)))

    lines = ["| | agent-steps/s, least | median | most | shoal's rate / this, least | median | most |"]
    lines.append("|---|" + "---:|" * 6)
    for name, values in rates.items():
        own = rates[f"{name.split(', ')[0]}, shoal"]
        ratios = [a / b for a, b in zip(own, values)]
        lines.append(f"| {name} | {spread(values, ',.0f')} | {spread(ratios, '.1f')} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="matrix_game", help="one group of agents with one discrete head")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=2, help="cores, and threads of each library")
    parser.add_argument("--measure", choices=NAMES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.measure, options.env, options.seconds)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    rates: dict[str, list[float]] = {name: [] for name in NAMES}
    for turn in range(options.rounds):
        for name in list(rates)[:: -1 if turn % 2 else 1]:
            rate = measured(name, options)
            if isinstance(rate, float):
                rates[name].append(rate)
                print(f"round {turn + 1}: {name}: {rate:,.0f} agent-steps/s", file=sys.stderr)
            elif name.endswith(", shoal"):
                sys.exit(f"{name}: {rate}")
            else:
                del rates[name]
                print(f"{name} is left out: {rate}", file=sys.stderr)
    print(table(rates))


if __name__ == "__main__":
    # In place of this folder, which has the package's sources without its module.
    sys.path[0] = str(Path(__file__).resolve().parents[1] / "examples" / "python")
    main()
