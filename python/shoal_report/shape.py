"""Checks that a value read from JSON or TOML has the shape that a report takes for granted."""
import collections
import json
import math

LARGEST = 1e100  # of a number: the square of a larger one, or a sum of squares, is soon no number


class Broken(Exception):
    """A file that is there does not hold what it should."""


Kind = collections.namedtuple("Kind", "fits words")  # of a leaf
Opt = collections.namedtuple("Opt", "shape")  # may be null, and its key may be absent
Each = collections.namedtuple("Each", "shape")  # a table of any keys, whose values share a shape


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def is_number(value):
    return is_whole(value) or isinstance(value, float) and math.isfinite(value) and abs(value) <= LARGEST


NUMBER = Kind(is_number, f"a finite number up to {LARGEST:g}")
FIGURE = Kind(lambda value: value is None or is_number(value), f"a finite number up to {LARGEST:g}, or null")
WHOLE = Kind(lambda value: is_whole(value) and value >= 0, "a whole number of 0 or more")
TEXT = Kind(lambda value: isinstance(value, str), "a text")
FLAG = Kind(lambda value: isinstance(value, bool), "true or false")
SCALAR = Kind(lambda value: value is None or isinstance(value, (str, bool)) or is_number(value), "a text or a number")

ESTIMATE = {"mean": NUMBER, "low": FIGURE, "high": FIGURE}  # with its 95 % interval


def text_of(value):
    """A value as its file has it."""
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    if is_number(value) or isinstance(value, (str, bool)) or value is None:
        return json.dumps(value)
    return "a number too large" if isinstance(value, (int, float)) else f"a {type(value).__name__}"


def fail(where, value, expected):
    raise Broken(f"{where} = {text_of(value)}, expected {expected}" if where else f"expected {expected}")


def check(value, shape, where=""):
    """@param shape  a Kind, Opt or Each, {key: shape} or [shape]  @raises Broken naming the place, as targets[2].scale"""
    if isinstance(shape, Opt):
        if value is not None:
            check(value, shape.shape, where)
    elif isinstance(shape, Kind):
        if not shape.fits(value):
            fail(where, value, shape.words)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            fail(where, value, "a list")
        for number, item in enumerate(value, start=1):
            check(item, shape[0], f"{where}[{number}]")
    else:
        check_table(value, shape, where)


def check_table(value, shape, where):
    if not isinstance(value, dict):
        fail(where, value, "a table of keys and values")
    inner = dict.fromkeys(value, shape.shape) if isinstance(shape, Each) else shape
    for key, of_key in inner.items():
        place = f"{where}.{key}" if where else key
        if key in value:
            check(value[key], of_key, place)
        elif not isinstance(of_key, Opt):
            raise Broken(f"{place} is missing")
