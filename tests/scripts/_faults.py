"""What the tests of faults share: starting the program, reading what it left, running a file's tests one by one.

Each test is one fault that was reported, with its right behaviour, and other examples of its kind. A start of the
program takes a third of a second, which is most of a test's time: a test starts it as often as it has to.
"""

import json
import os
import pathlib
import shutil
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


def complaint(*arguments, code=2, **options):
    """The one line that a refused command says."""
    _, err = shoal(*arguments, code=code, **options)
    lines = [line for line in err.splitlines() if line.startswith("shoal: ")]
    assert len(lines) == 1 and len(lines[0]) < 1200, err
    return lines[0]


def sets(*assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


def rows(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def files(run):
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def without_events(found):
    return {name: data for name, data in found.items() if "tfevents" not in name}


def contains(text, *words):
    for word in words:
        assert word in text, f"{word!r} is not in {text!r}"


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
    command = ["train", folder / "c.toml", "--out", folder / "r", *sets(*overrides)]
    if code:
        return complaint(*command, code=code)
    _, err = shoal(*command)
    return (folder / "r" / "config.toml").read_text(), err


def run_tests(tests):
    """Each in a folder of its own; with arguments on the command line, those named alone."""
    failed = []
    for test in tests:
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
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
