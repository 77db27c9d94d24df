"""The trainers of fastText, spaCy and gensim as classifiers of texts: fit(texts, y), predict(texts)."""

import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle


class FastText:
    """train_supervised on texts as its tutorial prepares them: shuffled, in lower case, punctuation apart."""

    def __init__(self, autotune=0, **options):
        self.autotune, self.options = autotune, options

    @staticmethod
    def prepare(texts):
        return [" ".join(re.sub(r"([.!?,'/()])", r" \1 ", text).lower().split()) for text in texts]

    def fit(self, texts, y):
        import fasttext

        lines = [f"__label__{c} {text}" for c, text in zip(y, self.prepare(texts), strict=True)]
        lines = shuffle(lines, random_state=0)  # it takes them in their order, which is that of the classes
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


class TextCat:
    """`spacy train` with the quickstart's configuration for efficiency (a bag of words), a tenth held out."""

    def fit(self, texts, y):
        import spacy
        from spacy.cli.init_config import init_config
        from spacy.training.initialize import init_nlp
        from spacy.training.loop import train

        config = init_config(lang="en", pipeline=["textcat"], optimize="efficiency", gpu=False)
        held_out = max(len(y) // 10, len(set(y)))  # one of each class at least
        parts = train_test_split(texts, y, test_size=held_out, stratify=y, random_state=0)
        classes = [str(c) for c in np.unique(y)]
        with TemporaryDirectory() as folder:
            for name, part, labels in (("train", *parts[::2]), ("dev", *parts[1::2])):
                config["paths"][name] = str(Path(folder) / f"{name}.spacy")
                self.docs(part, labels, classes).to_disk(config["paths"][name])
            silence = io.StringIO()
            train(init_nlp(config), Path(folder), stdout=silence, stderr=silence)
            self.nlp = spacy.load(Path(folder) / "model-best")
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


class Doc2Vec:
    """Paragraph vectors (DBOW) with the settings of gensim's tutorial on film reviews, and a classifier."""

    def __init__(self, head):
        self.head = head

    def fit(self, texts, y):
        from gensim.models import doc2vec

        tagged = [doc2vec.TaggedDocument(tokens, [i]) for i, tokens in enumerate(map(self.cut, texts))]
        self.model = doc2vec.Doc2Vec(
            tagged, vector_size=100, dm=0, negative=5, min_count=2, sample=0, epochs=20, workers=1, seed=0
        )
        self.head.fit(self.model.dv.vectors, y)
        return self

    @staticmethod
    def cut(text):
        from gensim.utils import simple_preprocess

        return simple_preprocess(text)

    def predict(self, texts):
        return self.head.predict(np.array([self.model.infer_vector(self.cut(text)) for text in texts]))
