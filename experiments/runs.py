"""Run folders: what a run leaves behind, written so that nothing computed is lost when a later step fails.

figure.png, figure.pdf
data/               arrays.npz, a CSV file per table, values.json (the rest, and how it all fits together)
report.json         what was run, on what, and what the claims say: the mark of a completed run
unfinished.json     what is being run; stays, with the error, where a step failed
"""

import contextlib
import contextvars
import json
import math
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

SMALLEST_FREE = 50e6  # bytes that must be free before a computation starts
KEEP_EVERY = 5.0  # seconds between two writes of what was kept
PACKAGES = (
    "plastica brian2 numpy scipy pandas matplotlib seaborn scikit-learn elephant sktime reservoirpy".split()
)

_keeper = contextvars.ContextVar("keeper", default=None)


class FolderError(RuntimeError):
    """A folder that results cannot be written to."""


class ResultError(TypeError):
    """Results of a kind that cannot be written down."""


def keep(**values):
    """Write these results of an unfinished run down: an interruption then loses some seconds of work at most.

    For loops that take minutes: `keep(accuracy=accuracy[:done])`. A later value of the same name replaces the
    former. Outside of a run started by the command line this does nothing.
    """
    keeper = _keeper.get()
    if keeper is not None:
        keeper.add(values)


@contextlib.contextmanager
def workspace(name):
    """A path in the folder of the run that is going on, for a sweep within an experiment: when the run is
    repeated there (--out DIR), the sweep goes on where it stopped. Outside of a run it is a temporary one.
    """
    keeper = _keeper.get()
    if keeper is not None:
        yield Path(keeper.folder) / name
        return
    with tempfile.TemporaryDirectory(prefix="plastica-") as folder:
        yield Path(folder) / name


def progress(items, what):
    """`items`, with a bar and the remaining time where someone is watching."""
    from tqdm.auto import tqdm

    return tqdm(items, desc=what, leave=False, disable=None)


# The folder


