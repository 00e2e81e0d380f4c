"""One instance as a PettingZoo ParallelEnv.

    from shoal.adaptors.pettingzoo import ParallelEnv

    env = ParallelEnv("switch")
    observations, infos = env.reset(seed=0)

Agents are agent_0, agent_1, ...; of an environment with several groups a_0, b_0, ... by the groups' names. Where
choices can be illegal, infos[agent]["action_mask"] has what `action_space(agent).sample()` takes as mask.
"""

from __future__ import annotations

from typing import Any

import pettingzoo

from shoal.adaptors._instance import Instance


class ParallelEnv(Instance, pettingzoo.ParallelEnv):
    """`make` are further arguments of shoal.make(): the environment's parameters, `observation`."""

    def __init__(self, name: str, *, seed: int = 0, render_mode: str | None = None, **make: Any) -> None:
        self.metadata = {"name": name, "render_modes": ["rgb_array"], "is_parallelizable": True}
        super().__init__(name, seed, render_mode, make)

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """Agents that have died or whose episode has ended are absent from then on."""
        return super().step(actions) if self.agents else ({}, {}, {}, {}, {})
