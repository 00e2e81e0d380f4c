"""Environments of one's own: plugins that are built already, and headers that Python compiles to plugins."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from . import _sim
from ._sim import Error, InputError

_SDK = Path(__file__).resolve().parent / "sdk"  # src/python/CMakeLists.txt says what lies there
_SHOWN_LINES = 12

#: The plugins that this process has loaded from Python, by their environments' names.
loaded: dict[str, Path] = {}
_of_headers: dict[tuple[Path, str], Path] = {}


def load_plugin(path: str | os.PathLike[str]) -> str:
    """Load a plugin, a library that `shoal_add_environment` of the CMake package has built (docs/plugins.md).

    From then on `make()`, `spec()`, `list()`, `describe()` and `train()` know its environment, whose name is returned.
    Raises InputError naming the file: no plugin, one for another version of shoal, or one whose name is taken.
    """
    name = _sim.load_plugin(_path("path", path))
    loaded[name] = Path(path).resolve()
    return name


def load_environment(header: str | os.PathLike[str], *, struct: str | None = None) -> str:
    """Compile the environment in a header to a plugin, and load it. Returns its name, which `make()` takes.

    `my_game.hpp` defines `struct MyGame`, in namespace shoal or outside; `struct` names another one. The compiler is
    $CXX, or c++, g++ or clang++ on PATH. It gets $CXXFLAGS too. The plugin is for the CPU, of this machine's kind.

    Plugins are kept in $XDG_CACHE_HOME/shoal, or ~/.cache/shoal. The header is compiled again if it, a file that it
    includes, the compiler, its flags or shoal have changed. Raises InputError with the compiler's first errors.
    """
    path = Path(os.path.abspath(_path("header", header)))
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; expected a header that defines an environment")
    if set('"\\\n') & set(str(path)):
        raise InputError(
            f"header = {str(path)!r}: expected a path without quotation marks, backslashes and line breaks"
        )
    if not isinstance(struct, str | None):
        raise InputError(f"struct = {struct!r}: expected a string")
    build = _Build(path, struct or _struct_of(path))
    library = build.find()
    before = _of_headers.get((path, build.struct))
    if before not in (None, library):
        raise InputError(
            f"{path}: changed since this process loaded it; a plugin is never unloaded, so start a new process"
        )
    library = library or build.compile()
    try:
        name = load_plugin(library)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    _of_headers[path, build.struct] = library
    return name


class _Build:
    """One header, the command that compiles it, and what the cache has of it.

    NAME-KEY.json in the cache lists the files that a library was compiled from, by the digests that they had, and names
    the library. KEY is a digest of all that is known before the compiler runs. Libraries are never overwritten, since
    processes may have loaded them.
    """

    def __init__(self, path: Path, struct: str) -> None:
        self.path, self.struct = path, struct
        try:
            sdk = json.loads((_SDK / "plugin.json").read_text())
            self._template = (_SDK / "plugin.cpp.in").read_text()
            archive = _digest(_SDK / "libshoal_plugin.a")
        except OSError as error:
            raise Error(f"{error.filename}: {error.strerror}; this package of shoal is incomplete") from None
        self._interface, self._libraries = sdk["interface"], sdk["libraries"]
        self._compiler = _find_compiler()
        native = ["-march=native"] if platform.machine() == "x86_64" else []
        self._flags = ["-O3", *native, *sdk["flags"], *shlex.split(os.environ.get("CXXFLAGS", ""))]
        self._cache = _cache_folder()
        key = [self._interface, archive, self._identity(), struct, _digest(path)]
        self._key = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        self._record = self._cache / f"{path.stem}-{self._key[:16]}.json"

    def find(self) -> Path | None:
        """The library that was compiled from the present files."""
        try:
            record = json.loads(self._record.read_text())
            library = self._cache / record["library"]
            current = library.is_file() and all(_digest(self._at(f)) == d for f, d in record["files"].items())
        except (OSError, ValueError):
            return None
        return library if current else None

    def compile(self) -> Path:
        started = time.time_ns()
        try:
            with tempfile.TemporaryDirectory(dir=self._cache, prefix=".build-") as folder:
                library, files = self._run(Path(folder))
                for file in files:
                    if started < self._at(file).stat().st_mtime_ns <= time.time_ns():
                        raise InputError(f"{self._at(file)}: changed while it was compiled; load it again")
                digests = {file: _digest(self._at(file)) for file in files}
                of_all = hashlib.sha256(json.dumps([self._key, digests]).encode()).hexdigest()
                result = self._cache / f"{self.path.stem}-{of_all[:16]}.so"
                record = Path(folder) / "record"
                record.write_text(json.dumps({"library": result.name, "files": digests}))
                # Another process may do the same: whole files alone get their names.
                os.replace(library, result)
                os.replace(record, self._record)
                return result
        except OSError as error:
            raise _no_cache(self._cache, error) from None

    def _run(self, folder: Path) -> tuple[Path, list[str]]:
        """Compiles in `folder`. Returns the library, and the files that it was compiled from, but the system's."""
        unit, library, depends = folder / "plugin.cpp", folder / "plugin.so", folder / "depends"
        values = {"header": str(self.path), "struct": self.struct, "interface": self._interface}
        unit.write_text(re.sub("@([a-z]+)@", lambda match: values[match[1]], self._template))
        command = [
            *self._compiler, *self._flags, "-fPIC", "-fvisibility=hidden", "-fvisibility-inlines-hidden",
            "-I", str(_SDK / "include"), "-MMD", "-MT", "plugin", "-MF", str(depends), "-shared", str(unit),
            "-o", str(library), f"-Wl,--version-script={_SDK / 'plugin.map'}", "-Wl,-z,defs",
            str(_SDK / "libshoal_plugin.a"), *self._libraries, "-pthread",
        ]  # fmt: skip
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=_plain(), check=False)
        if done.returncode != 0:
            self._refuse(done.stderr.decode(errors="replace").splitlines(), unit)
        text = depends.read_text().removeprefix("plugin:").replace("\\\n", " ")
        names = [re.sub(r"\\([ #])", r"\1", name).replace("$$", "$") for name in re.split(r"(?<!\\)\s+", text) if name]
        own = [Path(os.path.abspath(name)) for name in names if Path(name) != unit]
        beside = self.path.parent
        return library, sorted({str(p.relative_to(beside) if p.is_relative_to(beside) else p) for p in own})

    def _refuse(self, lines: list[str], unit: Path) -> NoReturn:
        """Raises what the compiler said."""
        first = next((i for i, line in enumerate(lines) if "error:" in line), max(0, len(lines) - _SHOWN_LINES))
        names_struct = 1 + next(i for i, line in enumerate(self._template.splitlines()) if "@struct@" in line)
        if lines[first:] and lines[first].startswith(f"{unit}:{names_struct}:"):
            raise InputError(f"{self.path}: defines no struct {self.struct}; expected it there, or struct=NAME")
        shown = "\n".join(lines[first : first + _SHOWN_LINES]).replace(str(unit), unit.name)
        raise InputError(f"{self.path}: does not compile with {shlex.join(self._compiler)}:\n{shown}")

    def _identity(self) -> str:
        """The compiler's version and all its flags, with what -march=native means on this machine."""
        command = [*self._compiler, *self._flags, "-###", "-x", "c++", "-fsyntax-only", os.devnull]
        done = subprocess.run(command, cwd="/", capture_output=True, env=_plain(), check=False)
        return done.stderr.decode(errors="replace")

    def _at(self, file: str) -> Path:
        return self.path.parent / file


