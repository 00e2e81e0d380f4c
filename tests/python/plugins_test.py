"""Headers and libraries of the user's become environments. A plugin is never unloaded: each test has its processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import shoal

ROOT = Path(__file__).parents[2]
CHASE = ROOT / "examples" / "plugin" / "chase.hpp"
if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
    pytest.skip("no C++ compiler", allow_module_level=True)

# Quickly compiled; `rules.hpp` beside it has its name.
TINY = """#include "shoal/envs/recall.hpp"
#include "rules.hpp"
namespace games {
struct Tiny : shoal::Recall { static constexpr char const* name = NAME; };
}
"""
LOAD = "import shoal; print(shoal.load_environment({!r}, struct='games::Tiny'))"


def start(code: str, cache: Path, **environment: str) -> subprocess.Popen:
    inherited = {key: value for key, value in os.environ.items() if key not in ("CXX", "CXXFLAGS", "SHOAL_PLUGINS")}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cache,
        env={**inherited, "XDG_CACHE_HOME": str(cache), **environment},
    )  # fmt: skip


def finish(process: subprocess.Popen) -> str:
    out, error = process.communicate()
    assert process.returncode == 0, error
    return out


def run(code: str, cache: Path, **environment: str) -> str:
    return finish(start(code, cache, **environment))


def refusal(code: str, cache: Path, **environment: str) -> str:
    """The InputError that the code raises."""
    process = start(code, cache, **environment)
    error = process.communicate()[1]
    assert process.returncode == 1 and "InputError: " in error, error
    return error.split("InputError: ", 1)[1].rstrip()


def kept(cache: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (cache / "shoal").iterdir()}


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """A cache with the sample of docs/plugins.md."""
    folder = tmp_path_factory.mktemp("cache")
    run(f"import shoal; assert shoal.load_environment({str(CHASE)!r}) == 'chase'", folder)
    return folder


@pytest.fixture
def chase(cache) -> Path:
    (library,) = (cache / "shoal").glob("chase-*.so")
    return library


def test_a_header_becomes_an_environment(cache):
    before = kept(cache)
    code = f"""
import shoal
assert "chase" not in shoal.list()
name = shoal.load_environment({str(CHASE)!r})
assert shoal.load_environment({str(CHASE)!r}) == name
assert name in shoal.list() and "hunt an evader" in shoal.describe(name).summary
assert [group.agents for group in shoal.spec(name, chasers=3).groups] == [3, 1]
env = shoal.make(name, num_envs=5)
print(list(env.reset().observations), env.draw().ndim)
"""
    assert run(code, cache) == "['chasers', 'evader'] 3\n"
    assert kept(cache) == before and len(before) == 2, "compiled again, or something was left there"


def test_the_bits_are_those_of_the_cmake_package(cache, chase):
    built = Path(shoal.__file__).parents[2] / "tests" / "chase.so"
    if not built.exists():
        pytest.skip("the sample plugin is not built")
    play = """
import hashlib, numpy as np
env = shoal.make("chase", num_envs=64, seed=3)
rng, digest = np.random.default_rng(0), hashlib.sha256()
env.reset()
for _ in range(300):
    chasers, evader = rng.uniform(-1, 1, (64, 2, 2)).astype(np.float32), rng.integers(9, size=(64, 1), dtype=np.int32)
    out = env.step({"chasers": chasers, "evader": evader})
    for name in out.observations:
        digest.update(out.observations[name].tobytes() + out.rewards[name].tobytes())
