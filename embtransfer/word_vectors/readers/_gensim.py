"""gensim's own files, saved by KeyedVectors.save or a model's save: pickles, read without running code.

The unpickler knows no class and no function but the stand-ins below, which only store what they are given; a
pickle that names anything else is refused. None of them copies what it is given, and numbers in the file that
would make Python's unpickler take more memory than the file has bytes are looked for beforehand: a small file
cannot use up a large memory.
"""

import pickle
from collections import OrderedDict, defaultdict
from math import prod
from pathlib import Path

import numpy as np

from ._blocks import as_words, map_matrix, table_of
from ._fasttext import LONGEST_NGRAM, iter_pooled
from ._stored_table import StoredTable, Subwords

_BUILTINS = "set", "frozenset", "list", "dict", "tuple", "int", "long", "float", "object"
_DAMAGED = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    TypeError,
    IndexError,
    KeyError,
    ValueError,
    OverflowError,
    MemoryError,
    RecursionError,
)


def recognise(path: Path) -> bool:
    """Whether the file begins as a pickle of protocol 2 to 5; no text or other format of vectors does."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        head = file.read(2)
    return len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def read(path: Path) -> StoredTable:
    """Read a KeyedVectors, or the one in a Word2Vec or FastText model, of any gensim from 0.12 on.

    Parameters
    ----------
    path : Path
        Arrays that gensim stored beside it (<path>.vectors.npy and the like) are memory-mapped.

    Returns
    -------
    StoredTable
        With `subwords` for FastText.

    Raises
    ------
    ValueError
        If the pickle names classes that no such file needs, holds something else, or is damaged.

    Notes
    -----
    As in gensim, a FastText word's vector is the mean of its own row and its n-grams' rows; see
    `subword_vectors`. gensim gives n-grams to "</s>", too.
    """
    vectors, at, files = _keyed_vectors(path)
    stored = vectors.get("__numpys")
    stored = stored if isinstance(stored, list) else []

    def array(*names):
        """The first of these arrays that there is, in the pickle or beside it."""
        for name in names:
            beside = Path(f"{at}.{name}.npy")
            if name in stored and not isinstance(vectors.get(name), _Array):
                if not beside.is_file():
                    raise ValueError(
                        f"{path}: got no file {beside.name}. Expected it beside: gensim wrote both."
                    )
                files.append(beside)
                return map_matrix(beside)
            if isinstance(vectors.get(name), _Array):
                return vectors[name].numbers(f"{path}, {name}")
        return None

    words = as_words(_word_list(path, vectors), path)
    matrix, own = array("vectors", "syn0"), array("vectors_vocab", "syn0_vocab")
    rows = None if vectors.get("bucket") == 0 else array("vectors_ngrams", "syn0_ngrams")
    if (table := own if matrix is None else matrix) is None:
        raise ValueError(
            f"{path}: got no matrix of vectors among {', '.join(map(str, vectors))}. "
            "Expected a saved KeyedVectors: save model.wv instead."
        )
    subwords = None if rows is None else _subwords(path, vectors, rows, table.shape[1])
    result = table_of(path, words, table, subwords=subwords, files=tuple(files))
    if matrix is None and subwords is not None:  # gensim 4 saves the parts only
        ids = np.arange(len(words))
        result.blocks = iter_pooled(words, np.asarray(own, np.float32), ids, subwords, plain_end=False)
    return result


def _keyed_vectors(path):
    """Attributes of the KeyedVectors, how its arrays' files are called, and the files read."""
    top = _unpickle(path)
    at, files = str(path), [path]
    if isinstance(top, _Object) and isinstance(getattr(top, "wv", None), _Object):
        return vars(top.wv), f"{at}.wv", files
    if not isinstance(top, _Object):
        raise ValueError(
            f"{path}: got a pickle of {type(top).__name__}. Expected gensim's KeyedVectors, from its save."
        )
    return vars(top), at, files


def _word_list(path, vectors):
    for name in ("index_to_key", "index2word", "index2entity"):
        if isinstance(words := vectors.get(name), list):
            break
    else:
        raise ValueError(
            f"{path}: got no list of words among {', '.join(map(str, vectors))}. "
            "Expected a saved KeyedVectors: save model.wv instead."
        )
    for row, word in enumerate(words):
        if not isinstance(word, str):
            raise ValueError(f"{path}: got a {type(word).__name__} as word {row}. Expected a str.")
    return words


def _subwords(path, vectors, rows, d):
    if vectors.get("compatible_hash") is not True:
        raise ValueError(
            f"{path}: got n-grams hashed by a gensim before 3.8.3, in another way than fastText's. "
            "Load and save the model with gensim 3.8.3 first."
        )
    if "hash2index" in vectors:
        raise ValueError(
            f"{path}: got a FastText model of gensim 3, which packs its n-grams. "
            "Load and save it with gensim 4 first."
        )
    limits, shape = (vectors.get("min_n"), vectors.get("max_n")), (vectors.get("bucket"), d)
    whole = all(isinstance(limit, int) and 0 <= limit <= LONGEST_NGRAM for limit in limits)
    if not whole or shape != rows.shape:
        raise ValueError(
            f"{path}: got min_n={_short(limits[0])}, max_n={_short(limits[1])} and n-grams' rows of shape "
            f"{rows.shape}. Expected whole numbers up to {LONGEST_NGRAM}, and the shape "
            f"({_short(shape[0])}, {d}). The file is damaged."
        )
    return Subwords(*limits, np.asarray(rows, np.float32))


