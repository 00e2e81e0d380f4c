"""The figures. All are 7 inches wide with letters of 8 points, as a page of print takes them; lines differ by colour and by style."""
import dataclasses
import re
import statistics
import zlib

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from . import curves
from .terminal import printable

# Okabe and Ito's colours, told apart by the colour-blind.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]
STYLES = ["-", (0, (5, 1.5)), (0, (6, 1.5, 1.5, 1.5)), (0, (1.5, 1))]
MARKERS = ["o", "s", "^", "D"]
ROUND = [1, 2, 5, 10]  # steps of ticks
MOST_SAMPLES = len(COLOURS)  # in one figure

WIDTH = 7  # inches
LETTERS = 115  # of 8 points that fit into the width
matplotlib.rcParams.update({
    "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "legend.fontsize": 8, "figure.titlesize": 9, "lines.linewidth": 1.3, "axes.linewidth": 0.6,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "axes.grid": True, "grid.alpha": 0.3, "grid.linewidth": 0.5,
    "savefig.dpi": 180, "svg.hashsalt": "shoal",
})


@dataclasses.dataclass
class Panel:
    """One of the small plots of a figure: a line for each sample that has the column."""

    title: str
    unit: str
    lines: list  # (index of the sample, Curve)
    target: float | None = None
    limits: tuple | None = None
    zero: bool = False
    log: bool = False
    width: float = 1.3  # of lines, in points


def label(text):
    """A text from outside as matplotlib shows it: of bearable length, and a $ begins no formula."""
    return printable(text, 60).replace("$", r"\$")


def style(index):
    return {"color": COLOURS[index % len(COLOURS)], "ls": STYLES[index % len(STYLES)]}


def panel(samples, path, title, unit, **options):
    found = [(k, curves.curve(sample, path)) for k, sample in enumerate(samples)]
    return Panel(title, unit, [(k, curve) for k, curve in found if curve], **options)


def draw_panel(axes, panel):
    for k, curve in panel.lines:
        if curve.low is not None:
            axes.fill_between(curve.stages, curve.low, curve.high, color=style(k)["color"], alpha=0.18, lw=0)
    if panel.zero:
        axes.axhline(0, color="grey", lw=0.8)
    for k, curve in panel.lines:
        axes.plot(curve.stages, curve.mean, lw=panel.width, **style(k))
    if panel.target is not None:
        axes.axhline(panel.target, color="black", lw=0.8)
    axes.set_title(label(panel.title))
    if panel.log:
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=ROUND))
    if panel.limits:
        axes.set_ylim(*panel.limits)


def legend(figure, samples, panels):
    lines = [line for panel in panels for line in panel.lines]
    drawn = {k for k, _ in lines}
    handles = [Line2D([], [], label=label(sample.label), **style(k)) for k, sample in enumerate(samples) if k in drawn]
    if any(curve.low is not None for _, curve in lines):
        over = "seeds" if samples[0].over_seeds else "instances"
        handles.append(Patch(color="grey", alpha=0.3, lw=0, label=f"± 1 sd over {over}"))
    if any(panel.target is not None for panel in panels):
        handles.append(Line2D([], [], color="black", lw=0.8, label="target"))
    place_legend(figure, handles)


