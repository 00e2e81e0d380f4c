"""Builds and runs a project outside shoal's tree against shoal, as docs/embedding.md shows it.

    package_test.py installed BUILD    installs BUILD to a temporary folder and finds the package there
    package_test.py subdirectory       adds shoal's tree with FetchContent, without a build type

Both step the market and have to print one hash: the flags that bit equality depends on reach users, and the speed that
shoal is compiled for does not show.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROJECT = ROOT / "tests" / "package"
HASH = "8fd7a0bc8cdff830"


def run(*command, fails=False):
    """What the command prints. `fails`: it has to."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if (result.returncode != 0) != fails:
        sys.exit(f"exit code {result.returncode}: {' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout + result.stderr


def expect(condition, what):
    if not condition:
        sys.exit(f"package_test: {what}")


def configure(folder, *options, **how):
    launcher = os.environ.get("SHOAL_LAUNCHER")  # ccache, if there is one
    more = [f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}"] if launcher else []
    return run("cmake", "-S", PROJECT, "-B", folder, "-G", "Ninja", *more, *options, **how)


def expect_the_game(folder, programs):
    for program in programs:
        printed = run(folder / program).strip()
        expect(printed == HASH, f"{program} printed {printed}; expected {HASH}, the same game everywhere")


def expect_installed_files(prefix):
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    for name in ("include/shoal/env/simulator.hpp", "include/shoal/env/make_entry.hpp", "include/shoal.h",
                 "share/shoal/examples/plugin/chase.hpp", "share/licenses/shoal/LICENSE"):
        expect(name in files, f"{name} is not installed")
    homes = ("include/shoal", "share/shoal/examples/")
    strange = [name for name in files if name.endswith((".hpp", ".cuh", ".h")) and not name.startswith(homes)]
    expect(not strange, f"installed beside shoal's headers: {strange}")
    for path in prefix.rglob("*.cmake"):
        expect(str(ROOT) not in path.read_text().replace(str(ROOT / ".venv"), ""), f"{path.name} names the source tree")


def expect_only_the_interface(library):
    """Others' symbols, or a second shoal's, must not meet those in the library."""
    symbols = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]
    expect("shoal_step" in symbols, "libshoal_c.so does not export shoal_step")
    strange = [name for name in symbols if not name.startswith("shoal_")]
    expect(not strange, f"libshoal_c.so exports {strange[:5]}")


def test_installed(build, scratch):
    prefix, folder = scratch / "prefix", scratch / "build"
    run("cmake", "--install", build, "--prefix", prefix)
    config = next(prefix.rglob("shoal-config.cmake"))
    built = re.search(r"set\(_shoal_built ([a-z;]*)\)", config.read_text())[1].split(";")
    expect_installed_files(prefix)

    found = configure(folder, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCOMPONENTS={';'.join(built)}")
    native = re.search(r"^SHOAL_NATIVE:BOOL=(.*)$", (build / "CMakeCache.txt").read_text(), re.M)[1] == "ON"
    expect(("shoal: compiled for the processor" in found) == native, "find_package does not tell of SHOAL_NATIVE")
    run("cmake", "--build", folder)
    expect((folder / "chase.so").exists(), "shoal_add_environment() makes no chase.so")
    expect_the_game(folder, ["trainer"] + ["c_trainer"] * ("c" in built))
    if (prefix / "bin" / "shoal").exists():
        expect("market" in run(prefix / "bin" / "shoal", "list"), "the installed program lists no market")
    if "learn" in built:
        expect(run(folder / "learner").endswith(" agent steps\n"), "learner trains nothing")

    error = configure(scratch / "wrong", f"-DCMAKE_PREFIX_PATH={prefix}", "-DCOMPONENTS=sim;wings", fails=True)
    expect("shoal has no component wings" in error, f"no word of a component that does not exist: {error}")
    if "c" in built:  # without CMake
        library = next(prefix.rglob("libshoal_c.so"))
        expect_only_the_interface(library)
        run("cc", "-std=c99", PROJECT / "main.c", f"-I{prefix / 'include'}", library, f"-Wl,-rpath,{library.parent}",
            "-o", scratch / "plain")
        expect_the_game(scratch, ["plain"])


def test_subdirectory(scratch):
    options = [f"-DSHOAL_SOURCE={ROOT}", "-DSHOAL_CUDA=OFF", "-DSHOAL_C=ON"]
    printed = configure(scratch, *options, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    expect("no CMAKE_BUILD_TYPE, so shoal itself is compiled with -O3" in printed, "no word of the missing build type")
    for entry in json.loads((scratch / "compile_commands.json").read_text()):
        ours = pathlib.Path(entry["file"]).is_relative_to(ROOT / "src")
        expect(not ours or " -O3 " in entry["command"], f"{entry['file']} is compiled without -O3")
        expect("-march=native" not in entry["command"], f"{entry['file']} is compiled for this processor alone")
        expect(ours or "-Werror" not in entry["command"], f"{entry['file']} is compiled with shoal's warnings")
    # Flags of one's own take the place of -O3; these compile faster.
    configure(scratch, "-DCMAKE_CXX_FLAGS=-O0")
    run("cmake", "--build", scratch, "-j", "2")
    expect((scratch / "chase.so").exists(), "shoal_add_environment() makes no chase.so")
    expect_the_game(scratch, ["trainer", "c_trainer"])
    expect("scripts" not in run("ctest", "--test-dir", scratch, "-N"), "shoal's tests are among the project's")
    run("cmake", "--install", scratch, "--prefix", scratch / "prefix")
    expect(not list((scratch / "prefix").rglob("*.hpp")), "shoal is installed with a project that embeds it")


def test_documentation():
    """Each paragraph of code in docs/embedding.md stands in a file that is compiled here."""
    sources = "".join(path.read_text() for path in PROJECT.iterdir() if path.suffix in (".cpp", ".c", ".txt"))
    blocks = re.findall(r"^```(?:cmake|cpp|c)\n(.*?)^```", (ROOT / "docs/embedding.md").read_text(), re.S | re.M)
    expect(len(blocks) >= 4, "docs/embedding.md shows no code")
    for paragraph in "\n".join(blocks).split("\n\n"):
        known = " ".join(paragraph.split()) in " ".join(sources.split())
        expect(known, f"docs/embedding.md shows code that is in no file of tests/package:\n{paragraph}")


def main():
    with tempfile.TemporaryDirectory(prefix="shoal-package-") as scratch:
        if sys.argv[1] == "installed":
            test_documentation()
            test_installed(pathlib.Path(sys.argv[2]), pathlib.Path(scratch))
        else:
            test_subdirectory(pathlib.Path(scratch))


if __name__ == "__main__":
    main()
