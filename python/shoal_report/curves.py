"""What is drawn: curves over the stages, of one run or of several seeds, and their values at the end."""
import dataclasses
import re

import numpy as np

MOST_POINTS = 200  # of a drawn curve: more than a panel has room for


@dataclasses.dataclass(frozen=True)
class Curve:
    stages: np.ndarray
    mean: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Sample:
    """Runs drawn as one line: the seeds of a method, or a run alone, whose band is the spread over its instances."""

    label: str
    runs: list
    over_seeds: bool

    @property
    def stages(self):
        return min(run.stages for run in self.runs)

    @property
    def window(self):
        """Stages that a drawn mean takes in."""
        return max(1, self.stages // 50)


def smooth(values, window):
    """Mean over a trailing window, shorter at the beginning, of the values that are there."""
    known = np.isfinite(values)
    index = np.arange(1, len(values) + 1)
    first = np.maximum(index - window, 0)

    def over_window(x):
        total = np.cumsum(np.concatenate([[0.0], x]))
        return total[index] - total[first]

    count = over_window(known)
    return np.where(count > 0, over_window(np.where(known, values, 0)) / np.maximum(count, 1), np.nan)


def thinned(known):
    """The stages of which a point is drawn, of those that are known."""
    stages = np.flatnonzero(known)
    if not stages.size:
        return stages
    return stages[np.unique(np.linspace(0, len(stages) - 1, MOST_POINTS).astype(int))]


def plain(sample, values):
    """Of values that no column holds."""
    smoothed = smooth(values, sample.window)
    shown = thinned(np.isfinite(smoothed))
    return Curve(shown, smoothed[shown])


def curve(sample, path):
    """Of a column of metrics.jsonl; None if no run has it."""
    runs = [run for run in sample.runs if path in run.columns]
    if not runs:
        return None
    paths = np.array([smooth(run.columns[path][: sample.stages], sample.window) for run in runs])
    shown = thinned(np.isfinite(paths).all(axis=0))
    paths = paths[:, shown]
    mean, spread = paths.mean(axis=0), None
    spread_path = (*path[:-1], "sd")
    if sample.over_seeds and len(runs) > 1:
        spread = paths.std(axis=0, ddof=1)
    elif not sample.over_seeds and path[-1] == "mean" and spread_path in runs[0].columns:
        spread = smooth(runs[0].columns[spread_path], sample.window)[shown]
    if spread is None:
        return Curve(shown, mean)
    return Curve(shown, mean, mean - spread, mean + spread)


def misses(run, names):
    """A run's mean distance from some targets, by stage."""
    distance = [np.abs(run.columns["targets", n, "value"] - run.columns["targets", n, "target"]) for n in names]
    return np.mean(distance, axis=0)


def by_owner(names):
    """Names as "supertype_1.share" by what stands before the dot; owners with one name alone share the group ""."""
    groups = {}
    for name in names:
        groups.setdefault(name.partition(".")[0], []).append(name)
    if len(groups) == 1:
        return groups
    lone = [found[0] for found in groups.values() if len(found) == 1]
    groups = {owner: found for owner, found in groups.items() if len(found) > 1}
    return {"": lone, **groups} if lone else groups


def percentiles(names):
    """{"supertype_1 quantity": [(10, name), ...]} of the names that are percentiles of a distribution."""
    groups = {}
    for name in names:
        if match := re.fullmatch(r"(.+)_p(\d+)", name):
            groups.setdefault(words(match[1]), []).append((int(match[2]), name))
    return {label: sorted(found) for label, found in groups.items() if len(found) > 1}


def words(name):
    """A name of a metric or a coordinate for people."""
    name = re.sub(r"_p(\d+)$", r", \1 %", name)
    return name.replace("_", " ").replace(".", " ")


UNITS = {
    "share": "fraction of demand",
    "quantity": "units of goods",
    "link": "probability",
    "tolerance": "no unit",
}


def unit(name):
    """Of a metric or a coordinate, as far as its environment has told."""
    first = re.match(r"[a-z]*", name.rpartition(".")[2])[0]
    return UNITS.get(first, "in its own unit")