def place_legend(figure, handles):
    """Above the panels, in as many lines as the labels need."""
    letters = sum(len(handle.get_label()) + 10 for handle in handles)  # with the line before each
    columns = -(-len(handles) // -(-letters // LETTERS))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, frameon=False, handlelength=3)


def stage_label(samples):
    window = samples[0].window
    return "stage" if window == 1 else f"stage (means over {window} stages)"


def grid(samples, panels, columns, height):
    """Panels in rows; a vertical axis is named where it differs from that of the panel to the left."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure((WIDTH, rows * height + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for k, at in enumerate(axes.flat):
        if k >= len(panels):
            at.remove()
            continue
        draw_panel(at, panels[k])
        left = panels[k - 1] if k % columns else None
        if not left or left.unit != panels[k].unit:
            at.set_ylabel(panels[k].unit)
        if left and panels[k].limits and left.limits == panels[k].limits:
            at.tick_params(labelleft=False)
        at.tick_params(labelbottom=k + columns >= len(panels))
        at.xaxis.set_major_locator(MaxNLocator(3 if columns > 3 else 5, steps=ROUND))
    figure.supxlabel(stage_label(samples), fontsize=8)
    legend(figure, samples, panels)
    return figure


def rewards(samples, run):
    """The calibrator's reward and the supertypes' returns: figure 1 of the paper."""
    panels = []
    if ("r_cal", "mean") in run.columns:
        panels.append(panel(samples, ("r_cal", "mean"), "calibrator", "r_cal (1 = perfect fit)", limits=(None, 1)))
    for name in run.names("returns"):
        panels.append(panel(samples, ("returns", name, "mean"), curves.words(name), "return (reward units)", zero=True))
    return {"rewards": grid(samples, panels, 3, 1.9)} if panels else {}


def named(kind, owner):
    return f"{kind}_{owner}" if owner else kind


def within(owner, name):
    return curves.words(name.removeprefix(f"{owner}.") if owner else name)


def fits(samples, run):
    """Each target with the values that came out: figure 2 of the paper, a figure a supertype."""
    figures = {}
    for owner, names in curves.by_owner(run.names("targets")).items():
        panels = []
        for name in names:
            target = run.at_end(("targets", name, "target"))
            panels.append(panel(samples, ("targets", name, "value"), within(owner, name), curves.unit(name), target=target))
        figures[named("fits", owner)] = grid(samples, panels, 5, 1.25)
    return figures


def paths(samples, run):
    """Each coordinate of the profile: figure 3 of the paper, a figure a supertype."""
    figures = {}
    for owner, names in curves.by_owner(run.names("profile")).items():
        panels = []
        for name in names:
            unit = curves.unit(name)
            limits = (-0.05, 1.05) if unit == "probability" else None
            panels.append(panel(samples, ("profile", name), within(owner, name), unit, limits=limits))
        figures[named("paths", owner)] = grid(samples, panels, 5, 1.1)
    return figures


def distributions(samples, run):
    """Percentiles as cumulative curves, those that were wanted and those that came out in the last tenth of the stages."""
    groups = curves.percentiles(run.names("targets"))
    if not groups:
        return {}
    columns = min(2, len(groups))
    rows = -(-len(groups) // columns)
    figure = Figure((WIDTH, 2.1 * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for at in list(axes.flat)[len(groups) :]:
        at.remove()
    for at, (title, points) in zip(axes.flat, groups.items()):
        draw_distribution(at, samples, run, points)
        metric = points[0][1].rpartition(".")[2].rpartition("_p")[0]
        unit = f"{label(curves.words(metric))} ({curves.unit(metric)})"
        at.set(title=f"{label(title)}, last tenth of the stages", xlabel=unit, ylim=(0, 100))
    for row in axes:
        row[0].set_ylabel("cumulative share (%)")
    place_legend(figure, axes[0, 0].get_legend_handles_labels()[0])
    return {"distributions": figure}


def draw_distribution(axes, samples, run, points):
    def draw(values, **look):
        heights = [p for p, _ in points]
        axes.plot([values[0], *values], [0, *heights], drawstyle="steps-post", markevery=slice(1, None), **look)

    draw([run.at_end(("targets", name, "target")) for _, name in points], color="black", lw=0.8, marker="x", ms=5, label="target")
    if not samples[0].over_seeds:
        first = [run.at_start(("targets", name, "value")) for _, name in points]
        draw(first, color="grey", ls=(0, (1, 1.5)), lw=1.2, label="first stage")
    for k, sample in enumerate(samples):
        runs = [r for r in sample.runs if all(("targets", name, "value") in r.columns for _, name in points)]
        if runs:
            values = [statistics.fmean(r.at_end(("targets", name, "value")) for r in runs) for _, name in points]
            draw(values, marker=MARKERS[k], ms=3, label=label(sample.label), **style(k))


KINDS = {"rewards": rewards, "fits": fits, "distributions": distributions, "paths": paths}


def overview(run, reachable=None):
    """A run in four panels, each with a legend of its own. @param reachable  r_cal that `shoal reach` found"""
    sample = curves.Sample("mean", [run], over_seeds=False)
    contents = [overview_reward(sample, run, reachable)]
    contents += [draw(sample, run) for draw in (overview_misses, overview_returns, overview_profile)]
    figure = Figure((WIDTH, 4.8), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    for at, (content, labels) in zip(axes.flat, contents):
        if not content.lines:
            at.remove()
            continue
        draw_panel(at, content)
        at.set_ylabel(content.unit)
        # Coordinates of a supertype share a line's look.
        drawn = {k: name for (k, _), name in zip(content.lines, labels)}
        handles = [Line2D([], [], label=label(name), **style(k)) for k, name in drawn.items()]
        if content.target is not None:
            handles.append(Line2D([], [], color="black", lw=0.8, label="reachable by direct simulation"))
        at.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, columnspacing=1, frameon=False)
    figure.supxlabel(f"{stage_label([sample])}; bands: ± 1 sd over instances", fontsize=8)
    return figure


def overview_reward(sample, run, reachable):
    lines = [(0, curves.curve(sample, ("r_cal", "mean")))] if ("r_cal", "mean") in run.columns else []
    return Panel("", "r_cal (1 = perfect fit)", lines, target=reachable, limits=(None, 1)), ["calibrator"]


def overview_misses(sample, run):
    """Percentiles of one supertype are averaged, so that a dozen targets stay legible."""
    groups = {}
    for name in run.names("targets"):
        groups.setdefault(curves.words(re.sub(r"_p\d+$", "", name)), []).append(name)
    lines = [(k, curves.plain(sample, curves.misses(run, names))) for k, names in enumerate(groups.values())]
    return Panel("", "mean |value - target|, in its own unit", lines, log=True), list(groups)


def overview_returns(sample, run):
    names = run.names("returns")
    lines = [(k, curves.curve(sample, ("returns", name, "mean"))) for k, name in enumerate(names)]
    return Panel("", "return (reward units)", lines, zero=True), [curves.words(name) for name in names]


def overview_profile(sample, run):
    names = run.names("profile")
    owners = list(dict.fromkeys(name.partition(".")[0] for name in names))
    lines = [(owners.index(name.partition(".")[0]), curves.curve(sample, ("profile", name))) for name in names]
    return Panel("", "coordinate, in its own unit", lines, width=0.8), [curves.words(owners[k]) for k, _ in lines]


def file_name(name):
    """A name of a metric as one of a file in the folder: what it cannot be is replaced, and a sum keeps it apart."""
    if re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", name):
        return name
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', name)[:80]}-{zlib.crc32(name.encode(errors='surrogatepass')):08x}"


def save(figure, folder, name):
    """As PNG for screens and SVG for print, the same bytes for the same runs. @return the PNG's path"""
    folder.mkdir(parents=True, exist_ok=True)
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine(None)  # laid out once, not anew for each format
    file = file_name(name)
    figure.savefig(folder / f"{file}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{file}.png", metadata={"Software": None})
    return folder / f"{file}.png"