def new_folder(root, name):
    """A new folder `root`/runs/`name`/<time>, which no other run has."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for attempt in range(1, 1000):
        folder = Path(root) / "runs" / name / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        if not folder.exists():
            prepare(folder)
            return folder
    raise FolderError(f"there are a thousand runs of {name} from this second in {root}")


def prepare(folder):
    """Make the folder, and show before anything is computed that it can be written to."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(65536))
            probe.flush()
            os.fsync(probe.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise FolderError(
            f"results cannot be written to {folder} ({error.strerror}); name a folder of yours: --out DIR"
        ) from None
    if free < SMALLEST_FREE:
        raise FolderError(
            f"the disk of {folder} has {free / 1e6:.0f} MB left; {SMALLEST_FREE / 1e6:.0f} MB are needed: "
            f"make room, or name a folder on another disk: --out DIR"
        )


@contextlib.contextmanager
def keeping(folder):
    """While this is open, `keep` writes into `folder`; an error writes what was kept last."""
    keeper = _Keeper(folder)
    token = _keeper.set(keeper)
    try:
        yield keeper
    except BaseException:
        keeper.write()
        raise
    finally:
        _keeper.reset(token)


class _Keeper:
    def __init__(self, folder):
        self.folder, self.values, self.written = folder, {}, time.monotonic()

    def add(self, values):
        self.values.update(values)
        if time.monotonic() - self.written >= KEEP_EVERY:
            self.write()

    def write(self):
        if self.values:
            save_data(self.values, self.folder)
            self.written = time.monotonic()


# Writing


@contextlib.contextmanager
def replacing(path):
    """A temporary path beside `path` that takes its place if all goes well: nobody ever reads half a file."""
    path = Path(path)
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_json(path, content):
    """Strict JSON: NaN and infinity become null."""
    text = json.dumps(_strict(content), indent=2, allow_nan=False, ensure_ascii=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def save_figure(figure, folder):
    for name in ("figure.png", "figure.pdf"):
        with replacing(Path(folder) / name) as temporary:
            figure.savefig(temporary, dpi=200)


def save_data(results, folder):
    """Write the results into `folder`/data; what an earlier run left there goes: it would not fit.

    Raises
    ------
    ResultError
        If something is not an array, table, number or text, or a list or dict of these; the rest is written.
    """
    final = Path(folder) / "data"
    temporary = Path(tempfile.mkdtemp(prefix=".data-", dir=folder))
    try:
        writer = _Writer(temporary)
        writer.write(results)
        for stale in ("report.json", "figure.png", "figure.pdf"):
            (Path(folder) / stale).unlink(missing_ok=True)
        if final.exists():
            shutil.rmtree(final)
        temporary.chmod(0o755)  # mkdtemp made it private
        temporary.rename(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if writer.refused:
        raise ResultError(
            f"these results cannot be written: {', '.join(writer.refused)}. Return arrays, numbers, texts, "
            f"tables (DataFrame), or lists and dicts of these; everything else was written to {final}."
        )


def load_data(folder):
    """The results that `save_data` wrote, with equal values and types (text in tables comes back as text)."""
    folder = Path(folder) / "data"
    try:
        tree = json.loads((folder / "values.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise FolderError(f"{folder} holds no results of a run ({error.strerror})") from None
    import numpy as np

    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        return {key: _decoded(node, folder, arrays) for key, node in tree.items()}


class _Writer:
    """Results to files: a tree of JSON whose leaves are numbers, texts, or the names of arrays and tables."""

    def __init__(self, folder):
        self.folder, self.arrays, self.tables, self.refused = folder, {}, {}, []

    def write(self, results):
        import numpy as np

        tree = {str(key): self.encoded(value, str(key)) for key, value in results.items()}
        # By hand because numpy.savez cannot take an array called "file".
        with zipfile.ZipFile(self.folder / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in self.arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(
                        file, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False
                    )
        for name, table in self.tables.items():
            table.to_csv(self.folder / name, index=False)
        (self.folder / "values.json").write_text(
            json.dumps(tree, indent=1, allow_nan=False), encoding="utf-8"
        )

    def encoded(self, value, name):
        import numpy as np

        if value is None or isinstance(value, (bool, str, int)):
            return value
        if isinstance(value, float):  # numpy's floats too
            return float(value) if math.isfinite(value) else {"float": str(float(value))}
        if hasattr(value, "dim") and hasattr(value, "get_best_unit"):
            from circuits.quantities import unit_name

            self.arrays[name] = np.asarray(value, dtype=float)
            return {"array": name, "unit": unit_name(value.dim)}
        if (
            isinstance(value, (np.ndarray, np.generic, complex))
            and np.asarray(value).dtype.kind in "biufcSUmM"
        ):
            self.arrays[name] = np.asarray(value)
            return {"array": name, "scalar": not isinstance(value, np.ndarray)}
        if isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.ndim == 1:
            return {"objects": [self.encoded(item, f"{name}.{i}") for i, item in enumerate(value)]}
        if isinstance(value, (list, tuple)):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [self.encoded(item, f"{name}.{i}") for i, item in enumerate(value)]}
        if isinstance(value, dict):
            pairs = [
                [self.encoded(key, name), self.encoded(item, f"{name}.{key}")] for key, item in value.items()
            ]
            return {"dict": pairs}
        if type(value).__name__ == "DataFrame" and value.columns.nlevels == 1:
            return self.encoded_table(value, name)
        self.refused.append(f"{name} ({type(value).__name__})")
        return None

    def encoded_table(self, table, name):
        import pandas as pd

        index = []
        plain = isinstance(table.index, pd.RangeIndex) and table.index.start == 0 and table.index.step == 1
        if not plain:
            index = list(table.index.names)
            names = [label or f"index_{level}" for level, label in enumerate(index)]
            table = table.reset_index(names=names)
        file = re.sub(r"[^\w.-]", "_", name) + ".csv"
        while file in self.tables:
            file = "_" + file
        self.tables[file] = table
        kinds = {str(column): str(kind) for column, kind in table.dtypes.items()}
        return {"table": file, "index": index, "kinds": kinds}


def _decoded(node, folder, arrays):
    if isinstance(node, dict):
        (kind, content), *_ = node.items()
        if kind == "float":
            return float(content)
        if kind == "array":
            array = arrays[content]
            if "unit" in node:
                from circuits.quantities import parse_quantity

                return array * parse_quantity(f"1 {node['unit']}")
            return array[()] if node["scalar"] else array
        if kind == "table":
            return _loaded_table(folder / content, node["index"], node["kinds"])
        if kind == "dict":
            return {_decoded(key, folder, arrays): _decoded(item, folder, arrays) for key, item in content}
        items = [_decoded(item, folder, arrays) for item in content]
        if kind == "objects":
            import numpy as np

            objects = np.empty(len(items), dtype=object)
            objects[:] = items
            return objects
        return tuple(items) if kind == "tuple" else items
    return node


def _loaded_table(path, index, kinds):
    import pandas as pd

    texts = {column: str for column, kind in kinds.items() if kind in ("object", "str", "string", "category")}
    types = texts | {column: kind for column, kind in kinds.items() if column not in texts}
    empty = {column: [""] for column in kinds if column not in texts}
    table = pd.read_csv(
        path, dtype=types, keep_default_na=False, na_values=empty, float_precision="round_trip"
    )
    if index:
        columns = list(table.columns[: len(index)])
        table = table.set_index(columns)
        table.index.names = index
    return table


def _strict(content):
    if isinstance(content, dict):
        return {str(key): _strict(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_strict(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


# The report


def parameter_texts(parameters):
    """Parameters as they stand in the report: quantities as text with their unit, the rest as JSON has it."""
    from circuits.quantities import format_quantity

    def written(value):
        if isinstance(value, tuple):
            return [written(item) for item in value]
        if hasattr(value, "item") and not hasattr(value, "dim"):
            return value.item()
        return (
            value
            if isinstance(value, (bool, int, float, str)) and not hasattr(value, "dim")
            else format_quantity(value)
        )

    return {key: written(value) for key, value in parameters.items()}


def used_seeds(results, parameters):
    """The seeds of a run: results["seeds"], else the parameter `seeds` or `seed`."""
    for seeds in (results.get("seeds"), parameters.get("seeds"), parameters.get("seed")):
        if seeds is not None:
            import numpy as np

            return [int(seed) for seed in np.atleast_1d(seeds)]
    return []


def environment():
    """What the run was made with: Python, platform, versions, the state of the sources, the compiler."""
    from importlib import metadata

    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "versions": versions,
        "git": _git_state(),
        "compiler": _first_line([*(os.environ.get("CXX") or "g++").split()[:1], "--version"]),
    }


def last_runtime(root, name, parameters):
    """Seconds that the newest finished run with these parameters took, or None."""
    texts = _strict(parameter_texts(parameters))
    for path in sorted((Path(root) / "runs" / name).glob("*/report.json"), reverse=True):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            if report["parameters"] == texts:
                return float(report["runtime_s"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _processor():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, {os.cpu_count()} logical"
    except OSError:
        pass
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} logical"


def _git_state():
    """The commit of the sources and whether they differ from it; None where they are not in a repository."""
    git = ["git", "-C", str(Path(__file__).resolve().parent)]
    commit = _first_line([*git, "rev-parse", "HEAD"])
    if commit is None:
        return None
    changed = _first_line([*git, "status", "--porcelain", "--untracked-files=no"])
    return {"commit": commit, "changed": bool(changed)}


def _first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode:
        return None
    return done.stdout.partition("\n")[0]
