"""The report of a study folder: experiments, each run with several methods and seeds."""
import math

from . import curves, figures, notes, page, run_page
from .terminal import printable


def means_table(rows):
    """table.csv, a column a figure."""
    figures_of = [name.removesuffix("_mean") for name in rows[0] if name.endswith("_mean")] if rows else []
    body = []
    for row in rows:
        spreads = [page.plus_minus(row[f"{name}_mean"], row.get(f"{name}_sd", math.nan)) for name in figures_of]
        body.append([row["experiment"], row["method"], row["seeds"], *spreads])
    return page.table(["experiment", "method", "seeds", *figures_of], body, texts=2)


def pairs_table(rows):
    """pairs.csv, a line an experiment and method."""
    figures_of = list(dict.fromkeys(row["figure"] for row in rows))
    lines = {}
    for row in rows:
        sure = "*" if row["low"] > 0 or row["high"] < 0 else ""
        cell = f"{page.number(row['difference'])}{sure} ({page.interval(row['low'], row['high'])})"
        lines.setdefault((row["experiment"], row["method"]), {})[row["figure"]] = cell
    body = [[*names, *(cells.get(name) for name in figures_of)] for names, cells in lines.items()]
    return page.table(["experiment", "method", *figures_of], body, texts=2)


def comparisons(study, experiment):
    """The methods of an experiment in groups that one figure holds, each group led by the reference."""
    samples = [curves.Sample(m, study.runs(experiment, m), over_seeds=True) for m in study.methods]
    samples = [sample for sample in samples if sample.runs]
    if not samples or samples[0].label != study.methods[0]:
        reference, others = [], samples
    else:
        reference, others = samples[:1], samples[1:]
    size = figures.MOST_SAMPLES - len(reference)
    return [reference + others[k : k + size] for k in range(0, max(1, len(others)), size)] if samples else []


def fit_table(study, experiment, run):
    """Each target against what every method reached in the last tenth, mean and sd over seeds."""
    methods = [m for m in study.methods if study.runs(experiment, m)]
    rows = []
    for name in run.names("targets"):
        path = ("targets", name, "value")
        reached = [page.spread([r.at_end(path) for r in study.runs(experiment, m) if path in r.columns]) for m in methods]
        rows.append([name, run.at_end(("targets", name, "target")), *reached])
    return page.table(["metric", "target", *methods], rows)


def runs_table(study, experiment):
    rows = []
    for cell in study.cells:
        summary = cell.run and cell.run.summary
        if cell.experiment == experiment and summary:
            figures_of = [summary[key] for key in ("stages", "r_cal_last_tenth", "seconds", "agent_steps_per_second")]
            names = [summary["version"], summary["commit"], summary.get("digest"), str(summary["seed"])]
            rows.append([cell.method, *names, *figures_of])
    columns = ["method", "version", "commit", "digest", "seed", "stages", "r_cal, last tenth", "seconds"]
    return page.table([*columns, "agent steps a second"], rows, texts=4)


def verdicts(study, experiment):
    checked = [c for c in study.cells if c.experiment == experiment and c.run and c.run.check]
    if not checked:
        return [page.paragraph("Equilibrium: not checked; `shoal check` writes check.json into a run's folder.", "small")]
    sentences = [f"{c.method}, seed {c.seed}: {verdict(c.run)}" for c in checked]
    return [page.paragraph("Is it an equilibrium?"), page.bullets(sentences)]


def verdict(run):
    stage, digest = run.check.get("stage"), run.check.get("digest")
    made = [f"stage {stage}" if stage is not None else "", f"digest {printable(digest)}" if digest else ""]
    made = ", ".join(filter(None, made))
    stale = printable(run.staleness("check.json", run.check))
    return " ".join(filter(None, [stale, run.check["verdict"], f"({made})" if made else ""]))


def targets_table(study, experiment, run):
    if not run.names("targets"):
        return []
    words = "Means over the last tenth of the stages ± 1 sd over seeds."
    return [fit_table(study, experiment, run), page.paragraph(words, "small")]


def experiment_section(study, experiment, folder):
    def guarded(title, draw, *arguments):
        return notes.guarded(study, f"{experiment}: {title}", draw, *arguments)

    parts = [page.heading(f"Experiment {experiment}")]
    groups = comparisons(study, experiment)
    if not groups:
        return [*parts, page.paragraph("No run that can be drawn.", "problem")]
    run = groups[0][0].runs[0]
    gallery = []
    for k, samples in enumerate(groups, start=1):
        within = f"{experiment}/methods-{k}" if len(groups) > 1 else experiment
        found = run_page.drawn(study, samples, run, folder, within)
        parts += found["rewards"]
        gallery += [image for kind in ("fits", "distributions", "paths") for image in found[kind]]
    parts += guarded("targets", targets_table, study, experiment, run)
    parts += guarded("verdicts", verdicts, study, experiment)
    parts.append(page.gallery(gallery))
    parts += guarded("runs", lambda: [page.folded("Runs", runs_table(study, experiment))])
    return [*parts, *run_page.configuration(run)]


def asked(study):
    finished = sum(cell.run is not None for cell in study.cells)
    words = (
        f"{len(study.experiments)} experiments x {len(study.methods)} methods ({', '.join(study.methods)}) x "
        f"{len(study.seeds)} seeds ({', '.join(map(str, study.seeds))}): {finished} of {len(study.cells)} runs have finished."
    )
    return [page.heading("What was asked"), page.paragraph(words), page.preformatted("study.toml", study.text)]


def means(study):
    if study.table is None:
        return []
    return [page.heading("What came out"), page.paragraph("Mean ± sd over seeds."), means_table(study.table)]


def pairs(study):
    if study.pairs is None:
        return []
    words = f"Method - {study.methods[0]}, paired by seed: mean (95 % interval); * where zero lies outside."
    return [page.heading("Compared seed by seed"), page.paragraph(words), pairs_table(study.pairs)]


def content(study, folder):
    """@param folder  where figures are written, a folder an experiment"""
    parts = []
    for title, draw in {"What was asked": asked, "table.csv": means, "pairs.csv": pairs}.items():
        parts += notes.guarded(study, title, draw, study)
    for experiment in study.experiments:
        parts += notes.guarded(study, f"Experiment {experiment}", experiment_section, study, experiment, folder)
    return notes.section(*notes.of_study(study)) + parts
