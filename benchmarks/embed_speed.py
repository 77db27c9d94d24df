"""Speed of WordEmbedder (mean, GloVe 6B 50d, 400,000 words) against the usual ways to pool word vectors.

    EMBTRANSFER_DATA=... python -m benchmarks.embed_speed --threads 2 [--rounds 5] [--scale 1] [--cache DIR]
        [--only NAME ...]

Five sets: 100,000 reviews (the 8,000 Amazon reviews over and over), 500,000 sentences of them, and 20,000
reviews in which every text has non-ASCII characters, in three ways. All contenders take the same list of str,
new objects for every repetition (a str keeps its UTF-8 once asked for it), and give an array of one row a
text. One thread each; the slow ones get the first tenth, hundredth or thousandth of the texts, which are
shuffled, and their seconds count as often. Building models is not measured. A peer that cannot run here is a
row that says why. fastText's model takes half a minute to build and is kept in --cache if that is given. With
--only the contenders named run beside WordEmbedder alone, and their rows replace those of the results already
there. Writes results/embed_speed.json and .md.
"""

import argparse
import json
import random
import re
import sys
import tempfile
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from ._interleaved import interleave, stopwatch, times
from ._results import RESULTS, machine, markdown_table, spread, write_results

# isort: split
import numpy as np

from embtransfer import WordEmbedder
from embtransfer.datasets import fetch_amazon_reviews

from . import _peers_embed
from ._peers import Peer, distributions, model2vec_model, present
from .accuracy_amazon import full_glove

OURS, TOKEN = "WordEmbedder", re.compile(r"\b\w\w+\b")
LETTERS, CYRILLIC = "abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопярстувшжыз"
TO_CYRILLIC = str.maketrans(LETTERS + LETTERS.upper(), CYRILLIC + CYRILLIC.upper())
TO_ACCENTS = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")
ABOUT = f"""# Speed of pooled word vectors

Mean of GloVe 6B 50d, 400,000 words, unless the notes say otherwise; with one thread unless it says so.
MB: 10^6 bytes of UTF-8 text; medians over the rounds, and the slowest and fastest round. "Times as
long": the contender's seconds divided by {OURS}'s in the same round. CPU: CPU seconds a second. "Texts that
differ": of 1,000, those with any number more than 1e-4 from {OURS}'s (wordllama's: from those of the row
above it); "cosine": mean over the texts in which both know a word; "tokens known": by the contender's own
tokenizer. These are empty where the contender has another table."""
NOTES = """## Notes

- model2vec: WordLevel tokenizer, lower-cased, cut by the regular expression `\\w\\w+`; max_length=None,
  use_multiprocessing=False, batches as by default.
- scikit-learn: CountVectorizer(vocabulary=words), counts @ table divided by the sums of the counts.
- fastText: get_sentence_vector of each lower-cased text, a loop in Python. It cuts at white space alone:
  punctuation stays on words, which then are unknown, or is a token of its own; so are single characters. It
  counts the end of each text as one more token, whose vector is zero here."""
GENSIM_NOTE = """
- {fast}: {ratio:.1f} times as fast as {slow}, on 1,000 reviews.
  simple_preprocess finds tokens of 2 to 15 letters: no numbers, no longer words."""


def text_sets(scale):
    """Name -> list of texts as UTF-8. No text has a line end, which fastText refuses."""
    reviews = [" ".join(text.splitlines()) for text in fetch_amazon_reviews().data]
    random.Random(0).shuffle(reviews)
    sentences = [part for text in reviews for part in re.split(r"(?<=[.!?])\s+", text) if part]
    sets = {
        "reviews": (reviews, 100_000),
        "sentences": (sentences, 500_000),
        "reviews, an accented word in each": ([text + " café" for text in reviews], 20_000),
        "reviews, vowels accented": ([text.translate(TO_ACCENTS) for text in reviews], 20_000),
        "reviews, Cyrillic letters": ([text.translate(TO_CYRILLIC) for text in reviews], 20_000),
    }
    return {
        name: [text.encode() for text in islice(cycle(texts), max(1000, int(size * scale)))]
        for name, (texts, size) in sets.items()
    }


def ours(vectors, n_jobs=1):
    return WordEmbedder(vectors, n_jobs=n_jobs).fit([""]).transform


def model2vec(vectors):
    model = model2vec_model(vectors)
    return lambda texts: model.encode(texts, use_multiprocessing=False)


def scikit_learn(vectors):
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(vocabulary=vectors.words, dtype=np.float32).fit([])

    def embed(texts):
        counts = counter.transform(texts)
        return counts @ vectors.matrix / np.maximum(np.asarray(counts.sum(axis=1)), 1)

    return embed


