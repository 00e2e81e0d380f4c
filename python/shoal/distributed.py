"""Several processes that train one run together, started by torchrun: torch.distributed hosts their process group, in
which the program, loaded as a library, finds it by name."""

from __future__ import annotations

import ctypes
import os
from datetime import timedelta
from pathlib import Path

from ._sim import Error, InputError
from .program import find_program

# No sum waits as long: a process that has ended is noticed at once, and torchrun ends the others.
_TIMEOUT = timedelta(days=7)


def is_one_of_several() -> bool:
    """Whether torchrun, or another launcher that sets the same variables, started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


def run(arguments: list[str]) -> int:
    """The command line `shoal ARGUMENTS` in this process as one of several. Returns the exit code."""
    program = find_program()
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    _see_own_device(local_rank)
    import torch
    import torch.distributed as dist

    library = _load(program, torch.__version__.split("+")[0])
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=_TIMEOUT)
    group = dist.group.WORLD.group_name
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    words = [str(program), *arguments]
    argv = (ctypes.c_char_p * (len(words) + 1))(*(os.fsencode(word) for word in words), None)
    code = library.shoal_run(len(words), argv, group.encode(), here)
    if code == 0:  # otherwise others may have ended, and would be waited for
        dist.destroy_process_group()
    return code


def _see_own_device(local_rank: int) -> None:
    """Of the machine's GPUs each process sees one, its device 0. Before CUDA begins in this process."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    devices = visible.split(",") if visible else []
    os.environ["CUDA_VISIBLE_DEVICES"] = devices[local_rank % len(devices)] if devices else str(local_rank)


def _load(program: Path, torch_version: str) -> ctypes.CDLL:
    folders = [program.parent, program.parent.parent / "lib"]
    folders += sorted((program.parent.parent / "lib").glob("*-linux-gnu"))
    found = [folder / "libshoal_program.so" for folder in folders if (folder / "libshoal_program.so").is_file()]
    if not found:
        raise InputError(f"libshoal_program.so: not beside {program} nor in the lib folder of its installation")
    try:
        library = ctypes.CDLL(str(found[0]))
    except OSError as error:
        raise Error(f"{found[0]}: does not load with torch {torch_version} of this Python: {error}") from None
    library.shoal_torch_version.restype = ctypes.c_char_p
    built_for = library.shoal_torch_version().decode()
    if built_for != torch_version:
        raise InputError(f"{found[0]}: compiled for torch {built_for}, expected {torch_version}, that of this Python")
    return library