print(digest.hexdigest())
"""
    plays = [run(f"import shoal; shoal.load_plugin({str(path)!r}){play}", cache) for path in (built, chase)]
    assert plays[0] == plays[1]


def test_two_processes_at_once_and_a_change_of_what_is_included(tmp_path):
    (tmp_path / "tiny.hpp").write_text(TINY)
    (tmp_path / "rules.hpp").write_text('#define NAME "tiny"')
    code = LOAD.format(str(tmp_path / "tiny.hpp"))
    both = [start(code, tmp_path, CXXFLAGS="-O0") for _ in range(2)]
    assert [finish(process) for process in both] == ["tiny\n"] * 2
    first = kept(tmp_path)
    assert len(first) == 2, f"left in the cache: {first}"
    change = f"import pathlib; pathlib.Path({str(tmp_path / 'rules.hpp')!r}).write_text('#define NAME \"tinier\"')"
    error = refusal(f"{code}\n{change}\n{code}", tmp_path, CXXFLAGS="-O0")
    assert error.startswith(
        f"{tmp_path / 'tiny.hpp'}: changed since this process loaded it; a plugin is never unloaded"
    )
    assert run(code, tmp_path, CXXFLAGS="-O0") == "tinier\n"
    assert len(kept(tmp_path)) == 3, "the library of before may be loaded elsewhere"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#include <missing>", "bad_game.hpp:1:10: fatal error: "),
        ("struct BadGame { int x = nothing; };", "bad_game.hpp:1:26: error: "),
        ("struct Game {};", "bad_game.hpp: defines no struct BadGame; expected it there, or struct=NAME"),
        ("struct BadGame {};", "error: "),
    ],
)
def test_headers_that_are_refused(text, expected, tmp_path):
    header = tmp_path / "bad_game.hpp"
    header.write_text(text)
    error = refusal(f"import shoal; shoal.load_environment({str(header)!r})", tmp_path)
    assert error.startswith(f"{header}: ") and expected in error and len(error.splitlines()) <= 13
    assert not kept(tmp_path), "left in the cache"


def test_what_cannot_be_compiled(tmp_path, monkeypatch):
    with pytest.raises(shoal.InputError, match="missing.hpp: there is no such file"):
        shoal.load_environment(tmp_path / "missing.hpp")
    with pytest.raises(shoal.InputError, match="^header = 3: expected a path"):
        shoal.load_environment(3)
    header = tmp_path / "game.hpp"
    header.touch()
    with pytest.raises(shoal.InputError, match="^struct = 3: expected a string"):
        shoal.load_environment(header, struct=3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(header))
    with pytest.raises(shoal.InputError, match=r"game.hpp/shoal: Not a directory; expected .* below \$XDG_CACHE_HOME"):
        shoal.load_environment(header)
    monkeypatch.setenv("CXX", "no-such-compiler -m64")
    with pytest.raises(shoal.InputError, match="^CXX = 'no-such-compiler -m64' is no program; expected a C"):
        shoal.load_environment(header)
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(shoal.InputError, match="^no c.., g.. or clang.. on PATH; expected"):
        shoal.load_environment(header)


def test_a_name_belongs_to_one_plugin(cache, chase, tmp_path):
    copy = shutil.copy(chase, tmp_path / "copy.so")
    error = refusal(f"import shoal; shoal.load_plugin({str(copy)!r}); shoal.load_environment({str(CHASE)!r})", cache)
    assert error == f'{CHASE}: plugin {chase}: the name "chase" is taken, by {copy}'


def test_libraries_that_are_refused(tmp_path):
    old, none, text = (tmp_path / name for name in ("old.so", "none.so", "text.so"))
    source = ROOT / "tests" / "plugins" / "old.cpp"
    compiler = next(filter(shutil.which, ("c++", "g++", "clang++")))
    for flags, library in ((["-DOLD_PLUGIN"], old), ([], none)):
        subprocess.run([compiler, "-shared", "-fPIC", *flags, str(source), "-o", str(library)], check=True)
    text.write_text("no library")
    for path, expected in (
        (old, "compiled for shoal 0.1.0-0123abcd, expected .*; build it against this version$"),
        (none, "no symbol shoal_plugin there"),
        (text, "cannot be loaded"),
        (tmp_path / "missing.so", "No such file or directory$"),
    ):
        with pytest.raises(shoal.InputError, match=f"^plugin {path}: {expected}"):
            shoal.load_plugin(path)
    with pytest.raises(shoal.InputError, match="^path = None: expected a path"):
        shoal.load_plugin(None)


def test_train_and_load_a_plugins_run(cache, chase, tmp_path):
    pytest.importorskip("torch")
    from shoal.program import find_program

    try:
        find_program()
    except shoal.InputError:
        pytest.skip("the program shoal is not built")
    moved, folder = str(tmp_path / "chase.so"), str(tmp_path / "run")
    act = f"run = shoal.load({folder!r}); env = run.make(3); env.step(run.act(env.reset())); print(*run.policies)"
    config = {
        "env": {"name": "chase", "chasers": 3},
        "policy": {"map": "group", "hidden": [8]},
        "train": {"stages": 1, "instances": 4, "threads": 1},
    }
    shutil.copy(chase, moved)
    run(f"import shoal; shoal.load_plugin({moved!r}); shoal.train({config!r}, out={folder!r})", cache)
    assert run(f"import shoal; {act}", cache) == "policy.0 policy.1\n", "the run's configuration names the plugin"
    os.remove(moved)
    error = refusal(f"import shoal; {act}", cache)
    assert error == (
        f'{folder}/config.toml: env.plugin = "{moved}": plugin {moved}: No such file or directory; '
        "shoal.load_plugin(FILE) takes another"
    )
    assert run(f"import shoal; shoal.load_environment({str(CHASE)!r}); {act}", cache) == "policy.0 policy.1\n"
