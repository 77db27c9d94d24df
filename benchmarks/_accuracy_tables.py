"""The tables of accuracy, and of choosing without target labels."""

import statistics

import numpy as np

from ._results import markdown_table, results
from .accuracy_peers import N_LABELS, amazon_summary, banking_summary
from .accuracy_transfer import summary

MAIN_ROWS = {
    "TF-IDF and logistic regression": "TF-IDF",
    "TF-IDF, self-trained": "TF-IDF, self-trained",
    "MiniLM by sentence, centering": "MiniLM by sentence, centering",
    '**recipe "words"**, no pretrained model': "recipe 'words', without a model",
    'recipe "distilled", MiniLM for fitting alone': "recipe 'distilled', without MiniLM at prediction",
    '**recipe "sentences"**, MiniLM at prediction too': "recipe 'sentences', with MiniLM at prediction",
}
LOSING_ROWS = (
    ("scikit-learn's SelfTrainingClassifier on TF-IDF", "scikit-learn self-training, TF-IDF", "TF-IDF"),
    ("averaged GloVe 50d, centering", "GloVe, centering", "TF-IDF"),
    ("MiniLM by sentence, CORAL", "MiniLM by sentence, CORAL", "MiniLM by sentence, none"),
    ("TF-IDF, corrected for label shift (there is none)", "TF-IDF, label shift (EM)", "TF-IDF"),
)
ALL_ROWS = (
    ("TF-IDF of words and pairs of words", "TF-IDF"),
    ("TF-IDF, self-trained", "TF-IDF, self-trained"),
    ("the same by scikit-learn's SelfTrainingClassifier", "scikit-learn self-training, TF-IDF"),
    ("log-count ratios, source only", "log-count ratios"),
    (
        '**recipe "words"**: log-count ratios and IDF, self-trained',
        "recipe 'words', without a model",
    ),
    ("MiniLM by review, source only", "MiniLM by review, none"),
    ("MiniLM by sentence, source only", "MiniLM by sentence, none"),
    ("MiniLM by sentence, centering", "MiniLM by sentence, centering"),
    ("MiniLM by sentence, CORAL", "MiniLM by sentence, CORAL"),
    ("distilled from MiniLM by sentence, centering", "distilled from MiniLM"),
    ("the same, self-trained", "distilled from MiniLM, self-trained"),
    ("TF-IDF beside MiniLM by sentence, two views", "TF-IDF beside MiniLM by sentence"),
    ("the same, self-trained", "TF-IDF beside MiniLM by sentence, self-trained"),
    ('recipe "distilled": MiniLM for fitting alone', "recipe 'distilled', without MiniLM at prediction"),
    ('**recipe "sentences"**', "recipe 'sentences', with MiniLM at prediction"),
    ("GloVe 50d mean, source only", "GloVe, none"),
    ("GloVe, centering", "GloVe, centering"),
    ("GloVe, CORAL", "GloVe, CORAL"),
    ("GloVe, linear optimal transport", "GloVe, linear OT"),
    ("the same by skada (reg 1, about centring)", "GloVe, skada linear OT"),
    ("GloVe, subspace alignment", "GloVe, subspace alignment"),
    ("GloVe, geodesic flow kernel", "GloVe, geodesic flow kernel"),
    ("GloVe, TCA", "GloVe, TCA"),
    ("GloVe, JDA", "GloVe, JDA"),
    ("GloVe, entropic optimal transport", "GloVe, entropic OT"),
)
ADAPTERS = {
    "centering": "centering",
    "geodesic flow kernel": "geodesic flow kernel",
    "entropic optimal transport": "entropic OT",
    "subspace alignment": "subspace alignment",
    "CORAL": "CORAL",
    "linear optimal transport": "linear OT",
    "mSDA": "mSDA",
    "SCL": "SCL",
    "TCA": "TCA",
    "JDA": "JDA",
}