def _struct_of(header: Path) -> str:
    """my_game.hpp defines MyGame, as for shoal_add_environment()."""
    return "".join(word[:1].upper() + word[1:] for word in header.name.split(".")[0].split("_"))


def _find_compiler() -> list[str]:
    named = os.environ.get("CXX")
    for candidate in [named] if named else ["c++", "g++", "clang++"]:
        command = shlex.split(candidate)
        if command and shutil.which(command[0]):
            return command
    where = f"CXX = {named!r} is no program" if named else "no c++, g++ or clang++ on PATH"
    raise InputError(f"{where}; expected a C++20 compiler there, or CXX=FILE")


def _cache_folder() -> Path:
    named = os.environ.get("XDG_CACHE_HOME", "")
    folder = (Path(named) if os.path.isabs(named) else Path.home() / ".cache") / "shoal"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_cache(folder, error) from None
    return folder


def _no_cache(folder: Path, error: OSError) -> InputError:
    return InputError(f"{folder}: {error.strerror}; expected a folder that can be written, below $XDG_CACHE_HOME")


def _plain() -> dict[str, str]:
    """Messages in English, which are searched for errors."""
    return {**os.environ, "LC_ALL": "C"}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _path(key: str, path: object) -> Path:
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise InputError(f"{key} = {path!r}: expected a path")
    return Path(path)
