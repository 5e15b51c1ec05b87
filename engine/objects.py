"""Compiled units in the cache, by content: what any project compiled before is not compiled again.

A circuit whose equation changed differs from the one before in one unit of eight. Names of files hold a hash
of all that goes into them (see `Compilation`), their last bytes one of what they hold. A tenth of the cache's
size is for them; those used longest ago go first.
"""

import hashlib
import os
import re

from .cache import size_limit
from .toolchain import write_atomically

SHARE = 0.1  # of the cache's size
_SIZE = hashlib.sha256().digest_size

# Headers with these names come with the compiler and the system. Those of other libraries may change without
# notice, so that what includes them is compiled in each project.
_STANDARD = re.compile(
    r"[a-z_]+|(assert|errno|math|signal|stdint|stdio|stdlib|string|time|unistd)\.h|sys/\w+\.h"
)


def can_be_shared(headers):
    """Whether a unit with these headers from outside of its project is the same in all projects."""
    return all(_STANDARD.fullmatch(name) for name in headers)


def recall(path, folder):
    """Put the compiled file of this name into place, if it is in the folder and whole."""
    kept = folder / path.name
    try:
        content = kept.read_bytes()
        if hashlib.sha256(content[:-_SIZE]).digest() == content[-_SIZE:]:
            write_atomically(path, content[:-_SIZE])
            os.utime(kept)
    except OSError:
        pass


def keep(paths, folder):
    """Leave compiled files for other projects, as far as there is room."""
    try:
        for path in paths:
            content = path.read_bytes()
            write_atomically(folder / path.name, content + hashlib.sha256(content).digest())
        _trim(folder)
    except OSError:
        pass  # compiled again next time


def _trim(folder):
    room = SHARE * size_limit()
    found = [(path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.o")]
    for _, size, path in sorted(found, reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)
