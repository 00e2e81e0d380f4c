"""Files and figures: tables as people have them, odd text, values at their bounds, units, and what a run reports."""

import json
import math
import os
import shutil

from _faults import GAME, complaint, contains, game, market, rows, run_tests, sets, shoal, trained


def returns_biased(folder):
    text = GAME.replace("rounds = 8", "payoffs = [1, 1,  1, 1,  1, 1,  1, 1]\nrounds = 16\ncontinuation = 0.8")
    text = text.replace("stages = 10\ninstances = 8", "stages = 100\ninstances = 64")
    means = [row["returns"]["supertype_1"]["mean"] for row in rows(trained(folder, text=text))]
    expected = (1 - 0.8**16) / 0.2
    assert abs(sum(means) / len(means) - expected) < 0.08, sum(means) / len(means)
    shoal("train", folder / "c.toml", "--set", "train.steps=8", "--out", folder / "r2")
    assert all(row["returns"] for row in rows(folder / "r2")[2:])
    assert json.loads((folder / "r2" / "summary.json").read_text())["return_slope"] is not None


def short_episodes_do_not_count_twice(folder):
    """A calibrator's stage has one episode of each instance, though instances begin others."""
    target = '[calibrator]\nkind = "fixed"\n[[calibrator.target]]\nmetrics = ["episode_length"]\nvalues = [5]\n'
    target += "[validation]\nepisodes = 64\n[settling]\nshare = 0\n"
    text = GAME.replace("rounds = 8", "payoffs = [1, 1,  1, 1,  1, 1,  1, 1]\nrounds = 16\ncontinuation = 0.8") + target
    text = text.replace("instances = 8", "instances = 256")
    expected = (1 - 0.8**16) / 0.2
    for steps in (0, 40):
        shutil.rmtree(folder / "r", ignore_errors=True)
        found = rows(trained(folder, "--set", f"train.steps={steps}", "--set", "train.stages=20", text=text))
        mean = sum(row["targets"]["episode_length"]["value"] for row in found) / len(found)
        assert abs(mean - expected) < 0.15, (steps, mean)


def bounds(folder):
    """Values at their bounds are still within them when they are read back."""
    text = '[env]\nname = "market"\nsteps = 2\n[train]\nstages = 1\ninstances = 2\nthreads = 1\ndevice = "cpu"\n'
    highest = sets("env.spread_high=0.1", "env.spread_mean=0.1", "env.spread_sd=0.1", "env.reward_unit=1e-6")
    for values in (highest, sets("env.spread_sd=1e-9")):
        shutil.rmtree(folder / "r", ignore_errors=True)
        run = trained(folder, *values, text=text)
        shoal("train", "--resume", run)
    contains(complaint("train", folder / "c.toml", "--set", "env.spread_high=0.1001"), "env.spread_high", "[0, 0.1]")


def units(folder):
    quantities = [1, 2, 2, 3, 6, 6, 12, 12, 24]
    fits = []
    for unit in (1, 0.001, 1000):
        lines = [f"{quantities[i % 9] * unit!r},{'AAB'[i % 3]}" for i in range(300)]
        table = "\n".join(["qty,shop", *lines, ""])
        config, _ = market(folder, table, "data.member=A", "train.stages=5", "env.steps=16")
        assert f"quantity_unit = {float(unit)}" in config, config
        fits.append([row["r_cal_mean"] for row in rows(folder / "r")])
    for other in fits[1:]:
        assert all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(fits[0], other)), fits


def csv_line_ends(folder):
    """Line ends, separators and quotes in all their forms, several in a file."""
    market(folder, "qty\tshop\r" + "3\tA, Inc.\r5\tB\r" * 2000)
    market(folder, "sep=;\r\nqty;shop\r\n3;A\r\n5;B\r\n\x1a")
    market(folder, 'id|qty|shop\n1|"+1.234,5"|A, Inc.\n2|3|B\n', "data.decimal=comma", "data.thousands=point")
    quotes = 'qty;shop;what\n 5 ; "A" ;PICTURE 7" SMALL\n6;"B";LAMP, RED\n'
    quotes += '3;A;RULER 12" WOOD and 3" more\n1;A;"two\nlines"\n'
    config, _ = market(folder, quotes, "data.member=A")
    contains(config, repr(9 / 15)[:8])
    contains(market(folder, 'qty,shop\n"1,5",A\n3,B\n', code=2), "d.csv:2", "data.decimal")
    contains(market(folder, 'qty,shop,note\n3,A,"two\nlines"\n5,"B,\n6,C,\n', code=2), "d.csv:4: a quote is not closed")


