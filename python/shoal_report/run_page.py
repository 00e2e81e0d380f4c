"""The report of one run directory."""
from . import curves, figures, notes, page
from .terminal import printable

CAPTIONS = {
    "rewards": "The calibrator's reward and the supertypes' returns, by stage",
    "fits": "What came out and its target, by stage",
    "distributions": "Percentiles as cumulative curves, wanted and simulated",
    "paths": "The mean profile, by stage",
}
PROVENANCE = ("version", "commit", "seed", "stages", "seconds", "agent_steps_per_second")  # keys of summary.json
CRITERIA = {  # the others
    "r_cal_last_tenth": ("fit", "r_cal, mean of the last tenth of the stages"),
    "r_cal_auc": ("fit", "r_cal, mean of all stages (area under its curve)"),
    "stages_to_90": ("fit", "stages after which r_cal stays above 0.9 of its end"),
    "return_slope": ("convergence of rewards", "relative slope of supertype 1's mean return, last fifth of the stages"),
    "negative_share": ("convergence of rewards", "share of the last fifth of the stages in which it is negative"),
    "S1": ("smoothness", "mean step of the mean profile, each coordinate scaled to [0, 1]"),
    "Smax": ("smoothness", "largest such step"),
}


def caption(name):
    kind, _, owner = name.partition("_")
    return CAPTIONS[kind] + (f": {curves.words(owner)}." if owner else ".")


def images(drawn, folder, within=""):
    """Saves figures in a folder within `folder`; returns them as captioned images, by name."""
    return {
        name: page.image(figures.save(figure, folder / within, name), caption(name), f"{within}/{name}".strip("/"))
        for name, figure in drawn.items()
    }


def drawn(owner, samples, run, folder, within=""):
    """{kind: images}; in place of figures that cannot be drawn it is said that they cannot."""

    def of_kind(draw):
        return list(images(draw(samples, run), folder, within).values())

    title = f"{within}: figures of" if within else "figures of"
    return {kind: notes.guarded(owner, f"{title} {kind}", of_kind, draw) for kind, draw in figures.KINDS.items()}


def asked(run):
    if not run.config:
        return []
    env, train, policy = (run.config.get(section, {}) for section in ("env", "train", "policy"))
    calibrator = run.config.get("calibrator")
    rows = [["environment", env.get("name")], ["calibrator", calibrator.get("kind", "es") if calibrator else "none"]]
    rows += [["algorithm", policy["algorithm"]]] if "algorithm" in policy else []
    rows += [["policy", policy["map"]]] if "map" in policy else []
    rows += [[key, str(train[key])] for key in ("stages", "instances", "seed") if key in train]
    parts = [page.heading("What was asked"), page.table(["", "setting"], rows, texts=2)]
    targets = [
        [metric, value, target.get("scale", 1), target.get("weight", 1)]
        for target in (calibrator or {}).get("target") or []
        for metric, value in zip(target.get("metrics", []), target.get("values", []))
    ]
    if targets:
        parts.append(page.table(["metric", "target", "scale", "weight of its entry"], targets))
        parts.append(page.paragraph("A metric that misses its target by the scale earns half its weight.", "small"))
    return parts


def fit_table(run):
    rows = []
    for name in run.names("targets"):
        target, value = run.at_end(("targets", name, "target")), run.at_end(("targets", name, "value"))
        rows.append([name, target, value, page.signed(value - target)])
    return page.table(["metric", "target", "fitted", "error"], rows)


FITS = {"calibrated": "at the end of the calibration", "settled": "after settling"}  # of summary.json


def validated_fits(run):
    """The run's answer, on episodes that training never saw; nothing for a run that was not validated."""
    fits = (run.summary or {}).get("fits") or {}
    fits = {key: fit for key, fit in fits.items() if fit and key in FITS}
    parts = []
    for key, fit in fits.items():
        r_cal, episodes = fit["r_cal"], page.number(fit["episodes"])
        words = f"r_cal {r_cal['mean']:.4f}, 95 % interval {page.interval(r_cal['low'], r_cal['high'])}, {FITS[key]}"
        parts.append(page.paragraph(f"{words}, over {episodes} episodes that training never saw (1 = perfect fit)."))
    if fits:
        rows = [
            [name, t["target"], t["mean"], page.interval(t["low"], t["high"]), page.signed(t["mean"] - t["target"])]
            for name, t in list(fits.values())[-1]["targets"].items()
        ]
        parts.append(page.table(["metric", "target", "fitted", "95 % interval", "error"], rows))
    return parts


def origin(name, stage, digest):
    """Small print: from which state of the run a file was computed."""
    of_stage = "an unknown stage" if stage is None else f"stage {stage}"
    made = f"{name} was made from {of_stage}, {f'digest {printable(digest)}' if digest else 'of no known digest'}."
    return page.paragraph(made, "small")


def derived(run, name, found):
    """The same of a file made after the run, and whether the run is another by now."""
    stale = run.staleness(name, found)
    said = [page.paragraph(printable(stale), "problem")] if stale else []
    return [*said, origin(name, found.get("stage"), found.get("digest"))]


def foreign(evaluation):
    """Whose profile and whose targets evaluation.json is of, where they are not the run's own."""
    profile, targets = evaluation.get("profile_file"), evaluation.get("targets_file")
    said = [f"the profile of {printable(profile)}, not the run's own"] if profile else []
    return said + ([f"the targets of {printable(targets)}, not the run's own"] if targets else [])


