"""Which texts hold no word that a model knows: all of them get the label of no words at all."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from .._rows import cleaners, unwrapped
from .._texts import check_texts, iter_text_chunks

EVERY = 4  # blocks: so it takes the fastest models half a percent longer
_PLACES, _IN_A_ROW = 10, 5  # texts of such a block


def word_finder(model) -> Callable[[list[str]], np.ndarray] | None:
    """Function of texts: whether each holds a word that the model knows.

    None of models that read all words, as sentence models do, and where that is not known, as of cascades.
    """
    if hasattr(model, "predict_all"):  # a compiled pipeline
        program = model._program
        return (lambda texts: _in_program(program, texts)) if program.vocabularies else None
    from .._parts import first_steps  # imports scikit-learn, which compiled models do without

    model = unwrapped(model)
    cleaning, steps = cleaners(model), first_steps(model)
    if all(hasattr(step, "n_zero_rows_") or hasattr(step, "vocabulary_") for step in steps):
        return lambda texts: np.any([_not_zero([*cleaning, step], texts) for step in steps], axis=0)
    return None


def _in_program(program, texts):
    found = np.zeros(len(texts), bool)
    for start, chunk in iter_text_chunks(check_texts(texts)):
        chunk = program.cleaned(chunk)
        for vocabulary in program.vocabularies:
            found[start : start + len(chunk)] |= np.diff(vocabulary.rows(chunk)[1]) > 0
    return found


def _not_zero(steps, texts):
    for step in steps:
        texts = step.transform(texts)
    return texts.any(axis=1) if isinstance(texts, np.ndarray) else texts.getnnz(axis=1) > 0


def looked_at(texts: pa.Array) -> list[str]:
    """Fifty texts of a block, five in a row at ten places, all of a small one; none that are empty."""
    last = len(texts) - _IN_A_ROW
    starts = [last * i // (_PLACES - 1) for i in range(_PLACES)]
    runs = [texts[start : start + _IN_A_ROW] for start in starts] if last > _PLACES * _IN_A_ROW else [texts]
    return [text for run in runs for text in run.to_pylist() if text]
