"""The folder of a sweep: rows on disk as they arrive, and the table that they become.

sweep.json        what is swept, over what, with which seeds and versions; the sessions that worked on it
rows/             the rows so far, in parquet files that are never changed, only replaced by one that holds
                  all their rows: whenever a process is killed, a row is there as a whole or is not
table.parquet     all rows in their order; it takes the place of rows/ at the end, and depends on nothing but
                  what was swept
timings.parquet   seconds and worker of every row
kept/             a file for every run, where these are kept

The table opens with `read`, or with `pandas.read_parquet`; the units of its columns are in `.attrs["units"]`
and in the fields' metadata.
"""

import contextlib
import hashlib
import io
import json
import os
import time
from pathlib import Path

import numpy as np

from experiments import runs

from .errors import SweepError, SweepStopped

FLUSH = 0.5  # seconds after which rows that arrived are written
PARTS = 64  # files in rows/ that become one
FIXED = ("point", "seed", "error")
TIMINGS = ("seconds", "loop_seconds", "worker")


class Folder:
    """The folder of one sweep, which this process alone writes to.

    Parameters
    ----------
    path : Path
    identity : dict
        What the rows depend on; a folder where it differs belongs to another sweep.
    plan : dict
        What else stands in sweep.json.
    columns : dict
        Varied parameter to its values at all points, and its unit.
    seeds : list

    Raises
    ------
    SweepError
        If the folder belongs to another sweep, holds other files, is written to by another process, or cannot
        be written.
    """

    def __init__(self, path, identity, plan, columns, seeds):
        self.path, self.columns, self.seeds = Path(path), columns, list(seeds)
        self.n_rows = len(seeds) * plan["points"]
        self._buffer, self._written, self._lock = [], time.monotonic(), None
        try:
            self._open(identity, plan)
        except BaseException:
            self.close()
            raise

    def _open(self, identity, plan):
        if self.path.exists() and not self.path.is_dir():
            raise SweepError(f"{self.path} is a file; name a folder for the sweep.")
        self._check(identity)
        try:
            runs.prepare(self.path)
        except runs.FolderError as error:
            raise SweepError(str(error)) from None
        self._acquire()
        self._check(identity)
        self.finished = (self.path / "table.parquet").exists()
        self.manifest = {"sweep": plan["sweep"], "identity": identity} | plan
        old = _manifest(self.path)
        self.manifest["sessions"] = old.get("sessions", []) if old else []
        self.manifest["columns"] = {name: unit for name, (_, unit) in self.columns.items()}
        self.done = np.zeros(self.n_rows, dtype=bool)
        self.errors = 0
        (self.path / "rows").mkdir(exist_ok=True)
        if self.finished:
            for part in self._parts():  # killed while it finished
                part.unlink()
        for leftover in self.path.rglob(".*.part"):  # of a process that was killed
            leftover.unlink(missing_ok=True)
        rows = self._recorded()
        if len(rows["row"]) and rows["row"].max() >= self.n_rows:
            raise SweepError(
                f"{self.path} has more than {self.n_rows} rows already; ask for at least as many."
            )
        if self.finished and len(rows["row"]) < self.n_rows:  # a search that goes on
            self._reopen(self._raw(), [self.path / "table.parquet"])
        self.done[rows["row"]] = True
        self.errors = int((rows["error"] != "").sum())
        self.known = int(self.done.sum())

    def _check(self, identity):
        if not self.path.is_dir():
            return
        there = _manifest(self.path)
        if there is None:
            others = [p.name for p in self.path.iterdir() if p.name != ".lock"]
            if others:
                raise SweepError(
                    f"{self.path} holds other files ({', '.join(sorted(others)[:3])}) and no sweep; name an "
                    "empty or new folder."
                )
            return
        before = there.get("identity", {})
        differ = [key for key in {**before, **identity} if before.get(key) != identity.get(key)]
        if differ:
            one = differ[0]
            raise SweepError(
                f"{self.path} is the folder of another sweep: {', '.join(differ)} differ. For {one} it has "
                f"{_brief(before.get(one))}, and now it is {_brief(identity.get(one))}. Name another folder, "
                "or repeat that sweep as it was."
            )

    def _acquire(self):
        from filelock import FileLock, Timeout

        self._lock = FileLock(self.path / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._lock = None
            last = ((_manifest(self.path) or {}).get("sessions") or [{}])[-1]
            who = f" (process {last['process']} on {last['host']})" if last else ""
            raise SweepError(
                f"another process{who} is working on the sweep in {self.path}; wait for it, or name another "
                "folder."
            ) from None

    def close(self):
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # Writing

    def begin(self, session):
        """Write sweep.json, with this session in it."""
        self.manifest["sessions"].append(session)
        self._save_manifest()

    def end(self, **values):
        """Add to this session what it came to."""
        self.manifest["sessions"][-1].update(values)
        self._save_manifest()

    def _save_manifest(self):
        self._guarded(lambda: runs.save_json(self.path / "sweep.json", self.manifest))

    def add(self, outcome):
        """Take a row; it is on disk within `FLUSH` seconds, if `flush` is called as often."""
        if self.done[outcome.row]:
            return
        if outcome.kept is not None:
            suffix = "npz" if outcome.kept[:2] == b"PK" and _is_npz(outcome.kept) else "zip"
            path = self.path / "kept" / f"{outcome.row:06d}.{suffix}"
            self._guarded(lambda: _replace(path, outcome.kept))
            outcome.kept = None
        self.done[outcome.row] = True
        self.errors += bool(outcome.error)
        self._buffer.append(outcome)

    def flush(self, now=False):
        """Write the rows that arrived, if it is time."""
        if not self._buffer or not (now or time.monotonic() - self._written >= FLUSH):
            return
        table = self._as_table(self._buffer)
        self._guarded(lambda: _write(self.path / "rows" / f"{self._next():08d}.parquet", table))
        self._buffer, self._written = [], time.monotonic()
        if len(self._parts()) > PARTS:
            self._compact()

    def _guarded(self, write):
        """Write; an error of the disk stops the sweep with what can be done."""
        try:
            write()
        except OSError as error:
            recorded = int(self.done.sum()) - len(self._buffer)
            raise SweepStopped(
                f"{self.path} cannot be written ({error.strerror}); {recorded} of {self.n_rows} rows are "
                "there. Make room, then repeat the command: it goes on there."
            ) from None

    def _parts(self):
        return sorted((self.path / "rows").glob("[0-9]*.parquet"))

    def _next(self):
        parts = self._parts()
        return int(parts[-1].stem) + 1 if parts else 0

    def _compact(self):
        """Put the rows of all files into one; killed in between, rows are there twice, and count once."""
        parts = self._parts()
        joined = _joined([_read(part) for part in parts])
        self._guarded(lambda: _write(self.path / "rows" / f"{self._next():08d}.parquet", joined))
        for part in parts:
            part.unlink()

    def _as_table(self, outcomes):
        """Rows as an arrow table: parameters, seed, measures as floats, error, timings."""
        import pyarrow as pa

        outcomes = sorted(outcomes, key=lambda one: one.row)
        rows = np.array([one.row for one in outcomes], dtype=np.int64)
        points = rows // len(self.seeds)
        arrays = {"row": pa.array(rows), "point": pa.array(points)}
        for name, (values, _) in self.columns.items():
            arrays[name] = pa.array(values[points])
        arrays["seed"] = pa.array(np.array(self.seeds, dtype=np.int64)[rows % len(self.seeds)])
        measures = {}  # name to [row that has it first, its place there], unit, kind
        for one in outcomes:
            for place, (name, value) in enumerate(one.measures.items()):
                kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "float"
                known = measures.setdefault(name, [[one.row, place], one.units.get(name, "1"), kind])
                known[2] = _wider(known[2], kind)
        for name in measures:
            values = [one.measures.get(name) for one in outcomes]
            arrays[_measure(name)] = pa.array(
                [None if value is None else float(value) for value in values], pa.float64()
            )
        arrays["error"] = pa.array([one.error for one in outcomes], pa.string())
        for name in TIMINGS:
            arrays[name] = pa.array([getattr(one, name) for one in outcomes])
        return pa.table(arrays).replace_schema_metadata({"measures": json.dumps(measures)})

    def _recorded(self):
        """Row and error of all rows on disk."""
        if self.finished:
            table = _read(self.path / "table.parquet", ["row", "error"])
        else:
            parts = self._parts()
            if not parts:
                return {"row": np.zeros(0, dtype=int), "error": np.zeros(0, dtype=object)}
            import pyarrow as pa

            table = pa.concat_tables(
                [_read(part, ["row", "error"]).replace_schema_metadata() for part in parts]
            )
        row = np.asarray(table["row"])
        _, first = np.unique(row, return_index=True)
        return {"row": row[first], "error": np.asarray(table["error"].to_pandas(), dtype=object)[first]}

    def forget_failed(self):
        """Take the rows that failed out, so that they are run again."""
        import pyarrow.compute as pc

        if not self.errors:
            return
        parts = [self.path / "table.parquet"] if self.finished else self._parts()
        tables = [self._raw()] if self.finished else [_read(part) for part in parts]
        joined = _joined(tables)
        kept = joined.filter(pc.equal(joined["error"], "")).replace_schema_metadata(joined.schema.metadata)
        self._reopen(kept, parts)
        self.errors = 0
        self.done[:] = False
        self.done[self._recorded()["row"]] = True
        self.known = int(self.done.sum())

    def _reopen(self, rows, instead):
        """Put rows into one file in place of those of `instead`."""
        self._guarded(lambda: _write(self.path / "rows" / f"{self._next():08d}.parquet", rows))
        for path in instead:
            path.unlink()
        (self.path / "timings.parquet").unlink(missing_ok=True)
        self.finished = False

    def _raw(self):
        """A finished table with its timings, as the files in rows/ have them."""
        import pyarrow as pa

        table, timings = (_read(self.path / f"{name}.parquet") for name in ("table", "timings"))
        about = json.loads(table.schema.metadata[b"measures"])
        arrays = {name: table[name] for name in table.column_names if name not in about}
        for name in about:
            arrays[_measure(name)] = table[name].cast(pa.float64())
        for name in TIMINGS:
            arrays[name] = timings[name]
        return pa.table(arrays).replace_schema_metadata({"measures": json.dumps(about)})

    def finish(self):
        """Write the table, in the order of rows, in place of rows/."""
        self.flush(now=True)
        if self.finished:
            return
        joined = _joined([_read(part) for part in self._parts()])
        frame, timings = _final(joined, self.manifest["columns"])
        self._guarded(lambda: _write(self.path / "timings.parquet", timings))
        self._guarded(lambda: _write(self.path / "table.parquet", frame))
        self.finished = True
        for part in self._parts():
            part.unlink()


def read(folder):
    """The table of a sweep so far, as a DataFrame: a row for every run, in order.

    Columns are `point`, the varied parameters, `seed`, the measures and `error` (empty where all went well).
    `table.attrs` has "units" (column to unit), "parameters" and "measures" (their names) and "folder".

    Raises
    ------
    SweepError
        If the folder holds no sweep.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    if manifest is None:
        raise SweepError(f"{folder} holds no sweep.")
    for _ in range(5):  # files may be put together by a running sweep while they are read
        try:
            if (folder / "table.parquet").exists():
                table = _read(folder / "table.parquet")
            else:
                parts = sorted((folder / "rows").glob("[0-9]*.parquet"))
                if not parts:
                    raise SweepError(f"the sweep in {folder} has no rows yet.")
                table = _final(_joined([_read(part) for part in parts]), manifest["columns"])[0]
            break
        except FileNotFoundError:
            time.sleep(0.1)
    frame = table.to_pandas().set_index("row")
    about = json.loads(table.schema.metadata[b"measures"])
    units = manifest["columns"] | {name: unit for name, (_, unit, _) in about.items()}
    frame.attrs = {
        "units": units,
        "parameters": list(manifest["columns"]),
        "measures": list(about),
        "folder": str(folder),
    }
    return frame


def kept(folder, row):
    """What was kept of one row: the `Recording`, or the results of the experiment."""
    from .work import as_kept

    found = sorted((Path(folder) / "kept").glob(f"{row:06d}.*"))
    if not found:
        raise SweepError(f"nothing was kept of row {row} in {folder}; sweep with keep=True (--keep).")
    return as_kept(found[0].read_bytes(), found[0].suffix[1:])


def timings(folder):
    """Seconds, seconds in the simulation loop and worker of every row, as a DataFrame."""
    path = Path(folder) / "timings.parquet"
    if path.exists():
        return _read(path).to_pandas().set_index("row")
    parts = sorted((Path(folder) / "rows").glob("[0-9]*.parquet"))
    if not parts:
        raise SweepError(f"{folder} has no rows yet.")
    return _final(_joined([_read(part) for part in parts]), {})[1].to_pandas().set_index("row")


def default_folder(name, identity):
    """The folder of a sweep that was given none: the same for the same sweep."""
    text = json.dumps(identity, sort_keys=True)
    return Path("sweeps") / name / hashlib.sha256(text.encode()).hexdigest()[:10]


def _measure(name):
    """The column of a measure in rows/, where a name of a timing would meet the timing."""
    return f"measure {name}"


def _wider(one, other):
    return one if one == other else "float"


def _joined(tables):
    """Tables of rows/ as one, every row once, in order."""
    import pyarrow as pa

    measures = {}
    for table in tables:
        for name, (first, unit, kind) in json.loads(table.schema.metadata[b"measures"]).items():
            known = measures.setdefault(name, [first, unit, kind])
            known[:2] = min(known[:2], [first, unit])
            known[2] = _wider(known[2], kind)
    joined = pa.concat_tables(
        [table.replace_schema_metadata() for table in tables], promote_options="default"
    )
    _, first = np.unique(np.asarray(joined["row"]), return_index=True)
    return joined.take(pa.array(first)).replace_schema_metadata({"measures": json.dumps(measures)})


def _final(joined, columns):
    """The table and its timings."""
    import pyarrow as pa

    about = json.loads(joined.schema.metadata[b"measures"])
    names = joined.column_names
    parameters = [n for n in names if not n.startswith("measure ") and n not in ("row", *FIXED, *TIMINGS)]
    measures = sorted(about, key=lambda name: about[name][0])
    fields, arrays = [], []
    for name in ("row", "point", *parameters, "seed", *measures, "error"):
        array = joined[_measure(name) if name in about else name]
        if name in about:
            kind = about[name][2]
            if kind != "float" and not array.null_count:
                array = array.cast(pa.int64() if kind == "int" else pa.bool_())
            elif array.null_count:
                array = pa.chunked_array([pa.array(np.asarray(array, dtype=float))])
        unit = about[name][1] if name in about else columns.get(name, "1")
        array = pa.chunked_array([array.combine_chunks()]) if array.num_chunks != 1 else array
        fields.append(pa.field(name, array.type, metadata={"unit": unit}))
        arrays.append(array)
    attrs = {
        "units": {name: columns.get(name, "1") for name in parameters} | {n: about[n][1] for n in measures},
        "parameters": parameters,
        "measures": measures,
    }
    about = {name: about[name] for name in measures}
    metadata = {"measures": json.dumps(about), "PANDAS_ATTRS": json.dumps(attrs)}
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata))
    return table, joined.select(["row", *TIMINGS])


def _manifest(folder):
    try:
        content = json.loads((Path(folder) / "sweep.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if "sweep" in content else None


def _brief(value):
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return text if len(text) <= 120 else text[:117] + "..."


def _is_npz(content):
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "about.npy" in archive.namelist()


def _read(path, columns=None):
    import pyarrow.parquet as pq

    return pq.read_table(path, columns=columns, memory_map=False, partitioning=None)


def _write(path, table):
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    _replace(path, buffer.getvalue())


def _replace(path, content):
    """Write a file so that it is there as a whole, also after a power cut, or not at all."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with open(temporary, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
