"""A batch of instances of one environment, and the arrays that its steps write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import _sim
from .spec import Spec, spec_from

#: An array; of an environment with several groups of agents, a dictionary from a group's name to its array.
Arrays = Any

_FIELDS = ("observations", "rewards", "terminated", "truncated", "masks", "alive", "final_observations")


class Outputs:
    """The arrays that `Env.reset()` and `Env.step()` write. The next step overwrites them.

    N is the number of instances, A the number of agents (of a group), W the width of an observation. With several
    groups of agents each field is a dictionary from the group's name to its array.
    """

    __slots__ = (*_FIELDS, "_native")

    #: float32 [N, A, W]: after the step; after the reset where an episode ended.
    observations: Arrays
    #: float32 [N, A]. Written by step() alone, as are the next two.
    rewards: Arrays
    #: bool [N, A]: the agent died, or the episode ended in a terminal state. After death 0 until the episode ends.
    terminated: Arrays
    #: bool [N, A]: the episode ended without a terminal state.
    truncated: Arrays
    #: bool [N, A, choices]: which choices of the discrete heads are legal, side by side.
    masks: Arrays
    #: bool [N, A]: who acts in the next step.
    alive: Arrays
    #: float32 [N, A, W]: the last observation of an episode, written where one ended.
    final_observations: Arrays

    _native: _sim.Outputs

    def __repr__(self) -> str:
        return f"shoal.Outputs({', '.join(_FIELDS)})"


class Env:
    """Instances of one environment, which step together. Made by `shoal.make()`.

    `reset()` and `step()` return `Outputs`, always the same one unless `out` is given. On the CPU its arrays are NumPy
    arrays; on CUDA they are `shoal.Array`. Other libraries take both without a copy, by their `from_dlpack`.

    One thread at a time may call an environment. Others run meanwhile: steps release the interpreter's lock.
    """

    __slots__ = ("_sim", "name", "num_envs", "spec", "outputs")

    #: What reset() and step() write without `out`.
    outputs: Outputs
    spec: Spec

    def __init__(self, name: str, sim: _sim.Sim, num_envs: int) -> None:
        self._sim = sim
        self.name = name
        self.num_envs = num_envs
        self.spec = spec_from(name, sim.params(), sim.spec())
        self.outputs = self._make_outputs()

    # ---- Steps ------------------------------------------------------------------------------------------------------

    def reset(self, *, out: Outputs | Mapping[str, Arrays] | None = None, stream: int | None = None) -> Outputs:
        """Begin a new episode in every instance and write observations, masks and `alive`.

        `out` and `stream` are those of `step()`.
        """
        out = self._choose(out, stream)
        self._sim.reset(out._native, stream)
        return out

    def step(
        self, actions: Arrays, *, out: Outputs | Mapping[str, Arrays] | None = None, stream: int | None = None
    ) -> Outputs:
        """Step every instance. One whose episode ends is reset at once.

        `actions` is an array [N, A, heads] on the environment's device: int32 for discrete heads, float32 for
        continuous ones. With one head the last extent may be missing. A group that has both kinds of heads takes
        {"continuous": ..., "discrete": ...}. Several groups take a dictionary from their names.

        `out` says where to write: what `bind()` returned, or a dictionary of its arguments.

        `stream` is for CUDA, as the array API has it: None or 1 is the legacy default stream, 2 the per-thread default
        stream, -1 the stream of the last call without any synchronization; else the address of a cudaStream_t. The
        step is put on it and not waited for. Actions are waited for as their library orders it.

        Raises InputError for arrays that do not fit, and on the CPU for actions that are not finite or no choice of
        their head, before anything has changed. On CUDA environments limit such actions.
        """
        out = self.outputs if out is None else self._choose(out, stream)
        self._sim.step(actions, out._native, stream)
        return out

    def observe(self, *, out: Outputs | Mapping[str, Arrays] | None = None, stream: int | None = None) -> Outputs:
        """Write observations, masks and `alive` of the present state."""
        out = self._choose(out, stream)
        self._sim.observe(out._native, stream)
        return out

    def bind(self, *, stream: int | None = None, **arrays: Arrays) -> Outputs:
        """Outputs in the caller's arrays: `env.step(actions, out=env.bind(rewards=mine))`.

        Fields that are not given are those of `env.outputs`. Arrays have the shapes and dtypes of Outputs (uint8 may
        stand for bool) and any strides, but rows of observations are contiguous. They are kept alive.
        """
        for field in arrays:
            if field not in _FIELDS:
                raise _sim.InputError(f"{field}: unknown key; expected one of {', '.join(_FIELDS)}")
        out = Outputs()
        for field in _FIELDS:
            setattr(out, field, arrays.get(field, getattr(self.outputs, field)))
        # Where the simulator need not write into its own arrays, it does not: they hold ones.
        skipped = {f for f in ("masks", "alive") if f not in arrays}
        out._native = self._bind(out, skipped, stream)
        return out

    # ---- What episodes depend on and leave --------------------------------------------------------------------------

    @property
    def device(self) -> str:
        """ "cpu" or "cuda:N"."""
        return self._sim.device

    @property
    def supertypes(self) -> Any:
        """float32 [N, supertypes, coordinates], of the simulator's own memory: write it, and the next resets read it.

        Coordinates are those of `spec.supertypes`, padded to the longest list.
        """
        return self._lend(self._sim.supertypes())

    @property
    def metric_sums(self) -> Any:
        """float32 [N, metrics]: sums of `spec.metrics` over the episodes that ended since `clear_metrics()`."""
        return self._lend(self._sim.metric_sums())

    @property
    def metric_episodes(self) -> Any:
        """int32 [N]: how many episodes the sums have."""
        return self._lend(self._sim.metric_episodes())

    def metrics(self) -> dict[str, float]:
        """The mean of each metric over all episodes that ended since `clear_metrics()`; NaN without any."""
        sums: Any = self._sim.metric_sums().numpy()
        counts: Any = self._sim.metric_episodes().numpy()
        totals, episodes = sums.sum(axis=0, dtype="float64"), int(counts.sum())
        return {name: float(x) / episodes if episodes else float("nan") for name, x in zip(self.spec.metrics, totals)}

    def clear_metrics(self) -> None:
        """Begin to count metrics anew."""
        self._sim.clear_metrics()

    def export_state(self, instance: int) -> bytes:
        """The whole state of an instance: clock, state, running returns and supertypes."""
        return self._sim.export_state(instance)

    def import_state(self, instance: int, state: bytes) -> None:
        """Set what `export_state()` returned, in any environment of the same name, parameters and version."""
        self._sim.import_state(instance, state)

    @property
    def can_draw(self) -> bool:
        """Whether `draw()` can: on the CPU."""
        return self._sim.can_draw

    def draw(self, instance: int = 0, scale: int = 16) -> Any:
        """A picture of the instance, uint8 [height, width, 3], `scale` pixels a unit."""
        return self._sim.draw(instance, scale)

    # ---- Life -------------------------------------------------------------------------------------------------------

    def synchronize(self) -> None:
        """Wait until all work is done."""
        self._sim.synchronize()

    def close(self) -> None:
        """Free the simulator. Arrays that are still held keep their memory."""
        self._sim.close()

    def __enter__(self) -> Env:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f'shoal.make("{self.name}", num_envs={self.num_envs}, device="{self.device}")'

    # ---- Inside -----------------------------------------------------------------------------------------------------

    def _lend(self, array: _sim.Array) -> Any:
        return array.numpy() if array.device == "cpu" else array

    def _per_group(self, make: Callable[[int], Any]) -> Arrays:
        groups = self.spec.groups
        return make(0) if len(groups) == 1 else {group.name: make(g) for g, group in enumerate(groups)}

    def _make_outputs(self) -> Outputs:
        out = Outputs()
        for field in _FIELDS:
            setattr(out, field, self._per_group(lambda g: self._lend(self._sim.make_output(field, g))))
        out._native = self._bind(out, {"masks", "alive"}, None)
        return out

    def _bind(self, out: Outputs, skipped: set[str], stream: int | None) -> _sim.Outputs:
        groups = []
        for g, group in enumerate(self.spec.groups):
            arrays = {}
            for field in _FIELDS:
                if field in skipped and not self._sim.writes(field, g):
                    continue
                array = getattr(out, field)
                if len(self.spec.groups) > 1:
                    array = self._of_group(field, array, group.name)
                arrays[field] = array
            groups.append(arrays)
        return self._sim.bind(groups, stream)

    def _of_group(self, field: str, arrays: Arrays, group: str) -> Any:
        names = [g.name for g in self.spec.groups]
        if not isinstance(arrays, Mapping) or set(arrays) != set(names):
            expected = ", ".join(f'"{name}"' for name in names)
            raise _sim.InputError(f"{field}: expected a dictionary with an entry for each of {expected}")
        return arrays[group]

    def _choose(self, out: Outputs | Mapping[str, Arrays] | None, stream: int | None) -> Outputs:
        if out is None:
            return self.outputs
        if isinstance(out, Outputs):
            return out
        if isinstance(out, Mapping):
            return self.bind(stream=stream, **out)
        raise _sim.InputError(f"out: of type {type(out).__name__}, expected what bind() returns, or a dictionary")
