#!/usr/bin/env -S python3 -IS
"""Tells Doxygen which plain comments of a header describe something: doxygen_filter.py HEADER, to standard output.

Lines keep their numbers. What becomes a description:

    // at the top of the file       of the file; indented lines are shown as they stand. Also of the file's class, where
                                    one class alone has no comment
    int agents;  // an agent's      of what the line declares, outside of function bodies
    /* ... */                       in C: of the declaration that follows, or that stands before it on the line

f(int /*count*/) becomes f(int count), so that the page has the parameter's name.
"""

import re
import sys
from pathlib import Path

SCOPE = re.compile(r'\s*(inline\s+|typedef\s+)*(namespace|struct|class|union|enum|extern\s+"C")\b')
TEMPLATE = re.compile(r"\btemplate\s*<[^{;]*?>(?=\s*(struct|class|union))", re.S)
CLASS = re.compile(r"(template\b.*\n|requires\b.*\n)*(class|struct)\b[^;{]*{")
QUOTED = re.compile(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'')
LINE = re.compile(r'(?P<code>("(\\.|[^"\\])*"|[^"/]|/(?!/))*)(?P<comment>.*)')
ACCESS = re.compile(r"\b(public|protected|private)\s*$")
UNNAMED = re.compile(r" /\*(\w+)\*/(?=[,)])")


class Scopes:
    """Whether a line lies outside of all function bodies and initialisers."""

    def __init__(self) -> None:
        self.open: list[bool] = []  # of each brace: whether it begins a scope of declarations
        self.statement = ""

    def declares(self) -> bool:
        return all(self.open)

    def read(self, code: str) -> None:
        if code.lstrip().startswith("#"):
            return
        for character in QUOTED.sub('""', code) + "\n":
            if character == "{":
                self.open.append(bool(SCOPE.match(TEMPLATE.sub("", self.statement))))
            elif character == "}" and self.open:
                self.open.pop()
            ends = character in "{};" or (character == ":" and ACCESS.search(self.statement))
            self.statement = "" if ends else self.statement + character


def describe_file(comments: list[str]) -> list[str]:
    texts = [line[2:].removeprefix(" ") for line in comments]
    indented = [text.startswith("  ") for text in texts] + [False]
    out = []
    for at, text in enumerate(texts):
        begins = indented[at + 1] and not indented[at]
        ends = indented[at] and not indented[at + 1]
        out.append(f"///{' @header' * (at == 0)} {text}{' @code{.unparsed}' * begins}{' @endcode' * ends}")
    return out


def describe_declarations(lines: list[str]) -> list[str]:
    scopes, continues, out = Scopes(), False, []
    for line in lines:
        code, comment = LINE.fullmatch(line).group("code", "comment")
        # A comment of its own line goes on with that of the line before.
        follows = code.strip() != "}" if code.strip() else continues
        continues = bool(re.match("//(?!/)", comment)) and follows and scopes.declares()
        out.append(f"{code}///<{comment[2:]}" if continues else UNNAMED.sub(r" \1", line))
        scopes.read(code)
    return out


def filter_cpp(lines: list[str], name: str) -> list[str]:
    head = next(at for at, line in enumerate(lines) if not line.startswith("//"))
    out = describe_file(lines[:head]) + describe_declarations(lines[head:])
    blanks = [at for at, line in enumerate(lines) if not line]
    before_classes = [at for at in blanks if CLASS.match("\n".join(lines[at + 1 : at + 6]))]
    if head > 0 and len(before_classes) == 1:
        out[before_classes[0]] = f"/// @copydoc {name}"
    return out


def filter_c(text: str) -> str:
    text = re.sub(r"^/\*", "/** @header", text)
    text = re.sub(r"^ \*\n((?: \* {3,}.*\n)+) \*\n", r" * @code{.unparsed}\n\1 * @endcode\n", text, flags=re.M)
    text = re.sub(r"^/\* (?!-{4})", "/** ", text, flags=re.M)
    return re.sub(r"^( +[^ *].*[;,{\w] +)/\* ", r"\1/**< ", text, flags=re.M)


def main() -> None:
    header = Path(sys.argv[1])
    text = header.read_text(encoding="utf-8")
    if header.suffix == ".h":
        print(filter_c(text), end="")
    else:
        print("\n".join(filter_cpp(text.split("\n"), "/".join(header.parts[-2:]))), end="")


if __name__ == "__main__":
    main()
