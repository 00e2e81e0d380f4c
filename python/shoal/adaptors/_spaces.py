"""What the adaptors share: Gymnasium's spaces of a group of agents, and its agents as rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

import shoal

#: Arguments of shoal.make() that shoal.spec() does not take.
_OPTIONS = ("device", "threads", "first_instance", "common", "recorded_episodes", "observation")


def observation_space(group: shoal.Group) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (group.width,), np.float32)


def action_space(group: shoal.Group) -> spaces.Space[Any]:
    """Discrete for one discrete head, MultiDiscrete for several, Box for continuous ones, Dict for both kinds."""
    parts: dict[str, spaces.Space[Any]] = {}
    if group.continuous:
        low = np.array([head.low for head in group.continuous], np.float32)
        high = np.array([head.high for head in group.continuous], np.float32)
        parts["continuous"] = spaces.Box(low, high, dtype=np.float32)
    if len(group.discrete) == 1:
        parts["discrete"] = spaces.Discrete(group.discrete[0].choices, dtype=np.int32)
    elif group.discrete:
        parts["discrete"] = spaces.MultiDiscrete([head.choices for head in group.discrete], dtype=np.int32)
    return parts.popitem()[1] if len(parts) == 1 else spaces.Dict(parts)


def zero_actions(group: shoal.Group, num_envs: int) -> Any:
    """Actions of all instances, to be filled."""
    parts: dict[str, Any] = {}
    if group.continuous:
        parts["continuous"] = np.zeros((num_envs, group.agents, len(group.continuous)), np.float32)
    if group.discrete:
        parts["discrete"] = np.zeros((num_envs, group.agents, len(group.discrete)), np.int32)
    return parts.popitem()[1] if len(parts) == 1 else parts


class Rows:
    """An environment on the CPU whose agents are rows: the agents of instance 0, then those of instance 1, ...

    Groups of agents with spaces of their own are padded to one, with masks. A choice that an agent's own group lacks
    stands for the group's last one.
    """

    def __init__(self, name: str, num_envs: int, seed: int, make: dict[str, Any]) -> None:
        if make.get("device", "cpu") != "cpu":
            raise shoal.InputError(f'device = "{make["device"]}": this adaptor hands out NumPy; expected "cpu"')
        own = shoal.spec(name, **{key: value for key, value in make.items() if key not in _OPTIONS})
        make["observation"] = {"pad_groups": True, **(make.get("observation") or {})}
        self._make = lambda seed: shoal.make(name, num_envs=num_envs, seed=seed, **make)
        self.seed(seed)
        (self.group,) = self.env.spec.groups
        self.count = num_envs * self.group.agents
        self._actions = zero_actions(self.group, num_envs)
        self._last_choices = _last_choices(own, len(self.group.discrete)) if len(own.groups) > 1 else None

    def seed(self, seed: int) -> None:
        """Begin anew, as a simulator of this seed."""
        self.env = self._make(seed)

    def flat(self, array: Any) -> Any:
        """[N, A, ...] as [N * A, ...], without a copy."""
        return array.reshape(self.count, *array.shape[2:])

    def step(self, actions: Any) -> shoal.Outputs:
        """One action for each row."""
        if not isinstance(self._actions, dict):
            return self.env.step(self._fit(self._actions, actions))
        return self.env.step({key: self._fit(array, actions[key]) for key, array in self._actions.items()})

    def _fit(self, array: Any, given: Any) -> Any:
        """`given` as the simulator takes it: itself if it fits, else copied into `array`."""
        given = np.asarray(given)
        if given.size != array.size or len(given) != self.count:
            expected = f"{self.count} rows of {array.shape[2]}"
            raise shoal.InputError(f"actions: shape {list(given.shape)}, expected {expected}")
        whole = array.dtype == np.int32
        if given.dtype == array.dtype and not (whole and self._last_choices is not None):
            return given.reshape(array.shape)
        if not np.can_cast(given.dtype, array.dtype, "same_kind"):
            raise shoal.InputError(f"actions: dtype {given.dtype}, expected {array.dtype}")
        np.copyto(array, given.reshape(array.shape), casting="same_kind")
        if whole and self._last_choices is not None:
            np.minimum(array, self._last_choices, out=array)
        return array


def _last_choices(spec: shoal.Spec, heads: int) -> Any:
    """[agents, heads]: the largest choice of each agent's own group, 0 where it lacks a head."""
    rows = [[h.choices - 1 for h in g.discrete] + [0] * (heads - len(g.discrete)) for g in spec.groups]
    return np.repeat(np.array(rows, np.int32), [g.agents for g in spec.groups], axis=0)
