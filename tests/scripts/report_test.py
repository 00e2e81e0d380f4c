"""python/report.py makes figures and a self-contained page of a run and of a study, and names what is broken or missing."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import matplotlib  # noqa: F401
except ImportError:
    print("skipped: the Python package matplotlib is not installed")
    sys.exit(77)

STAGES = 20
TARGETS = {"supertype_1.share": 0.25, "supertype_1.quantity_p10": 2, "supertype_1.quantity_p20": 3}
COORDINATES = ["supertype_1.link_1", "supertype_1.tolerance", "supertype_2.link_1"]
CONFIG = """
[env]
name = "market"
[calibrator]
kind = "rl"
[[calibrator.target]]
metrics = ["supertype_1.share"]
values = [0.25]
scale = 0.05
weight = 0.5
[train]
stages = 20
seed = 7
"""
CHECK = {
    "environment": "market",
    "verdict": "No deviation gains more than 0.02 <of the value>.",
    "options": {"updates": 100, "discount": 0.99},
    "deviators": [
        {
            "name": "all agents",
            "value": {"mean": 5.0, "low": 4.9, "high": 5.1},
            "deviations": [
                {
                    "start": "pi*",
                    "value": {"mean": 5.125, "low": 5.0, "high": 5.25},
                    "regret": {"mean": 0.125, "low": 0.05, "high": 0.2},
                    "normalised": 0.025,
                }
            ],
        }
    ],
}

SUMMARY = {
    "stages": STAGES, "seconds": 10.0, "agent_steps_per_second": 200.0, "version": "0.1.0", "commit": "abcdef0",
    "seed": 7, "r_cal_last_tenth": 0.89, "r_cal_auc": 0.7, "stages_to_90": 12, "S1": 0.0125, "Smax": 0.0375, "return_slope": 0.1,
    "negative_share": None,
}


def row(stage, shift=0.0):
    """Of metrics.jsonl: values halve their distance to 0.5 below the target by the end."""
    left = 1 - stage / STAGES
    return {
        "stage": stage,
        "agent_steps": 100 * (stage + 1),
        "seconds": 0.5 * (stage + 1),
        "agent_steps_per_second": 200.0,
        "r_cal_mean": 0.9 - 0.4 * left - shift,
        "r_cal_sd": 0.05,
        "targets": {name: {"target": target, "value": target - left - shift} for name, target in TARGETS.items()},
        "returns": {name: {"mean": 10 - 20 * left, "sd": 2.0} for name in ("supertype_1", "supertype_2")},
        "profile": {name: 0.5 + 0.25 * (1 - left) for name in COORDINATES},
    }


def write_run(path, stages=STAGES, shift=0.0, check=False):
    path.mkdir(parents=True)
    (path / "config.toml").write_text(CONFIG)
    (path / "metrics.jsonl").write_text("".join(json.dumps(row(m, shift)) + "\n" for m in range(stages)))
    (path / "summary.json").write_text(json.dumps(SUMMARY))
    if check:
        (path / "check.json").write_text(json.dumps(CHECK))


def write_study(path, methods):
    path.mkdir()
    tables = "".join(f'[[method]]\nname = "{name}"\n' for name in methods)
    (path / "study.toml").write_text(f'[study]\nseeds = [1, 2]\nreference = "calsheq"\n[[experiment]]\nname = "one"\n{tables}')
    (path / "table.csv").write_text(
        "experiment,method,seeds,r_cal_last_tenth_mean,r_cal_last_tenth_sd\none,calsheq,2,0.89125,0.01234\none,bo,2,0.79,\n"
    )
    (path / "pairs.csv").write_text(
        "experiment,method,reference,figure,seeds,difference,low,high\n"
        "one,bo,calsheq,r_cal_last_tenth,2,-0.1,-0.15,-0.05\none,bo,calsheq,S1,2,0.25,-0.5,1\n"
    )
    for k, method in enumerate(methods):
        for seed in (1, 2):
            write_run(path / "runs" / "one" / method / f"seed-{seed}", shift=0.1 * k + 0.01 * seed, check=method == "calsheq")


def report(path, *arguments):
    """@return exit code, stdout, stderr"""
    done = subprocess.run([sys.executable, "python/report.py", str(path), *arguments], capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def expect(text, *wanted):
    shown = re.sub('base64,[^"]*', "base64,...", text)
    for words in wanted:
        assert words in text, f"{words!r} is not in\n{shown}"


def page(path, figures):
    """The report's text; its images are data, as many as there are figures, and nothing is loaded from elsewhere."""
    text = path.read_text().replace("\N{NO-BREAK SPACE}", " ")
    images = re.findall(r'<img src="([^"]*)"', text)
    assert images and all(image.startswith("data:image/png;base64,iVBOR") for image in images), images
    assert len(images) == len(figures), f"{len(images)} images, figures {sorted(figures)}"
    outside = [link for link in re.findall(r'(?:src|href)="([^"]*)"', text) if not link.startswith(("data:", "#"))]
    assert not outside and not re.search(r"https?://|url\(|@import|<script|<link", text), outside
    return text


