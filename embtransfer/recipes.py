"""Recipes: whole models, ready to fit, that were found to transfer best."""

from collections.abc import Sequence

from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ._names import check_name
from ._types import Estimator
from .adapters import DomainCentering, LengthScaling
from .classifiers import CoTrainingClassifier, NaiveBayesLogisticRegression, SelfTrainingClassifier
from .embedders import (
    ColumnEmbedder,
    DistilledEmbedder,
    DomainWordEmbedder,
    NGramVectorizer,
    SentenceEmbedder,
    VectorEmbedder,
)
from .embedders._columns import of_columns
from .pipeline import CLEANING, make_transfer_pipeline, with_cleaning

COLUMNS = "columns"  # the recipe of tables, which needs the names of columns
TAUGHT = ("distilled", "sentences")  # the recipes that take a teacher
RECIPES = ("words", "word_vectors", *TAUGHT, "vectors", COLUMNS)


def make_recipe(
    name: str = "words",
    teacher: Estimator = None,
    *,
    text_column: str | Sequence[str] | None = None,
    vector_column: str | Sequence[str] | None = None,
    clean: str | None = None,
) -> Estimator:
    """Make the model that transfers best, for what you can spend.

    Parameters
    ----------
    name : {"words", "word_vectors", "distilled", "sentences", "vectors", "columns"}, default="words"
        "words": words and n-grams of both domains, logistic regression on log-count ratios (of many classes
        on inverse document frequencies), self-trained on the target; of two classes on both in the end.
        Seconds to fit, no pretrained model.
        "word_vectors": "words" beside vectors of words that learn from both domains, DomainWordEmbedder,
        each self-trained by itself and weighed by what it says of held-out source rows. It takes twice as
        long to fit, compiles as "words" does, and is the better one for tweets and for domains that lie
        far apart. "sentences": "words" co-trained with logistic regression on a sentence model's vectors,
        which it wants at prediction too: the most accurate. "distilled": both, and a student distilled from
        the sentence model; fitting takes the sentence model, prediction only the words and the student.
        "vectors": of rows that are vectors already, brought to one scale, and logistic regression,
        self-trained on the target. "columns": of rows of a table, words of its texts co-trained
        with vectors of one or several columns, each view weighed by what it says of held-out source rows.
    teacher : embedder, default=None
        For "distilled" and "sentences". None is SentenceEmbedder(by_sentence=True), multilingual-e5-small.
        With its `cache_dir` the texts are encoded once.
    text_column : str or sequence of str, default=None
        For "columns": the column with the texts, or several, side by side in one view. None is "text", [] is
        none.
    vector_column : str or sequence of str, default=None
        For "columns": the column with vectors, lists or arrays of numbers, or several, each a view.
    clean : {"html"} or None, default=None
        "html": the model begins with an HTMLCleaner, so that tags are taken out of all texts that it is
        fitted to and predicts, and entities are unescaped.

    Returns
    -------
    TransferPipeline or CoTrainingClassifier
        Unfitted: call `fit(X, y, X_target=X_target)` with texts (of "vectors" with matrices, of "columns"
        with DataFrames), then `predict`.

    Raises
    ------
    ValueError
        If there is no recipe of that name, if another than "distilled" or "sentences" gets a teacher, another
        than "columns" gets a column, or that gets no column of vectors; if clean is neither, or of "vectors".

    See Also
    --------
    compare : What each part is worth on your texts.

    Examples
    --------
    >>> from embtransfer import make_recipe
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)
    >>> model.predict(["A lovely pan, which I use every day."]).tolist()
    [1]
    """
    check_name("recipe", name, RECIPES)
    if clean is not None:
        check_name("clean", clean, CLEANING)
        if name == "vectors":
            raise ValueError("Got clean for the recipe 'vectors', which takes no texts. Leave it away.")
        model = make_recipe(name, teacher, text_column=text_column, vector_column=vector_column)
        return with_cleaning(model, clean)
    if name != COLUMNS and not (text_column is vector_column is None):
        raise ValueError(
            f"Got text_column or vector_column for the recipe {name!r}. Expected {COLUMNS!r}, which takes "
            "tables, or no column."
        )
    if name not in TAUGHT and teacher is not None:
        raise ValueError(f"Got a teacher for the recipe {name!r}, which takes none. Leave it away.")
    if name == "vectors":
        *steps, classifier = _dense(VectorEmbedder(accept_sparse=False), alone=True)
        return make_transfer_pipeline(*steps, SelfTrainingClassifier(classifier))
    words = NGramVectorizer("binary", max_ngram="auto"), NaiveBayesLogisticRegression(weighting="auto")
    if name == "words":
        last = NaiveBayesLogisticRegression(weighting="both")
        return make_transfer_pipeline(words[0], SelfTrainingClassifier(words[1], last_estimator=last))
    if name == "word_vectors":
        learned = make_transfer_pipeline(*_dense(DomainWordEmbedder()))
        both = [("words", make_transfer_pipeline(*words)), ("vectors", learned)]
        return CoTrainingClassifier(both, labels_from="own", weights="held_out")
    if name == COLUMNS:
        return _of_columns("text" if text_column is None else text_column, vector_column, words)
    teacher = SentenceEmbedder(by_sentence=True) if teacher is None else teacher
    views = [
        ("words", make_transfer_pipeline(*words)),
        ("sentences", make_transfer_pipeline(*_dense(teacher))),
    ]
    if name == "sentences":
        return CoTrainingClassifier(views)
    views.insert(1, ("student", make_transfer_pipeline(*_dense(DistilledEmbedder(teacher)))))
    return CoTrainingClassifier(views, predict_with=["words", "student"])


def _of_columns(text_column, vector_column, words):
    """Words of the column with texts, and each column of vectors, as views of a table's rows."""
    texts = [text_column] if isinstance(text_column, str) else list(text_column)
    vectors = [vector_column] if isinstance(vector_column, str) else list(vector_column or ())
    n_views = bool(texts) + len(vectors)
    if not vectors or n_views < 2 or len({*texts, *vectors}) < len(texts) + len(vectors):
        raise ValueError(
            f"Got the recipe {COLUMNS!r} with text_column={text_column!r} and "
            f"vector_column={vector_column!r}. Expected a column of vectors, or a list of some, each once. "
            "Of texts alone take 'words'."
        )
    views: list[tuple] = [("words", of_columns(words[0], texts), *words[1:])] if texts else []
    for i, column in enumerate(vectors, 1):
        name = "vectors" if len(vectors) == 1 else f"vectors{i}"
        views.append((name, *_dense(ColumnEmbedder(column, VectorEmbedder()))))
    return CoTrainingClassifier(
        [(name, make_transfer_pipeline(*steps)) for name, *steps in views], weights="held_out"
    )


def _dense(embedder, alone=False):
    """Rows of the length for which C = 1 is right: of sentence models 1, of histograms 10.

    Views beside words are centred, each domain by itself. Alone, both domains have the source's mean taken
    off: a classifier that can tell the domains apart takes other class shares in the target better.
    """
    return (
        embedder,
        StandardScaler(with_std=False) if alone else DomainCentering(),
        LengthScaling((1.0, 10.0)),
        LogisticRegression(C=1.0, max_iter=500),
    )
