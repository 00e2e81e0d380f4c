"""Runs that are extended, interrupted, disputed or damaged: their folders say what they are, and nothing is lost."""

import json
import shutil
import signal
import subprocess
import sys

from _faults import GAME, SHOAL, complaint, contains, files, game, rows, run_tests, sets
from _faults import shoal, start, trained, wait_for, without_events


def resume_past_end(folder):
    run = trained(folder)
    shoal("train", "--resume", run, "--set", "train.stages=20")
    before = without_events(files(run))
    out, _ = shoal("train", "--resume", run)
    contains(out, "done, 20 stages")
    assert len(rows(run)) == 20 and without_events(files(run)) == before
    contains((run / "config.toml").read_text(), "stages = 20")
    contains(complaint("train", "--resume", run, "--set", "train.stages=5"), "train.stages = 5", "20 stages")


def hint_after_an_interrupted_extension(folder):
    run = trained(folder)
    process = start("train", "--resume", run, "--set", "train.stages=100000")
    wait_for(lambda: len(rows(run)) > 12)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    contains(out.decode(), "of 100000 stages; go on with: shoal train --resume")
    contains(err.decode(), "finishing stage", "again: stop now")
    contains((run / "config.toml").read_text(), "stages = 100000")


def hints_are_shell_words(folder):
    """What the program says to type next works as it stands, whatever the folder is called."""
    config = game(folder)
    for name in ("it's a b", "new\nline \\ \x1b[31m"):
        process = start("train", config, "--out", name, "--set", "train.stages=100000", cwd=folder)
        wait_for(lambda: len(rows(folder / name)) > 2)
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=60)[0].decode()
        assert process.returncode == 130 and "\x1b" not in out and out.count("\n") == 1, out
        hint = out.split("go on with: shoal ")[1].strip()
        process = subprocess.Popen(
            ["bash", "-c", f"exec {SHOAL} {hint}"], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        stage = len(rows(folder / name))
        wait_for(lambda: len(rows(folder / name)) > stage)
        process.terminate()
        assert process.wait(timeout=60) == 130, process.stderr.read()


def given_twice(folder):
    config = game(folder)
    said = complaint("train", config, *sets("train.stages=2", "train.stages=3"))
    contains(said, "train.stages", "given twice", "2", "3")
    contains(complaint("train", config, "--set", "train.seed=2", "--seed", 3), "train.seed", "given twice")
    contains(complaint("hash", "matrix_game", *sets("rounds=4", "rounds=5")), "rounds", "given twice")
    contains(complaint("bench", "--env", "market", "--env", "market"), "--env", "given twice")


def resume_wipes_history(folder):
    run = trained(folder)
    broken = lambda change: lambda r: write_lines(r, change)  # noqa: E731
    row = lambda change: broken(lambda lines: lines[:3] + change(lines[3]) + lines[4:])  # noqa: E731
    damaged = {
        "no checkpoint": lambda r: [path.unlink() for path in (r / "checkpoints").iterdir()],
        "a row missing": row(lambda line: []),
        "a broken row": row(lambda line: ["{"]),
        "rows cut off": broken(lambda lines: lines[:4]),
        "no rows": lambda r: (r / "metrics.jsonl").unlink(),
        "a row without its figures": row(lambda line: ['{"stage":3}']),
        "a row of another type": row(lambda line: [line.replace('"seconds":', '"seconds":"x","s":')]),
        "a row that is deep": row(lambda line: ['{"stage":' + "[" * 100000 + "]" * 100000 + "}"]),
    }
    for what, damage in damaged.items():
        copy = folder / "damaged"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(run, copy)
        damage(copy)
        before = files(copy)
        said = complaint("train", "--resume", copy, "--set", "train.stages=30")
        contains(said, "checkpoint" if "row" not in what else "metrics.jsonl")
        assert files(copy) == before, what


def write_lines(run, change):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text("\n".join(change(lines)) + "\n")


def cut_checkpoint(folder):
    run = trained(folder)
    whole = without_events(files(run))
    last = run / "checkpoints" / "stage-000000010.pt"
    last.write_bytes(last.read_bytes()[:-100])
    _, err = shoal("train", "--resume", run)
    contains(err, "not a whole checkpoint", "stage-000000005.pt")
    assert [row["stage"] for row in rows(run)] == list(range(10))
    assert files(run)["checkpoints/stage-000000005.pt"] == whole["checkpoints/stage-000000005.pt"]
    assert last.is_file()


def unreadable_checkpoint(folder):
    """Only a file that was read and is not whole is passed over; what cannot be read is an error, and stays."""
    run = trained(folder)
    last = run / "checkpoints" / "stage-000000010.pt"
    last.unlink()
    last.mkdir()
    before = files(run)
    said = complaint("train", "--resume", run, "--set", "train.stages=12", code=1)
    contains(said, "stage-000000010.pt", "cannot read")
    assert files(run) == before


def files_of_the_user(folder):
    run = trained(folder)
    kept = [run / "checkpoints" / "best.pt", run / "checkpoints" / "stage-000000005 (copy).pt", run / "notes.partial"]
    for path in kept:
        shutil.copy(run / "checkpoints" / "stage-000000005.pt", path)
    (run / "x.partial").mkdir()
    (run / "x.partial" / "y").write_text("")
    (run / "summary.json.partial").write_text("")
    out, err = shoal("train", "--resume", run, "--set", "train.stages=20")
    contains(err, "resumed at stage 10")
    assert all(path.is_file() for path in kept) and (run / "x.partial" / "y").is_file()
    assert not (run / "summary.json.partial").exists()


def digests(folder):
    """What is computed from a run names the checkpoint that it was computed from, also while the run goes on."""
    run = trained(folder)
    process = start("train", "--resume", run, "--set", "train.stages=100000", "--set", "train.checkpoint_every=1")
    wait_for(lambda: len(rows(run)) > 15)
    found = set()
    for _ in range(2):
        shoal("check", run, "--updates", 2, "--evaluations", 64, "--instances", 4)
        found.add(json.loads((run / "check.json").read_text())["digest"])
    process.terminate()
    process.communicate(timeout=60)
    assert len(found) == 2 and "cbf29ce484222325" not in found, found


def two_resumes(folder):
    run = trained(folder)
    process = start("train", "--resume", run, "--set", "train.stages=100000")
    wait_for(lambda: len(rows(run)) > 10)
    contains(complaint("train", "--resume", run), "in use")
    process.terminate()
    assert process.wait(timeout=60) == 130
    assert [row["stage"] for row in rows(run)] == list(range(len(rows(run))))


def starts_at_the_same_moment(folder):
    config = game(folder)
    at_once = [start("train", config, cwd=folder) for _ in range(4)]
    assert [process.wait(timeout=100) for process in at_once] == [0] * 4
    assert sorted(path.name for path in (folder / "runs").iterdir()) == ["c", "c-2", "c-3", "c-4"]
    for path in (folder / "runs").iterdir():
        assert len(rows(path)) == 10


def stale_check(folder):
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return
    run = trained(folder)
    shoal("check", run, "--updates", 1, "--evaluations", 8, "--instances", 4)
    shoal("train", "--resume", run, "--set", "train.stages=30")
    assert json.loads((run / "check.json").read_text())["stage"] == 10
    subprocess.run([sys.executable, "python/report.py", run], check=True, stdout=subprocess.DEVNULL)
    page = (run / "report.html").read_text().replace("\N{NO-BREAK SPACE}", " ")
    contains(page, "of stage 10 of 30")


def results_beside_files_that_cannot_be_written(folder):
    target = '[calibrator]\nkind = "fixed"\n[[calibrator.target]]\nmetrics = ["welfare"]\nvalues = [2]\n'
    config = game(folder, GAME + target)
    (folder / "r" / "summary.json" / "x").mkdir(parents=True)
    run = folder / "s"
    shoal("train", config, "--out", run, "--set", "train.stages=9")
    (run / "summary.json").unlink()
    (run / "summary.json" / "x").mkdir(parents=True)
    out, err = shoal("train", "--resume", run, code=1)
    contains(out, "welfare", "r_cal")
    contains(err, "summary.json")


run_tests([
    resume_past_end, hint_after_an_interrupted_extension, hints_are_shell_words, given_twice, resume_wipes_history,
    cut_checkpoint, unreadable_checkpoint, files_of_the_user, digests, two_resumes, starts_at_the_same_moment,
    stale_check, results_beside_files_that_cannot_be_written,
])
