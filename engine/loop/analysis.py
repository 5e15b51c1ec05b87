"""What the statements of a code object do: which arrays they touch, which functions they call.

The questions asked here decide whether a loop over elements may be computed many elements at a time with the
result of doing it one by one.
"""

import ast
from dataclasses import dataclass, field

import numpy as np
from brian2.codegen.statements import Statement
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.variables import ArrayVariable, Constant
from brian2.input.binomial import BinomialFunction
from brian2.input.timedarray import TimedArray
from brian2.parsing.rendering import NodeRenderer
from brian2.utils.stringtools import get_identifiers

from .. import exponentials

RAND, RANDN = DEFAULT_FUNCTIONS["rand"], DEFAULT_FUNCTIONS["randn"]
# Functions without memory: calling them in another order, or for many elements at once, changes nothing.
PURE = {
    name: function
    for name, function in DEFAULT_FUNCTIONS.items()
    if name not in ("rand", "randn", "poisson") and function.stateless
}
# Functions that cost much more than reading and writing a few numbers.
COSTLY = {
    "exp", "expm1", "exprel", "log", "log1p", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "arcsin", "arccos", "arctan",
}  # fmt: skip


def calls(expression):
    """The names of the functions that an expression calls, in order of appearance."""
    tree = ast.parse(expression.strip(), mode="eval")
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [node.func.id for node in sorted(found, key=lambda node: (node.lineno, node.col_offset))]


def has_costly_power(expression):
    """Whether there is a power other than a small whole one, which the compiler turns into products."""
    for node in ast.walk(ast.parse(expression.strip(), mode="eval")):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            exponent = node.right.value if isinstance(node.right, ast.Constant) else None
            if not (isinstance(exponent, int | float) and float(exponent).is_integer() and abs(exponent) < 9):
                return True
    return False


def rewritten(statement, transform):
    """A copy of a statement with its expressions passed through an `ast.NodeTransformer`."""

    def render(text):
        return NodeRenderer().render_node(transform.visit(ast.parse(str(text).strip(), mode="eval").body))

    copy = Statement(
        statement.var,
        statement.op,
        render(statement.expr),
        statement.comment,
        statement.dtype,
        constant=statement.constant,
        subexpression=statement.subexpression,
        scalar=statement.scalar,
    )
    copy.used_boolean_variables = statement.used_boolean_variables
    if statement.boolean_simplified_expressions is not None:
        copy.boolean_simplified_expressions = {
            key: render(text) for key, text in statement.boolean_simplified_expressions.items()
        }
    return copy


# Functions with a form in loop_math.h that is computed for many elements at once.
IN_VECTORS = {name: f"fast_{name}" for name in ("exp", "expm1", "exprel", "tanh")}


class InVectors(ast.NodeTransformer):
    """Functions in the form for vectors, which the compiler does not know, so their powers are taken here.

    exp(x)**y becomes exp(x*y), z/exp(x) becomes z*exp(-x), and timestep(...) a floating-point number where it
    is compared.
    """

    def visit_Compare(self, node):
        self.generic_visit(node)
        for side in (node.left, *node.comparators):
            if isinstance(side, ast.Call) and side.func.id == "timestep":
                side.func = ast.Name("fast_timestep")
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        node.func = ast.Name(IN_VECTORS.get(node.func.id, node.func.id))
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow) and _is_call(node.left, "fast_exp"):
            node.left.args = [ast.BinOp(node.left.args[0], ast.Mult(), node.right)]
            return node.left
        if isinstance(node.op, ast.Div) and _is_call(node.right, "fast_exp"):
            node.op = ast.Mult()
            node.right.args = [ast.UnaryOp(ast.USub(), node.right.args[0])]
        return node


def _is_call(node, name):
    return isinstance(node, ast.Call) and node.func.id == name


class NamedDraws(ast.NodeTransformer):
    """rand() and the like become names; `found` lists (name, function)."""

    def __init__(self, functions, taken):
        self.functions, self.taken, self.found = functions, taken, []

    def visit_Call(self, node):
        self.generic_visit(node)
        if node.func.id in self.functions and not node.args:
            name = f"_draw_{self.taken + len(self.found) + 1}"
            self.found.append((name, node.func.id))
            return ast.Name(name)
        return node


@dataclass
class Draw:
    """A random number per element: drawn by `function` into the local `name`, where `condition` holds."""

    name: str
    function: str
    condition: str | None = None


