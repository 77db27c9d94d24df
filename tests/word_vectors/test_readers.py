"""Files of vectors: as gensim reads them, odd words, and damage that is named."""

import gzip
import io
import re
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from embtransfer import WordVectors
from embtransfer.word_vectors.readers import FORMATS, _text

ODD_WORDS = [
    ". . .",
    "at name@domain.com",
    "3.14",
    "2024",
    "-1",
    '"',
    "'",
    "``",
    "#",
    "a\x85b",
    "a\u2028b",
    "a\x0bb\x0c",
    "non\u00a0breaking",
    "\u3000",
    "nan",
    "inf",
    "1e5",
    "naïve",
    "漢字",
    "😀",
    "\ufeff",
]
ONE_TWO = np.array([1, 2], "<f4").tobytes()
THREE_FOUR = np.array([3, 4], "<f4").tobytes()


@pytest.fixture
def write(tmp_path):
    def write(data):
        path = tmp_path / "vectors.bin"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


def assert_loads(path, words, matrix, format=None):
    vectors = WordVectors.load(path, format)
    assert vectors.words == list(words)
    assert vectors.matrix.dtype == np.float32
    assert_array_equal(vectors.matrix, np.asarray(matrix, np.float32))


# ---------------------------------------------------------------- as gensim
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # gensim's, where there is no header
@pytest.mark.parametrize("guess", [True, False], ids=["guessed", "named"])
@pytest.mark.parametrize(
    ("file", "format"),
    [
        ("test_glove.txt", "glove"),
        ("high_precision.kv.txt", "word2vec"),
        ("toy-model.vec", "word2vec"),
        ("crime-and-punishment.vec", "word2vec"),
        ("lee_fasttext.vec", "word2vec"),
        ("high_precision.kv.bin", "word2vec-binary"),
        ("euclidean_vectors.bin", "word2vec-binary"),
        ("poincare_vectors.bin", "word2vec-binary"),
    ],
)
def test_files_gensim_ships(gensim, datapath, file, format, guess):
    path = datapath(file)
    expected = gensim.models.KeyedVectors.load_word2vec_format(
        path, binary=format == "word2vec-binary", no_header=format == "glove"
    )
    assert_loads(path, expected.index_to_key, expected.vectors, None if guess else format)


@pytest.mark.parametrize("n_columns", [1, 2, 50])
@pytest.mark.parametrize("format", ["glove", "word2vec", "word2vec-binary"])
def test_files_gensim_writes(gensim, tmp_path, format, n_columns):
    keyed = gensim.models.KeyedVectors(n_columns)
    words = [f"word{i}" for i in range(2500)] + ["naïve", "漢字", "😀", "it's"]
    keyed.add_vectors(words, np.random.default_rng(0).normal(size=(len(words), n_columns)).astype("f4"))
    path = str(tmp_path / "vectors")
    keyed.save_word2vec_format(path, binary=format == "word2vec-binary", write_header=format != "glove")
    for given in (format, None):
        assert_loads(path, words, keyed.vectors, given)


def test_name(write):
    path = write("good 1 2\nbad 3 4\n")
    assert WordVectors.load(path).name == "vectors.bin"
    assert WordVectors.load(str(path), name="own").name == "own"


# ---------------------------------------------------------------- text
@pytest.mark.parametrize("header", [False, True], ids=["glove", "word2vec"])
@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"], ids=repr)
@pytest.mark.parametrize("final", [True, False])
def test_odd_words_in_text(write, header, end, final):
    matrix = np.arange(3 * len(ODD_WORDS)).reshape(-1, 3) / 4
    lines = [f"{len(ODD_WORDS)} 3"] * header
    lines += [" ".join([word, *map(str, row)]) for word, row in zip(ODD_WORDS, matrix, strict=True)]
    assert_loads(write(end.join(lines) + end * final), ODD_WORDS, matrix)


