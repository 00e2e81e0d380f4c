"""shoal: thousands of multi-agent environments, stepped at once on CPU or CUDA.

    import shoal

    env = shoal.make("market", num_envs=4096, seed=0)
    out = env.reset()
    out = env.step(actions)  # out.observations, out.rewards, out.terminated, ...

Docs: docs/python.md. Adaptors to other libraries: shoal.adaptors.
"""

from ._sim import Array, Error, InputError
from ._sim import version as __version__
from .env import Env, Outputs
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
    "make",
    "spec",
]
