"""Checks the layout of the sources: columns, lengths and branches of functions, comma operators.

Usage: check_style.py [--list-functions] SOURCE_ROOT. Prints `path:line: rule: detail` for what breaks a rule,
then the count for each rule; exits 1 if there is any. With --list-functions it prints branches and lines of
the C++ functions instead, those with the most branches first.

columns    at most 110 characters; in Markdown but for tables, links, code, formulas and headings
lines      at most 60 lines a function
branches   at most 20 branches a function, counted as McCabe does; not in the C++ of tests/
commas     no comma operator in C and C++ outside the head of a `for`
"""
import argparse
import ast
import collections
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import cpp_source

MOST_COLUMNS = 110
MOST_LINES = 60
MOST_BRANCHES = 20
RULES = ("columns", "lines", "branches", "commas", "syntax")

CPP = {".c", ".cpp", ".h", ".cu"}  # C is read as C++
WITH_COLUMNS = CPP | {".py", ".sh", ".cmake", ".md", ".js", ".css", ".html"}
WITH_COLUMNS_BY_NAME = {"CMakeLists.txt", "Doxyfile"}
WITH_COLUMNS_BY_PATH = {".ci/run"}

PYTHON_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


class Violation(NamedTuple):
    line: int
    rule: str
    detail: str


def source_files(root: pathlib.Path) -> list[str]:
    """Paths of the files that git tracks; of all but those in build folders where there is no git."""
    try:
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True)
        paths = [path for path in listed.stdout.decode().split("\0") if path]
    except (OSError, subprocess.CalledProcessError):
        paths = []
    if not paths:
        found = (file.relative_to(root) for file in root.rglob("*"))
        paths = [file.as_posix() for file in found if not {"build", ".git"} & set(file.parts)]
    return sorted(path for path in paths if (root / path).is_file())


def has_columns(path: str) -> bool:
    """Whether the limit on columns is for a file."""
    name = pathlib.PurePosixPath(path)
    return name.suffix in WITH_COLUMNS or name.name in WITH_COLUMNS_BY_NAME or path in WITH_COLUMNS_BY_PATH


def is_exempt_markdown(line: str) -> bool:
    """Whether a line of Markdown is a table, a heading, a formula or indented code, or has a link."""
    return bool(re.match(r"\s*(>\s*)*(\||#)| {4}\S|\$\$", line) or re.search(r"\]\(|\]: |https?://", line))


def long_lines(path: str, text: str) -> Iterator[Violation]:
    """Lines with too many columns."""
    markdown = path.endswith(".md")
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        if markdown:
            mark = re.match(r"\s*(```+|~~~+)", line)
            if mark and not fence:
                fence = mark.group(1)
            elif mark and mark.group(1).startswith(fence):
                fence = ""
            if mark or fence or is_exempt_markdown(line):
                continue
        if len(line) > MOST_COLUMNS:
            yield Violation(number, "columns", f"{len(line)} characters, at most {MOST_COLUMNS}")


def python_branches(function: ast.AST) -> int:
    """McCabe's number of a function: one, and one for each branch, those of functions inside it too."""
    branches = 1
    for node in ast.walk(function):
        if isinstance(node, PYTHON_BRANCHES):
            branches += 1
        elif isinstance(node, ast.BoolOp):
            branches += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            branches += 1 + len(node.ifs)
    return branches


def too_large(name: str, line: int, lines: int, branches: int) -> Iterator[Violation]:
    """What of a function is above the limits."""
    if lines > MOST_LINES:
        yield Violation(line, "lines", f"{name} has {lines} lines, at most {MOST_LINES}")
    if branches > MOST_BRANCHES:
        yield Violation(line, "branches", f"{name} has {branches} branches, at most {MOST_BRANCHES}")


def python_violations(text: str) -> Iterator[Violation]:
    """Functions of Python text that are too large."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield Violation(error.lineno or 1, "syntax", error.msg)
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            yield from too_large(node.name, node.lineno, lines, python_branches(node))


def cpp_violations(path: str, text: str) -> Iterator[Violation]:
    """Functions of C++ text that are too large, and its comma operators."""
    source = cpp_source.Source(text)
    for function in source.functions():
        branches = 0 if path.startswith("tests/") else function.branches
        yield from too_large(function.name, function.line, function.lines, branches)
    for line in source.comma_operators():
        yield Violation(line, "commas", "a comma operator joins two expressions; write two statements")


def violations(path: str, text: str) -> list[Violation]:
    """What breaks a rule in one file, by line. The path is relative to the root."""
    found = list(long_lines(path, text)) if has_columns(path) else []
    suffix = pathlib.PurePosixPath(path).suffix
    if suffix == ".py":
        found += python_violations(text)
    elif suffix in CPP:
        found += cpp_violations(path, text)
    return sorted(found)


def is_checked(path: str) -> bool:
    return has_columns(path) or pathlib.PurePosixPath(path).suffix in CPP | {".py"}


def texts(root: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Path and text of every file that a rule is for."""
    for path in source_files(root):
        if is_checked(path):
            yield path, (root / path).read_text(encoding="utf-8", errors="replace")


def list_functions(root: pathlib.Path) -> None:
    """Prints branches, lines and place of each C++ function, those with the most branches first."""
    rows = []
    for path, text in texts(root):
        if pathlib.PurePosixPath(path).suffix in CPP:
            functions = cpp_source.Source(text).functions()
            rows += [(f.branches, f.lines, f"{path}:{f.line}", f.name) for f in functions]
    print("branches lines function")
    for branches, lines, place, name in sorted(rows, key=lambda row: (-row[0], -row[1], row[2])):
        print(f"{branches:8} {lines:5} {place} {name}")


def check(root: pathlib.Path) -> int:
    """Prints what breaks a rule and the count for each rule; gives the number of violations."""
    counts = collections.Counter()
    for path, text in texts(root):
        for line, rule, detail in violations(path, text):
            print(f"{path}:{line}: {rule}: {detail}")
            counts[rule] += 1
    print(", ".join(f"{rule} {counts[rule]}" for rule in RULES))
    return counts.total()


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks the layout of the sources.")
    parser.add_argument("root", metavar="SOURCE_ROOT", type=pathlib.Path)
    parser.add_argument("--list-functions", action="store_true", help="print the size of each C++ function")
    arguments = parser.parse_args()
    if arguments.list_functions:
        list_functions(arguments.root)
        return 0
    return 1 if check(arguments.root) else 0


if __name__ == "__main__":
    sys.exit(main())
