"""The files that programs read and write: sections of named arrays (the form is described in
cpp/plastica.h).
"""

import struct

import numpy as np

MAGIC = b"plastica"
_CODES = {"d": np.float64, "f": np.float32, "i": np.int32, "u": np.uint32, "l": np.int64, "b": np.int8}
_LETTERS = {np.dtype(v): k for k, v in _CODES.items()}


def pack(sections):
    """Sections (dictionaries of arrays or numbers) as bytes."""
    pieces = [MAGIC, struct.pack("<Q", len(sections))]
    for section in sections:
        pieces.append(struct.pack("<Q", len(section)))
        for name, value in section.items():
            array = np.atleast_1d(np.asarray(value))
            if array.dtype not in _LETTERS:
                array = array.astype(np.float64)
            encoded = name.encode()
            pieces += [
                struct.pack("<I", len(encoded)),
                encoded,
                _LETTERS[array.dtype].encode(),
                struct.pack("<Q", array.size),
            ]
            pieces.append(np.ascontiguousarray(array).tobytes())
    return b"".join(pieces)


def unpack(data):
    """The sections in a file's bytes; ValueError if it is cut short or is none of ours."""
    if data[:8] != MAGIC:
        raise ValueError("no file of a program")
    position, sections = 16, []
    try:
        for _ in range(struct.unpack_from("<Q", data, 8)[0]):
            (arrays,) = struct.unpack_from("<Q", data, position)
            position += 8
            section = {}
            for _ in range(arrays):
                (length,) = struct.unpack_from("<I", data, position)
                position += 4
                name = data[position : position + length].decode()
                position += length
                dtype = np.dtype(_CODES[chr(data[position])])
                (count,) = struct.unpack_from("<Q", data, position + 1)
                position += 9
                section[name] = np.frombuffer(data, dtype, count, position)
                position += count * dtype.itemsize
            sections.append(section)
    except (struct.error, KeyError, IndexError, ValueError) as error:
        raise ValueError(f"cut short or damaged ({error})") from None
    return sections