@pytest.mark.parametrize("word", [*ODD_WORDS, "PK", "PKK", "PAR", "\x80NUMPY"])
@pytest.mark.parametrize("header", ["", "2 2\n"], ids=["glove", "word2vec"])
def test_odd_word_first(write, word, header):
    assert_loads(write(f"{header}{word} 1.5 2\nbad 3 4\n"), [word, "bad"], [[1.5, 2], [3, 4]])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("good 1 2\n", ["good"]),
        ("good 1 2", ["good"]),
        ("3.5 1 2\n", ["3.5"]),
        ("1 2\ngood 1 2\n", ["good"]),
        ("1 2\n7 1 2\n", ["7"]),
        ("1 2\r\ngood 1 2\r\n", ["good"]),
        ("1 2\ngood 1 2\n\n", ["good"]),
        ("good +1 2e0\n", ["good"]),
        ("good 1.000000000000000000000001 2\n", ["good"]),
    ],
)
def test_one_word(write, data, words):
    assert_loads(write(data), words, [[1, 2]])


@pytest.mark.parametrize("separator", [" ", "\t"])
def test_separators(write, separator):
    lines = [separator.join([f"word{i}", "1.5", "-2"]) for i in range(30)]
    assert_loads(write("\n".join(lines)), [f"word{i}" for i in range(30)], [[1.5, -2]] * 30)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"good 1 2\nf\xfflm 5 6\nbad 3 4\n\xc3\xe9 1 2\n", r"line 2: b'f\\xfflm'"),
        (b"4 2\ngood 1 2\nf\xfflm 5 6\nbad 3 4\n\xc3\xe9 1 2\n", r"line 3: b'f\\xfflm'"),
        (
            b"4 2\ngood " + ONE_TWO + b"f\xfflm " + ONE_TWO + b"bad " + THREE_FOUR + b"\xc3 " + ONE_TWO,
            "word 2: ",
        ),
    ],
    ids=["glove", "word2vec", "binary"],
)
def test_words_that_are_not_utf8_are_left_out(write, data, where):
    path = write(data)
    with pytest.warns(UserWarning, match=f"left out 2 words that are not UTF-8.*{where}"):
        vectors = WordVectors.load(path)
    assert vectors.words == ["good", "bad"]
    assert_array_equal(vectors.matrix, [[1, 2], [3, 4]])


def test_numbers_as_python_reads_them(write):
    rng = np.random.default_rng(0)
    numbers = [repr(x) for x in (rng.normal(size=300) * 10.0 ** rng.integers(-30, 30, 300)).tolist()]
    numbers += [f"{x:.{d}g}" for d, x in enumerate(rng.normal(size=25), 1)]
    numbers += [
        "1e-45",
        "3.4028235e38",
        "-0",
        ".5",
        "5.",
        "+.5e+1",
        "0" * 40 + "1",
        "1" + "0" * 30,
        "1E5",
        "1e0005",
    ]
    path = write("".join(f"word{i} {x} 1\n" for i, x in enumerate(numbers)))
    assert_loads(
        path, [f"word{i}" for i in range(len(numbers))], [[np.float32(float(x)), 1] for x in numbers]
    )


def test_empty_lines_at_the_end(write):
    assert_loads(write("good 1 2\nbad 3 4\n\n \n"), ["good", "bad"], [[1, 2], [3, 4]])


# ---------------------------------------------------------------- packed
def pack(path, data):
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(data))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("folder/vectors.txt", data)
    return path


@pytest.mark.parametrize("suffix", [".gz", ".zip"])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("header", [True, False])
def test_packed_files(gensim, datapath, tmp_path, suffix, binary, header):
    if binary and not header:
        pytest.skip("the binary form has a header")
    source = gensim.models.KeyedVectors.load_word2vec_format(datapath("euclidean_vectors.bin"), binary=True)
    plain = tmp_path / "plain"
    source.save_word2vec_format(str(plain), binary=binary, write_header=header)
    path = pack(tmp_path / f"packed{suffix}", plain.read_bytes())
    assert_loads(path, source.index_to_key, source.vectors)
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"cut\.(gz|zip)"):
        WordVectors.load(cut)


@pytest.mark.parametrize("size", [20, 60, 200])
def test_packed_files_damaged_at_their_start(tmp_path, size):
    path = tmp_path / "cut.gz"
    lines = "".join(f"word{i} {i * 0.37:.5f} {i * 1.13:.5f}\n" for i in range(500))
    path.write_bytes(gzip.compress(lines.encode())[:size])
    with pytest.raises(ValueError, match=r"cut\.gz: .*The file is cut short or damaged"):
        WordVectors.load(path)
    path.write_bytes(path.read_bytes()[:12] + b"\xff" * 20)
    with pytest.raises(ValueError, match=r"cut\.gz: .*The file is cut short or damaged"):
        WordVectors.load(path)