# ---------------------------------------------------------------- the pickle
class _Object:
    """Stands in for any object of gensim: keeps attributes, has no behaviour."""

    def __init__(self, *args):
        pass

    def __setstate__(self, state):
        if isinstance(state, dict):
            self.__dict__.update(state)


class _Dtype(_Object):
    def __init__(self, code="", *args):
        self.code, self.order = code, "="

    def __setstate__(self, state):
        self.order = state[1] if state[1] in ("<", ">") else "="

    def numpy(self, where):
        dtype = np.dtype(self.code).newbyteorder(self.order) if self.code in ("f2", "f4", "f8") else None
        if dtype is None:
            raise ValueError(f"{where}: got an array of {self.code!r:.20}. Expected floating-point numbers.")
        return dtype


class _Array(_Object):
    """Stands in for an ndarray: its bytes are looked at only where they are needed, and checked then."""

    shape, dtype, fortran, data = (), None, False, b""

    def __setstate__(self, state):
        _, self.shape, self.dtype, self.fortran, self.data = state

    def numbers(self, where):
        shape = self.shape if isinstance(self.shape, tuple) else ()
        if (
            not isinstance(self.dtype, _Dtype)
            or len(shape) != 2
            or not all(type(n) is int and n > 0 for n in shape)
        ):
            raise ValueError(
                f"{where}: got an array of shape ({', '.join(map(_short, shape[:9]))}). "
                "Expected two dimensions, none of 0."
            )
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data  # Python 2 wrote str
        dtype = self.dtype.numpy(where)
        if not isinstance(data, bytes | bytearray) or len(data) != prod(shape) * dtype.itemsize:
            raise ValueError(f"{where}: got bytes that do not make {shape} of {dtype}. It is damaged.")
        return np.frombuffer(data, dtype).reshape(shape, order="F" if self.fortran else "C")


def _from_buffer(data, dtype, shape, order):
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", data))
    return array


class _Unpickler(pickle.Unpickler):
    """Resolves every name to a stand-in; nothing is imported."""

    def find_class(self, module, name):
        # classes are made anew each time: a pickle can set attributes of what it is given
        if module.startswith("gensim.models.") or (module, name) == ("gensim.utils", "call_on_class_only"):
            return type(name.rpartition(".")[2] or "Object", (_Object,), {})
        if module.startswith("numpy.random") or name == "hash":  # a model's random state
            return type("Random", (_Object,), {})
        if module in ("builtins", "__builtin__") and name in _BUILTINS:
            return type(name, (_Object,), {})
        if (module, name) == ("collections", "OrderedDict"):
            return lambda *_: OrderedDict()
        if module in ("collections", "UserString") and name == "defaultdict":  # one as Python 3.4 wrote it
            return lambda *_: defaultdict()  # without the factory
        if (module, name) == ("_codecs", "encode"):  # how protocol 2 holds bytes
            return lambda text, _: text  # `_Array` turns it into bytes where they are needed
        if module == "numpy" and name == "dtype":
            return type("dtype", (_Dtype,), {})
        if module == "numpy" and name in ("ndarray", "float64", "float32", "int64", "uint32"):
            return type(name, (_Object,), {})
        if module.startswith(("numpy.core.", "numpy._core.")):
            array = type("ndarray", (_Array,), {})
            stand_ins = {
                "_reconstruct": array,
                "scalar": array,
                "_frombuffer": lambda *args: _from_buffer(*args),
            }
            if name in stand_ins:
                return stand_ins[name]
        raise _RefusedError(f"{module}.{name}")

    def persistent_load(self, pid):
        raise _RefusedError("an object outside the file")


class _RefusedError(Exception):
    pass


def _short(value):
    """A value for a message: lists in lists can be longer when printed than any memory."""
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a huge number"
    return repr(value)[:20] if isinstance(value, str | int | float | None) else type(value).__name__


def _check_sizes(data):
    """Refuse a pickle with a size, or a number of an entry of its memo, that is larger than the file.

    Raises
    ------
    ValueError
    """
    import pickletools

    from ...kernels import _pickle_opcodes as kernels

    sized = {  # pickletools' marks of opcodes whose argument says how long it is
        pickletools.UP_TO_NEWLINE: kernels.LINE,
        pickletools.TAKEN_FROM_ARGUMENT1: kernels.BYTE,
        pickletools.TAKEN_FROM_ARGUMENT4: kernels.FOUR,
        pickletools.TAKEN_FROM_ARGUMENT4U: kernels.FOUR,
        pickletools.TAKEN_FROM_ARGUMENT8U: kernels.EIGHT,
    }
    arguments = np.full(256, kernels.OTHER)
    for opcode in pickletools.opcodes:
        n = 0 if opcode.arg is None else opcode.arg.n
        two = opcode.name in ("GLOBAL", "INST")
        arguments[ord(opcode.code)] = kernels.TWO_LINES if two else sized.get(n, n)
    if kernels.largest_size(data, arguments) > len(data):
        raise ValueError("a size in it is larger than the file")


def _unpickle(path):
    try:
        _check_sizes(np.memmap(path, np.uint8, "r").view(np.ndarray))
        with open(path, "rb") as file:
            return _Unpickler(file, encoding="latin1").load()
    except _RefusedError as error:
        raise ValueError(
            f"{path}: got a pickle that names {error}, which no saved KeyedVectors needs. It was not run. "
            "Expected gensim's KeyedVectors.save: save model.wv instead."
        ) from None
    except _DAMAGED as error:
        raise ValueError(f"{path}: the pickle is cut short or damaged ({error!r:.100}).") from error