def bold(cells, label):
    """The figure in bold where the label is."""
    return [label, f"**{cells[0]}**", *cells[1:]] if label.startswith("**") else [label, *cells]


def accuracy_main():
    found = summary(results("accuracy_transfer"))
    columns = ("unseen", "worse", "worst")
    rows = [bold([found[name][c] for c in columns], label) for label, name in MAIN_ROWS.items()]
    head = ["", "accuracy, %", "pairs worse than unadapted (MiniLM recipes: than TF-IDF)", "worst"]
    return markdown_table(head, rows)


def accuracy_all():
    found = summary(results("accuracy_transfer"))
    columns = ("unseen", "unseen, eight pairs", "seen", "worse", "worst")
    rows = [bold([found[name][c] for c in columns], label) for label, name in ALL_ROWS]
    worse = "pairs worse than unadapted (distilled, views and recipes with MiniLM: than TF-IDF)"
    return markdown_table(["", "unseen", "unseen, eight pairs", "seen", worse, "worst"], rows)


def accuracy_losses():
    found, banking = summary(results("accuracy_transfer")), banking77()
    rows = [
        [label, found[name]["unseen"], "without adapting" if base.endswith("none") else base]
        + [found[base]["unseen"]]
        for label, name, base in LOSING_ROWS
    ]
    few = {name: cells["5"] for name, cells in banking.items()}
    tfidf, minilm = few["TF-IDF, words and pairs"], few["all-MiniLM-L6-v2"]
    words = few['recipe "words"']
    rows.append(['BANKING77: recipe "words"', words, "TF-IDF; MiniLM", f"{tfidf}; {minilm}"])
    return markdown_table(["", "accuracy, %", "against", ""], rows, texts=(0, 2))


def accuracy_adapters():
    found = summary(results("accuracy_transfer"))
    rows = []
    for label, adapter in ADAPTERS.items():
        cells = []
        for embedder in ("GloVe", "MiniLM by sentence"):
            row = found[f"{embedder}, {adapter}"]
            gain = float(row["unseen"]) - float(found[f"{embedder}, none"]["unseen"])
            cells.append(f"{gain:+.1f}, worse on {row['worse'].partition(' ')[0]}")
        rows.append([label, *cells])
    return markdown_table(["", "GloVe 50d mean", "MiniLM by sentence"], rows)


def banking77():
    return {
        name: {n: f"{statistics.mean(draws):.1f}" for n, draws in cells.items()}
        for name, cells in results("accuracy_banking77").items()
        if name not in ("machine", "n_test")
    }


def accuracy_peers():
    found = results("accuracy_peers")
    amazon, banking = amazon_summary(found["records"]), banking_summary(found["records"])
    columns = ("unseen", "eight pairs", "below words", "seconds")
    rows = []
    for name in dict.fromkeys((*amazon, *banking)):
        cells = [amazon.get(name, {}).get(column, "") for column in columns]
        rows.append([name, *cells, banking.get(name, "")])
    rows += [[f"{name}: {reason}", *[""] * 5] for name, reason in found["absent"].items()]
    head = ["", "Amazon", "eight pairs", 'pairs below recipe "words"', "seconds"]
    return markdown_table([*head, f"BANKING77, {N_LABELS} labels a class"], rows)


BANKING_ROWS = {
    "TF-IDF of words and pairs": "TF-IDF, words and pairs",
    "the same, self-trained": "TF-IDF, self-trained",
    "log-count ratios, self-trained": "log-count ratios, self-trained",
    'recipe "words", which takes TF-IDF\'s weights here': 'recipe "words"',
    "GloVe 6B 50d, mean": "GloVe 6B 50d, mean",
    "GloVe 6B 50d, sif": "GloVe 6B 50d, sif",
    "wordllama 256d, mean": "wordllama 256d, mean",
    "all-MiniLM-L6-v2": "all-MiniLM-L6-v2",
    "all-MiniLM-L6-v2, self-trained": "all-MiniLM-L6-v2, self-trained",
    "distilled from all-MiniLM-L6-v2": "distilled from all-MiniLM-L6-v2",
    "distilled from all-MiniLM-L6-v2, self-trained": "the same, self-trained",
    "TF-IDF beside all-MiniLM-L6-v2": "TF-IDF beside all-MiniLM-L6-v2",
}