@pytest.mark.parametrize("file", ["lee_fasttext_new.bin", "word2vec_pre_kv_py3"])
def test_formats_that_are_mapped_are_not_read_packed(datapath, tmp_path, file):
    path = tmp_path / "packed.gz"
    with open(datapath(file), "rb") as source:
        path.write_bytes(gzip.compress(source.read(1 << 16)))
    with pytest.raises(
        ValueError, match=r"packed\.gz is of a format that is mapped.*Unpack the archive first"
    ):
        WordVectors.load(path)


def test_one_of_several_members(tmp_path):
    path = tmp_path / "several.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "good 1 2\n")
        archive.writestr("b.txt", "bad 1 2 3\n")
    assert_loads(path / "b.txt", ["bad"], [[1, 2, 3]])
    with pytest.raises(ValueError, match=r"no member of .*several\.zip, which holds: a\.txt, b\.txt"):
        WordVectors.load(path)
    with pytest.raises(ValueError, match=r"the member 'c\.txt' of .*several\.zip, which holds: a\.txt, b"):
        WordVectors.load(path / "c.txt")


def test_duplicates_in_a_file(write):
    with pytest.warns(UserWarning, match="1 words came more than once.*'good'"):
        vectors = WordVectors.load(write("good 1 2\nbad 3 4\ngood 5 6\n"))
    assert_array_equal(vectors[["good", "bad"]], [[1, 2], [3, 4]])


# ---------------------------------------------------------------- binary
@pytest.mark.parametrize("separator", [b"", b"\n"])
def test_binary(write, separator):
    data = b"2 2\nna\xc3\xafve " + ONE_TWO + separator + "漢字 ".encode() + THREE_FOUR + separator
    assert_loads(write(data), ["naïve", "漢字"], [[1, 2], [3, 4]])


def test_binary_numbers_that_look_like_text(write):
    spaces, newlines = np.frombuffer(b"    \n\n\n\n", "<f4")
    data = b"2 2\ngood     \n\n\n\n\nbad \n\n\n\n    \n"
    assert_loads(write(data), ["good", "bad"], [[spaces, newlines], [newlines, spaces]])


# ---------------------------------------------------------------- damage
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "is empty"),
        ("\n", r"begins with b'\\n'\. Expected GloVe or word2vec text"),
        ("good\nbad\n", "begins with b'good.*Expected GloVe or word2vec text"),
        ("good 1 2\nbad 3 4\nfilm 5\n", "line 3: got 1 numbers, expected 2"),
        ("good 1 2\nbad 3 4\nfilm\n", "line 3: got 0 numbers, expected 2"),
        ("good 1 2\nbad 3 4\n\nfilm 5 6\n", "line 3: got 0 numbers, expected 2"),
        ("good 1 2 3\nbad 1 2 3\nfilm 4 5\npan 1 2 3\n", "line 3: got 2 numbers, expected 3"),
        ("good 1 2 3\nbad 4 5\nfilm 1 2 3\n", "line 2: got 2 numbers"),
        ("good 1 2\nbad 3 x\nfilm 5 6\n", "line 2: "),
        ("good 1 2\nbad 3 4\nfilm 5 x\n", "line 3: got b'x', expected a number"),
        ("good 1 2\nbad 3 4\nfilm x 6\n", "line 3: got b'x', expected a number"),
        (b"\xff 1 2\n\xfe 3 4\n", "line 1: .* is not UTF-8, nor is any other word"),
        ("good 1 nan\nbad 3 4\n", "line 1: got NaN or infinity, b'nan'"),
        ("good 1 2\nbad 3 inf\n", "line 2: got NaN or infinity, b'inf'"),
        ("good 1 1e40\nbad 3 4\n", "line 1: got NaN or infinity, b'1e40'"),
    ],
)
def test_damaged_glove(write, data, message):
    with pytest.raises(ValueError, match=message):
        WordVectors.load(write(data))


