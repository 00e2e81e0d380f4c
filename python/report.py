"""Makes figures (PNG and SVG) and one self-contained HTML page of a run directory or of a study folder.

    python python/report.py DIR [--out FILE.html]

Exit codes: 0, 1 something in DIR is broken and was left out, 2 bad input.
"""
import argparse
import pathlib
import sys

from shoal_report import notes, page, read, run_page, study_page


def report(path, out):
    """Writes the page; figures go to PATH/figures. @return whether nothing was broken"""
    found = read.read(path)
    if isinstance(found, read.Study):
        kind, builder, problems_of = "Study", study_page, notes.of_study
    else:
        kind, builder, problems_of = "Run", run_page, notes.of_run
    parts = builder.content(found, path / "figures")
    out.write_text(page.document(f"{kind} {path.resolve().name}", parts), encoding="utf-8")
    problems, missing = problems_of(found)
    for sentence in problems + missing:
        print(sentence, file=sys.stderr)
    print(out)
    return not problems


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("dir", metavar="DIR", type=pathlib.Path, help="a run directory or a study folder")
    arguments.add_argument("--out", metavar="FILE.html", type=pathlib.Path, help="default: DIR/report.html")
    options = arguments.parse_args()
    try:
        whole = report(options.dir, options.out or options.dir / "report.html")
    except (read.InputError, OSError) as error:
        print(f"report.py: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if whole else 1)


main()