def other_formats(folder):
    utf_16 = "qty,shop\n3,A\n".encode("utf-16")
    for begin, name in ((b"\x1f\x8b\x08\x00", "gzip"), (b"PK\x03\x04", "zip"), (utf_16, "UTF-16")):
        contains(market(folder, begin + os.urandom(50), code=2), name, "expected a CSV file in UTF-8")
    contains(market(folder, "qty,shop\n3,A\n".encode("utf-16-le"), code=2), "UTF-16")
    wide = ",".join(f"column_{i}_" + "x" * 100 for i in range(1000))
    contains(market(folder, wide + "\n", code=2), "and 992 more")
    contains(market(folder, b"\x1b[31mred\x07,b\n", code=2), "\\x1b")


def latin1_merchant(folder):
    data = "qty,shop\n5,Caf\xe9 Ypsilon\n6,Caf\xe9 Ypsilon\n3,B\n2,C\n"
    contains(market(folder, data.encode("latin-1"), code=2), "d.csv:2", "UTF-8", "Caf\\xe9")
    market(folder, data.encode())
    shoal("train", "--resume", folder / "r", "--set", "train.stages=2")
    shoal("check", folder / "r", "--updates", 1, "--evaluations", 2, "--instances", 2)
    market(folder, "qty,shop,\xe9\n5,A,\xe9\n3,B,\xff\n".encode("latin-1"))


def empty_group(folder):
    """Cells that are empty or say so are refused, left out or kept, as data.missing has it."""
    contains(market(folder, "qty,shop\n5,\n3,B\n2,C\n", code=2), "d.csv:2", "shop is empty", "data.missing")
    contains(market(folder, "qty,shop\n3,B\n2,NA\n", code=2), "d.csv:3", "NA")
    contains(market(folder, "qty,shop\n3,B\nn/a,C\n", code=2), "d.csv:3", "n/a")
    markers = ("", "NA", "n/a", "NULL", "NaN", "none", "-")
    missing = "".join(f"9,{marker}\n{marker},D\n" for marker in markers)
    config, err = market(folder, f"qty,shop\n{missing}3,B\n2,C\n", "data.missing=drop")
    contains(err, "14 rows, 87.5 %, left out")
    contains(config, "14 rows, 87.5 %", "B", "C")
    config, _ = market(folder, "qty,shop\n3,B\n2,NA\n", "data.missing=keep")
    contains(config, '"NA"')


def duplicates(folder):
    target = '[[calibrator.target]]\nmetrics = ["welfare"]\nvalues = [2]\n'
    config = game(folder, f"{GAME}[calibrator]\n{target}{target}")
    contains(complaint("train", config), "c.toml:18", "c.toml:15", "welfare")
    study = '[study]\nseeds = [1, 2, 1]\n[[experiment]]\nname = "a"\nconfig = "c.toml"\n[[method]]\nname = "m"\n'
    (folder / "s.toml").write_text(study)
    contains(complaint("study", folder / "s.toml"), "seed 1 is given twice, as values 1 and 3")
    (folder / "s.toml").write_text(study.replace("1, 2, 1", "1") + '[[method]]\nname = "m"\n')
    contains(complaint("study", folder / "s.toml"), "s.toml:9", "s.toml:7")


def odd_text(folder):
    config = game(folder)
    complaint("train", folder / os.fsdecode(b"no\x1b[31m\xff\nsuch.toml"))
    contains(complaint("train", config, "--set", os.fsdecode(b"env.name=\xff")), "not UTF-8")
    (folder / "deep.toml").write_text(".".join("a" * 50_000) + " = 1\n")
    contains(complaint("train", folder / "deep.toml"), "deep.toml:1", "parts")
    (folder / "deep.toml").write_text("a = " + "[" * 50_000)
    complaint("train", folder / "deep.toml")
    complaint("train", config, "--set", "x" * 100_000 + "=1")
    complaint("train", config, "--set", "train." + "x" * 100_000 + "=1")
    market(folder, "qty,shop\n3,5\n5,B\n", "data.member=5")


run_tests([
    returns_biased, short_episodes_do_not_count_twice, bounds, units, csv_line_ends, other_formats, latin1_merchant,
    empty_group, duplicates, odd_text,
])
