"""A page of HTML that needs nothing but itself: text, tables, and images as data."""
import base64
import html
import math

import numpy as np

from .terminal import escaped

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 0.6rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.5rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
th { border-bottom: 1px solid #666; } th.text, td.text { text-align: left; } td.text { white-space: nowrap; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; } figcaption, .small { font-size: 0.9rem; color: #444; }
.gallery { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; align-items: end; }
.gallery figure { margin: 0; } .gallery figure:target { grid-column: 1 / -1; }
pre { background: #f5f5f5; padding: 0.7rem; overflow-x: auto; font-size: 0.85rem; }
.problem { border-left: 4px solid #D55E00; padding-left: 0.7rem; } .verdict { border-left: 4px solid #0072B2; padding-left: 0.7rem; }
@media print { body { max-width: none; margin: 0; } figure, tr { break-inside: avoid; } }
"""


NONE = "–"
FIXED = "\N{NO-BREAK SPACE}"  # narrow columns break their lines elsewhere


def text(value):
    """Invisible letters are shown as escapes: a name that is not UTF-8 could not be written."""
    return html.escape(escaped(str(value), keep="\n\t" + FIXED))


def number(value):
    """Four digits of a number; a dash where there is none; text as it is."""
    if value is None or isinstance(value, float) and math.isnan(value):
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if not isinstance(value, (int, float)):
        return str(value)
    if 10000 <= abs(value) < 1e15 or isinstance(value, int) and abs(value) < 10000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def signed(value):
    """Of an error."""
    return NONE if math.isnan(value) else f"{value:+.4f}"


def spread(values):
    """Mean and standard deviation over seeds."""
    if not values:
        return NONE
    return plus_minus(np.mean(values), np.std(values, ddof=1) if len(values) > 1 else math.nan)


def plus_minus(mean, sd):
    """Two digits of the standard deviation; none if it is NaN."""
    if math.isnan(sd):
        return number(float(mean))
    return f"{number(float(mean))} ±{FIXED}{sd:,.0f}" if sd >= 100 else f"{number(float(mean))} ±{FIXED}{sd:.2g}"


def interval(low, high):
    return f"{number(low)} to{FIXED}{number(high)}"


def heading(title, level=2):
    return f"<h{level}>{text(title)}</h{level}>"


def paragraph(words, kind=""):
    return f'<p class="{kind}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>"


def bullets(sentences):
    return "<ul>" + "\n".join(f"<li>{text(sentence)}</li>" for sentence in sentences) + "</ul>"


def table(columns, rows, texts=1):
    """@param texts  how many of the first columns hold text and stand to the left, not to the right as numbers do"""

    def line(tag, row):
        kinds = [' class="text"' if k < texts else "" for k in range(len(row))]
        return "<tr>" + "".join(f"<{tag}{kind}>{text(number(value))}</{tag}>" for kind, value in zip(kinds, row)) + "</tr>"

    head = line("th", columns).replace("_", "_<wbr>")  # where a long name may go on in another line
    body = "\n".join(line("td", row) for row in rows)
    return f'<div class="scroll"><table><thead>{head}</thead>\n<tbody>{body}</tbody></table></div>'


def image(path, caption, name):
    """@param name  its own on the page: a click makes the image of a gallery wide"""
    data = base64.b64encode(path.read_bytes()).decode()
    picture = f'<img src="data:image/png;base64,{data}" alt="{text(caption)}">'
    return f'<figure id="{text(name)}"><a href="#{text(name)}">{picture}</a><figcaption>{text(caption)}</figcaption></figure>'


def gallery(images):
    return '<div class="gallery">' + "\n".join(images) + "</div>"


def folded(title, *parts):
    return f"<details><summary>{text(title)}</summary>\n" + "\n".join(parts) + "</details>"


def preformatted(title, content):
    return folded(title, f"<pre>{text(content)}</pre>")


def document(title, parts):
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{text(title)}</title><style>{STYLE}</style>'
    lines = ["<!DOCTYPE html>", f'<html lang="en"><head>{head}</head>', f"<body><h1>{text(title)}</h1>", *parts, "</body></html>", ""]
    return "\n".join(lines)
