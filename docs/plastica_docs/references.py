"""Who uses what: the experiments and tests that name a function of the library, read from syntax trees."""

import ast
import copy
from functools import cache

from . import ROOT

PACKAGES = ("circuits", "engine", "plasticity", "analysis", "experiments")


def module_files(package):
    """Dotted name to path of the modules of a package (or of the tests)."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _aliases(module, path):
    """Local name to qualified name of everything that a module imports."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for item in node.names:
                names[item.asname or item.name.partition(".")[0]] = item.name if item.asname else (
                    item.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [node.module])])
            for item in node.names:
                names[item.asname or item.name] = f"{base}.{item.name}"
    return names


def _named(node, aliases):
    """The qualified names in a piece of a tree."""
    found = set()
    for inner in ast.walk(node):
        chain, part = [], inner
        while isinstance(part, ast.Attribute):
            chain.append(part.attr)
            part = part.value
        if isinstance(part, ast.Name) and part.id in aliases:
            name = aliases[part.id]
            found.add(name)
            for attribute in reversed(chain):
                name = f"{name}.{attribute}"
                found.add(name)
    return found


@cache
def definitions(module, path):
    """Name of every top-level definition to what it names; what stands outside of one is `module.`."""
    top = tree(path).body
    owned = {}
    for node in top:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            owned[node] = [node.name]
        elif isinstance(node, ast.Assign):
            owned[node] = [t.id for t in node.targets if isinstance(t, ast.Name)]
    aliases = _aliases(module, path)
    aliases = aliases | {name: f"{module}.{name}" for names in owned.values() for name in names}
    found = {}
    for node in top:
        for name in owned.get(node) or [""]:
            found.setdefault(f"{module}.{name}", set()).update(_named(node, aliases))
    return found


@cache
def _library():
    graph = {}
    for package in PACKAGES:
        for module, path in module_files(package).items():
            graph |= definitions(module, path)
    return graph


def _reached(start, graph):
    seen, left = set(), set(start)
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left |= graph.get(name, set()) - seen
    return seen


@cache
def used_by_experiments():
    """Experiment to the qualified names that it uses, through helpers and builders of circuits too."""
    from experiments.__main__ import discover

    graph, files = _library(), module_files("experiments")
    return {
        name: frozenset(
            _reached(definitions(f"experiments.{name}", files[f"experiments.{name}"]), graph)
        )
        for name in discover()
    }


def _is_call_of(node, *names):
    called = getattr(node, "func", None)
    return getattr(called, "attr", getattr(called, "id", "")) in names


class _WithoutRefusals(ast.NodeTransformer):
    """Takes away what is within `with pytest.raises(...)`, which is written to be refused."""

    def visit_With(self, node):
        if any(_is_call_of(item.context_expr, "raises") for item in node.items):
            return None
        return self.generic_visit(node)


def _compares(node):
    """Whether a test asserts anything of what it made, itself or by a function that is named for it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert):
            return True
        if isinstance(inner, ast.Call):
            name = getattr(inner.func, "attr", getattr(inner.func, "id", ""))
            if name.startswith(("assert", "agrees", "check", "compare")):
                return True
    return False


def _tests(path):
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


@cache
def used_by_tests():
    """(test file, test function, first sentence) to what the test names in its own body or parametrisation.

    Tests of refusals are left out: what is within `pytest.raises`, and tests that assert nothing besides.
    """
    found = {}
    for module, path in module_files("tests").items():
        constants = {
            f"{module}.{target.id}"
            for node in tree(path).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        graph = {name: named for name, named in definitions(module, path).items() if name in constants}
        aliases = _aliases(module, path) | {name.rpartition(".")[2]: name for name in constants}
        for node in _tests(path):
            refuses = any(_is_call_of(inner, "raises") for inner in ast.walk(node))
            kept = _WithoutRefusals().visit(copy.deepcopy(node)) if refuses else node
            if refuses and not _compares(kept):
                continue
            sentence = (ast.get_docstring(node) or "").partition("\n\n")[0]
            key = (str(path.relative_to(ROOT)), node.name, " ".join(sentence.split()))
            found[key] = frozenset(_reached(_named(kept, aliases), graph))
    return found


@cache
def _reached_by_tests():
    """Test file to all that its tests reach, through helpers and through the code of the library."""
    library = _library()
    found = {}
    for module, path in module_files("tests").items():
        graph = library | definitions(module, path)
        start = {f"{module}.{node.name}" for node in _tests(path)}
        if start:
            found[str(path.relative_to(ROOT))] = _reached(start, graph)
    return found


def experiments_using(subject):
    return [name for name, used in used_by_experiments().items() if subject in used]


def tests_using(subject):
    return [key for key, named in used_by_tests().items() if subject in named]


def files_reaching(subject):
    """The files of tests that reach it through helpers or through what is built with it."""
    return [path for path, reached in _reached_by_tests().items() if subject in reached]
