"""What an environment tells about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ContinuousHead:
    """One real action. Values outside of [low, high] are limited to it."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class DiscreteHead:
    """One choice among `choices` alternatives, numbered from 0."""

    name: str
    choices: int


@dataclass(frozen=True)
class Coordinate:
    """One number of a supertype: where it may lie, and its first value."""

    name: str
    low: float
    high: float
    initial: float


@dataclass(frozen=True)
class Supertype:
    """The distribution that agents of this supertype draw their types from."""

    name: str
    coordinates: tuple[Coordinate, ...]


@dataclass(frozen=True)
class Group:
    """Agents with the same spaces."""

    name: str
    agents: int
    #: Reals of an agent's own observation, and of its type.
    observation: int
    type: int
    #: Reals of an assembled observation: own, type, indication and padding.
    width: int
    continuous: tuple[ContinuousHead, ...]
    discrete: tuple[DiscreteHead, ...]
    #: Whether some choices of the discrete heads can be illegal.
    masked: bool

    @property
    def choices(self) -> int:
        """All discrete heads' choices side by side: the width of a mask."""
        return sum(head.choices for head in self.discrete)


@dataclass(frozen=True)
class Spec:
    """Agents, spaces, supertypes and metrics of an environment with given parameters."""

    name: str
    #: All parameters, with defaults filled in.
    params: dict[str, Any]
    groups: tuple[Group, ...]
    #: Whether episodes can end without a terminal state.
    may_truncate: bool
    #: Whether agents can leave an episode before its end.
    may_die: bool
    #: Whether an agent can do nothing and then earns exactly 0.
    may_abstain: bool
    max_episode_steps: int
    #: Reals of the global state that critics may see (`observation={"central_critic": True}`); 0: none.
    state: int
    supertypes: tuple[Supertype, ...]
    #: The index of each agent's supertype.
    supertype_of: tuple[int, ...]
    #: Names of the episode metrics.
    metrics: tuple[str, ...]

    @property
    def agents(self) -> int:
        """Agents of an instance, of all groups."""
        return sum(group.agents for group in self.groups)


@dataclass(frozen=True)
class Field:
    """One parameter, as `shoal list` documents it."""

    name: str
    type: str
    #: The default, as TOML writes it.
    default: str
    #: The values that are allowed.
    allowed: str
    help: str


@dataclass(frozen=True)
class Description:
    """An environment and its parameters."""

    name: str
    summary: str
    fields: tuple[Field, ...]

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.summary}"]
        lines += [f"  {f.name} = {f.default}  ({f.type}; {f.allowed})  {f.help}" for f in self.fields]
        return "\n".join(lines)


def spec_from(name: str, params: dict[str, Any], values: dict[str, Any]) -> Spec:
    """The Spec of what the module `_sim` returns."""
    groups = tuple(
        Group(
            **{
                **group,
                "continuous": tuple(ContinuousHead(*head) for head in group["continuous"]),
                "discrete": tuple(DiscreteHead(*head) for head in group["discrete"]),
            }
        )
        for group in values["groups"]
    )
    supertypes = tuple(
        Supertype(supertype, tuple(Coordinate(*c) for c in coordinates))
        for supertype, coordinates in values["supertypes"]
    )
    rest = {key: values[key] for key in ("may_truncate", "may_die", "may_abstain", "max_episode_steps", "state")}
    return Spec(
        name=name,
        params=params,
        groups=groups,
        supertypes=supertypes,
        supertype_of=tuple(values["supertype_of"]),
        metrics=tuple(values["metrics"]),
        **rest,
    )
