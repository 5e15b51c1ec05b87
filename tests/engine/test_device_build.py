"""The build of the device "fast_standalone": the results of Brian2's own device, and no quiet failures."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

brian2 = pytest.importorskip("brian2")

from engine import brian_versions, objects, toolchain, units  # noqa: E402
from engine.errors import BuildError, CacheError  # noqa: E402

SCRIPTS = Path(__file__).with_name("device_scripts.py")
TINY = ("stddef.h",)  # a header that is parsed in no time


def start(name, device, folder, **environment):
    """A script on a device in a process of its own, in `folder`."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, str(SCRIPTS), name, device, str(folder)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process, folder):
    output, _ = process.communicate(timeout=250)
    assert process.returncode == 0, output
    with np.load(folder / "arrays.npz") as arrays:
        return dict(arrays) | {"output": output}


def run(name, device, folder, **environment):
    return finish(start(name, device, folder, **environment), folder)


def assert_same(one, other):
    """The same spikes and synapses; in states, vector code may round another way."""
    arrays = set(one) - {"output", "compiled_units"}
    assert arrays == set(other) - {"output", "compiled_units"}
    for name in arrays:
        tolerance = 1e-12 if name in ("v", "g", "w") else 0
        np.testing.assert_allclose(one[name], other[name], rtol=tolerance, atol=tolerance, err_msg=name)
    assert len(one["t"]) > 100


def leftovers(folder):
    """Files that are not in their final place."""
    return [path for path in folder.rglob(".*-*") if path.is_file()]


# ---- the same results
# -----------------------------------------------------------------------------------------------


@pytest.mark.compiled
@pytest.mark.slow
def test_all_constructs_give_the_standard_results(tmp_path):
    fast = run("everything", "fast_standalone", tmp_path / "fast")
    assert_same(fast, run("everything", "cpp_standalone", tmp_path / "standard"))


@pytest.mark.compiled
@pytest.mark.slow
def test_cuba_gives_the_standard_results(tmp_path):
    fast = run("cuba", "fast_standalone", tmp_path / "fast")
    assert_same(fast, run("cuba", "cpp_standalone", tmp_path / "standard"))


@pytest.mark.compiled
@pytest.mark.slow
def test_clang_gives_the_standard_results(tmp_path):
    if shutil.which("clang++") is None:
        pytest.skip("clang++ is not installed")
    fast = run("everything", "fast_standalone", tmp_path / "fast", CXX="clang++")
    assert fast["compiled_units"].size
    assert_same(fast, run("everything", "cpp_standalone", tmp_path / "standard", CXX="clang++"))


@pytest.mark.compiled
@pytest.mark.slow
def test_the_folder_can_be_built_by_make_alone(tmp_path):
    fast = run("small", "fast_standalone", tmp_path)
    project = tmp_path / "project"
    program, results = project / "main", sorted(project.glob("results/_dynamic_array_spikemonitor_t_*"))
    program.unlink()
    before = [path.read_bytes() for path in results]
    subprocess.run(["make", "-j2"], cwd=project, check=True, capture_output=True)
    subprocess.run([program], cwd=project, check=True)
    assert before == [path.read_bytes() for path in results] and fast["t"].size


# ---- only what changed
# ----------------------------------------------------------------------------------------------


@pytest.mark.compiled
def test_a_changed_equation_compiles_one_unit(tmp_path):
    cache = {"PLASTICA_CACHE": str(tmp_path / "cache")}
    first = run("small", "fast_standalone", tmp_path, **cache)
    own = {"start", "queues", "events", "neurons", "spikes", "program"}
    assert set(first["compiled_units"]) == own | {"library", "loop"}
    assert_same(first, run("small", "runtime", tmp_path / "interpreted"))
    assert not run("small", "fast_standalone", tmp_path, **cache)["compiled_units"].size
    elsewhere = run("small", "fast_standalone", tmp_path / "elsewhere", **cache)
    assert not elsewhere["compiled_units"].size  # another project compiled the same units
    assert_same(first, elsewhere)
    changed = run("small:(10*ms)", "fast_standalone", tmp_path, **cache)
    assert list(changed["compiled_units"]) == ["neurons"]
    assert len(changed["t"]) > len(first["t"])
    project = tmp_path / "project"
    sources = [path for path in project.glob("code_objects/*stateupdater*.cpp")]
    assert (
        len(sources) == 1
        and f'"code_objects/{sources[0].name}"' in (project / "units/neurons.cpp").read_text()
    )
    assert not leftovers(project)


