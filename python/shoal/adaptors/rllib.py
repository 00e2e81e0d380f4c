"""One instance as a MultiAgentEnv of RLlib.

    from ray.rllib.algorithms.ppo import PPOConfig
    from shoal.adaptors.rllib import MultiAgentEnv

    config = (
        PPOConfig()
        .environment(MultiAgentEnv, env_config={"name": "switch", "n_agents": 4})
        .env_runners(num_envs_per_env_runner=64)
        .multi_agent(policies={"shared"}, policy_mapping_fn=lambda *_, **__: "shared")
    )

RLlib makes an environment for each instance and steps them one after the other. Agents are named as in
shoal.adaptors.pettingzoo; where choices can be illegal, infos[agent]["action_mask"] says which are legal. In a worker's
process SHOAL_PLUGINS names the plugins.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from gymnasium import spaces
from ray.rllib.env import multi_agent_env

from shoal.adaptors._instance import Instance


class MultiAgentEnv(Instance, multi_agent_env.MultiAgentEnv):
    """`config` has the environment's `name` and further arguments of shoal.make(): its parameters, `observation`.

    RLlib makes all instances of one configuration, so it has no seed. `reset(seed)` does; until then it is random.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        make = dict(config)
        name, render_mode = make.pop("name", None), make.pop("render_mode", None)
        multi_agent_env.MultiAgentEnv.__init__(self)
        Instance.__init__(self, name, random.getrandbits(32), render_mode, make)
        self.metadata = {"name": name, "render_modes": ["rgb_array"]}
        self.agents = list(self.possible_agents)
        self._agent_ids = set(self.possible_agents)
        self.observation_space = spaces.Dict(self.observation_spaces)
        self.action_space = spaces.Dict(self.action_spaces)

    def step(self, action_dict: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """Agents that have died are absent from the next step on. "__all__" is the instance's end."""
        observations, rewards, terminated, truncated, infos = super().step(action_dict)
        cut = any(truncated.values())
        terminated["__all__"] = not self.agents and not cut
        truncated["__all__"] = not self.agents and cut
        return observations, rewards, terminated, truncated, infos
