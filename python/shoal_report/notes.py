"""What a report says of files that are missing or broken, on the page and on stderr."""
from . import page
from .terminal import printable, reason


def guarded(owner, title, draw, *arguments):
    """The parts of a page that `draw` makes, or a sentence in their place, noted with `owner` (a run or a study)."""
    try:
        return draw(*arguments)
    except OSError:  # a figure that cannot be written is no fault of what was read
        raise
    except Exception as error:  # a page with a hole tells more than none
        sentence = printable(f"{title}: cannot be drawn ({reason(error)})")
        owner.problems.append(sentence)
        return [page.paragraph(sentence, "problem")]


def of_run(run):
    """Sentences: what is broken, and which files are absent."""
    left_out = "" if run.columns else "; left out of the figures"
    path = printable(run.path)
    problems = [f"{path}: {problem}{left_out}" for problem in run.problems]
    missing = [f"{path}: {file} is missing" for file in run.missing if file != "metrics.jsonl"]
    return problems, missing


def of_study(study):
    """The same of a study and its runs."""
    path = printable(study.path)
    problems = [f"{path}: {problem}" for problem in study.problems]
    missing = [f"{path}: {file} is missing" for file in study.missing]
    if stale := study.table_staleness():
        missing.append(f"{path}: {stale}")
    unchecked = []
    for cell in study.cells:
        if not cell.run:
            continue
        found, absent = of_run(cell.run)
        problems += found
        missing += [sentence for sentence in absent if "check.json" not in sentence]
        unchecked += [place(cell)] if "check.json" in cell.run.missing else []
    unfinished = [place(cell) for cell in study.cells if not cell.run]
    if unfinished:
        missing.append(f"{path}: left out, not finished (no summary.json): {', '.join(unfinished)}")
    if unchecked:
        missing.append(f"{path}: not checked (no check.json): {', '.join(unchecked)}")
    return problems, missing


def place(cell):
    return f"{cell.experiment}/{cell.method}/seed-{cell.seed}"


def section(problems, missing):
    if not problems and not missing:
        return []
    said = [page.paragraph(sentence, "problem") for sentence in problems]
    said += [page.paragraph(sentence, "small") for sentence in missing]
    return [page.heading("Missing or left out"), *said]
