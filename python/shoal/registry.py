"""Environments by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import _sim
from .env import Env
from .spec import Description, Field, Spec


def make(
    name: str,
    *,
    num_envs: int = 1,
    device: str = "cpu",
    seed: int = 0,
    threads: int | None = None,
    first_instance: int = 0,
    common: int = 1,
    recorded_episodes: int = 0,
    observation: Mapping[str, Any] | None = None,
    **params: Any,
) -> Env:
    """A batch of `num_envs` instances of the environment `name`.

    `device` is "cpu", "cuda" (the current device) or "cuda:N". `threads` of the CPU: None is one a core; results do not
    depend on it. The same seed gives the same episodes on every device. Processes that share a seed and the work give
    each a range of its own with `first_instance`. `common` consecutive instances draw the same random numbers.
    `recorded_episodes` is how many episodes of an instance count for its metrics; 0: all.

    `observation` says what observations hold: type (True), indication ("none", "agent" or "group": a one-hot that is
    appended), width (0; padding with zeros), pad_groups (False; groups of agents share one space), central_critic
    (False; rows end with the global state, which a critic may see and a policy is not to).

    `params` are the environment's own, see `describe()`.

    Raises InputError with the program's text for what is unknown or out of range.
    """
    options = {
        "num_envs": num_envs,
        "seed": seed,
        "threads": 0 if threads is None else threads,
        "first_instance": first_instance,
        "common": common,
        "recorded_episodes": recorded_episodes,
    }
    if not isinstance(observation, Mapping | None):
        raise _sim.InputError(f"observation: of type {type(observation).__name__}, expected a dictionary")
    sim = _sim.Sim(_text("name", name), params, options, dict(observation or {}), _text("device", device))
    return Env(name, sim, int(num_envs))


def spec(name: str, *, observation: Mapping[str, Any] | None = None, **params: Any) -> Spec:
    """What the environment is with these parameters: agents, spaces, supertypes, metrics."""
    with make(name, threads=1, observation=observation, **params) as env:
        return env.spec


def list_names() -> tuple[str, ...]:
    """The names of all environments."""
    return tuple(name for name, _, _ in _sim.environments())


def describe(name: str) -> Description:
    """The environment's summary and its parameters, with defaults, allowed values and meaning."""
    known = {known: (summary, fields) for known, summary, fields in _sim.environments()}
    if name not in known:
        spec(name)  # raises
    summary, fields = known[name]
    return Description(name, summary, tuple(Field(*field) for field in fields))


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _sim.InputError(f"{key} = {value!r}: expected a string")
    return value
