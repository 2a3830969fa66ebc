"""Takes a project from django-waffle to this package: its imports, INSTALLED_APPS and MIDDLEWARE, and nothing else.

    python -m flagstaff.from_waffle PROJECT            changes the files, and prints each line that changed
    python -m flagstaff.from_waffle PROJECT COPY       the same in a copy

These change, in files that end in .py:

    import waffle                             import flagstaff.django as waffle
    from waffle import ...                    from flagstaff.django import ...
    from waffle.decorators import ...         from flagstaff.django.decorators import ...   (mixins, testutils, views too)
    INSTALLED_APPS = ["waffle"]               INSTALLED_APPS = ["flagstaff.django"]
    "waffle.middleware.WaffleMiddleware"      "flagstaff.django.middleware.WaffleMiddleware"
    "waffle.jinja.WaffleExtension"            "flagstaff.django.jinja.WaffleExtension"
    "waffle.urls"                             "flagstaff.django.urls"

What else is said of waffle is printed with a question mark, and stays: the models of django-waffle have no counterpart.
An import of a name that this package does not have stays too, and so does "waffle" as a text elsewhere.
"""

from __future__ import annotations

import ast
import re
import shutil
import sys
import warnings
from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import cache
from pathlib import Path

OURS = "flagstaff.django"
_APPS = "INSTALLED_APPS"
_PATHS = {"waffle.middleware.WaffleMiddleware", "waffle.jinja.WaffleExtension", "waffle.urls"}
_ADDS = {"append", "extend", "insert", "remove"}
_NAMED = re.compile(r"waffle(\.\w+)*")
_MODEL = re.compile(r"get_waffle_\w*model")
_FROM = re.compile(rb"from[ \t]+waffle\b")
_LITERAL = re.compile(rb"""[uU]?(["'])waffle[\w.]*\1""")
_SKIPPED = {".git", "node_modules", "__pycache__", "site-packages", ".venv", "venv"}


