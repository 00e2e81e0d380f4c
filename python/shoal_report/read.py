"""Reads run directories and study folders: what `shoal train`, `shoal check` and `shoal study` left there, and nothing else.

What is absent or broken is no exception but a line of text that the report repeats: `missing` where a file was never written,
`problem` where it cannot be drawn from.
"""
import csv
import dataclasses
import json
import math
import os
import pathlib
import re

import numpy as np

from .files import is_there
from .shape import ESTIMATE, FIGURE, FLAG, NUMBER, SCALAR, TEXT, WHOLE, Broken, Each, Opt, check, fail, is_number
from .terminal import printable, reason

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib


class InputError(Exception):
    """What the user gave cannot be read at all."""


@dataclasses.dataclass
class Run:
    """A run directory. `columns` holds the figures of metrics.jsonl, a value a stage: ("returns", "supertype_1", "mean")."""

    path: pathlib.Path
    config_text: str = ""
    config: dict = dataclasses.field(default_factory=dict)
    columns: dict = dataclasses.field(default_factory=dict)
    summary: dict | None = None
    check: dict | None = None
    evaluation: dict | None = None
    missing: list = dataclasses.field(default_factory=list)
    problems: list = dataclasses.field(default_factory=list)

    @property
    def stages(self):
        return len(self.columns["stage",]) if self.columns else 0

    @property
    def last_stages(self):
        """How many stages the last tenth has."""
        return max(1, self.stages // 10)

    def staleness(self, name, found):
        """What to say of a file that was computed from another state of the run; empty: of none that is known."""
        summary = self.summary or {}
        stage, last = found.get("stage"), self.stages or summary.get("stages")
        if stage is not None and last and stage != last:
            return f"{name} is of stage {stage} of {last}: the run has gone on since."
        digest, current = found.get("digest"), summary.get("digest")
        if stage is not None and stage == summary.get("stages") and digest and current and digest != current:
            return f"{name} is of another state of stage {stage} than summary.json: digest {digest}, not {current}."
        return ""

    def names(self, section):
        """Of the targets, returns or profile, as the run listed them."""
        return list(dict.fromkeys(path[1] for path in self.columns if path[0] == section and len(path) > 1))

    def at_end(self, path):
        """Mean over the last tenth of the stages, NaN if it has no values there."""
        values = self.columns[path][-self.last_stages :]
        known = values[np.isfinite(values)]
        return float(known.mean()) if known.size else math.nan

    def at_start(self, path):
        """In the first stage."""
        return float(self.columns[path][0])


@dataclasses.dataclass
class Cell:
    """One run of a study: `run` is None as long as it has not finished."""

    experiment: str
    method: str
    seed: int
    run: Run | None


@dataclasses.dataclass
class Study:
    path: pathlib.Path
    text: str
    experiments: list
    methods: list  # the reference first
    seeds: list
    cells: list
    table: list | None = None
    pairs: list | None = None
    missing: list = dataclasses.field(default_factory=list)
    problems: list = dataclasses.field(default_factory=list)

    def runs(self, experiment, method):
        """Those that can be drawn."""
        cells = [c for c in self.cells if (c.experiment, c.method) == (experiment, method)]
        return [c.run for c in cells if c.run and c.run.columns]

    def table_staleness(self):
        """What to say of a table.csv that was made before some of the runs had finished; empty: of none."""
        counted = {(row["experiment"], row["method"]): row["seeds"] for row in self.table or []}
        fewer = []
        for names in ((e, m) for e in self.experiments for m in self.methods):
            count = len([run for run in self.runs(*names) if run.summary])  # shoal study leaves out broken ones too
            if counted.get(names, 0) < count:
                fewer.append(f"{'/'.join(names)} ({counted.get(names, 0)} of {count})")
        if self.table is None or not fewer:
            return ""
        return f"table.csv is older than the runs: it counts fewer seeds than have finished of {', '.join(fewer)}"


def numbers(value, path, unknown=False):
    """The leaves of a JSON value as {path: number}. @param unknown  whether a null may stand for one"""
    if isinstance(value, dict):
        return {leaf: x for key, item in value.items() for leaf, x in numbers(item, (*path, key), unknown).items()}
    if value is None and unknown:
        return {path: np.nan}
    if not is_number(value):
        fail(".".join(path), value, NUMBER.words)
    return {path: value}


SECTIONS = ("stage", "seconds", "agent_steps_per_second", "targets", "returns", "profile")  # of a row, that reports use
LEAVES = {"targets": {"target", "value"}, "returns": {"mean"}}  # of each entry


def row_numbers(line):
    """The figures of one row of metrics.jsonl."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise Broken(f"no whole JSON object ({error.msg})") from None
    lacking = [key for key in SECTIONS if not isinstance(row, dict) or key not in row]
    if lacking:
        raise Broken(f"{lacking[0]} is missing")
    found = {}
    for key in SECTIONS:
        found |= numbers(row[key], (key,), unknown=key == "targets" and not row["returns"])
    if "r_cal_mean" in row:
        found |= numbers({"mean": row["r_cal_mean"], "sd": row.get("r_cal_sd")}, ("r_cal",))
    return found


def without_returns(row):
    """The names of a row's figures. Those of returns are absent from rows before any episode has ended."""
    return {path for path in row if path[0] != "returns"}


def check_layout(paths):
    """Of columns: a value where one is expected, and entries that have all of theirs."""
    entries = {}
    for path in paths:
        if len(path) != {"targets": 3, "returns": 3, "profile": 2, "r_cal": 2}.get(path[0], 1):
            raise Broken(f"{'.'.join(path)}: expected another layout")
        entries.setdefault(path[:2], set()).add(path[-1])
    for entry, leaves in entries.items():
        if lacking := sorted(LEAVES.get(entry[0], set()) - leaves):
            raise Broken(f"{'.'.join(entry)}.{lacking[0]} is missing")


def checked_row(line, number, first):
    row = row_numbers(line)
    if not first:
        check_layout(row)
    if row.get(("stage",)) != number - 1:
        raise Broken(f"stage {row.get(('stage',))}, expected {number - 1}")
    if first and without_returns(row) != without_returns(first):
        raise Broken("other figures than in the first row")
    return row


def read_columns(path):
    """metrics.jsonl by column. @raises Broken naming line and what is wrong"""
    rows = []
    lines = path.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
    for number, line in enumerate(lines.split("\n") if lines else [], start=1):
        try:
            rows.append(checked_row(line, number, rows[0] if rows else None))
        except Exception as error:  # whatever it is, the line is at fault
            raise Broken(f"{path.name}:{number}: {told(error)}") from None
    if not rows:
        raise Broken(f"{path.name} has no rows")
    paths = dict.fromkeys(path for row in rows for path in row)
    try:
        check_layout(paths)
    except Broken as error:
        raise Broken(f"{path.name}: {error}") from None
    return {path: np.array([row.get(path, np.nan) for row in rows], dtype=float) for path in paths}


def told(error):
    return str(error) if isinstance(error, Broken) else reason(error)


def read_json(path, shape):
    """A JSON object of some shape."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise Broken(f"no JSON ({error})") from None
    check(value, shape)
    return value


ORIGIN = {"stage": Opt(WHOLE), "digest": Opt(TEXT)}  # which state of the run a file was computed from
FIT = {"episodes": WHOLE, "r_cal": ESTIMATE, "targets": Each({**ESTIMATE, "target": NUMBER})}
SUMMARY = {
    "stages": WHOLE, "seconds": FIGURE, "agent_steps_per_second": FIGURE, "version": TEXT, "commit": TEXT,
    "seed": WHOLE, "r_cal_last_tenth": FIGURE, "digest": Opt(TEXT), "fits": Opt(Each(Opt(FIT))),
    **dict.fromkeys(("r_cal_auc", "stages_to_90", "return_slope", "negative_share", "S1", "Smax"), Opt(FIGURE)),
}
DEVIATION = {"start": TEXT, "value": ESTIMATE, "regret": ESTIMATE, "normalised": FIGURE}
CHECK = {
    "environment": TEXT, "verdict": TEXT, "options": Each(SCALAR), **ORIGIN,
    "deviators": [{"name": TEXT, "value": ESTIMATE, "deviations": [DEVIATION]}],
}
MOVE = {"coordinate": TEXT, "value": NUMBER, "lower": Opt(ESTIMATE), "higher": Opt(ESTIMATE), "pinned": FLAG}
EVALUATION = {
    "episodes": WHOLE, "r_cal": ESTIMATE, "targets": Each(Opt({})), "moves": [MOVE], **ORIGIN,
    "profile_file": Opt(TEXT), "targets_file": Opt(TEXT),
}
TARGET = {"metrics": Opt([TEXT]), "values": Opt([NUMBER]), "scale": Opt(NUMBER), "weight": Opt(NUMBER)}
CONFIG = {
    "env": Opt({"name": Opt(TEXT)}), "policy": Opt({"map": Opt(TEXT)}),
    "calibrator": Opt({"kind": Opt(TEXT), "target": Opt([TARGET])}),
    "train": Opt({"stages": Opt(WHOLE), **dict.fromkeys(("seed", "instances", "threads", "device"), Opt(SCALAR))}),
}


def read_toml(path, shape):
    text = path.read_text(encoding="utf-8")
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Broken(f"no TOML ({error})") from None
    check(value, shape)
    return text, value


def as_number(column, cell):
    """@return NaN where a cell is empty, the text of a column of texts"""
    if column == "seeds":
        return int(cell)
    if not column.endswith(("_mean", "_sd")) and column not in ("difference", "low", "high"):
        return cell
    value = float(cell or "nan")
    if cell and not is_number(value):
        fail(column, cell, NUMBER.words)
    return value


def csv_row(row):
    if None in row or None in row.values():
        raise Broken("another number of cells than in the first line")
    return {column: as_number(column, cell) for column, cell in row.items()}


TABLE = ("experiment", "method", "seeds")
PAIRS = ("experiment", "method", "reference", "figure", "seeds", "difference", "low", "high")


def read_csv(path, required):
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        check(dict.fromkeys(reader.fieldnames or []), dict.fromkeys(required, SCALAR))
        rows = []
        for row in reader:
            try:
                rows.append(csv_row(row))
            except (Broken, ValueError) as error:
                raise Broken(f"{path.name}:{reader.line_num}: {told(error)}") from None
        return rows


def read_checked(path, reader, *arguments):
    """What a reader makes of a file. @raises Broken naming the file, whatever went wrong"""
    try:
        if not path.is_file():  # a pipe would never end
            raise Broken("is a folder; expected a file" if path.is_dir() else "is no regular file")
        return reader(path, *arguments)
    except Exception as error:  # files come from anywhere; those of others must still be drawn
        said = told(error)
        raise Broken(printable(said if said.startswith(path.name) else f"{path.name}: {said}")) from None


def read_file(owner, name, reader, *arguments):
    """The same of a file of `owner` (a run or a study), or None, noted there."""
    path = owner.path / name
    if not is_there(path):
        owner.missing.append(name)
        return None
    try:
        return read_checked(path, reader, *arguments)
    except Broken as error:
        owner.problems.append(str(error))
        return None


def read_run(path):
    run = Run(path)
    run.config_text, run.config = read_file(run, "config.toml", read_toml, CONFIG) or ("", {})
    run.columns = read_file(run, "metrics.jsonl", read_columns) or {}
    run.summary = read_file(run, "summary.json", read_json, SUMMARY)
    run.check = read_file(run, "check.json", read_json, CHECK)
    if is_there(path / "evaluation.json"):  # of `shoal evaluate`, which few runs need
        run.evaluation = read_file(run, "evaluation.json", read_json, EVALUATION)
    if "metrics.jsonl" in run.missing:
        run.problems.append("metrics.jsonl is missing")
    if run.columns and run.summary and run.summary["stages"] != run.stages:
        run.problems.append(f"metrics.jsonl has {run.stages} rows, summary.json says {run.summary['stages']} stages")
        run.columns = {}
    return run


def check_names(file, names, what):
    """They name folders, as shoal study wants them."""
    if not names or len(set(names)) < len(names):
        raise InputError(f"{printable(file)}: [[{what}]]: expected entries, each with a name of its own")
    for name in names:
        if len(name) > 255 or not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", name):
            said = f"name = {printable(json.dumps(name, ensure_ascii=False), 80)}"
            raise InputError(f"{printable(file)}: [[{what}]]: {said}: expected letters, digits, '-', '_' and '.'")


NAMED = Opt([{"name": TEXT}])
PLAN = {"study": Opt({"seeds": Opt([WHOLE]), "reference": Opt(TEXT)}), "experiment": NAMED, "method": NAMED}


def read_plan(path):
    """@return the text of study.toml, names of experiments and methods, the reference first, and seeds"""
    file = path / "study.toml"
    try:
        text, plan = read_checked(file, read_toml, PLAN)
    except Broken as error:
        raise InputError(f"{printable(path)}/{error}") from None
    experiments, methods = ([entry["name"] for entry in plan.get(key, [])] for key in ("experiment", "method"))
    check_names(file, experiments, "experiment")
    check_names(file, methods, "method")
    settings = plan.get("study", {})
    if not settings.get("seeds"):
        raise InputError(f"{printable(file)}: study.seeds: expected a list of seeds")
    reference = settings.get("reference", methods[0])
    if reference not in methods:
        said = f"study.reference = {printable(json.dumps(reference, ensure_ascii=False), 80)}"
        raise InputError(f"{printable(file)}: {said}: expected one of {printable(', '.join(methods))}")
    methods.sort(key=lambda method: method != reference)
    return text, experiments, methods, settings["seeds"]


def read_study(path):
    study = Study(path, *read_plan(path), [])
    study.table = read_file(study, "table.csv", read_csv, TABLE)
    study.pairs = read_file(study, "pairs.csv", read_csv, PAIRS)
    for experiment in study.experiments:
        for method in study.methods:
            for seed in study.seeds:
                place = path / "runs" / experiment / method / f"seed-{seed}"
                finished = is_there(place / "summary.json")
                study.cells.append(Cell(experiment, method, seed, read_run(place) if finished else None))
    return study


def read(path):
    """A Run or a Study, told apart by their files. @raises InputError if it is neither"""
    check_folder(path)
    if is_there(path / "study.toml"):
        return read_study(path)
    if is_there(path / "metrics.jsonl") or is_there(path / "config.toml"):
        return read_run(path)
    expected = "a run directory (with metrics.jsonl) or a study folder (with study.toml)"
    raise InputError(f"{printable(path)}: expected {expected}")


def check_folder(path):
    if not os.path.isdir(path):  # that of pathlib fails for a name that is too long
        what = "no folder" if os.path.lexists(path) else "no such folder"
        raise InputError(f"{printable(path)}: {what}; expected a run directory or a study folder")
