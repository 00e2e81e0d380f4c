"""Reads run directories and study folders: what `shoal train`, `shoal check` and `shoal study` left there, and nothing else.

What is absent or broken is no exception but a line of text that the report repeats: `missing` where a file was never written,
`problem` where it cannot be drawn from.
"""
import csv
import dataclasses
import json
import math
import pathlib

import numpy as np

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib


class InputError(Exception):
    """What the user gave cannot be read at all."""


class Broken(Exception):
    """A file that is there does not hold what it should."""


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
        """What to say of a file that was computed from an earlier stage of the run; empty: it is of the last one."""
        stage = found.get("stage")
        if not self.stages or stage in (None, self.stages):
            return ""
        return f"{name} is of stage {stage} of {self.stages}: the run has gone on since."

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
        return [c.run for c in self.cells if (c.experiment, c.method) == (experiment, method) and c.run and c.run.columns]


def numbers(value, path, unknown=False):
    """The leaves of a JSON value as {path: number}. @param unknown  whether a null may stand for one"""
    if isinstance(value, dict):
        return {leaf: x for key, item in value.items() for leaf, x in numbers(item, (*path, key), unknown).items()}
    if value is None and unknown:
        return {path: np.nan}
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Broken(f"{'.'.join(path)} = {json.dumps(value)}, expected a finite number")
    return {path: value}


SECTIONS = ("stage", "seconds", "agent_steps_per_second", "targets", "returns", "profile")  # of a row, that reports use


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


def read_columns(path):
    """metrics.jsonl by column. @raises Broken naming line and what is wrong"""
    rows = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        try:
            row = row_numbers(line)
            if row["stage",] != len(rows):
                raise Broken(f"stage {row['stage',]}, expected {len(rows)}")
            if rows and without_returns(row) != without_returns(rows[0]):
                raise Broken("other figures than in the first row")
        except Broken as error:
            raise Broken(f"{path.name}:{number}: {error}") from None
        rows.append(row)
    if not rows:
        raise Broken(f"{path.name} has no rows")
    paths = dict.fromkeys(path for row in rows for path in row)
    return {path: np.array([row.get(path, np.nan) for row in rows]) for path in paths}


def require(value, keys, name):
    if not isinstance(value, dict):
        raise Broken(f"{name}: expected a JSON object")
    for key in keys:
        if key not in value:
            raise Broken(f"{name}: {key} is missing")


def read_json(path, keys):
    """A JSON object that has some keys."""
    try:
        value = json.loads(path.read_text())
    except ValueError as error:
        raise Broken(f"{path.name}: no JSON ({error})") from None
    require(value, keys, path.name)
    return value


def read_summary(path):
    return read_json(path, ["stages", "seconds", "agent_steps_per_second", "version", "commit", "seed", "r_cal_last_tenth"])


def read_check(path):
    check = read_json(path, ["environment", "verdict", "options", "deviators"])
    for number, who in enumerate(check["deviators"], start=1):
        require(who, ["name", "value", "deviations"], f"{path.name}: deviators[{number}]")
        for deviation in who["deviations"]:
            require(deviation, ["start", "value", "regret", "normalised"], f"{path.name}: deviators[{number}].deviations")
    return check


def read_evaluation(path):
    evaluation = read_json(path, ["episodes", "r_cal", "targets", "moves"])
    for number, move in enumerate(evaluation["moves"], start=1):
        require(move, ["coordinate", "value", "lower", "higher", "pinned"], f"{path.name}: moves[{number}]")
    return evaluation


def read_toml(path):
    try:
        text = path.read_text()
        return text, tomllib.loads(text)
    except ValueError as error:  # of decoding and of TOML
        raise Broken(f"{path.name}: no TOML ({error})") from None


def is_number(column):
    return column.endswith(("_mean", "_sd")) or column in ("difference", "low", "high")


def csv_row(row):
    """With numbers for texts, NaN where a cell is empty."""
    if None in row or None in row.values():
        raise Broken("another number of cells than in the first line")
    return {column: float(cell or "nan") if is_number(column) else cell for column, cell in row.items()}


def read_csv(path, required):
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        require(dict.fromkeys(reader.fieldnames or []), required, path.name)
        rows = []
        for row in reader:
            try:
                rows.append(csv_row(row))
            except (Broken, ValueError) as error:
                raise Broken(f"{path.name}:{reader.line_num}: {error}") from None
        return rows


def read_file(owner, name, reader, *arguments):
    """What a reader makes of a file of `owner` (a run or a study), or None, noted there."""
    path = owner.path / name
    if not path.is_file():
        owner.missing.append(name)
        return None
    try:
        return reader(path, *arguments)
    except (Broken, OSError) as error:
        owner.problems.append(str(error))
        return None


def read_run(path):
    run = Run(path)
    run.config_text, run.config = read_file(run, "config.toml", read_toml) or ("", {})
    run.columns = read_file(run, "metrics.jsonl", read_columns) or {}
    run.summary = read_file(run, "summary.json", read_summary)
    run.check = read_file(run, "check.json", read_check)
    if (path / "evaluation.json").is_file():  # of `shoal evaluate`, which few runs need
        run.evaluation = read_file(run, "evaluation.json", read_evaluation)
    if "metrics.jsonl" in run.missing:
        run.problems.append("metrics.jsonl is missing")
    if run.columns and run.summary and run.summary["stages"] != run.stages:
        run.problems.append(f"metrics.jsonl has {run.stages} rows, summary.json says {run.summary['stages']} stages")
        run.columns = {}
    return run


def unique_names(path, tables, what):
    names = [str(table.get("name", "")) for table in tables]
    if not names or "" in names or len(set(names)) < len(names):
        raise InputError(f"{path}: [[{what}]]: expected entries, each with a name of its own")
    return names


def read_study(path):
    file = path / "study.toml"
    try:
        text, plan = read_toml(file)
    except Broken as error:
        raise InputError(f"{path}/{error}") from None
    experiments = unique_names(file, plan.get("experiment", []), "experiment")
    methods = unique_names(file, plan.get("method", []), "method")
    settings = plan.get("study", {})
    if not settings.get("seeds"):
        raise InputError(f"{file}: study.seeds: expected a list of seeds")
    reference = settings.get("reference", methods[0])
    if reference not in methods:
        raise InputError(f"{file}: study.reference = {reference!r}: expected one of {', '.join(methods)}")
    methods.sort(key=lambda method: method != reference)
    study = Study(path, text, experiments, methods, settings["seeds"], [])
    study.table = read_file(study, "table.csv", read_csv, ["experiment", "method", "seeds"])
    study.pairs = read_file(
        study, "pairs.csv", read_csv, ["experiment", "method", "reference", "figure", "seeds", "difference", "low", "high"]
    )
    for experiment in experiments:
        for method in methods:
            for seed in study.seeds:
                place = path / "runs" / experiment / method / f"seed-{seed}"
                finished = (place / "summary.json").is_file()
                study.cells.append(Cell(experiment, method, seed, read_run(place) if finished else None))
    return study


def read(path):
    """A Run or a Study, told apart by their files. @raises InputError if it is neither"""
    if (path / "study.toml").is_file():
        return read_study(path)
    if (path / "metrics.jsonl").is_file() or (path / "config.toml").is_file():
        return read_run(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected a run directory or a study folder")
    raise InputError(f"{path}: expected a run directory (with metrics.jsonl) or a study folder (with study.toml)")
