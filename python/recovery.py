#!/usr/bin/env python3
"""Calibrates to targets that a hidden profile made, and tells how much of its fit and of the profile itself comes back.

    python/recovery.py CONFIG.toml --out DIR [--seeds 1-20] [--jobs N] [--shoal PROGRAM] [--settle-stages N]
                       [--set section.key=value ...]

What a seed goes through and what DIR holds: experiments/recovery/README.md. The same command again goes on where
it ended.
Exit codes: 0, 1 a seed failed, 2 bad input, 130 interrupted.
"""
import argparse
import asyncio
import collections
import csv
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

try:
    import tomllib
except ImportError:  # before Python 3.11
    import tomli as tomllib

from shoal_report.terminal import printable, say

ROOT = pathlib.Path(__file__).resolve().parent.parent
NEAR = 0.03  # of the ceiling: r_cal lost
CHANCE = 1 / 3  # mean distance of two uniform draws, in units of the bounds

Coordinate = collections.namedtuple("Coordinate", "supertype name low high")


class BadInput(Exception):
    """Nothing can run: exit code 2."""


class Failed(Exception):
    """A seed cannot go on."""


# ---- files ----------------------------------------------------------------------------------------------------------


def write(path, text):
    """Written aside, then renamed: a file that exists is whole."""
    aside = path.with_name(path.name + ".new")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def write_csv(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def toml_table(heading, values):
    # JSON writes booleans, numbers, strings and lists as TOML does.
    rows = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([heading, *rows]) + "\n"


def to_toml(config):
    """A configuration: sections, and [[calibrator.target]] entries after [calibrator]."""
    parts = []
    for name, section in config.items():
        parts.append(toml_table(f"[{name}]", {key: value for key, value in section.items() if key != "target"}))
        parts += [toml_table("[[calibrator.target]]", target) for target in section.get("target", [])]
    return "\n".join(parts)


# ---- configuration --------------------------------------------------------------------------------------------------


def read_config(path):
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no text
        raise BadInput(f"{path}: {error}") from error


def apply_setting(config, text):
    """As of shoal train --set: a value that is no TOML stands for itself."""
    name, equals, value = (part.strip() for part in text.partition("="))
    section, dot, key = name.partition(".")
    if not (equals and section and dot and key) or name == "calibrator.target":
        raise BadInput(f"--set {text}: expected section.key=value")
    try:
        value = tomllib.loads(f"value = {value}")["value"]
    except ValueError:
        pass
    config.setdefault(section, {})[key] = value


def apply_settle_stages(config, stages):
    all_stages = config.get("train", {}).get("stages")
    if not isinstance(all_stages, int) or not 0 <= stages <= 0.9 * all_stages:
        raise BadInput(f"--settle-stages {stages}: expected 0 to 0.9 of the file's train.stages, {all_stages}")
    config.setdefault("settling", {})["share"] = stages / all_stages


def check_config(config, path):
    if not all(isinstance(section, dict) for section in config.values()):
        raise BadInput(f"{path}: expected sections only")
    if not isinstance(config.get("env", {}).get("name"), str):
        raise BadInput(f"{path}: env.name is missing")
    targets = config.get("calibrator", {}).get("target")
    if not isinstance(targets, list) or not all(isinstance(t, dict) and t.get("metrics") for t in targets):
        raise BadInput(f"{path}: expected [calibrator] and [[calibrator.target]] entries with metrics")
    try:
        to_toml(config)
    except TypeError as error:
        raise BadInput(f"{path}: {error}") from error


def hidden_config(config):
    """Trains under the hidden profile. The targets are placeholders: their fit may neither choose nor end anything."""
    calibrator = {"kind": "fixed", "profile_file": "hidden.toml", "target": config["calibrator"]["target"]}
    validation = {"every": 10**9, "episodes": 2, "patience": 0, "final_episodes": 2}
    return {**config, "calibrator": calibrator, "validation": validation}


def calibration_config(config, metrics):
    """The targets are the means that the hidden profile came to. A solution in the file is one of other targets."""
    calibrator = {k: v for k, v in config["calibrator"].items() if k not in ("profile", "profile_file")}
    calibrator["target"] = [
        {**target, "values": [metrics[name]["mean"] for name in target["metrics"]]} for target in calibrator["target"]]
    return {**config, "calibrator": calibrator}


# ---- profiles -------------------------------------------------------------------------------------------------------


def expanded(names):
    """'link_1 to link_10, tolerance' as single names."""
    result = []
    for part in names.split(", "):
        numbered = re.fullmatch(r"(\w*?)(\d+) to \1(\d+)", part)
        first_to_last = range(int(numbered[2]), int(numbered[3]) + 1) if numbered else []
        result += [f"{numbered[1]}{i}" for i in first_to_last] or [part]
    return result


def parse_coordinates(listing):
    """What `shoal list ENV` tells about the supertypes, in order."""
    facts = listing.partition("With these defaults:\n")[2].partition("\n\n")[0]
    rows = re.sub(r"\n {3,}", " ", facts).splitlines()  # long rows go on in indented ones
    coordinates = []
    for row in rows:
        supertype = re.match(r"\s*(\S+)\s+\d+ agents?: (.*)", row)
        for part in supertype[2].split("; ") if supertype else []:
            bounds = re.fullmatch(r"(.+) in \[(\S+), (\S+)\] from \S+\s*", part)
            if bounds:
                low, high = float(bounds[2]), float(bounds[3])
                coordinates += [Coordinate(supertype[1], name, low, high) for name in expanded(bounds[1])]
    return coordinates


def list_coordinates(shoal, environment):
    try:
        listing = subprocess.run([shoal, "list", environment], capture_output=True, text=True, check=True).stdout
    except OSError as error:
        raise BadInput(f"--shoal {shoal}: cannot be run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise BadInput(error.stderr.strip() or f"{shoal} list {environment}: exit code {error.returncode}") from error
    coordinates = parse_coordinates(listing)
    if not coordinates:
        raise BadInput(f"{shoal} list {environment}: no supertype with coordinates; there is nothing to calibrate")
    return coordinates


def draw_profile(coordinates, seed):
    draws = random.Random(seed)
    return {f"{c.supertype}.{c.name}": draws.uniform(c.low, c.high) for c in coordinates}


def profile_toml(environment, coordinates, profile):
    supertypes = {}
    for c in coordinates:
        supertypes.setdefault(c.supertype, {})[c.name] = profile[f"{c.supertype}.{c.name}"]
    return "\n".join([f'environment = "{environment}"\n', *(toml_table(f"[{s}]", t) for s, t in supertypes.items())])


# ---- a seed ---------------------------------------------------------------------------------------------------------


def last_line(path):
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


class Seed:
    """Takes one seed through all steps. A step is done when its file exists, and is not repeated."""

    steps = 5

    def __init__(self, recovery, seed):
        self.recovery, self.seed = recovery, seed
        self.folder = recovery.out / f"seed-{seed}"
        self.hidden, self.run, self.log = self.folder / "hidden", self.folder / "run", self.folder / "log.txt"
        self.done = 0

    async def go(self):
        r, folder = self.recovery, self.folder
        folder.mkdir(parents=True, exist_ok=True)
        profile = draw_profile(r.coordinates, self.seed)
        write(folder / "hidden.toml", profile_toml(r.config["env"]["name"], r.coordinates, profile))
        write(folder / "hidden_run.toml", to_toml(hidden_config(r.config)))
        await self.train("hidden training", folder / "hidden_run.toml", self.hidden)
        await self.evaluate("targets", self.hidden, "targets.json", "--episodes", "4096", "--seed", "11")
        targets = read_json(folder / "targets.json")["metrics"]
        calibrate = folder / "calibrate.toml"
        write(calibrate, to_toml(calibration_config(r.config, targets)))
        await self.evaluate(
            "ceiling", self.hidden, "ceiling.json", "--targets", calibrate, "--episodes", "4096", "--seed", "12")
        await self.train("calibration", calibrate, self.run)
        await self.evaluate("coordinates", self.run, "coordinates.json", "--coordinates", "--episodes", "1024")

    async def train(self, what, config, run):
        summary, begun = run / "summary.json", (run / "config.toml").exists()
        if not begun and not summary.exists():  # killed at once, a start leaves an empty folder
            shutil.rmtree(run, ignore_errors=True)
        arguments = ["--resume", run] if begun else [config, "--out", run, "--seed", self.seed]
        await self.step(what, summary, "train", *arguments)

    async def evaluate(self, what, run, result, *arguments):
        """The program writes evaluation.json into the run, where the next evaluation replaces it: a copy stays."""
        await self.step(what, self.folder / result, "evaluate", run, *arguments, copied=run / "evaluation.json")

    async def step(self, what, result, *arguments, copied=None):
        if result.exists():
            self.done += 1
            return
        start = time.monotonic()
        await self.call(what, *arguments, "--threads", "1")
        if copied:
            write(result, copied.read_text(encoding="utf-8"))
        if not result.exists():
            raise Failed(f"{what}: {result} was not written; see {self.log}")
        self.done += 1
        seconds = round(time.monotonic() - start)
        self.recovery.tell(f"seed {self.seed}: {what} done, {seconds // 60}:{seconds % 60:02}")

    async def call(self, what, *arguments):
        command = [self.recovery.shoal, *map(str, arguments)]
        with open(self.log, "a", encoding="utf-8") as log:
            print("$", *command, file=log, flush=True)
            # A group of its own: a terminal's Ctrl-C would reach it beside our signal, and a second one kills unsaved.
            process = await asyncio.create_subprocess_exec(
                *command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                if process.returncode is None:
                    process.send_signal(signal.SIGINT)  # a run saves and ends
                    await process.wait()
                raise
        if code != 0:
            raise Failed(f"{what} failed, exit code {code}: {last_line(self.log)}; see {self.log}")


class Recovery:
    """All seeds, several at once."""

    def __init__(self, options, config, coordinates):
        self.out, self.shoal, self.config, self.coordinates = options.out, options.shoal, config, coordinates
        self.jobs = options.jobs
        self.seeds = [Seed(self, seed) for seed in options.seeds]

    def tell(self, text):
        done = sum(seed.done for seed in self.seeds)
        say(f"{done}/{len(self.seeds) * Seed.steps}  {text}")

    async def go(self):
        """@return whether no seed failed"""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        slots = asyncio.Semaphore(self.jobs)
        return all(await asyncio.gather(*(self.guarded(seed, slots) for seed in self.seeds)))

    async def guarded(self, seed, slots):
        async with slots:
            try:
                await seed.go()
            except Failed as failure:
                self.tell(f"seed {seed.seed}: {failure}")
                return False
            except Exception as error:  # whatever happens to a seed, the others go on
                self.tell(f"seed {seed.seed}: {type(error).__name__}: {error}")
                return False
            return True


# ---- report ---------------------------------------------------------------------------------------------------------


def finished_folders(out):
    folders = [path.parent for path in out.glob("seed-*/coordinates.json")]
    return sorted(folders, key=lambda folder: int(folder.name.partition("-")[2]))


def fit_row(folder):
    """What a seed came to; distances are what is missing to the ceiling."""
    summary = read_json(folder / "run" / "summary.json")
    row = {"seed": int(folder.name.partition("-")[2])}
    row["ceiling"] = read_json(folder / "ceiling.json")["r_cal"]["mean"]
    stages = ("first", "calibrated", "settled")
    row.update({name: summary[f"r_cal_{name}"] for name in stages})
    for name in stages:  # a run without settling has no fit after it
        row[f"{name}_distance"] = None if row[name] is None else row["ceiling"] - row[name]
    return row


def coordinate_rows(folder, coordinates):
    hidden = tomllib.loads((folder / "hidden.toml").read_text(encoding="utf-8"))
    with open(folder / "run" / "metrics.jsonl", encoding="utf-8") as metrics:
        first = json.loads(metrics.readline())["profile"]
    moves = {move["coordinate"]: move for move in read_json(folder / "coordinates.json")["moves"]}
    rows = []
    for c in coordinates:
        name = f"{c.supertype}.{c.name}"
        rows.append({
            "seed": int(folder.name.partition("-")[2]), "coordinate": name, "low": c.low, "high": c.high,
            "hidden": hidden[c.supertype][c.name], "first": first[name], "found": moves[name]["value"],
            "pinned": "yes" if moves[name]["pinned"] else "no"})
    return rows


def number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}f}"


def mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def fit_text(rows):
    keys = list(rows[0])[1:]
    names = ["ceiling", "first", "calibrated", "settled"]
    head = ["seed", *names, *(f"{name}, missing" for name in names[1:])]
    body = [[row["seed"], *(number(row[key]) for key in keys)] for row in rows]
    body.append(["mean", *(number(mean(row[key] for row in rows)) for key in keys)])
    near = [
        f"{sum(row[f'{name}_distance'] <= NEAR for row in rows if row[name] is not None)} {name}"
        for name in ("first", "calibrated", "settled")]
    return (
        "r_cal. Ceiling: the hidden profile itself, on other episodes than those that made the targets. First:\n"
        "the calibration's first stage. Missing: ceiling less r_cal; below 0 the fit beats the hidden profile's.\n\n"
        + table(head, body) + f"\nSeeds within {NEAR} of the ceiling, of {len(rows)}: {', '.join(near)}.\n")


def errors_of(rows):
    """Mean distances of the found and of the first value from the hidden one, in units of the bounds."""
    return [
        number(mean(abs(row[which] - row["hidden"]) / (row["high"] - row["low"]) for row in rows))
        for which in ("found", "first")]


def coordinates_text(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row["coordinate"], []).append(row)
    body = []
    for name, group in [*groups.items(), ("all", rows)]:
        pinned = [row for row in group if row["pinned"] == "yes"]
        others = [row for row in group if row["pinned"] == "no"]
        body.append([name, f"{len(pinned)} of {len(group)}", *errors_of(pinned), *errors_of(others)])
    head = ["coordinate", "pinned", "found, pinned", "first, pinned", "found, not pinned", "first, not pinned"]
    return (
        "Pinned: r_cal falls whichever way the coordinate moves by a tenth of its bounds, the others held. Found:\n"
        "mean distance of the found value from the hidden one, in units of the bounds. First: the same of the mean\n"
        "profile in the first stage, which is what staying at the start would give.\n"
        f"Two uniform draws are {CHANCE:.3f} apart in the mean.\n\n"
        + table(head, body))


def report(out, coordinates, title):
    """Of all seeds in the folder that have gone through all steps, also earlier ones."""
    folders = finished_folders(out)
    if not folders:
        return
    fits = [fit_row(folder) for folder in folders]
    found = [row for folder in folders for row in coordinate_rows(folder, coordinates)]
    write_csv(out / "recovery.csv", fits)
    write_csv(out / "coordinates.csv", found)
    text = f"# Recovery: {title}\n\n## Fit\n\n{fit_text(fits)}\n## Coordinates\n\n{coordinates_text(found)}"
    write(out / "recovery.md", text)
    say(out / "recovery.md", sys.stdout)


# ---- command line ---------------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    def error(self, message):  # one line, as of shoal
        say(f"recovery.py: {printable(message)}; see recovery.py --help")
        sys.exit(2)


def seed_list(text):
    parts = [re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part) for part in text.split(",")]
    seeds = [seed for part in parts if part for seed in range(int(part[1]), int(part[2] or part[1]) + 1)]
    if not all(parts) or not seeds or len(set(seeds)) < len(seeds):
        raise argparse.ArgumentTypeError(f"{text}: expected different seeds, such as 1-20 or 1,3,5-7")
    return seeds


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text}: expected a positive integer")
    return int(text)


