"""What users meet, end to end: runs that are extended, interrupted, disputed or damaged, terminals that vanish, files as people have them.

Each test is one fault that was reported, with its right behaviour, and other examples of its kind. Tests take a few seconds
together because each starts the program several times.
"""

import json
import math
import os
import pathlib
import pty
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SHOAL = os.path.abspath(os.environ["SHOAL"])
SANITIZED = b"__asan_init" in pathlib.Path(SHOAL).read_bytes()
GAME = """
[env]
name = "matrix_game"
rounds = 8
[policy]
hidden = [8]
[train]
stages = 10
instances = 8
threads = 1
device = "cpu"
checkpoint_every = 5
"""
MARKET = """
[env]
name = "market"
merchants = 2
steps = 2
[policy]
hidden = [8]
[data]
file = "d.csv"
quantity = "qty"
group = "shop"
[calibrator]
[validation]
episodes = 2
final_episodes = 2
[train]
stages = 1
instances = 2
threads = 1
device = "cpu"
"""


def start(*arguments, **options):
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([SHOAL, *map(str, arguments)], **options)


def shoal(*arguments, code=0, **options):
    """@return stdout and stderr, decoded; nothing that a library says may be in them"""
    process = start(*arguments, **options)
    out, err = (text.decode() if text else "" for text in process.communicate(timeout=100))
    assert process.returncode == code, f"{arguments}: code {process.returncode}, expected {code}\n{out}\n{err}"
    for word in ("std::", "c10", "json.exception", "Exception raised", "terminate called", "Traceback"):
        assert word not in out + err, err
    return out, err


def address_limit(mib):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (mib << 20,) * 2)


def complaint(*arguments, code=2, **options):
    """The one line that a refused command says."""
    _, err = shoal(*arguments, code=code, **options)
    lines = [line for line in err.splitlines() if line.startswith("shoal: ")]
    assert len(lines) == 1 and len(lines[0]) < 1200, err
    return lines[0]


