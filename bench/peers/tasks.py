"""What is measured: tasks, the peers of each, and shoal's command for it."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Program:
    environment: str      # requirements-<this>.txt
    script: str
    arguments: tuple = ()
    check: tuple = ()     # arguments of --check; scripts are checked once for each


@dataclass(frozen=True)
class Task:
    name: str
    title: str
    shoal: tuple          # arguments of `shoal bench`
    instances: str        # a sweep, whose best is taken, or one number
    peers: dict = field(default_factory=dict)
    seconds: bool = False  # the figure is the seconds of an update, else agent steps per second


COLUMNS = ("NumPy", "JAX", "JAX bits", "PyTorch eager", "PyTorch compiled")


def market_step(merchants):
    n = ("--merchants", str(merchants))
    return Task(f"market-step-{merchants}", f"market, {merchants} merchants, environment",
                ("--env", "market", "--agents", str(merchants), "--mode", "step"), "64:8192", {
        "NumPy": Program("jax", "market_numpy.py", n),
        "JAX": Program("jax", "market_jax.py", n),
        "JAX bits": Program("jax", "market_jax.py", (*n, "--kind", "bits"), ("--kind", "bits")),
    })


def ppo(task, title, instances, **peers):
    mode = "rollout" if task == "rollout" else "train"
    return Task(f"market-{task}", title, ("--env", "market", "--agents", "5", "--mode", mode), instances,
                {"JAX": Program("jax", "ppo_jax.py", ("--task", task)), **peers}, seconds=task == "update")


TASKS = (
    market_step(5),
    market_step(10),
    ppo("rollout", "market, 5 merchants, rollout (policies of 2 x 64)", "64:4096"),
    ppo("train", "market, 5 merchants, PPO, 64 instances", "64"),
    ppo("update", "the update of that alone (30,720 samples)", "64", **{
        "PyTorch eager": Program("torch", "ppo_torch.py", ("--kind", "eager")),
        "PyTorch compiled": Program("torch", "ppo_torch.py", ("--kind", "compiled")),
    }),
    Task("matrix-step", "repeated prisoner's dilemma, environment", ("--env", "matrix_game", "--mode", "step"), "1024:65536", {
        "NumPy": Program("jax", "matrix_numpy.py"),
        "JAX": Program("jax", "matrix_jax.py"),
    }),
)
