"""`python -m shoal ...`: the program `shoal` of $SHOAL or PATH; without it, `list` alone."""

from __future__ import annotations

import os
import shutil
import sys

import shoal


def main(arguments: list[str]) -> int:
    program = os.environ.get("SHOAL") or shutil.which("shoal")
    if program:
        os.execv(program, [program, *arguments])
    if arguments[:1] != ["list"] or len(arguments) > 2:
        print("error: the program `shoal` is not on PATH; expected list [NAME], or SHOAL=FILE", file=sys.stderr)
        return 2
    try:
        for name in arguments[1:] or shoal.list():
            description = shoal.describe(name)
            print(description if arguments[1:] else f"{name}: {description.summary}")
    except shoal.InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
