"""A batch as an EnvBase of TorchRL.

    from shoal.adaptors.torchrl import Env

    env = Env("two_role", num_envs=64)
    rollout = env.rollout(100, break_when_any_done=False)

Tensors of a group of agents lie below its name, as in TorchRL's other multi-agent environments: ("agents",
"observation"), ("agents", "action"), ("agents", "reward"), ("agents", "done"); "action_mask" where choices can be
illegal, and "mask", who acts, where agents can die. `env.group_map` names the agents. "done" at the root is the
instance's.
"""

from __future__ import annotations

from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torchrl.data import Binary, Bounded, Categorical, Composite, MultiCategorical, Unbounded
from torchrl.envs import EnvBase

import shoal

_ENDS = ("done", "terminated", "truncated")


class Env(EnvBase):
    """`make` are further arguments of shoal.make(). Work on CUDA goes on torch's current stream."""

    def __init__(self, name: str, num_envs: int = 1, *, device: str = "cpu", seed: int = 0, **make: Any) -> None:
        self._make = lambda seed: shoal.make(name, num_envs=num_envs, device=device, seed=seed, **make)
        self._begin(seed)
        self._groups = self._env.spec.groups
        for group in self._groups:
            if group.continuous and group.discrete:
                raise shoal.InputError(f'group "{group.name}": continuous and discrete heads; expected one kind')
        super().__init__(device=torch.device(self._env.device), batch_size=torch.Size([num_envs]))
        self.group_map = {g.name: [f"{g.name}_{i}" for i in range(g.agents)] for g in self._groups}
        self._make_specs(num_envs)

    @property
    def env(self) -> shoal.Env:
        """The simulator: supertypes, metrics, state."""
        return self._env

    def _begin(self, seed: int | None) -> None:
        self._env = self._make(seed)
        self._over: torch.Tensor | None = None

    def _make_specs(self, n: int) -> None:
        observation, action, reward, done = ({} for _ in range(4))
        for group in self._groups:
            shape = (n, group.agents)
            parts = {"observation": Unbounded((*shape, group.width))}
            if group.masked:
                parts["action_mask"] = Binary(group.choices, (*shape, group.choices), dtype=torch.bool)
            if self._env.spec.may_die:
                parts["mask"] = Categorical(2, shape, dtype=torch.bool)
            observation[group.name] = Composite(parts, shape=shape)
            action[group.name] = Composite({"action": _action_spec(group, shape)}, shape=shape)
            reward[group.name] = Composite({"reward": Unbounded((*shape, 1))}, shape=shape)
            ends = {key: Categorical(2, (*shape, 1), dtype=torch.bool) for key in _ENDS}
            done[group.name] = Composite(ends, shape=shape)
        for key in _ENDS:
            done[key] = Categorical(2, (n, 1), dtype=torch.bool)
        self.observation_spec = Composite(observation, shape=(n,), device=self.device)
        self.action_spec = Composite(action, shape=(n,), device=self.device)
        self.reward_spec = Composite(reward, shape=(n,), device=self.device)
        self.done_spec = Composite(done, shape=(n,), device=self.device)

    def _stream(self) -> int | None:
        return None if self.device.type == "cpu" else torch.cuda.current_stream(self.device).cuda_stream or 1

    def _tensor(self, arrays: Any, group: shoal.Group) -> torch.Tensor:
        """A copy, since the next step overwrites the arrays."""
        return torch.from_dlpack(arrays[group.name] if isinstance(arrays, dict) else arrays).clone()

    def _observe(self, out: shoal.Outputs, group: shoal.Group) -> dict[str, torch.Tensor]:
        parts = {"observation": self._tensor(out.observations, group)}
        if group.masked:
            parts["action_mask"] = self._tensor(out.masks, group)
        if self._env.spec.may_die:
            parts["mask"] = self._tensor(out.alive, group)
        return parts

    def _reset(self, tensordict: TensorDictBase | None = None, **_: Any) -> TensorDictBase:
        """All instances, or those that have just ended: these have begun their next episodes already."""
        asked = None if tensordict is None else tensordict.get("_reset", None)
        if asked is None or bool(asked.all()):
            out = self._env.reset(stream=self._stream())
        else:
            if self._over is None or bool((asked.reshape(-1) & ~self._over).any()):
                raise shoal.InputError("_reset: an instance in the middle of its episode; expected those that are done")
            out = self._env.outputs
        result = TensorDict({}, self.batch_size, device=self.device)
        for group in self._groups:
            result[group.name] = TensorDict(self._observe(out, group), (*self.batch_size, group.agents), self.device)
        return result

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        actions = {}
        for group in self._groups:
            action = tensordict[group.name, "action"]
            actions[group.name] = action.detach().to(torch.int32) if group.discrete else action.detach()
        given = actions if len(actions) > 1 else next(iter(actions.values()))
        out = self._env.step(given, stream=self._stream())
        terminated = {g.name: self._tensor(out.terminated, g) for g in self._groups}
        truncated = {g.name: self._tensor(out.truncated, g) for g in self._groups}
        ends = torch.cat([terminated[g.name] | truncated[g.name] for g in self._groups], 1)
        self._over = ends.all(1)
        result = TensorDict({}, self.batch_size, device=self.device)
        for group in self._groups:
            parts = self._observe(out, group)
            final = self._tensor(out.final_observations, group)
            parts["observation"] = torch.where(self._over[:, None, None], final, parts["observation"])
            parts["reward"] = self._tensor(out.rewards, group)[..., None]
            parts["terminated"] = terminated[group.name][..., None]
            parts["truncated"] = truncated[group.name][..., None]
            parts["done"] = parts["terminated"] | parts["truncated"]
            result[group.name] = TensorDict(parts, (*self.batch_size, group.agents), self.device)
        cut = torch.cat(list(truncated.values()), 1).any(1) & self._over
        result["done"], result["truncated"] = self._over[:, None], cut[:, None]
        result["terminated"] = (self._over & ~cut)[:, None]
        return result

    def _set_seed(self, seed: int | None) -> None:
        self._env.close()
        self._begin(seed)

    def close(self, *, raise_if_closed: bool = True) -> None:
        self._env.close()
        super().close(raise_if_closed=raise_if_closed)


def _action_spec(group: shoal.Group, shape: tuple[int, int]) -> Any:
    if group.continuous:
        low = torch.tensor([head.low for head in group.continuous]).expand(*shape, -1)
        high = torch.tensor([head.high for head in group.continuous]).expand(*shape, -1)
        return Bounded(low, high, (*shape, len(group.continuous)))
    choices = [head.choices for head in group.discrete]
    if len(choices) == 1:
        return Categorical(choices[0], shape)
    return MultiCategorical(choices, (*shape, len(choices)))
