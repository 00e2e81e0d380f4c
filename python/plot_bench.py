"""Draws what `shoal bench --json` wrote: the cost of an agent step against what was swept, a panel for each file, environment and sweep.

    python python/plot_bench.py FILE.json... OUT.png
"""
import io
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import NullLocator, StrMethodFormatter

from shoal_report import files
from shoal_report.terminal import Parser, printable, reason, say, stop

# Okabe and Ito's colours, told apart by the colour-blind; markers and line styles tell them apart in print.
COLOURS = {"step": "#0072B2", "rollout": "#009E73", "train": "#D55E00"}
MARKERS = {"step": "o", "rollout": "s", "train": "^"}
STYLES = ["-", "--", ":", "-."]
AXES = ["instances", "agents", "threads", "horizon"]


def cost(rate):
    return 1e9 / rate


def swept(rows):
    return [axis for axis in AXES if len({row[axis] for row in rows}) > 1] or ["instances"]


def best_batches(rows):
    """The fastest of those rows that differ in instances alone."""
    best = {}
    for row in rows:
        key = (row["mode"], row["agents"], row["threads"], row["horizon"])
        if key not in best or row["agent_steps_per_s"]["median"] > best[key]["agent_steps_per_s"]["median"]:
            best[key] = row
    return list(best.values())


def series(rows, others):
    """Rows by mode and their values of the other axes: those of a group differ along one axis alone."""
    groups = {}
    for row in rows:
        groups.setdefault((row["mode"], *(row[other] for other in others)), []).append(row)
    return groups


def draw(axes, rows, axis):
    tuned = axis != "instances" and len({row["instances"] for row in rows}) > 1
    rows = best_batches(rows) if tuned else rows
    others = [other for other in AXES if other not in (axis, "instances" if tuned else axis)]
    varying = [k for k, other in enumerate(others) if len({row[other] for row in rows}) > 1]
    groups = series(rows, others)
    combinations = sorted({tuple(key[1 + k] for k in varying) for key in groups})
    for (mode, *values), group in groups.items():
        group = sorted(group, key=lambda row: row[axis])
        x = [row[axis] for row in group]
        rates = [row["agent_steps_per_s"] for row in group]
        y = [cost(rate["median"]) for rate in rates]
        spread = [[cost(r["median"]) - cost(r["max"]) for r in rates], [cost(r["min"]) - cost(r["median"]) for r in rates]]
        own = tuple(values[k] for k in varying)
        label = ", ".join([mode, *(f"{value} {others[k]}" for k, value in zip(varying, own))])
        style = STYLES[combinations.index(own) % len(STYLES)]
        axes.errorbar(x, y, yerr=spread, color=COLOURS[mode], marker=MARKERS[mode], ms=4, ls=style, capsize=2, label=label)
    ticks = sorted({row[axis] for row in rows})
    axes.set(xscale="log", xlabel=axis + (", at the best number of instances" if tuned else ""), ylabel="ns an agent step", title=rows[0]["env"])
    axes.set_xticks(ticks, [f"{tick // 1024}k" if tick >= 1024 and tick % 1024 == 0 else str(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    if len({row["mode"] for row in rows}) > 1:  # orders of magnitude apart
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    else:
        axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=7, ncol=3, loc="upper center", bbox_to_anchor=(0.5, -0.15))


def panels_of(bench):
    by_environment = {}
    for row in bench["results"]:
        by_environment.setdefault(row["env"], []).append(row)
    return [(rows, axis) for rows in by_environment.values() for axis in swept(rows)]


def read(file):
    """@return the content of a file and its panels"""
    try:
        bench = json.loads(file.read_text(encoding="utf-8"))
        return bench, panels_of(bench)
    except Exception as error:  # the file may hold anything
        stop(f"{printable(file)}: no results of shoal bench --json ({printable(reason(error))})")


def draw_all(panels, first):
    columns = min(len(panels), 4 if len(panels) % 2 else 2)
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(5.5 * columns, 4.2 * rows), squeeze=False, layout="constrained")
    for panel in axes.flat[len(panels):]:
        panel.remove()
    for panel, (results, axis) in zip(axes.flat, panels):
        draw(panel, results, axis)
    where = first["cpu"] if first["device"] == "cpu" else first["device"]
    title = f"Cost of an agent step (median, min to max): {where}, commit {first['commit']}"
    figure.suptitle(printable(title).replace("$", r"\$"), fontsize=10)
    return figure


def main():
    arguments = Parser(__doc__)
    arguments.add_argument("files", type=pathlib.Path, nargs="+")
    arguments.add_argument("out", type=pathlib.Path)
    options = arguments.parse_args()
    benches = [read(file) for file in options.files]
    panels = [panel for _, found in benches for panel in found]
    if not panels:
        stop(f"{printable(', '.join(map(str, options.files)))}: no results", code=1)
    try:
        files.check_output(options.out, "")
        picture = io.BytesIO()
        figure = draw_all(panels, benches[0][0])
        figure.savefig(picture, dpi=110, format=options.out.suffix[1:].lower() or "png")
        files.write_whole(options.out, picture.getvalue())
    except files.BadOutput as error:
        stop(str(error))
    except Exception as error:  # what the files hold, or an unknown type of picture
        stop(f"{printable(options.out)}: cannot be drawn ({printable(reason(error))})")
    say(options.out, sys.stdout)


main()
