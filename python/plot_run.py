"""Draws how a run went in one picture: the calibrator's reward, the fits, the supertypes' returns and the profile.

    python python/plot_run.py RUN_DIR [--reachable R_CAL] [--out FILE.png]

python/report.py makes all figures of a run.
"""
import argparse
import pathlib

from shoal_report import figures, read


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=pathlib.Path)
    arguments.add_argument("--reachable", type=float, help="r_cal that `shoal reach` found")
    arguments.add_argument("--out", type=pathlib.Path, help="default: RUN_DIR/run.png")
    options = arguments.parse_args()
    run = read.read_run(options.run)
    if not run.columns:
        raise SystemExit(f"{options.run}: {run.problems[0]}")
    out = options.out or options.run / "run.png"
    figures.overview(run, options.reachable).savefig(out)
    print(out)


main()
