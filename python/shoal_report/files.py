"""Files that exist and are whole, or are not there."""
import os
import pathlib

from .terminal import printable


class BadOutput(Exception):
    """Where the user wants a file, none can be."""


def is_there(path):
    """Whether there is something to read, be it unreadable: reading it then tells why."""
    try:
        path.stat()
        return True
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a zero byte in the name
        return False
    except OSError:
        return True


def check_output(path, option):
    """Before the work begins. @param option  "--out " if the user named the path"""
    if path.is_dir():
        raise BadOutput(f"{option}{printable(path)}: is a folder; expected a file")
    if not path.parent.is_dir():
        raise BadOutput(f"{option}{printable(path)}: {printable(path.parent)} is no folder")


def write_whole(path, content):
    """Written aside and renamed, so that an older file stays whole until a new one is. Devices are written directly."""
    path = pathlib.Path(os.path.realpath(path))  # a link stays a link
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    aside = path.with_name(f".shoal-{os.getpid()}.new")
    try:
        aside.write_bytes(content)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
