"""Pages are found and lead somewhere: docs/README.md leads to every page of docs/, relative links and their headings
exist, pages that sources and messages name exist. And what the reference's filter makes of a header's comments.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs" / "README.md"
FILTER = ROOT / "docs" / "reference" / "doxygen_filter.py"
SOURCES = {".py", ".h", ".hpp", ".cpp", ".cuh", ".cu", ".c", ".cmake", ".toml", ".txt", ".md", ""}

failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)


def files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        print("skipped: not in a git repository")
        sys.exit(77)
    paths = (ROOT / name for name in listed.stdout.splitlines())
    return sorted(path for path in paths if path.suffix in SOURCES and path.is_file())


def prose(page):
    """The text without code, where brackets are no links."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    return re.sub(r"(?<=\n\n)(?: {4}.*\n+)+", "\n", text)


def links(page):
    """(target, heading) of each relative link."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not re.match(r"[a-z]+:", target):
            path, _, heading = target.partition("#")
            yield (page.parent / path).resolve() if path else page, heading


def headings(page):
    """As GitHub names them."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links(pages):
    for page in pages:
        for target, heading in links(page):
            where = f"{page.relative_to(ROOT)} links to {target}"
            expect(target.exists(), f"{where}, which does not exist")
            if heading and target.exists():
                expect(heading in headings(target), f"{where}#{heading}, which has no such heading")


def test_index_leads_to_every_page():
    reached, todo = set(), [INDEX]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            todo += [target for target, _ in links(page)]
    for page in sorted(INDEX.parent.glob("*.md")):
        expect(page in reached, f"docs/README.md does not lead to {page.relative_to(ROOT)}")
    direct = {target for target, _ in links(ROOT / "README.md")}
    expect(INDEX in direct, "README.md does not link docs/README.md")


def test_named_pages(paths):
    for path in paths:
        for name in re.findall(r"\bdocs/[\w./-]*\.md\b", path.read_text()):
            expect((ROOT / name).exists(), f"{path.relative_to(ROOT)} names {name}, which does not exist")


HEADER = '''// What it is:
//
//   table of two lines
//   second line
#pragma once

namespace shoal {

class Main {
 public:
  int agents = 0;  // of an instance,
                   // not of a group
  void f(int /*count*/) {
    g();  // why
  }
};

}  // namespace shoal
'''
FILTERED = '''/// @header What it is:
///  @code{.unparsed}
///   table of two lines
///   second line @endcode
#pragma once

namespace shoal {
/// @copydoc FOLDER/main.hpp
class Main {
 public:
  int agents = 0;  ///< of an instance,
                   ///< not of a group
  void f(int count) {
    g();  // why
  }
};

}  // namespace shoal
'''


C_HEADER = """/* What it is. */
/* ---- Section ---- */

/* One of them. */
struct one {
  int agents; /* of an instance */
};
"""
C_FILTERED = """/** @header What it is. */
/* ---- Section ---- */

/** One of them. */
struct one {
  int agents; /**< of an instance */
};
"""


def test_filter(folder):
    expected = FILTERED.replace("FOLDER", folder.name)
    for name, text, wanted in ("main.hpp", HEADER, expected), ("main.h", C_HEADER, C_FILTERED):
        header = folder / name
        header.write_text(text)
        made = subprocess.run([FILTER, header], capture_output=True, text=True, check=True).stdout
        expect(made == wanted, f"doxygen_filter.py makes of a header\n{made}\nexpected\n{wanted}")


def main():
    paths = files()
    pages = [path for path in paths if path.suffix == ".md" and path.parent != FILTER.parent]
    expect(len(pages) > 20, f"only {len(pages)} pages found")
    test_links(pages)
    test_index_leads_to_every_page()
    test_named_pages(paths)
    with tempfile.TemporaryDirectory() as folder:
        test_filter(pathlib.Path(folder))
    if failures:
        sys.exit("\n".join(failures))


main()
