"""What a process meets: terminals that vanish, descriptors that are closed or full, signals, threads, memory."""

import os
import pathlib
import pty
import resource
import shutil
import signal
import subprocess
import time

from _faults import GAME, SANITIZED, SHOAL
from _faults import complaint, contains, game, rows, run_tests, sets, shoal, start, trained, wait_for


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
        for command in (["list", "market"], ["--help"], ["hash", "matrix_game", "--steps", 4]):
            contains(complaint(*command, code=1, stdout=full), "standard output")
        complaint("check", run, "--updates", 1, "--evaluations", 8, "--instances", 4, code=1, stdout=full)
    assert subprocess.run(["bash", "-c", f'"{SHOAL}" list >&- 2>/dev/null']).returncode == 1
    assert subprocess.run(["bash", "-c", f'"{SHOAL}" list | head -n 1 >/dev/null']).returncode == 0


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
    large = sets("train.instances=20000", "env.rounds=64")
    process = start("train", game(folder), "--out", folder / "r", *large)
    wait_for(lambda: (folder / "r" / "config.toml").is_file())
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    begin = time.time()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    assert time.time() - begin < 1
    assert list((folder / "r" / "checkpoints").glob("*.pt"))


def affinity(folder):
    one = {min(os.sched_getaffinity(0))}
    pinned = lambda: os.sched_setaffinity(0, one)  # noqa: E731
    config = game(folder, GAME.replace("threads = 1\n", ""))
    large = sets("train.instances=256", "train.stages=100000")
    process = start("train", config, "--out", folder / "r", *large, preexec_fn=pinned)
    wait_for(lambda: len(rows(folder / "r")) > 2)
    threads = len(os.listdir(f"/proc/{process.pid}/task"))
    process.kill()
    process.communicate()
    assert threads == 1, threads
    _, err = shoal("train", config, "--out", folder / "r2", "--threads", 2, preexec_fn=pinned)
    contains(err, "warning: train.threads = 2")


def too_many_threads(folder):
    run = trained(folder)
    for command in (
        ["check", run, "--updates", 1, "--evaluations", 8, "--instances", 4],
        ["hash", "matrix_game", "--instances", 64],
    ):
        _, err = shoal(*command, "--threads", 64)
        contains(err, "warning: ", "threads = 64")


def address_limit(mib):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (mib << 20,) * 2)


def mapped(config, out):
    """MiB of addresses that the program has with a small run."""
    process = start("train", config, "--out", out, "--set", "train.stages=100000")
    wait_for(lambda: len(rows(out)) > 2)
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    process.kill()
    process.communicate()
    return int(status.split("VmPeak:")[1].split()[0]) >> 10


def what_fits_fits(folder):
    """The number of instances that a refusal names can be trained, and other commands name what they were asked for."""
    if SANITIZED:
        return
    run = trained(folder)
    limit = address_limit(mapped(folder / "c.toml", folder / "tiny") + 384)
    big = ["train", folder / "c.toml", "--out", folder / "big"]
    said = complaint(*big, "--set", "train.instances=16777216", code=1, preexec_fn=limit)
    fit = said.split("; about ")[1].split()[0]
    shoal(*big, *sets(f"train.instances={fit}", "train.stages=1", "policy.epochs=1"), preexec_fn=limit)
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
        command = ["train", game(folder), "--out", folder / "r", *sets(*overrides)]
        said = complaint(*command, code=1, preexec_fn=limit)
        contains(said, "train.instances", "train.steps", "need about", "are available", "fit")
        assert not (folder / "r").exists()


run_tests([
    stderr_gone, stderr_unread, descriptors_closed, results_that_cannot_be_written, dumb_terminal, second_interrupt,
    affinity, too_many_threads, what_fits_fits, out_of_memory,
])
