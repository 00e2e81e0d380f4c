"""Policies that a run has trained, as PyTorch modules. Needs torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from ._sim import Error, InputError
from .env import Env, Outputs
from .plugins import load_plugin
from .registry import list_names, make, spec
from .spec import Group, Spec

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[no-redef]

_OBSERVATION_KEYS = ("type", "indication", "width", "pad_groups", "central_critic")


class Policy(nn.Module):
    """What some agents of a group act by: actor, critic, and the distribution of actions.

    `forward()` gives the parameters of the distribution, the means of the continuous heads and then the logits of all
    choices (for DQN the values of the choices); it can be scripted by torch.jit, traced and exported.
    """

    def __init__(
        self, options: Mapping[str, Any], group: Group, state: int, agents: tuple[int, ...], parameters: Tensor
    ) -> None:
        super().__init__()
        #: Numbers in their group of the agents that follow it.
        self.agents = agents
        self.algorithm: str = options["algorithm"]
        self.reals = len(group.continuous)
        self.choices = [head.choices for head in group.discrete]
        self.epsilon: float = options.get("epsilon_end", 0.0)
        outputs = self.reals + sum(self.choices)
        flat = _Flat(parameters)
        self.log_sd = nn.Parameter(flat.take(self.reals))
        hidden = list(options["hidden"])
        self.actor_inputs = group.width - state  # the rest is the critic's alone
        self.actor = flat.perceptron([self.actor_inputs, *hidden, outputs])
        self.critic = flat.perceptron([group.width, *hidden, 1])
        flat.end()

    def forward(self, observations: Tensor) -> Tensor:
        """[..., W] -> [..., reals + choices]"""
        return self.actor(observations[..., : self.actor_inputs])

    def value(self, observations: Tensor) -> Tensor:
        """[..., W] -> [...]: what the critic expects. REINFORCE trains no critic."""
        return self.critic(observations).squeeze(-1)

    @torch.no_grad()
    def act(
        self,
        observations: Tensor,
        masks: Tensor | None = None,
        *,
        deterministic: bool = False,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Actions for rows of observations: continuous f32 [..., heads] and discrete i32 [..., heads].

        `masks` are those of the rows, [..., choices]. `deterministic` takes means, and the most probable choices.
        """
        if self.algorithm == "dqn":
            return self._best(observations, masks, deterministic, generator)
        parameters = self(observations)
        reals, logits = parameters[..., : self.reals], parameters[..., self.reals :]
        if not deterministic and self.reals:
            noise = torch.randn(reals.shape, generator=generator, device=reals.device)
            reals = reals + self.log_sd.exp() * noise
        return reals, _picks(logits, self.choices, masks, deterministic, generator)

    def _best(
        self, observations: Tensor, masks: Tensor | None, deterministic: bool, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """The dueling mean moves all choices alike, so the best advantage is the best value."""
        q = self(observations)
        best = _picks(q, self.choices, masks, True, generator)
        if not deterministic:
            explores = torch.rand(best.shape, generator=generator, device=q.device) < self.epsilon
            best = torch.where(explores, _picks(torch.zeros_like(q), self.choices, masks, False, generator), best)
        return q[..., :0], best


class Run:
    """A run's folder: its configuration, and its policies as its last checkpoint has them."""

    def __init__(
        self, folder: Path, config: dict[str, Any], spec: Spec, policies: dict[str, Policy], whose: Any
    ) -> None:
        self.folder = folder
        #: The resolved configuration, by section.
        self.config = config
        self.spec = spec
        #: By their names in checkpoints and figures: "policy.0", or "policy.SECTION".
        self.policies = policies
        self._whose = whose  # of each group: (name of the policy, its options, agents)

    @property
    def observation(self) -> dict[str, Any]:
        """What observations hold, for `shoal.make(..., observation=run.observation)`."""
        return _observation(self.config)

    def to(self, device: str | torch.device) -> Run:
        """Move all policies to the device."""
        for policy in self.policies.values():
            policy.to(device)
        return self

    def make(self, num_envs: int = 1, **options: Any) -> Env:
        """The run's environment, with its parameters and observations. `options` are those of `shoal.make()`."""
        return make(self.spec.name, num_envs=num_envs, observation=self.observation, **self.spec.params, **options)

    def act(
        self, out: Outputs, *, deterministic: bool = False, generator: torch.Generator | None = None
    ) -> Any:
        """All agents' actions after a reset or step of what `make()` made, as `shoal.Env.step()` takes them.

        Heuristics, frozen policies and those with memory do not act here. On CUDA move the policies there first:
        `run.to("cuda")`.
        """
        actions: dict[str, Any] = {}
        for g, group in enumerate(self.spec.groups):
            several = len(self.spec.groups) > 1
            observations = torch.from_dlpack(out.observations[group.name] if several else out.observations)
            masks = _bools(out.masks[group.name] if several else out.masks) if group.masked else None
            rows = observations.shape[:2]
            continuous = torch.zeros(*rows, len(group.continuous), device=observations.device)
            discrete = torch.zeros(*rows, len(group.discrete), dtype=torch.int32, device=observations.device)
            for name, its, agents in self._whose[g]:
                index = torch.tensor(agents, device=observations.device)
                own = None if masks is None else masks[:, index]
                if name in self.policies:
                    policy = self.policies[name]
                    acted = policy.act(observations[:, index], own, deterministic=deterministic, generator=generator)
                elif its["algorithm"] == "uniform":
                    acted = _uniform(group, observations[:, index], own, generator)
                else:
                    raise Error(
                        f'{name}: agents with algorithm = "{its["algorithm"]}" or with memory cannot act in Python'
                    )
                continuous[:, index], discrete[:, index] = acted
            kinds = {"continuous": continuous, "discrete": discrete}
            used = {kind: values for kind, values in kinds.items() if values.shape[-1] > 0}
            actions[group.name] = used if len(used) > 1 else next(iter(used.values()))
        return actions if len(actions) > 1 else next(iter(actions.values()))


def load(folder: str | os.PathLike[str]) -> Run:
    """The policies of a run's last checkpoint.

    Policies with memory and those of other runs (`algorithm = "frozen"`) are left out.
    """
    folder = Path(folder)
    try:
        config = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder}: no config.toml there; expected the folder of a run") from None
    tensors = _last_tensors(folder)
    _load_its_plugin(folder, config["env"])
    params = {key: value for key, value in config["env"].items() if key not in ("name", "plugin")}
    described = spec(config["env"]["name"], observation=_observation(config), **params)
    policies, whose = {}, []
    for g, group in enumerate(described.groups):
        whose.append(_policies_of(config, described, g))
        for name, options, agents in whose[-1]:
            if options["algorithm"] in ("uniform", "heuristic", "frozen") or options.get("memory", "none") != "none":
                continue
            state = described.state if config["policy"].get("central_critic") else 0
            policies[name] = Policy(options, group, state, tuple(agents), tensors[f"{name}.parameters"])
    return Run(folder, config, described, policies, whose)


