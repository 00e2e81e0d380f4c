"""One instance of an environment, whose agents come and go by their names: what PettingZoo and RLlib have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

import shoal
from shoal.adaptors import _spaces


class Instance:
    """`make` are further arguments of shoal.make(): the environment's parameters, `observation`."""

    def __init__(self, name: str, seed: int, render_mode: str | None, make: dict[str, Any]) -> None:
        self.render_mode = render_mode
        self._make = lambda seed: shoal.make(name, num_envs=1, threads=1, seed=seed, **make)
        self._env = self._make(seed)
        groups = self._env.spec.groups
        prefix = ["agent"] if len(groups) == 1 else [group.name for group in groups]
        self._places = {f"{prefix[g]}_{i}": (g, i) for g, group in enumerate(groups) for i in range(group.agents)}
        self.possible_agents = list(self._places)
        self.agents: list[str] = []
        places = self._places.items()
        self.observation_spaces: dict[str, Any] = {a: _spaces.observation_space(groups[g]) for a, (g, _) in places}
        self.action_spaces: dict[str, Any] = {a: _spaces.action_space(groups[g]) for a, (g, _) in places}
        self._actions = [_spaces.zero_actions(group, 1) for group in groups]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Begin an episode: with a seed, the first of a new simulator."""
        if seed is not None:
            self._env.close()
            self._env = self._make(seed)
        out = self._env.reset()
        self.agents = list(self.possible_agents)
        return self._rows(self._each(out.observations)), self._infos(out)

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """Agents that have died or whose episode has ended are absent from then on."""
        for agent in self.agents:
            if agent not in actions:
                raise shoal.InputError(f"actions: none for {agent}; expected one for each of env.agents")
            g, i = self._places[agent]
            if isinstance(self._actions[g], dict):
                for key, array in self._actions[g].items():
                    array[0, i] = actions[agent][key]
            else:
                self._actions[g][0, i] = actions[agent]
        groups = self._env.spec.groups
        one = len(groups) == 1
        out = self._env.step(self._actions[0] if one else {g.name: a for g, a in zip(groups, self._actions)})
        terminated, truncated = self._each(out.terminated), self._each(out.truncated)
        over = all((t | u).all() for t, u in zip(terminated, truncated))
        result = (
            self._rows(self._each(out.final_observations if over else out.observations)),
            {a: float(x) for a, x in self._rows(self._each(out.rewards)).items()},
            {a: bool(x) for a, x in self._rows(terminated).items()},
            {a: bool(x) for a, x in self._rows(truncated).items()},
            self._infos(out),
        )
        self.agents = [a for a in self.agents if not (result[2][a] or result[3][a])]
        return result

    def render(self) -> Any:
        """The present state as [height, width, 3]: after the end of an episode, the beginning of the next."""
        if self.render_mode != "rgb_array":
            raise shoal.InputError(f'render_mode = {self.render_mode!r}: expected "rgb_array"')
        return self._env.draw()

    def close(self) -> None:
        self._env.close()

    def _each(self, arrays: Any) -> list[Any]:
        """Arrays of the only instance, one for each group."""
        return [array[0] for array in (arrays.values() if isinstance(arrays, dict) else [arrays])]

    def _rows(self, arrays: list[Any]) -> dict[str, Any]:
        """The living agents' rows, which the next step does not overwrite."""
        copies = [array.copy() for array in arrays]
        return {agent: copies[g][i] for agent, (g, i) in self._places.items() if agent in self.agents}

    def _infos(self, out: shoal.Outputs) -> dict[str, dict[str, Any]]:
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        masks = self._each(out.masks)
        for agent in self.agents:
            g, i = self._places[agent]
            group = self._env.spec.groups[g]
            if group.masked:
                row = masks[g][i].astype(np.int8)
                parts = np.split(row, np.cumsum([head.choices for head in group.discrete])[:-1])
                infos[agent]["action_mask"] = parts[0] if len(parts) == 1 else tuple(parts)
        return infos
