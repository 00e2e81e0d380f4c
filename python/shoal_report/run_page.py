"""The report of one run directory."""
from . import curves, figures, notes, page

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


def of_kind(found, kind):
    return [image for name, image in found.items() if name.partition("_")[0] == kind]


def asked(run):
    env, train, policy = (run.config.get(section, {}) for section in ("env", "train", "policy"))
    calibrator = run.config.get("calibrator")
    rows = [["environment", env.get("name")], ["calibrator", calibrator.get("kind", "es") if calibrator else "none"]]
    rows += [["policy", policy["map"]]] if "map" in policy else []
    rows += [[key, str(train[key])] for key in ("stages", "instances", "seed") if key in train]
    parts = [page.heading("What was asked"), page.table(["", "setting"], rows, texts=2)]
    targets = [
        [metric, value, target.get("scale", 1), target.get("weight", 1)]
        for target in (calibrator or {}).get("target", [])
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
    fits = {key: fit for key, fit in (run.summary or {}).get("fits", {}).items() if fit and key in FITS}
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


def pinned_table(evaluation, stale):
    def change(move):
        return page.interval(move["low"], move["high"]) if move else "-"

    rows = [
        [move["coordinate"], move["value"], change(move["lower"]), change(move["higher"]), "yes" if move["pinned"] else "no"]
        for move in evaluation["moves"]
    ]
    columns = ["coordinate", "value", "r_cal, 0.1 lower", "r_cal, 0.1 higher", "pinned down"]
    words = (
        "What r_cal changes by, 95 % interval, when one coordinate moves by a tenth of its bounds. The targets pin a "
        "coordinate down if r_cal falls whichever way it moves. Others may take other values with as good a fit."
    )
    stale = [page.paragraph(stale, "problem")] if stale else []
    return stale + [page.paragraph(words, "small"), page.table(columns, rows)]


def result(run):
    parts = [page.heading("What came out"), *validated_fits(run)]
    if len(parts) > 1:
        return parts
    if ("r_cal", "mean") in run.columns:
        end, start = run.at_end(("r_cal", "mean")), run.at_start(("r_cal", "mean"))
        parts.append(page.paragraph(f"r_cal {end:.4f} (1 = perfect fit; {start:.4f} in the first stage)."))
    if run.names("targets"):
        parts.append(fit_table(run))
    words = f"Means over the last {run.last_stages} of {run.stages} stages."
    return parts + [page.paragraph(words, "small")]


def criteria(summary):
    rows = [[criterion, key, meaning, summary.get(key)] for key, (criterion, meaning) in CRITERIA.items()]
    return page.table(["criterion", "figure", "meaning", "value"], rows, texts=3)


def verdict(check, stale):
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
    stale = [page.paragraph(stale, "problem")] if stale else []
    return stale + [page.paragraph(check["verdict"], "verdict"), page.table(columns, rows, texts=2), page.paragraph(words, "small")]


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


def content(run, folder):
    """@param folder  where figures are written"""
    parts = notes.section(*notes.of_run(run)) + asked(run)
    if not run.columns:
        return parts + configuration(run)
    asked_stages = run.config.get("train", {}).get("stages", run.stages)
    if run.stages < asked_stages and not run.summary:
        parts.append(page.paragraph(f"The run has not finished: {run.stages} of {asked_stages} stages.", "problem"))
    found = images(figures.all_of([curves.Sample("mean over instances", [run], over_seeds=False)], run), folder)
    parts += result(run)
    if run.summary:
        parts += [page.heading("The three criteria"), criteria(run.summary)]
    parts += [page.heading("Rewards"), *of_kind(found, "rewards")]
    if run.names("targets"):
        parts += [page.heading("Fit"), *of_kind(found, "fits"), *of_kind(found, "distributions")]
    if run.names("profile"):
        parts += [page.heading("Profile"), *of_kind(found, "paths"), page.folded("Profile as a table", profile_table(run))]
    if run.evaluation and run.evaluation["moves"]:
        parts += [page.heading("Which coordinates do the targets pin down?"), *pinned_table(run.evaluation, run.staleness("evaluation.json", run.evaluation))]
    parts += [page.heading("Is it an equilibrium?")]
    parts += verdict(run.check, run.staleness("check.json", run.check)) if run.check else [page.paragraph("Not checked: `shoal check` writes check.json.")]
    return parts + provenance(run) + configuration(run)


def configuration(run):
    return [page.preformatted(f"Configuration ({run.path / 'config.toml'})", run.config_text)] if run.config_text else []