def _load_its_plugin(folder: Path, env: Mapping[str, Any]) -> None:
    """As the program does: one that is loaded already says where the plugin is now."""
    if "plugin" not in env or env["name"] in list_names():
        return
    try:
        load_plugin(folder / env["plugin"])
    except InputError as error:
        raise InputError(
            f'{folder / "config.toml"}: env.plugin = "{env["plugin"]}": {error}; shoal.load_plugin(FILE) takes another'
        ) from None


def _last_tensors(folder: Path) -> dict[str, Tensor]:
    """Of the last checkpoint that is whole, as the program resumes from it."""
    for path in sorted((folder / "checkpoints").glob("stage-*.pt"), reverse=True):
        try:
            return torch.jit.load(str(path), map_location="cpu").tensors
        except RuntimeError:
            continue
    raise InputError(f"{folder}: no whole checkpoint there; expected a run that has trained")


def _observation(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: config["policy"][key] for key in _OBSERVATION_KEYS if key in config["policy"]}


def _policies_of(config: Mapping[str, Any], described: Spec, group: int) -> list[tuple[str, dict[str, Any], list[int]]]:
    """Name, options and members of each policy of a group, as the program gives them (docs/algorithms.md)."""
    sections = {key: value for key, value in config["policy"].items() if isinstance(value, dict)}
    members: dict[str, list[int]] = {}  # those of other groups are none here
    for g, i in _agents(described, config):
        own = members.setdefault(_policy_name(config, described, sections, g, i), [])
        if g == group:
            own.append(i)
    return [
        (
            name if sections else f"policy.{number}",
            sections.get(name.removeprefix("policy."), config["policy"]),
            sorted(agents),
        )
        for number, (name, agents) in enumerate(members.items())
        if agents
    ]