def parse_arguments():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("config", metavar="CONFIG.toml", type=pathlib.Path, help="its targets' values are placeholders")
    parser.add_argument("--out", metavar="DIR", type=pathlib.Path, required=True, help="new, or to go on with")
    parser.add_argument("--seeds", type=seed_list, default=seed_list("1-20"), help="default: 1-20")
    parser.add_argument("--jobs", metavar="N", type=positive, default=len(os.sched_getaffinity(0)),
                        help="seeds at once; default: one a core")
    parser.add_argument("--shoal", metavar="PROGRAM", default=str(ROOT / "build/release/shoal"),
                        help="default: build/release/shoal")
    parser.add_argument("--settle-stages", metavar="N", type=int,
                        help="of train.stages, the last ones of the calibration, in which the profile rests")
    parser.add_argument("--set", metavar="section.key=value", nargs="+", action="extend", default=[],
                        help="as of shoal train; calibrator, validation, settling: of the calibration only")
    return parser.parse_args()


def prepare(options):
    config = read_config(options.config)
    check_config(config, options.config)
    for text in options.set:
        apply_setting(config, text)
    if options.settle_stages is not None:
        apply_settle_stages(config, options.settle_stages)
    check_config(config, options.config)
    coordinates = list_coordinates(options.shoal, config["env"]["name"])
    kept, text = options.out / "config.toml", to_toml(config)
    if kept.exists() and kept.read_text(encoding="utf-8") != text:
        raise BadInput(f"{kept}: begun with another configuration; choose another --out")
    options.out.mkdir(parents=True, exist_ok=True)
    write(kept, text)
    return Recovery(options, config, coordinates)


def main():
    options = parse_arguments()
    try:
        recovery = prepare(options)
    except (BadInput, OSError) as error:
        say(f"recovery.py: {error}")
        sys.exit(2)
    try:
        whole = asyncio.run(recovery.go())
    except (asyncio.CancelledError, KeyboardInterrupt):
        print("recovery.py: interrupted; the same command goes on", file=sys.stderr)
        sys.exit(130)
    report(options.out, recovery.coordinates, options.config.stem)
    sys.exit(0 if whole else 1)


main()
