"""A batch as a VecEnv of Stable-Baselines3: each agent is an environment of it.

    from shoal.adaptors.stable_baselines3 import VecEnv
    from stable_baselines3 import PPO

    PPO("MlpPolicy", VecEnv("matrix_game", num_envs=64)).learn(100_000)

Where choices can be illegal, `env_method("action_masks")` says which are legal, as MaskablePPO of sb3-contrib asks for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common import vec_env

import shoal
from shoal.adaptors import _spaces


class VecEnv(vec_env.VecEnv):
    """`make` are further arguments of shoal.make()."""

    def __init__(
        self, name: str, num_envs: int = 1, *, seed: int = 0, render_mode: str | None = None, **make: Any
    ) -> None:
        self._rows = _spaces.Rows(name, num_envs, seed, make)
        self.render_mode = render_mode
        self._actions: Any = None
        group = self._rows.group
        super().__init__(self._rows.count, _spaces.observation_space(group), _spaces.action_space(group))

    @property
    def env(self) -> shoal.Env:
        """The simulator: supertypes, metrics, state."""
        return self._rows.env

    def reset(self) -> Any:
        """Begin an episode in every instance: after seed(), the first of a new simulator."""
        if self._seeds[0] is not None:
            self._rows.env.close()
            self._rows.seed(self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [{} for _ in range(self.num_envs)]
        return self._rows.flat(self._rows.env.reset().observations).copy()

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        out = self._rows.step(self._actions)
        flat = self._rows.flat
        terminated, truncated = flat(out.terminated), flat(out.truncated)
        done = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if done.any():
            # An agent that dies before its episode ends has no final observation; its observation is 0.
            over = np.repeat((out.terminated | out.truncated).all(axis=1), self._rows.group.agents)
            final = np.where(over[:, None], flat(out.final_observations), 0)
            for row in np.flatnonzero(done):
                infos[row]["terminal_observation"] = final[row]
                infos[row]["TimeLimit.truncated"] = bool(truncated[row] and not terminated[row])
        return flat(out.observations).copy(), flat(out.rewards).copy(), done, infos

    def close(self) -> None:
        self._rows.env.close()

    def get_images(self) -> list[np.ndarray | None]:
        return [self.env.draw(i) for i in range(self.env.num_envs)]

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(f"{attr_name}: rows of shoal share one simulator; none can have attributes of its own")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        if method_name != "action_masks":
            raise AttributeError(f"{method_name}: unknown; expected action_masks")
        masks = self._rows.flat(self._rows.env.outputs.masks).copy()
        return [masks[i] for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * len(list(self._get_indices(indices)))
