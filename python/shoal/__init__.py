"""shoal: thousands of multi-agent environments, stepped at once on CPU or CUDA.

    import shoal

    env = shoal.make("market", num_envs=4096, seed=0)
    out = env.reset()
    out = env.step(actions)  # out.observations, out.rewards, out.terminated, ...

    folder = shoal.train("experiments/switch/switch.toml")  # by the program shoal
    run = shoal.load(folder)  # its policies in PyTorch

Docs: docs/python.md. Adaptors to other libraries: shoal.adaptors.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._sim import Array, Error, InputError
from ._sim import version as __version__
from .env import Env, Outputs
from .plugins import load_environment, load_plugin
from .program import train
from .registry import describe, make, spec
from .registry import list_names as list
from .spec import (
    ContinuousHead,
    Coordinate,
    Description,
    DiscreteHead,
    Field,
    Group,
    Spec,
    Supertype,
)

__all__ = [
    "Array",
    "ContinuousHead",
    "Coordinate",
    "Description",
    "DiscreteHead",
    "Env",
    "Error",
    "Field",
    "Group",
    "InputError",
    "Outputs",
    "Spec",
    "Supertype",
    "__version__",
    "describe",
    "list",
    "load",
    "load_environment",
    "load_plugin",
    "make",
    "spec",
    "train",
]

if TYPE_CHECKING:
    from .trained import Run


def load(folder: str | os.PathLike[str]) -> Run:
    """The policies of a run's last checkpoint, as PyTorch modules. Needs torch."""
    from . import trained

    return trained.load(folder)
