"""Recordings that experiments use, read from the packages they ship in."""

import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np


class DataError(RuntimeError):
    """A recording that is missing or is not what it should be."""


class Utterances(NamedTuple):
    """Utterances (each frames x coefficients) and the speaker (from 0) of each."""

    frames: list
    speakers: np.ndarray


def japanese_vowels(part):
    """The "train" (270) or "test" (370) utterances of the Japanese Vowels recordings.

    Nine men say /ae/; an utterance is 7 to 29 frames of 12 cepstrum coefficients of a linear prediction
    analysis (Kudo, Toyama & Shimbo 1999). The file is part of the sktime package and is read without
    importing it, which takes seconds.

    Raises
    ------
    DataError
        If sktime is not installed, or the file does not hold what the data set is known to hold.
    """
    count = {"train": 270, "test": 370}
    if part not in count:
        raise DataError(f"japanese_vowels: got {part!r}; the parts are 'train' and 'test'.")
    found = importlib.util.find_spec("sktime")
    if found is None or not found.submodule_search_locations:
        raise DataError(
            "The Japanese Vowels recordings ship inside sktime, which is not installed: pip install sktime"
        )
    folder = Path(next(iter(found.submodule_search_locations))) / "datasets" / "data" / "JapaneseVowels"
    path = folder / f"JapaneseVowels_{part.upper()}.ts"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}. Install sktime again: pip install --force-reinstall sktime"
        ) from None
    utterances = parse_ts(text, path)
    lengths = [len(frames) for frames in utterances.frames]
    shape = (len(lengths), len(set(utterances.speakers)), {frames.shape[1] for frames in utterances.frames})
    if shape != (count[part], 9, {12}) or min(lengths) < 7 or max(lengths) > 29:
        raise DataError(
            f"{path} holds {shape[0]} utterances of {shape[1]} speakers, {sorted(shape[2])} coefficients and "
            f"{min(lengths)} to {max(lengths)} frames; {count[part]}, 9, 12 and 7 to 29 were expected."
        )
    return utterances


def parse_ts(text, where="the text"):
    """Series and labels of a file in the .ts format: after @data a series a line, dimension:dimension:label.

    Labels are whole numbers from 1 and come back from 0.
    """
    lines = [line.strip() for line in text.splitlines()]
    starts = [k for k, line in enumerate(lines) if line.lower() == "@data"]
    if not starts:
        raise DataError(f"{where} has no line @data, so it is no .ts file.")
    frames, labels = [], []
    for number, line in enumerate(lines[starts[0] + 1 :], starts[0] + 2):
        if not line or line.startswith("#"):
            continue
        *dimensions, label = line.split(":")
        try:
            frames.append(np.array([[float(value) for value in one.split(",")] for one in dimensions]).T)
            labels.append(int(label) - 1)
        except ValueError as error:
            raise DataError(f"{where}, line {number}: {error}.") from None
        if frames[-1].ndim != 2 or not np.isfinite(frames[-1]).all():
            raise DataError(
                f"{where}, line {number}: the dimensions differ in length, or a value is missing."
            )
    return Utterances(frames, np.array(labels))
