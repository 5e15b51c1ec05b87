"""Where compiled programs live: a private folder with a size limit, safe when several processes use it at
once.

Location: the environment variable PLASTICA_CACHE, else the user's cache folder. Size limit:
PLASTICA_CACHE_SIZE, in bytes or with a suffix (500M, 2G; default 2G). Programs found here are executed, so
the folder must belong to its user and must not be writable by anybody else; anything else is refused.

A folder `programs/<key>` holds one program, `objects` the compiled units that programs are linked from,
`headers` the precompiled headers, `symbolic` the results of symbolic algebra. `python -m engine cache list`
and `python -m engine cache clear` look at it and empty it.
"""

import os
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import CacheError

RECENT = 600  # seconds during which a program just used is never evicted


def root():
    """The cache folder of this user (not created, not checked)."""
    chosen = os.environ.get("PLASTICA_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("plastica", appauthor=False)


def cache_folder(name):
    """The folder `name` inside the cache, made if needed and checked to be private.

    Raises
    ------
    CacheError
        If it cannot be made or written, or if another user may write to it.
    """
    base = root()
    folder = base / name
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(
            f"The cache folder {folder} cannot be made ({error.strerror}). Set PLASTICA_CACHE to a folder "
            "that you can write to."
        ) from None
    _refuse_if_shared(base)
    _refuse_if_shared(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CacheError(
            f"The cache folder {folder} is not writable. Set PLASTICA_CACHE to a folder that you can write "
            "to, or correct its permissions (chmod u+rwx)."
        )
    return folder


def _refuse_if_shared(folder):
    """Programs in the cache are executed: whoever may write there, or rename it away, could run code as
    this user.
    """
    if os.name != "posix":
        return
    real = folder.resolve()
    info = real.stat()
    if info.st_uid != os.geteuid():
        raise CacheError(
            f"The cache folder {folder} belongs to another user (uid {info.st_uid}), and its programs "
            "would be executed. Set PLASTICA_CACHE to a folder of your own."
        )
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheError(
            f"The cache folder {folder} may be written by others (mode {stat.filemode(info.st_mode)}), and "
            f"its programs would be executed. Run: chmod go-w '{folder}', or set PLASTICA_CACHE to a "
            "private folder."
        )
    for parent in real.parents:
        mode = parent.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise CacheError(
                f"The cache folder {folder} lies in {parent}, which everybody may write to: another user "
                "could put a folder of theirs in its place. Set PLASTICA_CACHE to a folder below your "
                "home."
            )


def size_limit():
    """The largest size of the programs in bytes, from PLASTICA_CACHE_SIZE."""
    text = os.environ.get("PLASTICA_CACHE_SIZE", "2G").strip()
    units = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
    factor = units.get(text[-1:].lower())
    try:
        value = float(text[:-1]) * factor if factor else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise CacheError(
            f"PLASTICA_CACHE_SIZE is {text!r}; give bytes, or a number with K, M, G or T, such as 500M or 2G."
        )
    return int(value)


@dataclass(frozen=True)
class Entry:
    """One program in the cache: its key, folder, size in bytes and time of last use (seconds since the
    epoch).
    """

    key: str
    folder: Path
    size: int
    used: float


def entries():
    """All programs in the cache, the most recently used first."""
    folder = root() / "programs"
    found = []
    if folder.is_dir():
        for item in folder.iterdir():
            if item.is_dir() and not item.name.startswith("."):
                try:
                    size = sum(f.stat().st_size for f in item.rglob("*") if f.is_file())
                    found.append(Entry(item.name, item, size, (item / "manifest.json").stat().st_mtime))
                except OSError:  # being removed by another process, or an incomplete entry
                    found.append(Entry(item.name, item, 0, 0.0))
    return sorted(found, key=lambda e: -e.used)


def remove(entry):
    """Take one program out of the cache; a process that is running it is not disturbed (rename first, then
    delete).
    """
    grave = entry.folder.with_name(f".removed-{entry.key}-{os.getpid()}")
    try:
        entry.folder.rename(grave)
    except OSError:
        return
    shutil.rmtree(grave, ignore_errors=True)


def evict(keep=()):
    """Remove the programs used longest ago until the rest fits the size limit; those used just now always
    stay.
    """
    limit, total, now = size_limit(), 0, time.time()
    for entry in entries():
        total += entry.size
        if total > limit and entry.key not in keep and now - entry.used > RECENT:
            remove(entry)
    _sweep_leftovers(root() / "programs", now)


def _sweep_leftovers(folder, now):
    """Builds that were killed leave a temporary folder: a day later nobody can be working in it."""
    for item in folder.glob(".*"):
        try:
            if item.is_dir() and now - item.stat().st_mtime > 86400:
                shutil.rmtree(item, ignore_errors=True)
        except OSError:
            continue


def clear():
    """Remove everything (programs, what they are made from); returns the number of programs removed."""
    found = entries()
    for entry in found:
        remove(entry)
    for name in ("headers", "objects", "symbolic", "templates", "programs", "failed"):
        shutil.rmtree(root() / name, ignore_errors=True)
    return len(found)


def temporary(parent, prefix):
    """A new folder beside its final place, so that it can be renamed into it in one step."""
    return Path(tempfile.mkdtemp(prefix=f".{prefix}-", dir=parent))