@cache
def names_of(module: str) -> frozenset[str] | None:
    """What a module of this package has, by its path below ``flagstaff.django``; ``None`` when there is no such module.

    The sources say it, so that Django need not be set up.
    """
    path = Path(__file__).parent.joinpath("django", *module.split(".")) if module else Path(__file__).parent / "django"
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not source.is_file():
        return None
    names = {name for node in ast.parse(source.read_bytes()).body for name in _defined(node)}
    if path.is_dir():
        names |= {file.stem for file in path.iterdir() if file.suffix == ".py" or (file / "__init__.py").is_file()}
    return frozenset(name for name in names if not name.startswith("_"))


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.ImportFrom) and node.level:
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _last_name(node: ast.expr) -> str | None:
    """``INSTALLED_APPS`` of ``INSTALLED_APPS`` and of ``settings.INSTALLED_APPS``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _given(node: ast.AST) -> Iterator[tuple[str | None, ast.expr]]:
    """The names that a piece of code gives values to, with the values."""
    if isinstance(node, ast.Assign):
        yield from ((_last_name(target), node.value) for target in node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)) and node.value is not None:
        yield _last_name(node.target), node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ADDS:
        # What is added to a list is as good as in it.
        yield _last_name(node.func.value), ast.List(list(node.args), ast.Load())
    elif isinstance(node, ast.keyword) and node.arg == _APPS:
        yield _APPS, node.value
    elif isinstance(node, ast.Dict):
        named = zip(node.keys, node.values, strict=True)
        yield from ((_APPS, value) for key, value in named if isinstance(key, ast.Constant) and key.value == _APPS)


def _apps(tree: ast.AST) -> set[ast.expr]:
    """The texts that stand in a list of installed apps, or in one that such a list is made of."""
    given = [pair for node in ast.walk(tree) for pair in _given(node)]
    names, inside, grows = {_APPS}, list[ast.AST](), True
    while grows:
        inside = [node for name, value in given if name in names for node in ast.walk(value)]
        # `env` of `env.list("APPS")` is no list of apps.
        used = {
            node.func if isinstance(node, ast.Call) else node.value
            for node in inside
            if isinstance(node, (ast.Call, ast.Attribute))
        }
        more = {node.id for node in inside if isinstance(node, ast.Name) and node not in used} - names
        names, grows = names | more, bool(more)
    return {text for node in inside if isinstance(node, (ast.List, ast.Tuple, ast.Set)) for text in node.elts}


class _Reader(ast.NodeVisitor):
    """What changes in a file, as ``(line, from, to, text)`` in bytes, and the lines that need somebody's eyes."""

    def __init__(self, lines: list[bytes], tree: ast.AST) -> None:
        self.edits: list[tuple[int, int, int, bytes]] = []
        self.left: set[int] = set()
        self._lines = lines
        self._apps = _apps(tree)
        imports = [alias for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        self._modules = {alias.asname or alias.name for alias in imports if alias.name == "waffle"}
        self.visit(tree)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name == "waffle":
                ours = OURS if alias.asname else f"{OURS} as waffle"
                self._put(alias.lineno, alias.col_offset, len("waffle"), ours.encode())
            elif alias.name.startswith("waffle."):
                self.left.add(alias.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or not re.match(r"waffle(\.|$)", module):
            return
        names = names_of(module.partition(".")[2])
        missing = [alias for alias in node.names if names is None or alias.name not in names]
        written = _FROM.match(self._lines[node.lineno - 1], node.col_offset)
        if missing or written is None:
            self.left |= {node.lineno, *(alias.lineno for alias in missing)}
        else:
            self._put(node.lineno, written.end() - len("waffle"), len("waffle"), OURS.encode())

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, str) or not _NAMED.fullmatch(node.value):
            return
        is_ours = node in self._apps if node.value == "waffle" else node.value in _PATHS
        written = _LITERAL.fullmatch(self._lines[node.lineno - 1][node.col_offset : node.end_col_offset])
        if is_ours and written is not None and node.lineno == node.end_lineno:
            self._put(node.lineno, node.col_offset + written.end(1), len("waffle"), OURS.encode())
        else:
            self.left.add(node.lineno)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        # The texts of an f-string are no names.
        for value in node.values:
            if not isinstance(value, ast.Constant):
                self.visit(value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        of_waffle = isinstance(node.value, ast.Name) and node.value.id in self._modules
        # A module below is there only where somebody imports it.
        if _MODEL.fullmatch(node.attr) or (of_waffle and (node.attr not in (names_of("") or ()) or names_of(node.attr))):
            self.left.add(node.end_lineno or node.lineno)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if _MODEL.fullmatch(node.id):
            self.left.add(node.lineno)

    def _put(self, line: int, start: int, length: int, text: bytes) -> None:
        self.edits.append((line, start, start + length, text))


def changed(source: bytes) -> tuple[bytes, dict[int, bool]]:
    """A file of a project as it should be. And the lines to show, from 1: ``True`` for those that need somebody's eyes."""
    if source.startswith(BOM_UTF8):
        new, of_rest = changed(source.removeprefix(BOM_UTF8))
        return BOM_UTF8 + new, of_rest
    lines = source.splitlines(keepends=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.decode())
    except (SyntaxError, ValueError):
        # Another Python's, or a template of a file: nobody can say what its words mean.
        return source, {number: True for number, line in enumerate(lines, 1) if re.search(rb"\bwaffle\b", line)}
    read = _Reader(lines, tree)
    for line, start, end, text in sorted(read.edits, reverse=True):
        before = lines[line - 1]
        lines[line - 1] = before[:start] + text + before[end:]
    shown = {edit[0] for edit in read.edits} | read.left
    return b"".join(lines), {line: line in read.left for line in sorted(shown)}


def change(project: Path) -> None:
    """Changes the files of a project, and prints what changed and what is left."""
    for file in sorted(project.rglob("*.py")):
        if _SKIPPED.isdisjoint(file.relative_to(project).parts) and file.is_file():
            _change_file(file, str(file.relative_to(project)))


def _change_file(file: Path, name: str) -> None:
    source = file.read_bytes()
    if b"waffle" not in source:
        return
    new, shown = changed(source)
    lines = new.splitlines()
    for number, is_left in shown.items():
        print(f"{name}:{number}: {'? ' if is_left else ''}{lines[number - 1].decode(errors='replace').strip()}")
    if new != source:
        file.write_bytes(new)


def main(arguments: list[str]) -> int:
    """The command."""
    if len(arguments) not in (1, 2) or not Path(arguments[0]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    if len(arguments) == 2:
        shutil.copytree(arguments[0], arguments[1], ignore=shutil.ignore_patterns(*_SKIPPED))
    change(Path(arguments[-1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
