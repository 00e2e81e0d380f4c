"""Draws how a run went: the calibrator's reward, the fits, the supertypes' returns and the profile, from its metrics.jsonl.

    python python/plot_run.py RUN_DIR [--reachable R_CAL] [--out FILE.png]
"""
import argparse
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

# Okabe and Ito's colours, told apart by the colour-blind; line styles tell them apart in print.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]


def read(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    if not rows:
        raise SystemExit(f"{run}/metrics.jsonl has no rows")
    return rows


def smooth(values, window):
    """Mean over a trailing window, shorter at the beginning."""
    total = np.cumsum(np.concatenate([[0.0], values]))
    index = np.arange(1, len(values) + 1)
    first = np.maximum(index - window, 0)
    return (total[index] - total[first]) / (index - first)


def draw_reward(axes, rows, stages, window, reachable):
    mean = np.array([row["r_cal_mean"] for row in rows])
    sd = np.array([row["r_cal_sd"] for row in rows])
    axes.fill_between(stages, smooth(mean - sd, window), smooth(mean + sd, window), color=COLOURS[0], alpha=0.2, lw=0, label="± 1 sd over particles")
    axes.plot(stages, smooth(mean, window), color=COLOURS[0], label="mean")
    if reachable:
        axes.axhline(reachable, color=COLOURS[1], ls="--", label="reachable by direct simulation")
    axes.set(title="Calibrator reward (1 = perfect fit)", ylabel="r_cal", ylim=(None, 1))


def draw_errors(axes, rows, stages, window):
    """Absolute misses; percentiles of one supertype are averaged, so that a dozen targets stay legible."""
    groups = {}
    for name in rows[0]["targets"]:
        supertype, _, metric = name.partition(".")
        groups.setdefault(f"{supertype} {metric.split('_p')[0]}", []).append(name)
    for k, (label, names) in enumerate(groups.items()):
        miss = np.array([np.mean([abs(row["targets"][n]["value"] - row["targets"][n]["target"]) for n in names]) for row in rows])
        axes.plot(stages, smooth(miss, window), color=COLOURS[k % 7], ls=["-", "--", ":"][k % 3], label=label.replace("_", " "))
    axes.set(title="Mean distance from the targets", ylabel="|value − target|, in the metric's unit", yscale="log")


def draw_returns(axes, rows, stages, window):
    for k, name in enumerate(rows[0]["returns"]):
        mean = np.array([row["returns"][name]["mean"] for row in rows])
        sd = np.array([row["returns"][name]["sd"] for row in rows])
        axes.fill_between(stages, smooth(mean - sd, window), smooth(mean + sd, window), color=COLOURS[k], alpha=0.2, lw=0)
        axes.plot(stages, smooth(mean, window), color=COLOURS[k], ls=["-", "--"][k % 2], label=name.replace("_", " "))
    axes.axhline(0, color="grey", lw=0.8)
    axes.set(title="Return of an episode", ylabel="reward, ± 1 sd over instances")


def draw_profile(axes, rows, stages, window):
    supertypes = {name.split(".")[0] for name in rows[0]["profile"]}
    for k, supertype in enumerate(sorted(supertypes)):
        names = [name for name in rows[0]["profile"] if name.startswith(supertype + ".")]
        for name in names:
            path = smooth(np.array([row["profile"][name] for row in rows]), window)
            axes.plot(stages, path, color=COLOURS[k], ls=["-", "--"][k % 2], lw=0.8, label=supertype.replace("_", " ") if name == names[0] else None)
    axes.set(title="Profile, mean over particles", ylabel="coordinate, in its own unit")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=pathlib.Path)
    arguments.add_argument("--reachable", type=float, help="r_cal that `shoal reach` found")
    arguments.add_argument("--out", type=pathlib.Path, help="default: RUN_DIR/run.png")
    options = arguments.parse_args()
    rows = read(options.run)
    stages = np.array([row["stage"] for row in rows])
    window = max(1, len(rows) // 50)
    figure, axes = plt.subplots(2, 2, figsize=(11, 7), sharex=True, layout="constrained")
    if "r_cal_mean" in rows[0]:
        draw_reward(axes[0, 0], rows, stages, window, options.reachable)
        draw_errors(axes[0, 1], rows, stages, window)
        draw_profile(axes[1, 1], rows, stages, window)
    draw_returns(axes[1, 0], rows, stages, window)
    for a in axes.flat:
        a.grid(alpha=0.3)
        if a.get_legend_handles_labels()[0]:
            a.legend(fontsize=8, loc="best")
    for a in axes[1]:
        a.set_xlabel(f"stage (means over {window} stages)")
    out = options.out or options.run / "run.png"
    figure.savefig(out, dpi=110)
    print(out)


main()