def figures_of(folder):
    """Names of its figures, each of which is there as PNG and as SVG."""
    names = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.png")}
    assert names == {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.svg")}
    return names


def a_run(folder):
    path = folder / "run"
    write_run(path, check=True)
    code, out, err = report(path)
    assert (code, out.strip(), err) == (0, str(path / "report.html"), ""), (code, out, err)
    figures = figures_of(path / "figures")
    assert figures == {"rewards", "fits_supertype_1", "distributions", "paths", "paths_supertype_1"}, figures
    text = page(path / "report.html", figures)
    expect(text, "<td>0.25</td><td>0.175</td><td>-0.0750</td>")  # share: target, mean of the last two stages, error
    expect(text, "r_cal 0.8700 (1 = perfect fit; 0.5000 in the first stage)")
    expect(text, "No deviation gains more than 0.02 &lt;of the value&gt;.", "<td>5</td><td>5.125</td><td>0.125</td><td>0.05 to 0.2</td><td>0.025</td>")
    expect(text, "<td>0.0125</td>", "abcdef0", "name = &quot;market&quot;")

    first = {name: (path / "figures" / f"{name}.svg").read_bytes() for name in figures}
    elsewhere = folder / "elsewhere.html"
    assert report(path, "--out", str(elsewhere))[0] == 0
    assert elsewhere.read_text() == (path / "report.html").read_text()
    assert first == {name: (path / "figures" / f"{name}.svg").read_bytes() for name in figures}, "figures differ from run to run"


def a_run_that_goes_on(folder):
    path = folder / "young"
    write_run(path, stages=5)
    (path / "summary.json").unlink()
    (path / "config.toml").write_text(CONFIG.replace("stages = 20", "stages = 300"))
    code, _, err = report(path)
    assert code == 0, err
    expect(err, "summary.json is missing", "check.json is missing")
    text = page(path / "report.html", figures_of(path / "figures"))
    expect(text, "summary.json is missing", "check.json is missing", "5 of 300 stages")


def without_calibrator(folder):
    """Returns are absent as long as no episode has ended, targets then are null."""
    path = folder / "plain"
    write_run(path)
    rows = [row(m) for m in range(STAGES)]
    for m, figures in enumerate(rows):
        del figures["r_cal_mean"], figures["r_cal_sd"]
        figures["profile"] = {}
        if m % 3 < 2:
            figures["returns"] = {}
            for target in figures["targets"].values():
                target["value"] = None
    (path / "metrics.jsonl").write_text("".join(json.dumps(x) + "\n" for x in rows))
    code, _, err = report(path)
    assert code == 0, err
    assert figures_of(path / "figures") == {"rewards", "fits_supertype_1", "distributions"}


def broken(name):
    """The rows of a broken metrics.jsonl, and what is to be said of it."""
    lines = [json.dumps(row(m)) + "\n" for m in range(STAGES)]
    null = json.dumps(row(3) | {"r_cal_mean": None}) + "\n"
    return {
        "cut": (lines[:-1] + [lines[-1][:40]], "metrics.jsonl:20: no whole JSON object"),
        "gap": (lines[:5] + lines[6:], "metrics.jsonl:6: stage 6, expected 5"),
        "null": (lines[:3] + [null] + lines[4:], "metrics.jsonl:4: r_cal.mean = null, expected a finite number"),
        "short": (lines[:-1], "metrics.jsonl has 19 rows, summary.json says 20 stages"),
        "empty": ([], "metrics.jsonl has no rows"),
    }[name]


def a_broken_run(folder):
    path = folder / "broken"
    rows, problem = broken("cut")
    write_run(path)
    (path / "metrics.jsonl").write_text("".join(rows))
    code, _, err = report(path)
    assert code == 1, (code, err)
    for text in (err, (path / "report.html").read_text()):
        expect(text, f"{path}: {problem}", "left out of the figures")
    assert not (path / "figures").exists()


def a_study(folder):
    path = folder / "study"
    write_study(path, ["bo", "calsheq"])
    code, _, err = report(path)
    assert code == 0, err
    expect(err, "not checked (no check.json): one/bo/seed-1, one/bo/seed-2")
    figures = figures_of(path / "figures")
    assert figures == {f"one/{name}" for name in ("rewards", "fits_supertype_1", "distributions", "paths", "paths_supertype_1")}, figures
    text = page(path / "report.html", figures)
    expect(text, "<td>0.8912 ± 0.012</td>", "<td>0.79</td>")
    expect(text, "<td>-0.1* (-0.15 to -0.05)</td>", "<td>0.25 (-0.5 to 1)</td>")
    expect(text, "<th>calsheq</th><th>bo</th>", "<td>0.25</td><td>0.06 ± 0.0071</td><td>0.16 ± 0.0071</td>")
    expect(text, "4 of 4 runs have finished", "No deviation gains more than 0.02")


def a_study_with_gaps(folder):
    cells = {"bo-1/seed-2": "cut", "bo-2/seed-1": "gap", "bo-2/seed-2": "null", "bo-3/seed-1": "short", "bo-3/seed-2": "empty"}
    path = folder / "gaps"
    write_study(path, ["calsheq", "bo-1", "bo-2", "bo-3", "bo-4", "bo-5"])
    (path / "pairs.csv").unlink()
    (path / "runs/one/bo-5/seed-2/summary.json").unlink()
    for cell, name in cells.items():
        (path / "runs/one" / cell / "metrics.jsonl").write_text("".join(broken(name)[0]))
    code, _, err = report(path)
    assert code == 1, err
    figures = figures_of(path / "figures")
    text = page(path / "report.html", figures)
    for said in (err, text):
        expect(said, "pairs.csv is missing", "not finished (no summary.json): one/bo-5/seed-2")
        for cell, name in cells.items():
            expect(said, f"{path}/runs/one/{cell}: {broken(name)[1]}")
    expect(text, "11 of 12 runs have finished", "<th>target</th><th>calsheq</th><th>bo-1</th><th>bo-4</th><th>bo-5</th></tr>")
    assert {name for name in figures if "rewards" in name} == {"one/rewards"}, figures


def bad_input(folder):
    nothing = folder / "nothing"
    nothing.mkdir()
    study = folder / "bad_study"
    study.mkdir()
    (study / "study.toml").write_text("[study]\nseeds = [1]\n")
    cases = {nothing: "expected a run directory", folder / "nowhere": "no such folder", study: "[[experiment]]"}
    for path, problem in cases.items():
        code, out, err = report(path)
        assert code == 2 and err.count("\n") == 1 and not out, (path, code, err)
        expect(err, str(path), problem)


EVALUATION = {
    "episodes": 8, "r_cal": {"mean": 0.9, "low": 0.8, "high": 1.0}, "targets": {}, "stage": STAGES, "digest": "00ff",
    "moves": [{"coordinate": "supertype_1.tolerance", "value": 0.5, "lower": None,
               "higher": {"mean": -0.1, "low": -0.2, "high": -0.05}, "pinned": True}],
}


def changed(value, path, new):
    """A copy of a JSON value with another one at a place in it."""
    value = json.loads(json.dumps(value))
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return value


def damages(summary):
    """What one folder after the other has in place of its files; bytes, or None for a folder of the file's name."""
    def texts(*values):
        return [json.dumps(value).encode() for value in values]

    nested, digits, too_large = b"[" * 100_000, b"9" * 5000, b"9" * 400
    files = ("check.json", "evaluation.json", "summary.json", "config.toml", "metrics.jsonl")
    fit = {"calibrated": {"episodes": 8, "r_cal": 5, "targets": {}}}
    no_low = changed(CHECK, ("deviators", 0, "value"), {"mean": 5.0, "high": 5.1})
    shapes = [
        (*texts(CHECK | {"deviators": 5}, EVALUATION | {"moves": 5}, summary | {"fits": []}), b"env = 5"),
        (*texts(no_low, changed(EVALUATION, ("moves", 0, "lower"), 4), summary | {"fits": fit}),
         b'[calibrator]\n[calibrator.target]\nscale = 1'),
        (*texts(CHECK | {"options": {"updates": [1]}}, EVALUATION | {"stage": "x"}, summary | {"seconds": "x"}),
         b"[train]\nstages = 'x'"),
    ]
    of_shape = [dict(zip(files, (*found, b'{"stage": {}}\n'))) for found in shapes]
    of_number = []
    for number in (digits, too_large):
        check, evaluation, rest, line = (
            text.replace(b'"@"', number) for text in texts(
                changed(CHECK, ("deviators", 0, "value", "mean"), "@"), EVALUATION | {"stage": "@"},
                summary | {"stages": "@"}, row(0) | {"seconds": "@"}))
        of_number.append(dict(zip(files, (check, evaluation, rest, b"[train]\nstages = " + number, line))))
    same = [dict.fromkeys(files, text) for text in (nested, b"\xff\xfe\0", "[\x1b\u202e".encode(), None)]
    same[0]["config.toml"] = b"a = " + nested
    return of_shape + of_number + same


def put(path, content):
    path.unlink(missing_ok=True)
    path.mkdir() if content is None else path.write_bytes(content)


def lines_of(err):
    """Of stderr: each is short and shows what a terminal shows as it is."""
    lines = err.removesuffix("\n").split("\n")
    assert all(line.isprintable() and len(line) <= 1000 for line in lines), err
    return lines


def damaged_runs(folder):
    """Whatever the files hold, each is named once, and the page is there."""
    for k, files in enumerate(damages(SUMMARY)):
        path = folder / f"damaged-{k}"
        write_run(path)
        for name, content in files.items():
            put(path / name, content)
        code, _, err = report(path)
        assert code == 1, (k, code, err)
        text = (path / "report.html").read_text()
        for name in files:
            said = [line for line in lines_of(err) if line.startswith(f"{path}: {name}")]
            assert len(said) == 1, (k, name, err)
            expect(text, f"{path}: {name}")


def the_rest_is_drawn(folder):
    """Damage to one file leaves the other sections; a section that fails is named."""
    path = folder / "rest"
    write_run(path, check=True)
    put(path / "metrics.jsonl", b"[" * 100_000)
    put(path / "evaluation.json", b'{"moves": 5}')
    code, _, err = report(path)
    assert code == 1, err
    expect(err, "metrics.jsonl:1: nested too deeply", "evaluation.json: episodes is missing")
    expect((path / "report.html").read_text(), "No deviation gains more than 0.02", "The three criteria", "How it ran")
    sys.path.insert(0, "python")
    from shoal_report import notes, read
    run = read.Run(path)
    parts = notes.guarded(run, "Fit", lambda: 1 // 0)
    expect(parts[0], "Fit: cannot be drawn (ZeroDivisionError")
    assert len(run.problems) == 1 and run.problems[0] in parts[0], run.problems


def odd_names_of_metrics(folder):
    """They are no formulas, no paths and no letters that only a page can show."""
    path = folder / "odd"
    write_run(path)
    text = (path / "metrics.jsonl").read_text()
    (path / "metrics.jsonl").write_text(text.replace("supertype_1.", r"a/$\\frac{\ud800\u202e."))
    code, _, err = report(path)
    assert code == 0, err
    figures = figures_of(path / "figures")
    assert any(name.startswith("fits_") for name in figures), figures
    page(path / "report.html", figures)
    assert {item.name for item in path.iterdir()} == {
        "config.toml", "metrics.jsonl", "summary.json", "figures", "report.html"}


def a_damaged_study(folder):
    path = folder / "damaged_study"
    write_study(path, ["bo", "calsheq"])
    for file in path.glob("runs/*/*/*/metrics.jsonl"):
        file.write_bytes(b"[")
    head = (path / "pairs.csv").read_bytes().split(b"\n")[0]
    tables = [
        ("experiment,method,seeds\n".encode("utf-16"), head + b"\none,bo," + b"x" * 200_000),
        (b"\0\xff\n", head + b"\none,bo,calsheq,S1,2,inf,0,0\n"),
        (b"experiment,method,seeds,S1_mean\none,bo,x,1\n", None),
    ]
    for table, pairs in tables:
        put(path / "table.csv", table)
        put(path / "pairs.csv", pairs)
        code, _, err = report(path)
        assert code == 1, err
        for name in ("table.csv", "pairs.csv"):
            assert len([line for line in lines_of(err) if line.startswith(f"{path}: {name}")]) == 1, (name, err)
    plan = (path / "study.toml").read_text()
    plans = ["study = 5\n", "experiment = 5\n", "method = 5\n", plan.replace("[1, 2]", "5"),
             plan.replace("one", "../x"), "a = " + "[" * 100_000, "a = " + "9" * 5000]
    for content in [*(text.encode() for text in plans), b"\xff", None]:
        put(path / "study.toml", content)
        code, out, err = report(path)
        assert code == 2 and not out and len(lines_of(err)) == 1, (content and content[:80], code, err)
        expect(err, f"{path}/study.toml: ")


def a_name_that_is_no_utf8(folder):
    """The page is written whole or not at all: an older one stays."""
    path = folder / os.fsdecode(b"q_\xff")
    write_run(path)
    put(path / "metrics.jsonl", b"")
    (path / "report.html").write_text("older")
    code, out, err = report(path)
    assert code == 1 and "q_\\xff" in out and "q_\\xff: metrics.jsonl has no rows" in err, (code, out, err)
    expect((path / "report.html").read_text(), "<title>Run q_\\xff</title>")
    assert not list(path.glob("*.new")) and not list(path.glob(".*"))


def names_on_a_terminal(folder):
    """Control characters and letters that turn the direction of writing are escaped, long names are cut."""
    odd = folder / "a\x1b[31m\n\x85\u2028\u202e\u2066b"
    for script in ("report", "plot_run", "plot_bench"):
        for name, wanted in ((odd, r"a\x1b[31m\x0a\x85\u2028\u202e\u2066b"), ("y" * 5000, "yyy...yyy")):
            more = [str(folder / "x.png")] if script == "plot_bench" else []
            done = subprocess.run(
                [sys.executable, f"python/{script}.py", str(name), *more], capture_output=True, text=True)
            assert done.returncode == 2 and len(lines_of(done.stderr)) == 1, (script, done)
            assert len(done.stderr) < 600 + len(str(folder)), done.stderr
            expect(done.stderr, wanted)
    for arguments in ([], ["a", "b\x1b"], ["a", "--nothing"]):
        done = subprocess.run([sys.executable, "python/report.py", *arguments], capture_output=True, text=True)
        assert done.returncode == 2 and len(lines_of(done.stderr)) == 1, done


def bad_outputs(folder):
    path = folder / "output"
    write_run(path)
    cases = [
        ("report", ".", "--out .: is a folder; expected a file"),
        ("report", str(path / "no" / "x.html"), f"{path}/no is no folder"),
        ("plot_run", ".", "--out .: is a folder; expected a file"),
        ("plot_run", str(path / "x.exe"), "x.exe: unknown type of file; expected one of .eps, "),
    ]
    for script, out, problem in cases:
        command = [sys.executable, f"python/{script}.py", str(path), "--out", out]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 2 and len(lines_of(done.stderr)) == 1, done
        expect(done.stderr, problem)


def derived_files(folder):
    """The page names the state of the run that a file was made from, and whose profile and targets it is of."""
    path = folder / "derived"
    write_run(path)
    put(path / "metrics.jsonl", b"[")  # no figures, which take most of the time

    def texts(check, evaluation):
        (path / "summary.json").write_text(json.dumps(SUMMARY | {"digest": "00ff"}))
        (path / "check.json").write_text(json.dumps(CHECK | {"stage": STAGES} | check))
        (path / "evaluation.json").write_text(json.dumps(EVALUATION | evaluation))
        report(path)
        return (path / "report.html").read_text()

    own = texts({"digest": "00ff"}, {"profile_file": "", "targets_file": ""})
    expect(own, "Which coordinates do the targets pin down?")
    for name in ("summary.json", "check.json", "evaluation.json"):
        expect(own, f"{name} was made from stage 20, digest 00ff.")
    assert "another state" not in own and "not the run" not in own
    other = texts({"digest": "0bad"}, {"profile_file": "p<\x1b.toml", "stage": 10})
    expect(other, "check.json is of another state of stage 20 than summary.json: digest 0bad, not 00ff.")
    expect(other, "evaluation.json is of stage 10 of 20", "check.json was made from stage 20, digest 0bad.")
    expect(other, "evaluation.json is of the profile of p&lt;\\x1b.toml, not the run&#x27;s own.")
    assert "Which coordinates do the targets pin down?" not in other
    both = texts({}, {"profile_file": "p.toml", "targets_file": "t.toml"})
    expect(both, "of the profile of p.toml, not the run&#x27;s own and of the targets of t.toml, not the run&#x27;s own")
    expect(both, "check.json was made from stage 20, of no known digest.")


def an_older_table(folder):
    path = folder / "older"
    write_study(path, ["bo", "calsheq"])
    table = path / "table.csv"
    table.write_text(table.read_text().replace("one,calsheq,2", "one,calsheq,1"))
    code, _, err = report(path)
    assert code == 0, err
    stale = "table.csv is older than the runs: it counts fewer seeds than have finished of one/calsheq (1 of 2)"
    for said in (err, (path / "report.html").read_text()):
        expect(said, stale)


def one_picture(folder):
    """python/plot_run.py"""
    path = folder / "pictured"
    write_run(path)
    subprocess.run([sys.executable, "python/plot_run.py", str(path), "--reachable", "0.8"], check=True, stdout=subprocess.DEVNULL)
    assert (path / "run.png").read_bytes().startswith(b"\x89PNG")


def main():
    with tempfile.TemporaryDirectory() as name:
        for case in (
            a_run, a_run_that_goes_on, without_calibrator, a_broken_run, a_study, a_study_with_gaps, bad_input, one_picture,
            damaged_runs, the_rest_is_drawn, odd_names_of_metrics, a_damaged_study, a_name_that_is_no_utf8,
            names_on_a_terminal, bad_outputs, derived_files, an_older_table,
        ):
            case(pathlib.Path(name))


main()