def rows(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def files(run):
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def without_events(found):
    return {name: data for name, data in found.items() if "tfevents" not in name}


def contains(text, *words):
    for word in words:
        assert word in text, f"{word!r} is not in {text!r}"


def game(folder, text=GAME):
    (folder / "c.toml").write_text(text)
    return folder / "c.toml"


def trained(folder, *arguments, text=GAME):
    shoal("train", game(folder, text), "--out", folder / "r", *arguments)
    return folder / "r"


def market(folder, data, *overrides, code=0):
    """Trains on the bytes of a CSV file. @return config.toml and stderr, or the complaint"""
    (folder / "c.toml").write_text(MARKET)
    (folder / "d.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
    shutil.rmtree(folder / "r", ignore_errors=True)
    sets = [word for text in overrides for word in ("--set", text)]
    if code:
        return complaint("train", folder / "c.toml", "--out", folder / "r", *sets, code=code)
    _, err = shoal("train", folder / "c.toml", "--out", folder / "r", *sets)
    return (folder / "r" / "config.toml").read_text(), err


# ---- A run's folder says what the run is ----------------------------------------------------------------------------


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
    for name in ("a b", "it's", "new\nline \\ \x1b[31m", "plain"):
        process = start("train", config, "--out", name, "--set", "train.stages=100000", cwd=folder)
        wait_for(lambda: len(rows(folder / name)) > 2)
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=60)[0].decode()
        assert process.returncode == 130 and "\x1b" not in out and out.count("\n") == 1, out
        hint = out.split("go on with: shoal ")[1].strip()
        process = subprocess.Popen(["bash", "-c", f"exec {SHOAL} {hint}"], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        stage = len(rows(folder / name))
        wait_for(lambda: len(rows(folder / name)) > stage)
        process.terminate()
        assert process.wait(timeout=60) == 130, process.stderr.read()


def given_twice(folder):
    config = game(folder)
    contains(complaint("train", config, "--set", "train.stages=2", "--set", "train.stages=3"), "train.stages", "given twice", "2", "3")
    contains(complaint("train", config, "--set", "train.seed=2", "--seed", 3), "train.seed", "given twice")
    contains(complaint("hash", "matrix_game", "--set", "rounds=4", "--set", "rounds=5"), "rounds", "given twice")
    contains(complaint("bench", "--env", "market", "--env", "market"), "--env", "given twice")


def wait_for(condition, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if condition():
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def resume_wipes_history(folder):
    run = trained(folder)
    damaged = {
        "no checkpoint": lambda r: [path.unlink() for path in (r / "checkpoints").iterdir()],
        "a row missing": lambda r: write_lines(r, lambda lines: lines[:3] + lines[4:]),
        "a broken row": lambda r: write_lines(r, lambda lines: lines[:3] + ["{"] + lines[4:]),
        "rows cut off": lambda r: write_lines(r, lambda lines: lines[:4]),
        "no rows": lambda r: (r / "metrics.jsonl").unlink(),
        "a row without its figures": lambda r: write_lines(r, lambda lines: lines[:3] + ['{"stage":3}'] + lines[4:]),
        "a row of another type": lambda r: write_lines(r, lambda lines: lines[:3] + [lines[3].replace('"seconds":', '"seconds":"x","s":')] + lines[4:]),
        "a row that is deep": lambda r: write_lines(r, lambda lines: lines[:3] + ['{"stage":' + "[" * 100000 + "]" * 100000 + "}"] + lines[4:]),
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
    contains(complaint("train", "--resume", run, "--set", "train.stages=12", code=1), "stage-000000010.pt", "cannot read")
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
    for _ in range(3):
        shoal("check", run, "--updates", 2, "--evaluations", 64, "--instances", 4)
        found.add(json.loads((run / "check.json").read_text())["digest"])
    process.terminate()
    process.communicate(timeout=60)
    assert len(found) == 3 and "cbf29ce484222325" not in found, found


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


# ---- Terminals and descriptors ---------------------------------------------------------------------------------------


def stderr_gone(folder):
    with open("/dev/full", "wb") as full:
        shoal("train", game(folder), "--out", folder / "r", stderr=full)
    assert (folder / "r" / "summary.json").is_file()
    master, slave = pty.openpty()
    ignored = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    process = start(
        "train", folder / "c.toml", "--out", folder / "r2", "--set", "train.stages=100000",
        stdin=slave, stdout=subprocess.DEVNULL, stderr=slave, start_new_session=True, preexec_fn=ignored,
    )
    os.close(slave)
    wait_for(lambda: len(rows(folder / "r2")) > 2)
    os.close(master)
    seen = len(rows(folder / "r2"))
    wait_for(lambda: len(rows(folder / "r2")) > seen + 200)
    process.terminate()
    assert process.wait(timeout=60) == 130


def stderr_unread(folder):
    """A pipe that nobody reads is full after a while."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    shoal("train", game(folder), "--out", folder / "r", stderr=write)
    os.close(read)
    os.close(write)


def descriptors_closed(folder):
    for closed in ("2>&-", "0<&- 2>&-", "0<&-"):
        run = folder / "r"
        shutil.rmtree(run, ignore_errors=True)
        command = f'exec "{SHOAL}" train "{game(folder)}" --out "{run}" >/dev/null {closed}'
        assert subprocess.run(["bash", "-c", command]).returncode == 0, closed
        (events,) = run.glob("events*")
        assert b"agent-steps/s" not in events.read_bytes(), closed


def results_that_cannot_be_written(folder):
    run = trained(folder)
    with open("/dev/full", "wb") as full:
        for command in (["list"], ["list", "market"], ["--help"], ["--version"], ["hash", "matrix_game", "--steps", 4]):
            contains(complaint(*command, code=1, stdout=full), "standard output")
        complaint("check", run, "--updates", 1, "--evaluations", 8, "--instances", 4, code=1, stdout=full)
    assert subprocess.run(["bash", "-c", f'"{SHOAL}" list >&- 2>/dev/null']).returncode == 1
    assert subprocess.run(["bash", "-c", f'"{SHOAL}" list | head -n 1 >/dev/null']).returncode == 0


def results_beside_files_that_cannot_be_written(folder):
    config = game(folder, GAME + '[calibrator]\nkind = "fixed"\n[[calibrator.target]]\nmetrics = ["welfare"]\nvalues = [2]\n')
    (folder / "r" / "summary.json" / "x").mkdir(parents=True)
    run = folder / "s"
    shoal("train", config, "--out", run, "--set", "train.stages=9")
    (run / "summary.json").unlink()
    (run / "summary.json" / "x").mkdir(parents=True)
    out, err = shoal("train", "--resume", run, code=1)
    contains(out, "welfare", "r_cal")
    contains(err, "summary.json")


def dumb_terminal(folder):
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "dumb"}
    process = start("train", game(folder), "--out", folder / "r", stderr=slave, env=environment)
    os.close(slave)
    said = b""
    try:
        while piece := os.read(master, 65536):
            said += piece
    except OSError:
        pass
    assert process.wait(timeout=60) == 0 and b"\x1b" not in said and b"stage 10/10" in said, said
    os.close(master)


def second_interrupt(folder):
    process = start("train", game(folder), "--out", folder / "r", "--set", "train.instances=20000", "--set", "env.rounds=64")
    wait_for(lambda: (folder / "r" / "config.toml").is_file())
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    begin = time.time()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    assert time.time() - begin < 1
    assert list((folder / "r" / "checkpoints").glob("*.pt"))


# ---- Resources -------------------------------------------------------------------------------------------------------


def affinity(folder):
    one = {min(os.sched_getaffinity(0))}
    text = GAME.replace("threads = 1\n", "")
    process = start(
        "train", game(folder, text), "--out", folder / "r", "--set", "train.instances=256", "--set", "train.stages=100000",
        preexec_fn=lambda: os.sched_setaffinity(0, one),
    )
    wait_for(lambda: len(rows(folder / "r")) > 2)
    threads = len(os.listdir(f"/proc/{process.pid}/task"))
    process.kill()
    process.communicate()
    assert threads == 1, threads
    _, err = shoal("train", folder / "c.toml", "--out", folder / "r2", "--threads", 2, preexec_fn=lambda: os.sched_setaffinity(0, one))
    contains(err, "warning: train.threads = 2")


def too_many_threads(folder):
    run = trained(folder)
    for command in (["check", run, "--updates", 1, "--evaluations", 8, "--instances", 4], ["hash", "matrix_game", "--instances", 64]):
        _, err = shoal(*command, "--threads", 64)
        contains(err, "warning: ", "threads = 64")


def what_fits_fits(folder):
    """The number of instances that a refusal names can be trained, and other commands name what they were asked for."""
    if SANITIZED:
        return
    run = trained(folder)
    loaded = next(mib for mib in range(512, 65536, 256) if not start("--version", preexec_fn=address_limit(mib)).wait())
    limit = address_limit(loaded + 512)
    said = complaint("train", folder / "c.toml", "--out", folder / "big", "--set", "train.instances=16777216", code=1, preexec_fn=limit)
    fit = said.split("; about ")[1].split()[0]
    shoal("train", folder / "c.toml", "--out", folder / "big", "--set", f"train.instances={fit}", "--set", "train.stages=1", preexec_fn=limit)
    for command, what in (
        (["check", run, "--instances", 16777216], "--instances = 16777216"),
        (["check", run, "--evaluations", 16777216], "--evaluations = 16777216"),
        (["hash", "matrix_game", "--instances", 16777216], "--instances = 16777216"),
        (["bench", "--env", "matrix_game", "--instances", 16777216, "--mode", "step"], "--instances = 16777216"),
    ):
        contains(complaint(*command, code=1, preexec_fn=limit), what, "need about", "are available", "fit")


def out_of_memory(folder):
    if SANITIZED:  # the sanitizer reserves more address space than the limit
        return
    limit = address_limit(4096)
    for overrides in (["train.instances=16777216"], ["train.instances=64", "env.rounds=1048576"]):
        sets = [word for text in overrides for word in ("--set", text)]
        said = complaint("train", game(folder), "--out", folder / "r", *sets, code=1, preexec_fn=limit)
        contains(said, "train.instances", "train.steps", "need about", "are available", "fit")
        assert not (folder / "r").exists()


# ---- Figures ---------------------------------------------------------------------------------------------------------


def returns_biased(folder):
    text = GAME.replace("rounds = 8", "payoffs = [1, 1,  1, 1,  1, 1,  1, 1]\nrounds = 16\ncontinuation = 0.8")
    text = text.replace("stages = 10\ninstances = 8", "stages = 100\ninstances = 64")
    means = [row["returns"]["supertype_1"]["mean"] for row in rows(trained(folder, text=text))]
    expected = (1 - 0.8**16) / 0.2
    assert abs(sum(means) / len(means) - expected) < 0.08, sum(means) / len(means)
    shoal("train", folder / "c.toml", "--set", "train.steps=8", "--out", folder / "r2")
    assert all(row["returns"] for row in rows(folder / "r2")[2:])
    assert json.loads((folder / "r2" / "summary.json").read_text())["return_slope"] is not None


def short_episodes_do_not_count_twice(folder):
    """A calibrator's stage has one episode of each instance, though instances begin others."""
    target = '[calibrator]\nkind = "fixed"\n[[calibrator.target]]\nmetrics = ["episode_length"]\nvalues = [5]\n[validation]\nepisodes = 64\n[settling]\nshare = 0\n'
    text = GAME.replace("rounds = 8", "payoffs = [1, 1,  1, 1,  1, 1,  1, 1]\nrounds = 16\ncontinuation = 0.8") + target
    text = text.replace("instances = 8", "instances = 256")
    expected = (1 - 0.8**16) / 0.2
    for steps in (0, 40):
        shutil.rmtree(folder / "r", ignore_errors=True)
        found = rows(trained(folder, "--set", f"train.steps={steps}", "--set", "train.stages=20", text=text))
        mean = sum(row["targets"]["episode_length"]["value"] for row in found) / len(found)
        assert abs(mean - expected) < 0.15, (steps, mean)


def bounds(folder):
    for value in ("spread_high=0.1", "spread_mean=0.1", "spread_sd=0.1", "spread_sd=1e-9", "reward_unit=1e-6"):
        shutil.rmtree(folder / "r", ignore_errors=True)
        text = '[env]\nname = "market"\nsteps = 2\n[train]\nstages = 1\ninstances = 2\nthreads = 1\ndevice = "cpu"\n'
        run = trained(folder, "--set", f"env.{value}", text=text)
        shoal("train", "--resume", run)
    contains(complaint("train", folder / "c.toml", "--set", "env.spread_high=0.1001"), "env.spread_high", "[0, 0.1]")


def units(folder):
    quantities = [1, 2, 2, 3, 6, 6, 12, 12, 24]
    fits = []
    for unit in (1, 0.001, 1000):
        lines = [f"{quantities[i % 9] * unit!r},{'AAB'[i % 3]}" for i in range(300)]
        config, _ = market(folder, "qty,shop\n" + "\n".join(lines) + "\n", "data.member=A", "train.stages=5", "env.steps=16")
        assert f"quantity_unit = {float(unit)}" in config, config
        fits.append([row["r_cal_mean"] for row in rows(folder / "r")])
    for other in fits[1:]:
        assert all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(fits[0], other)), fits


# ---- Files as people have them ---------------------------------------------------------------------------------------


def csv_line_ends(folder):
    market(folder, "qty,shop\r" + "3,A\r5,B\r" * 2000)
    market(folder, "sep=;\r\nqty;shop\r\n3;A\r\n5;B\r\n\x1a")
    for delimiter in ";\t|":
        market(folder, f"id{delimiter}qty{delimiter}shop\n1{delimiter}3{delimiter}A, Inc.\n2{delimiter}5{delimiter}B\n")
    market(folder, 'qty,shop\n"+1.234,5",A\n3,B\n', "data.decimal=comma", "data.thousands=point")
    contains(market(folder, 'qty,shop\n"1,5",A\n3,B\n', code=2), "d.csv:2", "data.decimal")
    market(folder, 'qty,shop\n 3 , "A" \n5,"B"\n')
    market(folder, 'qty,shop,what\n5,A,PICTURE 7" SMALL\n6,B,LAMP\n3,A,RULER 12" WOOD and 3" more\n', "data.member=A")
    contains((folder / "r" / "config.toml").read_text(), repr(8 / 14)[:8])
    market(folder, 'qty,shop,note\n3,A,"two\nlines"\n5,B,\n')
    contains(market(folder, 'qty,shop\n3,A\n5,"B\n6,C\n', code=2), "d.csv:3: a quote is not closed")


def other_formats(folder):
    for begin, name in ((b"\x1f\x8b\x08\x00", "gzip"), (b"PK\x03\x04", "zip"), ("qty,shop\n3,A\n".encode("utf-16"), "UTF-16")):
        contains(market(folder, begin + os.urandom(50), code=2), name, "expected a CSV file in UTF-8")
    contains(market(folder, "qty,shop\n3,A\n".encode("utf-16-le"), code=2), "UTF-16")
    wide = ",".join(f"column_{i}_" + "x" * 100 for i in range(1000))
    contains(market(folder, wide + "\n", code=2), "and 992 more")
    contains(market(folder, b"\x1b[31mred\x07,b\n", code=2), "\\x1b")


def latin1_merchant(folder):
    data = "qty,shop\n5,Caf\xe9 Ypsilon\n6,Caf\xe9 Ypsilon\n3,B\n2,C\n"
    contains(market(folder, data.encode("latin-1"), code=2), "d.csv:2", "UTF-8", "Caf\\xe9")
    market(folder, data.encode())
    shoal("train", "--resume", folder / "r", "--set", "train.stages=2")
    shoal("check", folder / "r", "--updates", 1, "--evaluations", 2, "--instances", 2)
    market(folder, "qty,shop,\xe9\n5,A,\xe9\n3,B,\xff\n".encode("latin-1"))


def empty_group(folder):
    data = "qty,shop\n5,\n6,\n9,\n3,B\n2,C\n"
    contains(market(folder, data, code=2), "d.csv:2", "shop is empty", "data.missing")
    config, err = market(folder, data, "data.missing=drop")
    contains(err, "3 rows, 60 %, left out")
    contains(config, "3 rows, 60 %", "B", "C")
    for marker in ("NA", "n/a", "NULL", "NaN", "none", "-"):
        contains(market(folder, f"qty,shop\n3,B\n2,{marker}\n", code=2), "d.csv:3", marker)
        contains(market(folder, f"qty,shop\n3,B\n{marker},C\n", code=2), "d.csv:3", marker)
    config, _ = market(folder, "qty,shop\n3,B\n2,NA\n", "data.missing=keep")
    contains(config, '"NA"')


def duplicates(folder):
    target = '[[calibrator.target]]\nmetrics = ["welfare"]\nvalues = [2]\n'
    config = game(folder, f"{GAME}[calibrator]\n{target}{target}")
    contains(complaint("train", config), "c.toml:18", "c.toml:15", "welfare")
    study = '[study]\nseeds = [1, 2, 1]\n[[experiment]]\nname = "a"\nconfig = "c.toml"\n[[method]]\nname = "m"\n'
    (folder / "s.toml").write_text(study)
    contains(complaint("study", folder / "s.toml"), "seed 1 is given twice, as values 1 and 3")
    (folder / "s.toml").write_text(study.replace("1, 2, 1", "1") + '[[method]]\nname = "m"\n')
    contains(complaint("study", folder / "s.toml"), "s.toml:9", "s.toml:7")


def odd_text(folder):
    config = game(folder)
    complaint("train", folder / os.fsdecode(b"no\x1b[31m\xff\nsuch.toml"))
    contains(complaint("train", config, "--set", os.fsdecode(b"env.name=\xff")), "not UTF-8")
    (folder / "deep.toml").write_text(".".join("a" * 50_000) + " = 1\n")
    contains(complaint("train", folder / "deep.toml"), "deep.toml:1", "parts")
    (folder / "deep.toml").write_text("a = " + "[" * 50_000)
    complaint("train", folder / "deep.toml")
    complaint("train", config, "--set", "x" * 100_000 + "=1")
    complaint("train", config, "--set", "train." + "x" * 100_000 + "=1")
    market(folder, "qty,shop\n3,5\n5,B\n", "data.member=5")


TESTS = [
    resume_past_end, hint_after_an_interrupted_extension, hints_are_shell_words, given_twice, resume_wipes_history,
    cut_checkpoint, unreadable_checkpoint, files_of_the_user, digests, two_resumes,
    results_beside_files_that_cannot_be_written, too_many_threads, what_fits_fits, short_episodes_do_not_count_twice,
    starts_at_the_same_moment, stale_check, stderr_gone, stderr_unread, descriptors_closed, results_that_cannot_be_written,
    dumb_terminal, second_interrupt, affinity, out_of_memory, returns_biased, bounds, units, csv_line_ends, other_formats,
    latin1_merchant, empty_group, duplicates, odd_text,
]


def main():
    chosen = [test for test in TESTS if len(sys.argv) < 2 or test.__name__ in sys.argv[1:]]
    failed = []
    for test in chosen:
        begin = time.time()
        try:
            with tempfile.TemporaryDirectory() as folder:
                test(pathlib.Path(folder))
            print(f"{test.__name__}: passed, {time.time() - begin:.1f} s", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failed.append(test.__name__)
            print(f"{test.__name__}: FAILED: {error}", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


main()