@pytest.mark.compiled
@pytest.mark.slow
def test_builds_at_the_same_time(tmp_path):
    """Two processes in one folder, and another circuit, from an empty cache."""
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    folders = [tmp_path / "one", tmp_path / "one", tmp_path / "two"]
    names = ["small", "small", "small:(10*ms)"]
    processes = [
        start(name, "fast_standalone", folder, PLASTICA_CACHE=str(cache))
        for name, folder in zip(names, folders, strict=True)
    ]
    results = [finish(process, folder) for process, folder in zip(processes, folders, strict=True)]
    np.testing.assert_array_equal(results[0]["t"], results[1]["t"])
    assert len(results[2]["t"]) > len(results[0]["t"])
    headers = [path for path in (cache / "headers").iterdir() if path.is_dir()]
    assert len(headers) == 1 and (headers[0] / "made.json").exists()
    assert not leftovers(cache) and not leftovers(tmp_path / "one")


def test_a_name_that_only_the_preprocessor_knows_is_one_from_outside(tmp_path):
    (tmp_path / "a.cpp").write_text(
        '#define WHICH "gain.h"\n#include WHICH\n# include <vector>\n#include"b.h"\n'
    )
    (tmp_path / "b.h").write_text("")
    found = units.Includes(tmp_path, []).not_in_the_project("a.cpp")
    assert found == {"vector", "#include WHICH"} and not objects.can_be_shared(found)


def test_a_kept_unit_is_used_only_if_it_is_whole(tmp_path):
    shelf, unit = tmp_path / "shelf", tmp_path / "neurons-1.o"
    shelf.mkdir()
    unit.write_bytes(b"compiled")
    objects.keep([unit], shelf)
    for damage in (None, b"compiler", b"", b"c"):
        unit.unlink(missing_ok=True)
        kept = shelf / unit.name
        if damage is not None:
            kept.write_bytes(damage + kept.read_bytes()[-32:] if len(damage) > 1 else damage)
        objects.recall(unit, shelf)
        assert unit.exists() == (damage is None)


def test_options_in_the_compilers_command_count_for_the_key():
    identities = {toolchain.find_compiler(f"g++{more}").identity for more in ("", " -DGAIN=2", " -DGAIN=3")}
    assert len(identities) == 3


def test_units_used_longest_ago_make_room(tmp_path, monkeypatch):
    monkeypatch.setenv("PLASTICA_CACHE_SIZE", "10K")  # a tenth of it for units
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for age, name in enumerate(["new.o", "middle.o", "old.o"]):
        (shelf / name).write_bytes(b"x" * 400)
        os.utime(shelf / name, (time.time() - 100 * age,) * 2)
    objects.keep([], shelf)
    assert sorted(path.name for path in shelf.iterdir()) == ["middle.o", "new.o"]


@pytest.mark.parametrize(
    "header, shared",
    [
        ("vector", True),
        ("math.h", True),
        ("sys/wait.h", True),
        ("gsl/gsl_rng.h", False),
        ("armadillo", False),
        ("Eigen/Dense", False),
    ]
    + [("own.h", False), ("stddef.hpp", False)],
)
def test_units_with_headers_of_other_libraries_are_not_shared(tmp_path, header, shared):
    (tmp_path / "a.cpp").write_text('#include "b.h"\n#include <vector>\n')
    (tmp_path / "b.h").write_text(f"#include <{header}>\n")
    found = units.Includes(tmp_path, []).not_in_the_project("a.cpp")
    assert found == {"vector", header} and objects.can_be_shared(found) == shared


# ---- the precompiled header
# -----------------------------------------------------------------------------------------


def compiler_of_version(tmp_path, version):
    """A command that compiles as the real one does and says that it is another version."""
    real = shutil.which(os.environ.get("CXX", "g++").split()[0])
    path = tmp_path / f"compiler-{version}"
    path.write_text(f'#!/bin/sh\n[ "$1" = -v ] && echo "gcc version {version}" && exit\nexec {real} "$@"\n')
    path.chmod(0o755)
    return toolchain.find_compiler(str(path))


@pytest.mark.compiled
def test_the_header_of_another_compiler_version_is_not_used(tmp_path):
    old, new = (compiler_of_version(tmp_path, version) for version in ("12.1", "12.2"))
    first = toolchain.precompiled_header(old, ["-O1"], TINY, tmp_path)
    assert first == toolchain.precompiled_header(old, ["-O1"], TINY, tmp_path)
    assert first != toolchain.precompiled_header(new, ["-O1"], TINY, tmp_path)
    assert first != toolchain.precompiled_header(old, ["-O3"], TINY, tmp_path)


