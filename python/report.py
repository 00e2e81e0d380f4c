"""Makes figures (PNG and SVG) and one self-contained HTML page of a run directory or of a study folder.

    python python/report.py DIR [--out FILE.html]

Exit codes: 0, 1 something in DIR is broken and was left out, 2 bad input.
"""
import pathlib
import sys
import warnings

from shoal_report import files, notes, page, read, run_page, study_page
from shoal_report.terminal import Parser, printable, reason, say, stop


def report(path, out):
    """Writes the page; figures go to PATH/figures. @return whether nothing was broken"""
    found = read.read(path)
    if isinstance(found, read.Study):
        kind, builder, problems_of = "Study", study_page, notes.of_study
    else:
        kind, builder, problems_of = "Run", run_page, notes.of_run
    parts = builder.content(found, path / "figures")
    document = page.document(f"{kind} {printable(path.resolve().name)}", parts)
    files.write_whole(out, document.encode())
    problems, missing = problems_of(found)
    for sentence in problems + missing:
        say(sentence)
    say(out, sys.stdout)
    return not problems


def main():
    arguments = Parser(__doc__)
    arguments.add_argument("dir", metavar="DIR", type=pathlib.Path, help="a run directory or a study folder")
    arguments.add_argument("--out", metavar="FILE.html", type=pathlib.Path, help="default: DIR/report.html")
    options = arguments.parse_args()
    warnings.simplefilter("ignore")  # numpy's and matplotlib's are several lines long and name no file
    out = options.out or options.dir / "report.html"
    try:
        read.check_folder(options.dir)
        files.check_output(out, "--out " if options.out else "")
        whole = report(options.dir, out)
    except (read.InputError, files.BadOutput) as error:
        stop(str(error))
    except OSError as error:
        stop(f"{printable(error.filename or out)}: {reason(error)}")
    sys.exit(0 if whole else 1)


main()
