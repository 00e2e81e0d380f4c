#!/usr/bin/env python3
"""The table of docs/recurrent.md from the folder of the study: how soon each method recalls.

  experiments/recall/first_updates.py runs/study/runs/recall
"""
import json
import statistics
import sys
from pathlib import Path

WINDOW, SOLVED = 50, 0.95
HEADER = ["method", "seeds", "first update at 0.95", "last 50 updates", "ms an update"]


def rows_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def first_solved(success):
    """The first update, counted from 1, whose last 50 updates' mean success is at least 0.95."""
    for end in range(WINDOW, len(success) + 1):
        if statistics.fmean(success[end - WINDOW:end]) >= SOLVED:
            return end
    return None


def line_of(method):
    runs = [rows_of(run) for run in sorted(method.glob("seed-*"), key=lambda run: int(run.name[5:]))]
    success = [[row["metrics"]["success"] for row in rows] for rows in runs]
    firsts = [first_solved(one) for one in success]
    last = [f"{statistics.fmean(one[-WINDOW:]):.3f}" if one else "-" for one in success]
    times = [b["seconds"] - a["seconds"] for rows in runs for a, b in zip(rows[20:120], rows[21:121])]
    return [method.name, str(len(runs)), ", ".join(str(first or "never") for first in firsts), ", ".join(last),
            f"{1000 * statistics.median(times):.0f}" if times else "-"]


def main():
    methods = [path for path in sorted(Path(sys.argv[1]).iterdir()) if any(path.glob("seed-*/metrics.jsonl"))]
    for line in [HEADER, ["---"] * len(HEADER), *map(line_of, methods)]:
        print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    main()
