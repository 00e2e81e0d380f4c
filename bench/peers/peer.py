"""What all peers share: they measure on demand, so that a runner can interleave them with shoal.

A peer times short runs of every setting it has (batch, shards, ...), keeps the best, prints one JSON line, and then answers every
line on its standard input, a number of seconds, with one figure: `{"value": ...}`. See bench/peers/run.
"""
import argparse
import json
import sys
import time
from importlib import metadata


def arguments(description, **choices):
    """The options of every peer, and `choices`: name -> (default, ...) or a list of allowed words, whose first is the default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="check against the specification, then exit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a trial of one setting")
    for name, words in choices.items():
        if isinstance(words, list):
            parser.add_argument(f"--{name}", choices=words, default=words[0])
        else:
            parser.add_argument(f"--{name}", type=int, default=words)
    return parser.parse_args()


def require(name, ok, text):
    """Prints a check's outcome; the first failure ends the program."""
    print(f"{'ok    ' if ok else 'FAILED'} {name}: {text}", flush=True)
    if not ok:
        sys.exit(1)


def rate(work, seconds):
    """Units a second of `work`, a function that does some and returns how many."""
    units, start = 0, time.perf_counter()
    while True:
        units += work()
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return units / elapsed


def serve(settings, seconds, packages, best=max, measure=rate):
    """Serves until standard input ends.

    settings: text -> function without arguments that makes `work` for rate(); one that raises is left out, with its reason
    best: max of rates, min of seconds
    measure(work, seconds): the figure; rate, or seconds_each
    """
    trials, failures, chosen = {}, {}, None
    for text, make in settings.items():
        try:
            work = make()
            work()  # compiles
            work()
            trials[text] = best(measure(work, seconds / 3) for _ in range(3))  # other processes may disturb one
        except Exception as error:  # a peer may lack a compiler, or memory for a batch: its other settings count
            failures[text] = f"{type(error).__name__}: {error}".splitlines()[0]
            continue
        if best(trials.values()) == trials[text]:
            chosen = text, work
    if chosen is None:
        raise SystemExit(f"no setting works: {failures}")
    facts = {"setting": chosen[0], "trials": trials, "failures": failures, "versions": {p: metadata.version(p) for p in packages}}
    print(json.dumps(facts), flush=True)
    for line in sys.stdin:
        print(json.dumps({"value": measure(chosen[1], float(line))}), flush=True)


def seconds_each(work, seconds):
    """Median seconds of a call."""
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        work()
        times.append(time.perf_counter() - before)
    return sorted(times)[len(times) // 2]