@pytest.mark.parametrize("guess", [True, False], ids=["guessed", "named"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("3 2\ngood 1 2\nbad 3 4\n", "got 2 words, the header says 3. .* max_words=2 reads what is there"),
        ("1 2\ngood 1 2\nbad 3 4\n", "got 2 words, the header says 1. .* max_words=2 reads what is there"),
        ("2 2\ngood 1 2\nbad 3\n", "line 3: got 1 numbers, expected 2"),
        ("2 2\ngood 1 2\nbad 3 x\n", "line 3: got b'x', expected a number"),
        ("2 3\ngood 1 2\nbad 3 4\n", "line 2: got 2 numbers, expected 3"),
        ("3 2\ngood 1 2\n\nbad 3 4\n", "line 3: got 0 numbers, expected 2"),
        ("2 0\ngood\nbad\n", "line 1: .*Expected a header"),
        ("0 2\n", "0 words"),
    ],
)
def test_damaged_word2vec(write, data, message, guess):
    with pytest.raises(ValueError, match=message):
        WordVectors.load(write(data), None if guess else "word2vec")


@pytest.mark.parametrize(
    ("data", "max_words"),
    [
        (b"3 2\ngood 1 2\nbad 3 4\n", 2),
        (b"1 2\ngood 1 2\nbad 3 4\n", 2),
        (b"3 2\ngood " + ONE_TWO + b"\nbad " + THREE_FOUR, 2),
        (b"1 2\ngood " + ONE_TWO + b"\nbad " + THREE_FOUR, 1),
    ],
)
def test_a_header_of_another_number_of_words_has_a_way_out(write, data, max_words):
    path = write(data)
    with pytest.raises(ValueError, match=rf"the header says \d.* max_words={max_words} reads"):
        WordVectors.load(path)
    found = WordVectors.load(path, max_words=max_words)
    assert found.words == ["good", "bad"][:max_words]
    assert_array_equal(found.matrix, [[1, 2], [3, 4]][:max_words])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"2 2\ngood " + ONE_TWO + b"\nbad " + THREE_FOUR[:5], "got 1 whole words, the header says 2"),
        (b"2 2\ngood " + ONE_TWO + b"\nba", "got 1 whole words, the header says 2"),
        (b"2 2\ngood " + ONE_TWO + b"\n", "got 1 whole words, the header says 2"),
        (b"3 2\ngood " + ONE_TWO + b"\nbad " + THREE_FOUR, "got 2 whole words, the header says 3"),
        (b"1 2\ngood " + ONE_TWO + b"\nbad " + THREE_FOUR, "the header says 1"),
        (b"999999999999 300\ngood " + ONE_TWO, "got 0 whole words, the header says 999,999,999,999"),
        (b"2 99999999999999\ngood " + ONE_TWO, "got 0 whole words, the header says 2"),
        (b"good " + ONE_TWO, "line 1: .*Expected a header"),
        (b"2 0\ngood ", "line 1: .*Expected a header"),
        (b"", "line 1: .*Expected a header|is empty"),
    ],
)
def test_damaged_binary(write, data, message):
    with pytest.raises(ValueError, match=message):
        WordVectors.load(write(data), "word2vec-binary")


def test_every_cut_of_a_file_is_noticed(write):
    """Of a file with a header, whatever is missing at the end; a cut within the last number cannot show."""
    text = b"2 2\ngood 1 2\nbad 3 4\n"
    for size in range(text.rindex(b"4")):
        with pytest.raises(ValueError, match=r"vectors\.bin|Got 0 words"):
            WordVectors.load(write(text[:size]), "word2vec")
    binary = b"2 2\ngood " + ONE_TWO + b"\nbad " + THREE_FOUR
    for size in range(len(binary)):
        with pytest.raises(ValueError, match=r"vectors\.bin|Got 0 words"):
            WordVectors.load(write(binary[:size]), "word2vec-binary")


@pytest.mark.parametrize("n_lines", [999, 1000, 1001, 2500])
def test_line_numbers_past_a_block(write, n_lines):
    lines = [f"word{i} 1 2" for i in range(n_lines)]
    for at in (500, n_lines - 1):
        damaged = [*lines[:at], "good 1 x", *lines[at + 1 :]]
        for header, number in (("", at + 1), (f"{n_lines} 2\n", at + 2)):
            with pytest.raises(ValueError, match=f"line {number}: got b'x'"):
                WordVectors.load(write(header + "\n".join(damaged)))


