"""`python -m shoal ...`: the program `shoal` of $SHOAL or PATH; without it, `list` alone. Under torchrun the processes
do the command together."""

from __future__ import annotations

import os
import sys

import shoal

from . import distributed
from .program import find_program


def main(arguments: list[str]) -> int:
    if distributed.is_one_of_several():
        try:
            return distributed.run(arguments)
        except (shoal.Error, shoal.InputError) as error:
            print(f"shoal: {error}", file=sys.stderr)
            return 2 if isinstance(error, shoal.InputError) else 1
    try:
        program = find_program()
    except shoal.InputError as error:
        if arguments[:1] != ["list"] or len(arguments) > 2:
            print(f"error: {error}; without it there is `list [NAME]`", file=sys.stderr)
            return 2
    else:
        os.execv(program, [program, *arguments])
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
