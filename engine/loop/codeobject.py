"""Code objects whose loops over elements are vectorised; what this does not cover is Brian2's own code."""

from brian2.codegen.generators.cpp_generator import CPPCodeGenerator
from brian2.codegen.templates import CodeObjectTemplate, LazyTemplateLoader
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.variables import ArrayVariable
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.device import get_device
from brian2.input import binomial

from .. import brian_versions
from . import kernels
from .analysis import Facts


class LoopGenerator(CPPCodeGenerator):
    """Brian2's C++ generator, which also hands the statements themselves to the template, as `facts`."""

    def translate_statement_sequence(self, sc_statements, ve_statements):
        scalar_code, vector_code, keywords = super().translate_statement_sequence(
            sc_statements, ve_statements
        )
        keywords["facts"] = None
        if set(ve_statements) == {None}:
            fixed = frozenset(
                name
                for name, variable in self.variables.items()
                if isinstance(variable, ArrayVariable) and variable.scalar and variable.constant
            )
            keywords["facts"] = Facts(self, sc_statements[None], ve_statements[None], fixed)
        return scalar_code, vector_code, keywords


class RepeatableTemplate(CodeObjectTemplate):
    """A template whose result can be made again, with some of the values changed: `code.again(facts=...)`.

    `code.standard()` is the same code object generated from Brian2's own template.
    """

    name = None

    def __call__(self, scalar_code, vector_code, **values):
        code = super().__call__(scalar_code, vector_code, **values)
        if not isinstance(code, str):
            standard = getattr(CPPStandaloneCodeObject.templater, self.name)
            code.again = lambda **changed: self(scalar_code, vector_code, **{**values, **changed})
            code.standard = lambda: standard(scalar_code, vector_code, **values)
            code.facts, code.pathway = values.get("facts"), values.get("pathway")
        return code


class RepeatableTemplates(LazyTemplateLoader):
    def get_template(self, name):
        template = super().get_template(name)
        if not isinstance(template, RepeatableTemplate):
            template = RepeatableTemplate(template.template, template.template_source)
            template.name = name
            self._templates[name] = template
        return template


def _templater():
    templater = CPPStandaloneCodeObject.templater.derive(
        "engine.loop",
        env_globals={
            "kernels": kernels,
            "clock_class": brian_versions.clock_class(),
            "processor_time": brian_versions.runs_take_processor_time(),
            "keep_draws": lambda: get_device().keep_draws,
            "together": None,
        },
    )
    templater.templates = RepeatableTemplates(templater.env, templater.extension)
    return templater


class LoopCodeObject(CPPStandaloneCodeObject):
    """A code object of the standalone device, from the templates in this package where there is one."""

    class_name = "fast_standalone"
    generator_class = LoopGenerator
    templater = _templater()


def _binomial(n, p, use_normal, name):
    """Brian2's sampler with its sums looked up: (C++ code, functions it needs)."""
    if use_normal:
        return binomial._generate_cpp_code(n, p, use_normal, name)
    reverse, q, p_success, none, bound = binomial._pre_calc_constants(n, p)
    successes = f"{int(n)} - successes" if reverse else "successes"
    code = f"""
    static const fast_loop::Binomial& {name}_table()
    {{
        static const fast_loop::Binomial table(
            {int(n)}, {p_success:.15f}, {q:.15f}, {none:.15f}, {bound:.15f});
        return table;
    }}
    static long {name}(const int vectorisation_idx)
    {{
        const long successes = {name}_table().draw([&]() {{ return _rand(vectorisation_idx); }});
        return {successes};
    }}
    """
    if not reverse and brian_versions.generator_can_fill():
        code += f"""
    static void {name}_fill(double* numbers, int n)
    {{
        {name}_table().fill(brian::_random_generators[0], numbers, n);
    }}
    """
    return {"support_code": code}, {"_rand": DEFAULT_FUNCTIONS["rand"]}


binomial.BinomialFunction.implementations[LoopCodeObject.class_name] = _binomial


def _poisson(owner):
    """Brian2's sampler of Poisson numbers, with a table for a mean below 10 that does not change.

    Programs of circuits end with a message where the mean is negative, as the interpreted backend does, or
    its numbers do not fit into 32 bits. Scripts get what Brian2 has there: 0, and anything.
    """
    standard = DEFAULT_FUNCTIONS["poisson"].implementations[CPPCodeGenerator].get_code(owner)
    head = "int32_t _poisson(double lam, int32_t _idx)"
    if get_device().keep_draws or head not in standard:
        return standard
    of_circuit = '"plastica.h"' in get_device().headers
    refusing = """
    if (lam < 0 || lam > fast_loop::LARGEST_POISSON_MEAN)
        fast_loop::refuse_poisson(lam);"""
    each = standard.replace(head, head.replace("_poisson", "_poisson_each"))
    return f"""{each}
static int32_t _poisson(double lam, int32_t _idx)
{{
    static fast_loop::Poisson table;{refusing if of_circuit else ""}
    if (lam > 0 && lam < 10 && table.covers(lam))
        return table.draw(_rand(_idx));
    return _poisson_each(lam, _idx);
}}
"""


DEFAULT_FUNCTIONS["poisson"].implementations.add_dynamic_implementation(
    LoopCodeObject,
    code=_poisson,
    namespace=lambda owner: {},
    dependencies={"_rand": DEFAULT_FUNCTIONS["rand"]},
    name="_poisson",
)
