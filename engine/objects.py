"""Compiled units in the cache, by content: what any project compiled before is not compiled again.

A circuit whose equation changed differs from the one before in one unit of eight. Names of files hold a hash
of all that goes into them (see `Compilation`), their last bytes one of what they hold. A tenth of the cache's
size is for them; those used longest ago go first.
"""

import hashlib
import os
import time

from .cache import size_limit
from .errors import CacheError
from .toolchain import write_atomically

SHARE = 0.1  # of the cache's size
_SIZE = hashlib.sha256().digest_size

# Headers of the languages and of the system. Those of other libraries may change without notice, so that
# what includes them is compiled in each project.
_CPP = """
algorithm any array atomic bitset cassert ccomplex cctype cerrno cfenv cfloat charconv chrono cinttypes
ciso646 climits clocale cmath codecvt complex condition_variable csetjmp csignal cstdalign cstdarg cstdbool
cstddef cstdint cstdio cstdlib cstring ctgmath ctime cuchar cwchar cwctype deque exception execution
filesystem forward_list fstream functional future initializer_list iomanip ios iosfwd iostream istream
iterator limits list locale map memory memory_resource mutex new numeric optional ostream queue random ratio
regex scoped_allocator set shared_mutex sstream stack stdexcept streambuf string string_view strstream
system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
variant vector
""".split()
_C = """
assert complex ctype errno fenv float inttypes iso646 limits locale math pthread setjmp signal stdalign
stdarg stdbool stddef stdint stdio stdlib string sys/mman sys/prctl sys/resource sys/stat sys/time sys/types
sys/wait tgmath time uchar unistd wchar wctype
""".split()
_STANDARD = {*_CPP, *(f"{name}.h" for name in _C)}


def can_be_shared(headers):
    """Whether a unit with these headers from outside of its project is the same in all projects."""
    return _STANDARD.issuperset(headers)


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
    except (OSError, CacheError):  # no room, no permission, a size that is no size
        pass  # compiled again next time


def _trim(folder):
    for draft in folder.glob(".*"):  # of a process that was killed
        if time.time() - draft.stat().st_mtime > 3600:
            draft.unlink(missing_ok=True)
    room = SHARE * size_limit()
    found = [(path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.o")]
    for _, size, path in sorted(found, reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)