def accuracy_banking77():
    found = banking77()
    rows = [[label, *(found[name][n] for n in ("5", "10", "all"))] for label, name in BANKING_ROWS.items()]
    return markdown_table(["labels a class", "5", "10", "all, 130 on average"], rows)


def similarity():
    found = results("similarity_sts")
    rows = []
    for pooling in ("mean", "idf", "sif", "usif", "max", "power_means"):
        runs = [found[f"{table}, {pooling}"] for table in ("GloVe 6B 50d", "wordllama 256d")]
        rows.append(
            [pooling.replace("_", " "), *(f"{run['pearson']:.1f} / {run['spearman']:.1f}" for run in runs)]
        )
    return markdown_table(["", "GloVe 6B 50d", "wordllama 256d"], rows)


CHOOSING = {
    "Amazon": "amazon: all",
    "Amazon, no sentence model": "amazon: without a sentence model",
    "BANKING77": "banking: all",
    "20 Newsgroups": "newsgroups: all",
    "snippets": "snippets: all",
}


def choosing_rows():
    """(criterion, guard) to a list of the sets' summaries."""
    found = {}
    for title in CHOOSING.values():
        for criterion, guard, cells in results("choosing")["tables"][title]:
            found.setdefault((criterion.replace("_", " "), guard), []).append(cells)
    return found


def choosing_all():
    found = choosing_rows()
    del found["consensus and source", False]
    rows = []
    for (criterion, _), cells in found.items():
        label = f"{criterion}, with the guard (default)" if criterion == "consensus and source" else criterion
        rows.append([label, *(f"{c['regret']:.1f}; {c['worst against unadapted']:.1f}" for c in cells)])
    return markdown_table(["", *CHOOSING], rows)


def cascade():
    return of_cascades(results("cascade")["records"], "distilled")


def of_cascades(records, fast):
    """By largest loss, of reviews and of tweets: deferred, lost on the mean and at most, texts a second."""
    rows = []
    for i, point in enumerate(records[0]["fast"][fast]["points"]):
        loss = point["max_loss"]
        label = {0: "the slow model alone", 100: "the fast model alone"}.get(loss, f"{loss:g}")
        rows.append([label, *cascade_cells(records, fast, i)])
    header = ["deferred, %", "accuracy", "lost", "at most", "texts/s", "times the slow model's"]
    header = [f"{name}: {column}" for name in ("reviews", "tweets") for column in header]
    return markdown_table(["`max_loss`", *header], rows)


def cascade_cells(records, fast, i):
    reviews = [record for record in records if record["task"]["data"] == "amazon"]
    return [
        cell
        for some in (reviews, [record for record in records if record not in reviews])
        for cell in _cascade(some, fast, i)
    ]


def _cascade(records, fast, i):
    points = [record["fast"][fast]["points"][i] for record in records]
    deferred, accuracy = (np.array([point[key] for point in points]) for key in ("deferred", "accuracy"))
    lost = 100 * (np.array([record["slow"] for record in records]) - accuracy)
    own, slow = (np.array([record["seconds"][name] for record in records]) for name in (fast, "slow"))
    taken = own * (deferred < 1) + deferred * slow
    cells = [f"{100 * deferred.mean():.1f}", f"{100 * accuracy.mean():.1f}", f"{lost.mean():.2f}"]
    return [*cells, f"{lost.max():.2f}", f"{1 / taken.mean():,.0f}", f"{slow.mean() / taken.mean():,.1f}"]