def _agents(described: Spec, config: Mapping[str, Any]) -> list[tuple[int, int]]:
    """(group, number in it) of all agents, in the order in which policies are numbered."""
    agents = [(g, i) for g, group in enumerate(described.groups) for i in range(group.agents)]
    if config["policy"]["map"] == "supertype":
        agents.sort(key=lambda each: described.supertype_of[_number(described, *each)])
    return agents


def _number(described: Spec, group: int, i: int) -> int:
    return sum(g.agents for g in described.groups[:group]) + i


def _policy_name(config: Mapping[str, Any], described: Spec, sections: Mapping[str, Any], group: int, i: int) -> str:
    number = _number(described, group, i)
    supertype = described.supertypes[described.supertype_of[number]].name
    group_name = described.groups[group].name
    for name in (f"agent_{number}", supertype, *([group_name] if len(described.groups) > 1 else [])):
        if name in sections:
            return f"policy.{name}"
    mapped = {"shared": "", "supertype": f".{supertype}", "agent": f".agent_{number}", "group": f".{group_name}"}
    return "policy" + mapped[config["policy"]["map"]]


class _Flat:
    """Takes pieces from the front of a flat tensor of parameters."""

    def __init__(self, values: Tensor) -> None:
        self._values = values.detach()
        self._at = 0

    def take(self, *shape: int) -> Tensor:
        count = int(numpy.prod(shape, dtype=numpy.int64))
        piece = self._values[self._at : self._at + count]
        self._at += count
        if len(piece) != count:
            self.end()
        return piece.reshape(shape).clone()

    def perceptron(self, widths: list[int]) -> nn.Sequential:
        layers: list[nn.Module] = []
        for inputs, outputs in zip(widths, widths[1:]):
            layer = nn.Linear(inputs, outputs)
            layer.weight = nn.Parameter(self.take(outputs, inputs))
            layer.bias = nn.Parameter(self.take(outputs))
            layers += [layer, nn.Tanh()]
        return nn.Sequential(*layers[:-1])

    def end(self) -> None:
        if self._at != len(self._values):
            raise Error(f"a policy of {len(self._values)} parameters, expected {self._at}")


def _pick(logits: Tensor, deterministic: bool, generator: torch.Generator | None) -> Tensor:
    """One choice of a head for each row, by its logits."""
    if deterministic:
        return logits.argmax(-1)
    rows = logits.softmax(-1).reshape(-1, logits.shape[-1])
    return torch.multinomial(rows, 1, generator=generator).reshape(logits.shape[:-1])


def _picks(
    logits: Tensor, choices: list[int], masks: Tensor | None, deterministic: bool, generator: torch.Generator | None
) -> Tensor:
    """A legal choice of every head, i32 [..., heads]. `choices` are those of each head, side by side in `logits`."""
    if not choices:
        return logits.to(torch.int32)  # of no columns
    if masks is not None:
        logits = logits.masked_fill(masks.logical_not(), -torch.inf)
    heads = [_pick(head, deterministic, generator) for head in logits.split(choices, -1)]
    return torch.stack(heads, -1).to(torch.int32)


def _bools(masks: Any) -> Tensor:
    return torch.from_dlpack(masks.view(numpy.uint8) if isinstance(masks, numpy.ndarray) else masks).bool()


def _uniform(
    group: Group, observations: Tensor, masks: Tensor | None, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    rows, device = observations.shape[:-1], observations.device
    low = torch.tensor([head.low for head in group.continuous], device=device)
    high = torch.tensor([head.high for head in group.continuous], device=device)
    reals = low + (high - low) * torch.rand(*rows, len(low), generator=generator, device=device)
    choices = [head.choices for head in group.discrete]
    return reals, _picks(torch.zeros(*rows, group.choices, device=device), choices, masks, False, generator)
