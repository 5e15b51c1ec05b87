"""Who uses what: the experiments and tests that name a function of the library, read from syntax trees."""

import ast
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
    aliases |= {name: f"{module}.{name}" for names in owned.values() for name in names}
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


@cache
def named_by_tests():
    """(test file, test function, first sentence) to what it names, itself or through others of its file."""
    found = {}
    for module, path in module_files("tests").items():
        graph = definitions(module, path)
        for node in tree(path).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                sentence = (ast.get_docstring(node) or "").partition("\n\n")[0]
                key = (str(path.relative_to(ROOT)), node.name, " ".join(sentence.split()))
                found[key] = frozenset(_reached([f"{module}.{node.name}"], graph))
    return found


def experiments_using(subject):
    return [name for name, used in used_by_experiments().items() if subject in used]


def tests_naming(subject):
    return [key for key, named in named_by_tests().items() if subject in named]