@dataclass
class Facts:
    """The statements of a block of a code object, as the generator sees them, and what they touch.

    `generator` translates statements to C++; `scalar` are computed once, `vector` for each element.
    """

    generator: object
    scalar: list
    vector: list
    fixed: frozenset = frozenset()  # scalar variables that keep their value during a run
    draws: list = field(default_factory=list)

    # ---- variables
    # ------------------------------------------------------------------------------------------------

    def variable(self, name):
        found = self.generator.variables.get(name)
        return found if isinstance(found, ArrayVariable) else None

    def index(self, name):
        return self.generator.variable_indices[name]

    def is_element(self, name):
        """Whether a name stands for an array with a value per element (of any kind)."""
        variable = self.variable(name)
        return variable is not None and not variable.scalar and self.index(name) != "0"

    def array(self, name):
        return self.generator.get_array_name(self.generator.variables[name])

    def touched(self):
        """(read, written, index arrays, conditions of conditional writes) of the vector statements."""
        read, write, indices, conditional = self.generator.arrays_helper(self.vector)
        return read, write, indices, {name: conditional[name] for name in write if name in conditional}

    def functions(self):
        """The functions called by the vector statements, by name."""
        names = [name for statement in self.vector for name in calls(statement.expr)]
        return {name: self.generator.variables.get(name) for name in names}

    def random_functions(self):
        return {name for name, function in self.functions().items() if is_random(function)}

    def is_costly(self):
        """Whether the vector statements compute more than they read and write."""
        return any(
            set(calls(statement.expr)) & COSTLY or has_costly_power(statement.expr)
            for statement in self.vector
        )

    # ---- may the elements be computed many at a time?
    # ------------------------------------------------------------------------------------------------

    def obstacle(self):
        """Why the loop over elements must go one by one (None: it need not).

        Every array written is written, and read, only at the element's own place; no function has a memory,
        except for random numbers, which `with_draws` takes out of the loop.
        """
        for name, function in self.functions().items():
            if not is_pure(name, function) and not is_random(function):
                return f"the function {name} may depend on the order of its calls"
        read, write, indices, _ = self.touched()
        own = {self.array(name) for name in write if self.index(name) == "_idx"}
        if any(self.index(name) != "_idx" for name in write):
            return "it writes to other elements than its own"
        if any(self.array(name) in own and self.index(name) != "_idx" for name in read | indices):
            return "it reads at other elements what it writes"
        return None

    def with_draws(self):
        """The same facts with each random number drawn beforehand into a name of its own, or None.

        None where the order of the draws would not be that of the element-by-element loop: two in one
        statement, or one that is only sometimes evaluated.
        """
        functions = self.random_functions()
        if not functions:
            return self
        conditional = self.generator.get_conditional_write_vars()
        statements, draws = [], []
        for statement in self.vector:
            transform = NamedDraws(functions, len(draws))
            if not set(calls(statement.expr)) & functions:
                statements.append(statement)
                continue
            if statement.used_boolean_variables or _sometimes_evaluated(statement.expr, functions):
                return None
            changed = rewritten(statement, transform)
            if len(transform.found) != 1 or set(calls(changed.expr)) & functions:
                return None
            statements.append(changed)
            (name, function) = transform.found[0]
            condition = conditional.get(statement.var)
            if condition is not None and (self.index(condition) != "_idx" or self._is_assigned(condition)):
                return None
            draws.append(Draw(name, function, condition))
        return Facts(self.generator, self.scalar, statements, self.fixed, draws)

    def in_vectors(self):
        """The same facts with functions in the form for vectors, where they are Brian2's own."""
        if not any(IN_VECTORS.get(name) or name == "timestep" for name in self.functions()):
            return self
        statements = [rewritten(statement, InVectors()) for statement in self.vector]
        return Facts(self.generator, self.scalar, statements, self.fixed, self.draws)

    def _is_assigned(self, name):
        return any(statement.var == name for statement in self.vector)

    # ---- what stays the same during a run
    # ------------------------------------------------------------------------------------------------

    def split_scalar(self):
        """The scalar statements: (those whose value is the same at each step of a run, the others)."""
        known, once, each = set(self.fixed), [], []
        assigned = {statement.var for statement in self.scalar if statement.op != ":="}
        for statement in self.scalar:
            names = get_identifiers(statement.expr)
            functions = set(calls(statement.expr))
            stays = (
                statement.op == ":="
                and all(is_pure(name, self.generator.variables.get(name)) for name in functions)
                and all(name in known or self._is_constant(name) for name in names - functions)
                and not names & assigned
            )
            if stays:
                known.add(statement.var)
                once.append(statement)
            else:
                each.append(statement)
        return once, each

    def stay(self, statements):
        """Whether statements for each element give the same values at each step of a run."""
        local = {statement.var for statement in statements}
        scalars, _ = self.split_scalar()
        known = local | set(self.fixed) | {statement.var for statement in scalars}
        for statement in statements:
            functions = set(calls(statement.expr))
            if not all(is_pure(name, self.generator.variables.get(name)) for name in functions):
                return False
            for name in get_identifiers(statement.expr) - functions - known:
                variable = self.generator.variables.get(name)
                if not (self._is_constant(name) or isinstance(variable, ArrayVariable) and variable.constant):
                    return False
        return True

    def _is_constant(self, name):
        return isinstance(self.generator.variables.get(name), Constant)


def is_pure(name, function):
    if isinstance(function, TimedArray):
        return True
    if function in exponentials.functions().values():
        return True
    return name in ("fast_timestep", *IN_VECTORS.values()) or (name in PURE and function is PURE[name])


def is_random(function):
    return isinstance(function, BinomialFunction) or function is RAND or function is RANDN


def _sometimes_evaluated(expression, functions):
    """Whether a call of one of the functions stands behind `and` or `or`, where it may be skipped."""
    for node in ast.walk(ast.parse(expression.strip(), mode="eval")):
        if isinstance(node, ast.BoolOp):
            for value in node.values[1:]:
                if any(isinstance(part, ast.Call) and part.func.id in functions for part in ast.walk(value)):
                    return True
    return False


def is_boolean(variable):
    return variable is not None and variable.dtype in (bool, np.bool_)


def bernoulli(expression):
    """(p, further condition or None) of `rand() < p` or `rand() < p and ...`; else (None, None)."""
    node, further = ast.parse(expression.strip(), mode="eval").body, None
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        rest = node.values[1:]
        further = rest[0] if len(rest) == 1 else ast.BoolOp(ast.And(), rest)
        node = node.values[0]
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return None, None
    sides = {ast.Lt: (node.left, node.comparators[0]), ast.Gt: (node.comparators[0], node.left)}
    uniform, probability = sides.get(type(node.ops[0]), (None, None))
    if not isinstance(uniform, ast.Call) or uniform.func.id != "rand":
        return None, None
    render = NodeRenderer().render_node
    return render(probability), render(further) if further is not None else None
