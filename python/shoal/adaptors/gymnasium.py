"""A batch as a Gymnasium VectorEnv: each agent is a row, `num_envs` of the VectorEnv counts rows.

    from shoal.adaptors.gymnasium import VectorEnv

    envs = VectorEnv("market", num_envs=64)  # 64 instances of 5 merchants: 320 rows
    observations, infos = envs.reset(seed=0)

An instance whose episode ends is reset in the same step (AutoresetMode.SAME_STEP): `infos["final_obs"]` has the last
observations of the rows that `infos["_final_obs"]` marks. Where agents can die, `infos["alive"]` says which rows act;
the row of a dead agent is 0 until its instance begins the next episode. Where choices can be illegal,
`infos["action_mask"]` says which are legal.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

import shoal
from shoal.adaptors import _spaces


class VectorEnv(gymnasium.vector.VectorEnv):
    """`make` are further arguments of shoal.make().

    With `copy` False results are the simulator's own arrays, which the next step overwrites.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": ["rgb_array"]}

    def __init__(
        self,
        name: str,
        num_envs: int = 1,
        *,
        seed: int = 0,
        copy: bool = True,
        render_mode: str | None = None,
        **make: Any,
    ) -> None:
        self._rows = _spaces.Rows(name, num_envs, seed, make)
        self._copy = copy
        self.render_mode = render_mode
        self.num_envs = self._rows.count
        self.single_observation_space = _spaces.observation_space(self._rows.group)
        self.single_action_space = _spaces.action_space(self._rows.group)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    @property
    def env(self) -> shoal.Env:
        """The simulator: supertypes, metrics, state."""
        return self._rows.env

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every instance: with a seed, the first of a new simulator."""
        super().reset(seed=seed)
        if seed is not None:
            self._rows.env.close()
            self._rows.seed(seed)
        out = self._rows.env.reset()
        return self._take(out.observations), self._infos(out)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        out = self._rows.step(actions)
        infos = self._infos(out)
        over = (out.terminated | out.truncated).all(axis=1, keepdims=True)
        if over.any():
            infos["final_obs"] = self._take(out.final_observations)
            infos["_final_obs"] = np.repeat(over, self._rows.group.agents, axis=1).reshape(-1)
        results = (out.observations, out.rewards, out.terminated, out.truncated)
        return (*map(self._take, results), infos)

    def render(self) -> tuple[Any, ...] | None:
        """Pictures of the instances."""
        if self.render_mode != "rgb_array":
            raise shoal.InputError(f'render_mode = {self.render_mode!r}: expected "rgb_array"')
        return tuple(self.env.draw(i) for i in range(self.env.num_envs))

    def close_extras(self, **_: Any) -> None:
        self._rows.env.close()

    def _take(self, array: Any) -> Any:
        flat = self._rows.flat(array)
        return flat.copy() if self._copy else flat

    def _infos(self, out: shoal.Outputs) -> dict[str, Any]:
        infos = {}
        if self._rows.env.spec.may_die:
            infos["alive"] = self._take(out.alive)
        if self._rows.group.masked:
            infos["action_mask"] = self._take(out.masks)
        return infos
