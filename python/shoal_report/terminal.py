"""What the scripts write to a terminal: one line at a time, in which text from outside (names, contents) is harmless."""
import argparse
import os
import sys

MOST = 300  # letters of a text from outside: a path or what a file holds
LINE = 1000  # of a whole line


def escape(letter):
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte of a name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escaped(text, keep=""):
    """Controls, invisible letters and those that turn the direction of writing as \\xNN, \\uNNNN or \\UNNNNNNNN."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in keep else escape(letter) for letter in text)


def printable(text, most=MOST):
    """On one line; a long text loses its middle, for paths begin it and reasons end it."""
    text = escaped(str(text))
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 3]}...{text[-end:]}"


def say(text, stream=None):
    """Prints a line, whatever letters the stream's encoding has."""
    stream = stream or sys.stderr
    encoding = stream.encoding or "ascii"
    print(printable(text, LINE).encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def reason(error):
    """What to tell of an exception, without the path that an OSError repeats."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeError):
        return "no text in UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"{type(error).__name__}: {error}"


class Parser(argparse.ArgumentParser):
    """Tells of bad arguments in one line, as shoal does."""

    def __init__(self, description):
        super().__init__(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)

    def error(self, message):
        stop(f"{printable(message)}; see {self.prog} --help")


def stop(text, code=2):
    """Ends the program with one line."""
    say(f"{os.path.basename(sys.argv[0])}: {text}")
    sys.exit(code)