def pinned_table(run):
    evaluation = run.evaluation
    if not evaluation or not evaluation["moves"]:
        return []

    def change(move):
        return page.interval(move["low"], move["high"]) if move else "-"

    rows = [
        [move["coordinate"], move["value"], change(move.get("lower")), change(move.get("higher")), move["pinned"]]
        for move in evaluation["moves"]
    ]
    columns = ["coordinate", "value", "r_cal, 0.1 lower", "r_cal, 0.1 higher", "pinned down"]
    words = (
        "What r_cal changes by, 95 % interval, when one coordinate moves by a tenth of its bounds. The targets pin a "
        "coordinate down if r_cal falls whichever way it moves. Others may take other values with as good a fit."
    )
    others = foreign(evaluation)
    title = "Which coordinates do other targets, or those of another profile, pin down?"
    parts = [page.heading(title if others else "Which coordinates do the targets pin down?")]
    parts += [page.paragraph(f"evaluation.json is of {' and of '.join(others)}.", "problem")] if others else []
    parts += derived(run, "evaluation.json", evaluation)
    return parts + [page.paragraph(words, "small"), page.table(columns, rows)]


def result(run):
    parts = [page.heading("What came out"), *validated_fits(run)]
    if len(parts) > 1 or not run.columns:
        return parts if len(parts) > 1 else []
    if ("r_cal", "mean") in run.columns:
        end, start = run.at_end(("r_cal", "mean")), run.at_start(("r_cal", "mean"))
        parts.append(page.paragraph(f"r_cal {end:.4f} (1 = perfect fit; {start:.4f} in the first stage)."))
    if run.names("targets"):
        parts.append(fit_table(run))
    words = f"Means over the last {run.last_stages} of {run.stages} stages."
    return parts + [page.paragraph(words, "small")]


def criteria(run):
    summary = run.summary
    if not summary:
        return []
    rows = [[criterion, key, meaning, summary.get(key)] for key, (criterion, meaning) in CRITERIA.items()]
    made = origin("summary.json", summary["stages"], summary.get("digest"))
    figures_of = page.table(["criterion", "figure", "meaning", "value"], rows, texts=3)
    return [page.heading("The three criteria"), figures_of, made]


def verdict(run):
    parts, check = [page.heading("Is it an equilibrium?")], run.check
    if not check:
        unchecked = "Not checked: `shoal check` writes check.json."
        return [*parts, page.paragraph(unchecked if "check.json" in run.missing else "check.json cannot be read.")]
    rows = []
    for who in check["deviators"]:
        for deviation in who["deviations"]:
            regret = deviation["regret"]
            values = [who["value"]["mean"], deviation["value"]["mean"], regret["mean"]]
            interval = page.interval(regret["low"], regret["high"])
            rows.append([who["name"], deviation["start"], *values, interval, deviation["normalised"]])
    columns = ["who deviates", "from", "value", "value of deviating", "regret", "95 % interval", "normalised"]
    settings = ", ".join(f"{key} {page.number(value)}" for key, value in check["options"].items())
    words = (
        f"Environment {check['environment']}; {settings}. "
        "A trained deviation's regret is a lower bound of the true one: a stronger deviation may exist."
    )
    parts += [*derived(run, "check.json", check), page.paragraph(check["verdict"], "verdict")]
    return parts + [page.table(columns, rows, texts=2), page.paragraph(words, "small")]


def profile_table(run):
    rows = [[name, run.at_start(("profile", name)), run.at_end(("profile", name))] for name in run.names("profile")]
    return page.table(["coordinate", "first stage", f"last {run.last_stages} stages"], rows)


def provenance(run):
    train = run.config.get("train", {})
    rows = [[key, str(train[key])] for key in ("device", "threads", "instances") if key in train]
    if run.summary:
        rows = [[curves.words(key), as_name(key, run.summary[key])] for key in PROVENANCE] + rows
    return [page.heading("How it ran"), page.table(["", "value"], rows, texts=2)]


def as_name(key, value):
    """Seeds and the like are names, not quantities."""
    return str(value) if key in ("version", "commit", "seed") else page.number(value)


def unfinished(run):
    stages = run.config.get("train", {}).get("stages", run.stages)
    if run.summary or not run.columns or run.stages >= stages:
        return []
    return [page.paragraph(f"The run has not finished: {run.stages} of {stages} stages.", "problem")]


def fit(run, found):
    return [page.heading("Fit"), *found["fits"], *found["distributions"]] if run.names("targets") else []


def profile(run, found):
    if not run.names("profile"):
        return []
    return [page.heading("Profile"), *found["paths"], page.folded("Profile as a table", profile_table(run))]


def content(run, folder):
    """@param folder  where figures are written"""
    found = {}
    if run.columns:
        found = drawn(run, [curves.Sample("mean over instances", [run], over_seeds=False)], run, folder)
    sections = {
        "What was asked": asked,
        "What is to come": unfinished,
        "What came out": result,
        "The three criteria": criteria,
        "Rewards": lambda run: [page.heading("Rewards"), *found["rewards"]] if found else [],
        "Fit": lambda run: fit(run, found),
        "Profile": lambda run: profile(run, found),
        "Which coordinates do the targets pin down?": pinned_table,
        "Is it an equilibrium?": verdict,
        "How it ran": provenance,
        "Configuration": configuration,
    }
    parts = [part for title, draw in sections.items() for part in notes.guarded(run, title, draw, run)]
    return notes.section(*notes.of_run(run)) + parts


def configuration(run):
    title = f"Configuration ({printable(run.path / 'config.toml')})"
    return [page.preformatted(title, run.config_text)] if run.config_text else []