@pytest.mark.parametrize("format", ["csv", "GloVe", "", 3])
def test_unknown_format(write, format):
    with pytest.raises(ValueError, match=re.escape(f"Got format={format!r}. Expected one of 'glove'")):
        WordVectors.load(write("good 1 2\n"), format)


@pytest.mark.parametrize("format", [None, "glove", "word2vec", "word2vec-binary"])
def test_no_such_file(tmp_path, format):
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        WordVectors.load(tmp_path / "none.txt", format)


def packed(data, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("glove.txt", data)
    return bytearray(out.getvalue())


def edited(data, at, new, place=b"PK\x01\x02"):
    """With bytes changed in the archive's list of contents (or in the header before the member)."""
    start = data.index(place) + at
    data[start : start + len(new)] = new
    return bytes(data)


GLOVE = b"the 0.1 0.2\nof 0.3 0.4\n" * 20


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (edited(packed(GLOVE), 8, b"\x01\x00"), "encrypted"),
        (edited(packed(GLOVE), 10, b"\x63\x00"), "compression method is not supported"),
        (edited(packed(GLOVE), 6, b"\xfe\x00"), "zip file version 25.4"),
        (edited(packed(GLOVE), 42, b"\x01\x00\x00\x00"), "Bad magic number"),
        (edited(packed(GLOVE), 30, b"x", b"PK\x03\x04"), "differ"),
        (edited(packed(GLOVE, zipfile.ZIP_BZIP2), 50, b"\xff" * 30, b"PK\x03\x04"), "cut short or damaged"),
        (edited(packed(GLOVE, zipfile.ZIP_LZMA), 50, b"\xff" * 30, b"PK\x03\x04"), "cut short or damaged"),
    ],
    ids=["encrypted", "method", "version", "offset", "name", "bz2", "lzma"],
)
def test_damaged_archives(write, data, message):
    path = write(data)
    with pytest.raises(ValueError, match=f"{path.name}.*{message}"):
        WordVectors.load(path, cache=False)


@pytest.mark.parametrize("name", ["glove.txt", "vectors.npy"])
def test_a_dictionary_as_large_as_memory(write, name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(name, GLOVE)
    start = 30 + len(name) + 5  # of the first member's data, and in it the size of LZMA's dictionary
    path = write(out.getvalue()[:start] + b"\xff" * 4 + out.getvalue()[start + 4 :])
    with pytest.raises(ValueError, match="with a dictionary of 4,294,967,295 bytes"):
        WordVectors.load(path, cache=False)


def test_a_header_with_more_columns_than_memory_has_room_for(write):
    for columns in (b"100000000000", b"9" * 5000):
        path = write(b"1 " + columns + b"\nthe 0.1 0.2\n")
        with pytest.raises(ValueError, match=r"line 1: .* Expected a header: words, dimensions"):
            WordVectors.load(path, "word2vec", cache=False)


@pytest.mark.parametrize("header", [b"", b"2 3\n"])
def test_an_archive_that_unpacks_to_an_endless_line(tmp_path, monkeypatch, header):
    monkeypatch.setattr(_text, "_LONGEST", 1 << 23)
    path = tmp_path / "vectors.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header + b"the 0.1 0.2 0.3\n" + b"x" * (1 << 25))
    with pytest.raises(ValueError, match="got a line of more than 8 MB"):
        WordVectors.load(path, cache=False)


def test_an_archive_that_unpacks_to_an_endless_record(tmp_path, monkeypatch):
    monkeypatch.setattr(_text, "_LONGEST", 1 << 20)
    path = tmp_path / "vectors.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"2 3\nthe " + bytes(12) + b"x" * 75_000_000)
    with pytest.raises(ValueError, match="got no whole word in 1 MB after 1"):
        WordVectors.load(path, "word2vec-binary", cache=False)


@pytest.mark.parametrize("format", [f for f in FORMATS if f not in ("glove", "word2vec", "word2vec-binary")])
def test_a_format_that_the_path_is_not_of(write, tmp_path, format):
    for path in (write(b"the 0.1 0.2\n"), tmp_path):
        with pytest.raises(ValueError, match=rf"{path.name}.*(Expected|cut short|damaged)"):
            WordVectors.load(path, format, cache=False)
