"""The program `shoal` from Python. It trains in a process of its own, with LibTorch and threads of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from . import plugins
from ._sim import Error, InputError

_POLL_SECONDS = 0.05


def find_program() -> Path:
    """The program: the file that $SHOAL names, the one of the build that this package lies in, or PATH's."""
    package = Path(__file__).resolve().parent
    named = os.environ.get("SHOAL")
    candidates = [named] if named else [str(package.parents[1] / "shoal"), shutil.which("shoal")]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK) and Path(candidate).is_file():
            return Path(candidate)
    where = f"SHOAL = {named!r} is no program" if named else "the program shoal is not on PATH"
    raise InputError(f"{where}; expected it there, or SHOAL=FILE (docs/python.md)")


def train(
    config: str | os.PathLike[str] | Mapping[str, Any],
    *,
    set: Mapping[str, Any] | None = None,
    out: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    threads: int | None = None,
    device: str | None = None,
    callback: Callable[[dict[str, Any]], bool | None] | None = None,
) -> Path:
    """Train what a configuration describes. Returns the folder of the run, for `shoal.load()`.

    `config` is a file, or a dictionary of the same sections: {"env": {"name": "switch"}, "train": {"stages": 100}}. Its
    relative paths are relative to the file, of a dictionary to the working directory. `set` overrides keys:
    {"policy.learning_rate": 0.001}. `out` is the folder of the run, which must not exist; without it runs/NAME.
    `seed`, `threads` and `device` set the keys of [train] of these names. The program knows the environments that
    `load_plugin()` and `load_environment()` have loaded.

    `callback` is called for every stage with its row of metrics.jsonl (docs/train.md). If it returns False, training
    ends there: the run is saved, and `shoal train --resume` goes on with it.

    Raises InputError with the program's message for what it refuses, Error where it fails.
    """
    if not isinstance(config, (str, os.PathLike, Mapping)):
        raise InputError(f"config: of type {type(config).__name__}, expected a file or a dictionary of sections")
    command = [str(find_program()), "train"]
    for plugin in plugins.loaded.values():
        command += ["--plugin", str(plugin)]
    given = {"seed": seed, "threads": threads, "device": device}
    for key, value in {**(set or {}), **{f"train.{k}": v for k, v in given.items() if v is not None}}.items():
        command += ["--set", f"{key}={_toml(value)}"]
    folder = Path(out) if out is not None else Path(_free_name(config))
    command += ["--out", str(folder)]
    if not isinstance(config, Mapping):
        _run([*command, os.fspath(config)], folder, None, callback)
        return folder
    # In the working directory, which the relative paths in it are relative to.
    with tempfile.NamedTemporaryFile("wb", dir=os.getcwd(), prefix=".shoal-", suffix=".toml") as file:
        file.write(_document(config).encode())
        file.flush()
        _run([*command, file.name], folder, file.name, callback)
    return folder


def _free_name(config: str | os.PathLike[str] | Mapping[str, Any]) -> str:
    stem = "run" if isinstance(config, Mapping) else Path(config).stem
    names = (f"runs/{stem}" + (f"-{k}" if k > 1 else "") for k in range(1, 1 << 20))
    return next(name for name in names if not Path(name).exists())


def _run(
    command: list[str],
    folder: Path,
    config: str | None,
    callback: Callable[[dict[str, Any]], bool | None] | None,
) -> None:
    """`config` is the file that stands for a dictionary."""
    rows = _Rows(folder / "metrics.jsonl")
    stopped = False
    with tempfile.TemporaryFile() as messages:
        # A group of its own: a terminal's Ctrl-C reaches this process alone, which passes it on once.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=messages, start_new_session=True
        )
        try:
            while True:
                ended = process.poll() is not None
                for row in rows.new() if callback else ():
                    if callback(row) is False and not stopped:
                        process.send_signal(signal.SIGINT)
                        stopped = True
                if ended:
                    break
                time.sleep(_POLL_SECONDS)
        except BaseException:
            _interrupt(process)
            raise
        messages.seek(0)
        text = messages.read().decode(errors="replace")
    if process.returncode == 0 or (stopped and process.returncode == 130):
        return
    lines = [line for line in text.splitlines() if line.startswith("shoal: ")]
    message = lines[-1].removeprefix("shoal: ") if lines else f"shoal train ended with {process.returncode}"
    if config is not None:
        message = message.replace(config, "config")
    raise InputError(message) if process.returncode == 2 else Error(message)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """The program ends its stage and saves the run; a second Ctrl-C stops it at once."""
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait()
        except KeyboardInterrupt:
            pass


class _Rows:
    """The whole lines that a file grows by."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0  # of a run that the program will refuse to overwrite

    def new(self) -> Iterable[dict[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._at += len(line)
                yield json.loads(line)


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # numpy's and torch's numbers
        value = value.item()
    if value is None or not isinstance(value, (bool, int, float, str)):
        raise InputError(f"{value!r}: expected a boolean, number, string, list or dictionary")
    if isinstance(value, float):
        return repr(value)  # nan and inf too
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{value!r}: expected text that UTF-8 can write") from None
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: Any) -> str:
    plain = isinstance(key, str) and re.fullmatch(r"[A-Za-z0-9_-]+", key)
    return key if plain else _text(str(key))


def _document(config: Mapping[str, Any]) -> str:
    """Sections in sections become [a.b], lists of sections [[a.b]]."""
    lines: list[str] = []

    def write(header: str, section: Mapping[str, Any], path: str) -> None:
        if header:
            lines.append(header)
        inner = []
        for key, value in section.items():
            full = f"{path}.{_key(key)}" if path else _key(key)
            if isinstance(value, Mapping):
                inner.append((f"[{full}]", value, full))
            elif isinstance(value, (list, tuple)) and value and all(isinstance(v, Mapping) for v in value):
                inner += [(f"[[{full}]]", v, full) for v in value]
            else:
                lines.append(f"{_key(key)} = {_toml(value)}")
        for each in inner:
            write(*each)

    write("", config, "")
    return "\n".join(lines) + "\n"
