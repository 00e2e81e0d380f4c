"""Draws how a run went in one picture: the calibrator's reward, the fits, the supertypes' returns and the profile.

    python python/plot_run.py RUN_DIR [--reachable R_CAL] [--out FILE.png]

python/report.py makes all figures of a run.
"""
import argparse
import io
import math
import pathlib
import sys
import warnings

from shoal_report import figures, files, read
from shoal_report.terminal import Parser, printable, reason, say, stop


def finite(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text}: expected a finite number")
    return value


def check_format(out):
    """@raises BadOutput if no picture can have this name"""
    formats = sorted(figures.Figure().canvas.get_supported_filetypes())
    if out.suffix[1:].lower() not in formats:
        expected = ", ".join(f".{name}" for name in formats)
        raise files.BadOutput(f"--out {printable(out)}: unknown type of file; expected one of {expected}")


def draw(run, reachable, out):
    picture = io.BytesIO()
    figures.overview(run, reachable).savefig(picture, format=out.suffix[1:].lower())
    files.write_whole(out, picture.getvalue())


def main():
    arguments = Parser(__doc__)
    arguments.add_argument("run", type=pathlib.Path)
    arguments.add_argument("--reachable", type=finite, help="r_cal that `shoal reach` found")
    arguments.add_argument("--out", type=pathlib.Path, help="default: RUN_DIR/run.png")
    options = arguments.parse_args()
    warnings.simplefilter("ignore")  # numpy's and matplotlib's are several lines long and name no file
    out = options.out or options.run / "run.png"
    try:
        read.check_folder(options.run)
        files.check_output(out, "--out " if options.out else "")
        check_format(out)
        run = read.read_run(options.run)
        if not run.columns:
            stop(f"{printable(options.run)}: {run.problems[0]}", code=1)
        draw(run, options.reachable, out)
    except (read.InputError, files.BadOutput) as error:
        stop(str(error))
    except OSError as error:
        stop(f"{printable(error.filename or out)}: {reason(error)}")
    except Exception as error:  # what a run may hold that no figure can
        stop(f"{printable(options.run)}: cannot be drawn ({printable(reason(error))})", code=1)
    say(out, sys.stdout)


main()