def gensim_ways(vectors):
    from gensim.models import KeyedVectors
    from gensim.utils import simple_preprocess

    table = KeyedVectors(vectors.matrix.shape[1])
    table.add_vectors(vectors.words, vectors.matrix)

    def rows_mean(text):
        rows = [table.key_to_index[token] for token in simple_preprocess(text) if token in table.key_to_index]
        return table.vectors[rows].mean(axis=0) if rows else np.zeros(table.vector_size, np.float32)

    def get_mean_vector(text):
        tokens = simple_preprocess(text)
        if not tokens:
            return np.zeros(table.vector_size, np.float32)
        return table.get_mean_vector(tokens, pre_normalize=False)

    return {
        "gensim, mean of the known words' rows": lambda texts: np.array([rows_mean(text) for text in texts]),
        "gensim, get_mean_vector": lambda texts: np.array([get_mean_vector(text) for text in texts]),
    }


def fasttext(vectors, cache):
    import fasttext

    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{vectors.name}.bin"
    if not path.exists():
        with open(cache / "words.vec", "w", encoding="utf-8") as file:
            n_words, n_dimensions = vectors.matrix.shape
            file.write(f"{n_words + 1} {n_dimensions}\n</s>{' 0' * n_dimensions}\n")
            for word, row in zip(vectors.words, vectors.matrix.tolist(), strict=True):
                file.write(f"{word} {' '.join(map(repr, row))}\n")
        # no epoch: nothing is learned, and all words of the table enter the dictionary with their vectors
        (cache / "labels.txt").write_text("__label__a the\n__label__b of\n")
        model = fasttext.train_supervised(
            str(cache / "labels.txt"),
            pretrainedVectors=str(cache / "words.vec"),
            **{"dim": n_dimensions, "epoch": 0, "lr": 0.0, "bucket": 0, "thread": 1, "verbose": 0},
        )
        model.save_model(str(path))
        (cache / "words.vec").unlink()
    model = fasttext.load_model(str(path))
    return lambda texts: np.array([model.get_sentence_vector(text.lower()) for text in texts])


def cutters(contenders):
    """First word of a contender's name to its way to cut words, where that is not ours."""
    cuts = {"fastText": lambda text: text.lower().split()}
    if any(name.startswith("gensim") for name in contenders):
        from gensim.utils import simple_preprocess

        cuts["gensim"] = simple_preprocess
    if "spaCy" in contenders:
        import spacy

        cut = spacy.blank("en").tokenizer
        cuts["spaCy"] = lambda text: [token.text for token in cut(text.lower())]
    return cuts


def compare_vectors(contenders, raw, vectors):
    """How far the vectors of 1,000 texts are from ours, and the share of tokens that each tokenizer finds."""
    texts = [text.decode() for text in random.Random(1).sample(raw, 1000)]
    cuts, made, rows = cutters(contenders), {}, []
    for name, embed in contenders.items():
        rows.append(row := {"name": name})
        reference = _peers_embed.REFERENCES.get(name, OURS)
        if reference is None and name != _peers_embed.WORDLLAMA:
            continue
        other = made[name] = embed(texts)
        if reference is None:
            continue
        held = made[reference]
        difference = np.abs(other - held).max(axis=1)
        both = (np.abs(other).max(axis=1) > 0) & (np.abs(held).max(axis=1) > 0)
        norms = np.linalg.norm(other[both], axis=1) * np.linalg.norm(held[both], axis=1)
        row["max_difference"] = float(difference.max())
        row["texts_differing"] = int((difference > 1e-4).sum())
        row["cosine"] = float(((other * held)[both].sum(axis=1) / norms).mean())
        if reference == OURS:
            cut = cuts.get(name.partition(",")[0], lambda text: TOKEN.findall(text.lower()))
            tokens = [token for text in texts for token in cut(text)]
            row["tokens"] = len(tokens)
            row["known"] = sum(token in vectors for token in tokens) / len(tokens)
    return rows


