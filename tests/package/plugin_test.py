"""Runs every command of docs/plugins.md against the installed package, then what the page says of moved, old and listed
plugins.

    plugin_test.py BUILD    installs BUILD, which has the program, to a temporary folder
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "plugins.md").read_text()
SAMPLE = ROOT / "examples" / "plugin"
STAGES = "stages = 150"  # of the sample; the test trains a few


def expect(condition, what):
    if not condition:
        sys.exit(f"plugin_test: {what}")


def run(*command, code=0, **options):
    """What the command prints. `code`: how it has to end."""
    words = list(map(str, command))
    result = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if result.returncode != code:
        sys.exit(f"exit code {result.returncode}: {' '.join(words)}\n{result.stdout}{result.stderr}")
    return result.stdout + result.stderr


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.S | re.M)


def test_documentation():
    """What the page shows stands in the sample."""
    sources = " ".join(" ".join(path.read_text().split()) for path in SAMPLE.iterdir())
    for language in ("cmake", "cpp", "toml"):
        expect(blocks(language), f"docs/plugins.md shows no {language}")
        for block in blocks(language):
            expect(" ".join(block.split()) in sources, f"plugins.md shows what no file of the sample has:\n{block}")


def test_tutorial(prefix, folder):
    """The commands in their order, in one shell, and what they leave."""
    launcher = os.environ.get("SHOAL_LAUNCHER")
    script = ["set -e"] + ([f"export CMAKE_CXX_COMPILER_LAUNCHER={launcher}"] if launcher else [])
    for block in blocks("sh"):
        script += [line for line in block.replace("/opt/shoal", str(prefix)).splitlines()]
        if "cp " in block:
            script.append(f"grep -q '{STAGES}' chase.toml && sed -i 's/{STAGES}/stages = 4/; s/256/8/' chase.toml")
    printed = run("bash", "-c", "\n".join(script), cwd=folder)
    expect(re.search(r"chase: all \d+ properties hold", printed), f"verify found something:\n{printed}")
    expect(re.search(r"^plugin +.*/chase/build/chase.so$", printed.replace("  plugin", "plugin"), re.M),
           f"list does not name the plugin:\n{printed}")
    for name in ("random.gif", "trained.gif", "trained.html", "runs/chase/summary.json"):
        expect((folder / "chase" / name).exists(), f"the commands leave no {name}")
    shown = {name for name in re.findall(r"^ +(\w[\w ]*?) +ok ", PAGE, re.M)}
    expect(shown <= set(re.findall(r"^(\w[\w ]*?) +ok ", printed, re.M)), f"verify has no lines for {shown}")


def test_runs(shoal, chase):
    """A run finds its plugin, also where it has moved; processes of a study find it too."""
    config = (chase / "runs/chase/config.toml").read_text()
    expect(f'plugin = "{chase}/build/chase.so"' in config, f"config.toml does not name the plugin:\n{config}")
    run(shoal, "train", "--resume", "runs/chase", "--set", "train.stages=5", cwd=chase)
    moved = (chase / "build/chase.so").rename(chase / "moved.so")
    error = run(shoal, "train", "--resume", "runs/chase", cwd=chase, code=2)
    expect(re.search(r'config.toml:\d+: env.plugin = ".*/build/chase.so": .*--plugin FILE', error), error)
    resume = ("train", "--resume", "runs/chase", "--set", "train.stages=6", "--plugin", moved)
    expect("resumed at stage 5" in run(shoal, *resume, cwd=chase), "a run with a moved plugin does not resume")
    run(shoal, "watch", "runs/chase", "--gif", "moved.gif", cwd=chase)  # the run names the new place

    study = '[study]\nseeds = [1]\n[[experiment]]\nname = "e"\nconfig = "chase.toml"\n[[method]]\nname = "m"\n'
    (chase / "study.toml").write_text(study)
    text = (chase / "chase.toml").read_text()
    (chase / "chase.toml").write_text(text.replace('plugin = "build/chase.so"\n', ""))
    run(shoal, "--plugin", "moved.so", "study", "study.toml", "--out", "study", cwd=chase)
    summary = json.loads((chase / "study/runs/e/m/seed-1/summary.json").read_text())
    expect(summary, "the study trained nothing")
    error = run(shoal, "train", "chase.toml", cwd=chase, code=2)
    expect('env.name = "chase": expected one of "checkers"' in error, error)


def test_errors(shoal, chase, scratch):
    plugin = chase / "moved.so"
    listed = dict(os.environ, SHOAL_PLUGINS=str(plugin))
    expect("chase  " in run(shoal, "list", env=listed), "SHOAL_PLUGINS is not read")
    error = run(shoal, "list", env=dict(os.environ, SHOAL_PLUGINS="a:b"), code=2)
    expect("shoal: SHOAL_PLUGINS: plugin a: " in error, error)
    error = run(shoal, "hash", "chase", "--plugin", plugin, "--set", "chasers=99", code=2)
    expect(error == "shoal: --set chasers = 99: expected an integer in [1, 8]\n", error)
    error = run(shoal, "verify", "chase", "--plugin", plugin, "--set", "chasers=99", code=2)
    expect(error == "shoal: --set chasers = 99: expected an integer in [1, 8]\n", error)
    old = scratch / "old.so"
    run("c++", "-shared", "-fPIC", "-DOLD_PLUGIN", ROOT / "tests/plugins/old.cpp", "-o", old)
    error = run(shoal, "list", "--plugin", old, code=2)
    expected = rf"shoal: plugin {old}: compiled for shoal 0.1.0-0123abcd, expected \S+; build it against this version\n"
    expect(re.fullmatch(expected, error), error)


def test_other_headers(shoal, prefix, folder):
    """verify finds what the page says that it finds, and exits with 1. What `shoal new` writes works as a plugin."""
    folder.mkdir()
    template = (ROOT / "src/program/commands/templates/environment.hpp.in").read_text()
    (folder / "river_game.hpp").write_text(template.replace("@name@", "river_game").replace("@Name@", "RiverGame"))
    text = (SAMPLE / "chase.hpp").read_text()
    expect(text.count("      s.step = 0;\n") == 1, "the sample's reset has another form")
    (folder / "chase.hpp").write_text(text.replace("      s.step = 0;\n", ""))
    project = (SAMPLE / "CMakeLists.txt").read_text() + "shoal_add_environment(river river_game.hpp)\n"
    (folder / "CMakeLists.txt").write_text(project)
    configure = ("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run(*configure, cwd=folder)
    run("cmake", "--build", "build", "-j", "2", cwd=folder)
    expect("river_game: all " in run(shoal, "verify", "river_game", "--plugin", "build/river.so", cwd=folder),
           "the template's environment does not keep the rules")
    printed = run(shoal, "verify", "chase", "--plugin", "build/chase.so", cwd=folder, code=1)
    expect(re.search(r"^reset +FAILED  expected: .*\n +instance 0, step 0, agent 2, observation 2: ", printed, re.M),
           printed)
    (folder / "CMakeLists.txt").write_text(project + "shoal_add_environment(other other.hpp)\n")
    error = run(*configure, cwd=folder, code=1)
    expect("there is no file" in error and "other.hpp" in error, error)


def main():
    with tempfile.TemporaryDirectory(prefix="shoal-plugin-") as path:
        scratch = pathlib.Path(path).resolve()
        prefix, folder = scratch / "prefix", scratch / "empty"
        folder.mkdir()
        test_documentation()
        run("cmake", "--install", sys.argv[1], "--prefix", prefix)
        shoal = prefix / "bin" / "shoal"
        test_tutorial(prefix, folder)
        test_runs(shoal, folder / "chase")
        test_errors(shoal, folder / "chase", scratch)
        test_other_headers(shoal, prefix, scratch / "others")


if __name__ == "__main__":
    main()
