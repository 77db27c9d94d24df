"""Manual pages: a classifier trained on English pages predicts the section of French ones.

    apt-get download manpages manpages-dev manpages-fr manpages-fr-dev dict-freedict-eng-fra
    for package in *.deb; do dpkg-deb -x $package pages; done
    python -m benchmarks.across_languages --english pages/usr/share/man --french pages/usr/share/man/fr \
        --dictionary pages/usr/share/dictd/freedict-eng-fra.index

Sections 2, 3, 4, 5 and 7. Half of the pages' names are for training, in English; the French pages of the
other names are scored, so that no page is on both sides in either language. Adapters see the French pages of
the training names; the word tables (gensim, 100 dimensions) are of all pages of a language, without labels.
Headers with the section's number are taken out, as are references such as open(2).

English and French pages share names of functions, types and errors. Hence a second column of scores, for
texts without any word that both tables have. Writes results/across_languages.json and .md.
"""

import argparse
import gzip
import re
import warnings
from collections import defaultdict
from pathlib import Path
from time import perf_counter

import numpy as np
from gensim.models import Word2Vec
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from embtransfer import WordEmbedder, WordVectors, align_word_vectors, make_adapter, make_classifier
from embtransfer.alignment._seeds import read_pairs

from ._results import RESULTS, machine, markdown_table, write_results

SECTIONS, ADAPTERS = "23457", ("none", "centering", "coral")
HEADER = re.compile(r"""^(?:[.']\\"|\.(?:TH|so|nr|de|ds|if|ie|el)\b).*$""", re.M)
REQUEST = re.compile(r"^[.'][A-Za-z]{1,3}\b", re.M)
REFERENCE = re.compile(r"\(\d\w*\)")
FONT, ESCAPE = re.compile(r"\\f(?:\(..|\[[^\]]*\]|.)"), re.compile(r"\\(?:\(..|\[[^\]]*\]|\*\(..|s[-+]?\d|.)")
WORD = re.compile(r"\b\w\w+\b")


def read_pages(folder):
    """(name, section, text) of each page that is no link to another one."""
    for path in sorted(Path(folder).glob("man[1-8]/*.gz")):
        text = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
        if path.is_symlink() or text.startswith(".so"):
            continue
        for pattern in (HEADER, REQUEST, REFERENCE):
            text = pattern.sub(" ", text)
        yield path.name.split(".")[0], path.parent.name[3], ESCAPE.sub(" ", FONT.sub("", text)).lower()


def train(pages, name):
    parts = (part for _, _, text in pages for part in re.split(r"\n\s*\n|[.:]\s", text))
    sentences = [WORD.findall(part) for part in parts]
    model = Word2Vec(sentences, vector_size=100, min_count=5, epochs=15, seed=0, workers=1)
    return WordVectors.from_keyed_vectors(model, name)


class Task:
    """Texts and labels: English for training; French to adapt to, and French to score."""

    def __init__(self, english, french, drop=frozenset()):
        names = sorted({name for name, _, _ in english + french})
        chosen = dict(zip(names, np.random.default_rng(0).random(len(names)) < 0.5, strict=True))
        self.drop = drop
        self.train, self.y = self._part(english, chosen, True)
        self.seen, _ = self._part(french, chosen, True)
        self.test, self.y_test = self._part(french, chosen, False)

    def _part(self, pages, chosen, value):
        rows = [(text, s) for name, s, text in pages if s in SECTIONS and chosen[name] == value]
        texts = [
            " ".join(word for word in WORD.findall(text) if word not in self.drop) if self.drop else text
            for text, _ in rows
        ]
        return texts, np.array([section for _, section in rows])

    def scores(self, source, target, translate=lambda text: text):
        """Accuracy on the scored pages for each adapter."""
        embedders = WordEmbedder(source), WordEmbedder(target)
        X = embedders[0].fit_transform(self.train)
        seen, test = (
            embedders[1].fit_transform([translate(text) for text in part]) for part in (self.seen, self.test)
        )
        result = []
        for name in ADAPTERS:
            adapter = make_adapter(name)
            classifier = make_classifier("logistic").fit(adapter.fit_transform(X, X_target=seen), self.y)
            result.append(100 * classifier.score(adapter.transform(test), self.y_test))
        return result

    def tfidf(self):
        vectorizer = TfidfVectorizer(sublinear_tf=True)
        classifier = LogisticRegression(C=10.0, max_iter=1000).fit(
            vectorizer.fit_transform(self.train), self.y
        )
        return 100 * classifier.score(vectorizer.transform(self.test), self.y_test)

    def majority(self):
        values, counts = np.unique(self.y, return_counts=True)
        return 100 * np.mean(self.y_test == values[counts.argmax()])


def translator(dictionary):
    """A function from a French text to its words' first English translations, others as they are."""
    found = defaultdict(list)
    for word, translation in read_pairs(dictionary):
        found[translation.lower()].append(word.lower())
    return lambda text: " ".join(found[word][0] if word in found else word for word in WORD.findall(text))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--english", required=True, help="folder with man1 to man8 in English")
    parser.add_argument("--french", required=True, help="folder with man1 to man8 in French")
    parser.add_argument("--dictionary", required=True, help="English-French, dictd or two columns")
    arguments = parser.parse_args()
    host = machine("embtransfer", "gensim", "scikit-learn")
    english, french = (list(read_pages(folder)) for folder in (arguments.english, arguments.french))
    tables = train(english, "english"), train(french, "french")
    shared = frozenset(tables[0].words) & frozenset(tables[1].words)
    tasks = Task(english, french), Task(english, french, shared)
    rows, data = [], {"scored": len(tasks[0].test), "trained": len(tasks[0].train), "shared": len(shared)}

    def report(name, cells, about=""):
        data[name] = cells
        rows.append(
            [name, *(" / ".join(f"{cell:.1f}" for cell in np.atleast_1d(part)) for part in cells), about]
        )
        print(*rows[-1], flush=True)

    report("majority class", [task.majority() for task in tasks])
    report("TF-IDF of English words", [task.tfidf() for task in tasks])
    report("English table for both", [task.scores(tables[0], tables[0]) for task in tasks])
    report("two tables, not aligned", [task.scores(*tables) for task in tasks])
    words = translator(arguments.dictionary)
    report("words translated by the dictionary", [task.scores(tables[0], tables[0], words) for task in tasks])
    for name, seeds, refinement in [
        ("aligned, dictionary as it is", arguments.dictionary, 0),
        ("aligned, dictionary", arguments.dictionary, 5),
        ("aligned, identical words", "identical", 5),
        ("aligned, without a dictionary", None, 5),
    ]:
        start = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the agreement is in the table
            alignment = align_word_vectors(*tables, seeds, refinement=refinement)
        about = f"{alignment.agreement_:.2f}; {perf_counter() - start:.0f} s"
        report(name, [task.scores(alignment.source, alignment.target) for task in tasks], about)
    header = [
        "accuracy, adapters " + " / ".join(ADAPTERS),
        "texts as they are",
        "without words of both tables",
    ]
    text = (
        f"{data['trained']} English pages for training, {data['scored']} French ones scored; tables of "
        f"{len(tables[0]):,} and {len(tables[1]):,} words, {len(shared):,} of them in both."
    )
    write_results(
        RESULTS, "across_languages", data, host, [text, markdown_table([*header, "agreement; time"], rows)]
    )


if __name__ == "__main__":
    main()