def report(data):
    """The parts of the Markdown file."""
    header = ["contender", "MB/s", "times as long", "CPU"]
    header += ["texts that differ", "largest difference", "cosine", "tokens known"]
    parts = [ABOUT]
    for set_name, result in data["sets"].items():
        rows, size = [], result["megabytes"]
        for vectors in result["vectors"]:
            run = result["contenders"][vectors["name"]]
            cells = [
                spread(size / run["seconds"], size / run["max"], size / run["min"], 1),
                spread(run["ratio"], run["ratio_min"], run["ratio_max"], 2),
                f"{run['cpu']:.2f}",
            ]
            compared, cut = "cosine" in vectors, "known" in vectors
            cells.append(vectors["texts_differing"] if compared else "")
            cells.append(f"{vectors['max_difference']:.0e}" if compared else "")
            cells.append(f"{vectors['cosine']:.4f}" if compared else "")
            cells.append(f"{vectors['known']:.1%} of {vectors['tokens']:,}" if cut else "")
            rows.append([vectors["name"], *cells])
        rows += [[name, reason, *[""] * 6] for name, reason in data["absent"].items()]
        parts += [f"## {set_name}: {result['texts']:,} texts, {size:.1f} MB", markdown_table(header, rows)]
    notes = NOTES
    if trial := sorted(data["gensim_trial"].items(), key=lambda item: item[1]):
        (fast, seconds), (slow, more) = trial
        notes = notes + GENSIM_NOTE.format(fast=fast, slow=slow, ratio=more / seconds)
    notes = f"{notes}\n{_peers_embed.NOTES}"
    if anew := data.get("anew"):
        notes += f"\n- Measured later, beside {OURS} alone: {', '.join(anew)}."
    return [*parts, notes]


def with_rows_anew(before, data):
    """Results with the rows of the contenders that were measured again."""
    if before["scale"] != data["scale"]:
        raise SystemExit(f"Got --scale {data['scale']}; the results there have {before['scale']}.")
    for name, result in data["sets"].items():
        anew = {contender for contender in result["contenders"] if not contender.startswith(OURS)}
        kept = before["sets"][name]
        kept["contenders"] |= {contender: result["contenders"][contender] for contender in anew}
        rows = {row["name"]: row for row in result["vectors"] if row["name"] in anew}
        kept["vectors"] = [rows.pop(row["name"], row) for row in kept["vectors"]] + [*rows.values()]
        before["anew"] = sorted({*before.get("anew", ()), *anew})
    return before


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the texts, for a smoke run")
    parser.add_argument("--threads", type=int, default=1, choices=(1, 2), help="2 adds a row with n_jobs=2")
    parser.add_argument("--cache", type=Path, help="folder that keeps fastText's model")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="measure these contenders again")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    args = parser.parse_args()
    vectors, sets = full_glove(), text_sets(args.scale)
    chosen = lambda peers: {name: p for name, p in peers.items() if name in (args.only or peers)}  # noqa: E731
    trial = [text.decode() for text in sets["reviews"][:2000]]
    with tempfile.TemporaryDirectory() as folder:
        makers = {
            "model2vec": Peer("model2vec", model2vec),
            "scikit-learn": Peer("scikit-learn", scikit_learn),
            "fastText": Peer("fasttext-wheel", partial(fasttext, cache=args.cache or Path(folder))),
            "gensim": Peer("gensim", gensim_ways),
        }
        here, absent = present(chosen(makers | _peers_embed.PEERS))
        host = machine("embtransfer", "numpy", "numba", *distributions(here))
        contenders = {OURS: ours(vectors)}
        if args.threads == 2:
            contenders[f"{OURS}, n_jobs=2"] = ours(vectors, n_jobs=2)
        contenders |= {name: here[name].make(vectors) for name in makers if name in here}
    ways, speed = contenders.pop("gensim", {}), {}
    if ways:
        speed = {
            name: min(stopwatch(way, lambda: trial[:1000])()[0] for _ in range(3))
            for name, way in ways.items()
        }
        faster = min(speed, key=speed.get)
        contenders[faster] = ways[faster]
    contenders |= {name: here[name].make(vectors, trial) for name in _peers_embed.PEERS if name in here}

    data = {"scale": args.scale, "rounds": args.rounds, "gensim_trial": speed, "absent": absent, "sets": {}}
    for set_name, raw in sets.items():
        print(f"{set_name}: {len(raw):,} texts", file=sys.stderr)
        runs = {}
        for name, embed in contenders.items():
            share = _peers_embed.SHARES.get(name, 1)
            some = raw[: len(raw) // share]
            texts = lambda some=some: [text.decode() for text in some]  # noqa: E731
            runs[name] = times(share, stopwatch(embed, texts))
        data["sets"][set_name] = {
            "texts": len(raw),
            "megabytes": sum(map(len, raw)) / 1e6,
            "contenders": interleave(runs, OURS, args.rounds),
            "vectors": compare_vectors(contenders, raw, vectors),
        }
    if args.only:
        data = with_rows_anew(json.loads((args.output / "embed_speed.json").read_text("utf-8")), data)
        host = data.pop("machine")
    write_results(args.output, "embed_speed", data, host, report(data))


if __name__ == "__main__":
    main()