@pytest.mark.compiled
def test_a_header_is_made_again_when_a_file_in_it_changed(tmp_path):
    compiler, system = toolchain.find_compiler(), tmp_path / "system"
    system.mkdir()
    (system / "inner.h").write_text("int version_one();\n")
    flags = ["-O1", "-isystem", str(system)]
    options = toolchain.precompiled_header(compiler, flags, ("inner.h",), tmp_path)
    (system / "inner.h").write_text("int version_two();\n")
    (tmp_path / "source.cpp").write_text("int main() { return sizeof(&version_two) == 0; }\n")
    assert options == toolchain.precompiled_header(compiler, flags, ("inner.h",), tmp_path)
    command = [*compiler.command, *options, *flags, "-fsyntax-only", "source.cpp"]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.compiled
def test_a_half_written_header_is_made_again(tmp_path):
    compiler = toolchain.find_compiler()
    options = toolchain.precompiled_header(compiler, ["-O1"], TINY, tmp_path)
    made = next(path for path in Path(options[1]).parent.iterdir() if path.suffix in (".gch", ".pch"))
    made.write_bytes(b"half")
    toolchain.precompiled_header(compiler, ["-O1"], TINY, tmp_path)
    assert made.stat().st_size > len(b"half")


@pytest.mark.compiled
def test_a_full_disk_costs_the_header_and_not_the_build(tmp_path):
    """A limit on the size of files stands for the disk: what is compiled fits, the header does not."""
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    limited = tmp_path / "limited"
    limited.write_text(
        f"#!{sys.executable}\nimport os, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000000, 5000000))\n"
        f"os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])\n"
    )
    limited.chmod(0o755)
    folder = tmp_path / "run"
    folder.mkdir()
    process = subprocess.run(
        [limited, SCRIPTS, "small", "fast_standalone", folder],
        env=os.environ | {"PLASTICA_CACHE": str(cache)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr.count("Building without a precompiled header") == 1, process.stderr
    assert not list(cache.rglob("made.json")) and not leftovers(cache)


@pytest.mark.parametrize("problem", ["no folder", "no room"])
def test_a_cache_that_cannot_be_used_is_reported_as_such(tmp_path, monkeypatch, problem):
    compiler = toolchain.Compiler(("false",), "gcc", "none", "none")
    if problem == "no folder":
        (tmp_path / "file").touch()
        folder = tmp_path / "file"
    else:
        folder = tmp_path

        def no_room(path, data):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(toolchain, "write_atomically", no_room)
    with pytest.raises(CacheError):
        toolchain.precompiled_header(compiler, [], TINY, folder)
    remembered = toolchain.Remembered(folder, "facts")
    remembered.add(["a fact"])
    assert remembered.facts == {"a fact"}


def test_facts_about_a_compiler_are_remembered(tmp_path):
    toolchain.Remembered(tmp_path, "one").add({"-O3", "-march=native"})
    assert toolchain.Remembered(tmp_path, "one").facts == {"-O3", "-march=native"}
    assert not toolchain.Remembered(tmp_path, "two").facts
    (tmp_path / "one.json").write_text("[")
    assert not toolchain.Remembered(tmp_path, "one").facts


# ---- errors
# ---------------------------------------------------------------------------------------------------------


def test_no_compiler_names_what_to_install():
    with pytest.raises(
        BuildError, match=r"'no-such-compiler -m64' is not on the path.*apt-get install g\+\+"
    ):
        toolchain.find_compiler("no-such-compiler -m64")


def test_what_the_compiler_said_is_cut_to_the_errors():
    said = (
        "In file included from a\nnote\nb.cpp:3:1: error: 'x' was not declared\n   3 | x\n     | ^\nmore\n"
        * 9
    )
    lines = toolchain.relevant_lines(said).splitlines()
    assert lines[0].startswith("b.cpp:3:1: error") and len(lines) == 13 and lines[-1].endswith("more lines)")
    assert toolchain.relevant_lines("killed") == "killed"


@pytest.mark.compiled
def test_jobs_leave_complete_files_only(tmp_path):
    (tmp_path / "good.cpp").write_text("int f() { return 1; }\n")
    (tmp_path / "bad.cpp").write_text("int f( { return 1; }\n")
    command = list(toolchain.find_compiler().command)
    jobs = [
        toolchain.Job(name, [*command, "-c", f"{name}.cpp"], tmp_path / f"{name}.o")
        for name in ("good", "bad")
    ]
    toolchain.run_jobs(jobs, tmp_path, 2)
    assert not jobs[0].failed and jobs[1].failed and "error" in jobs[1].output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.cpp", "good.cpp", "good.o"]


@pytest.mark.compiled
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interruption_leaves_nothing_half_written(tmp_path):
    process = start("small", "fast_standalone", tmp_path, PLASTICA_CACHE=str(tmp_path / "cache"))
    project = tmp_path / "project"
    deadline = time.monotonic() + 100
    while not list(project.glob("build/.*.o-*")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, output
    assert not leftovers(tmp_path) and not (project / "main").exists()
    assert run("small", "fast_standalone", tmp_path)["t"].size


# ---- the units
# ------------------------------------------------------------------------------------------------------


def project(tmp_path, **texts):
    for name, text in texts.items():
        path = tmp_path / name.replace("__", "/")
        path = path.with_name(path.name.replace("_h", ".h").replace("_cpp", ".cpp"))
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return units.Includes(tmp_path, ["-I."])


def test_everything_included_counts_for_the_key(tmp_path):
    includes = project(
        tmp_path, a_cpp='#include "b.h"\n#include <vector>\n', b_h='#include "c.h"\n', c_h="int c;\n"
    )
    key = includes.closure("a.cpp")
    assert key == units.Includes(tmp_path, ["-I."]).closure("a.cpp")
    (tmp_path / "c.h").write_text("long c;\n")
    assert key != units.Includes(tmp_path, ["-I."]).closure("a.cpp")
    assert includes.of_the_system(["b.h"]) == [] and includes.of_the_system(["thread"]) == ["thread"]


def test_headers_without_a_guard_are_recognised(tmp_path):
    includes = project(
        tmp_path,
        once_h="// text\n#pragma once\nint a;\n",
        guarded_h="/* text */\n#ifndef A\n#define A\n#endif\n",
        open_h="#include <vector>\nint a;\n",
    )
    assert (
        includes.is_guarded("once.h")
        and includes.is_guarded("guarded.h")
        and not includes.is_guarded("open.h")
    )


@pytest.mark.compiled
def test_code_objects_keep_their_helpers_and_macros_apart(tmp_path):
    text = (
        '#include "code_objects/{0}.h"\nnamespace {{ int helper() {{ return {1}; }} }}\n#define VALUE {1}\n'
    )
    text += "void _run_{0}() {{ sum += helper() + VALUE; }}\n"
    texts = {}
    for name, value in (("a", 1), ("b", 10)):
        texts[f"code_objects__{name}_cpp"] = text.format(name, value)
        texts[f"code_objects__{name}_h"] = (
            f"#ifndef X{name}\n#define X{name}\nextern int sum;\nvoid _run_{name}();\n#endif\n"
        )
    includes = project(tmp_path, **texts)
    unit = units.code_objects_text(["a", "b"], includes)
    unit += "int sum = 0;\n#ifndef VALUE\nint main() { _run_a(); _run_b(); return sum != 22; }\n#endif\n"
    (tmp_path / "unit.cpp").write_text(unit)
    subprocess.run(
        [*toolchain.find_compiler().command, "-I.", "unit.cpp", "-o", "unit"], cwd=tmp_path, check=True
    )
    subprocess.run([tmp_path / "unit"], check=True)


# ---- Brian2's texts
# -------------------------------------------------------------------------------------------------


def test_this_brian2_has_what_is_extended():
    assert brian_versions.missing_hooks() == []


@pytest.mark.parametrize("imports", ["import brian2, engine", "import engine, brian2"])
def test_the_device_is_known_whatever_is_imported_first(imports):
    code = f"{imports}; brian2.set_device('fast_standalone'); print(type(brian2.get_device()).__name__)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["FastStandaloneDevice"]


def test_the_random_generator_takes_a_seed_sequence():
    from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject

    source = CPPStandaloneCodeObject.templater.env.loader.get_source(
        CPPStandaloneCodeObject.templater.env, "objects.cpp"
    )[0]
    changed = brian_versions.with_seed_sequence(source)
    assert re.search(
        r"void seed\(std::seed_seq& sequence\) \{\s+gen\.seed\(sequence\);\s+has_stored_gauss = false;",
        changed,
    )
    with pytest.raises(NotImplementedError, match="was not found exactly once"):
        brian_versions.with_seed_sequence(changed.replace("unsigned long", "uint64_t"))
