"""Recipes: whole models, ready to fit, that were found to transfer best."""

from sklearn.linear_model import LogisticRegression

from ._names import check_name
from ._types import Estimator
from .adapters import DomainCentering, LengthScaling
from .classifiers import CoTrainingClassifier, NaiveBayesLogisticRegression, SelfTrainingClassifier
from .embedders import DistilledEmbedder, NGramVectorizer, SentenceEmbedder, VectorEmbedder
from .pipeline import make_transfer_pipeline

RECIPES = ("words", "distilled", "sentences", "vectors")


def make_recipe(name: str = "words", teacher: Estimator = None) -> Estimator:
    """Make the model that transfers best, for what you can spend.

    Parameters
    ----------
    name : {"words", "distilled", "sentences", "vectors"}, default="words"
        "words": words and n-grams of both domains, logistic regression on log-count ratios (of many classes
        on inverse document frequencies), self-trained on the target. Seconds to fit, no pretrained model.
        "sentences": the same, co-trained with logistic regression on a sentence model's vectors, which it
        wants at prediction too: the most accurate. "distilled": both, and a student distilled from the
        sentence model; fitting takes the sentence model, prediction only the words and the student.
        "vectors": of rows that are vectors already, each domain centred, brought to one scale, and logistic
        regression, self-trained on the target.
    teacher : embedder, default=None
        For "distilled" and "sentences". None is SentenceEmbedder(by_sentence=True), all-MiniLM-L6-v2. With
        its `cache_dir` the texts are encoded once.

    Returns
    -------
    TransferPipeline or CoTrainingClassifier
        Unfitted: call `fit(X, y, X_target=X_target)` with texts (of "vectors" with matrices), then `predict`.

    Raises
    ------
    ValueError
        If there is no recipe of that name, or "words" or "vectors" gets a teacher.

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
    if name in ("words", "vectors") and teacher is not None:
        raise ValueError(f"Got a teacher for the recipe {name!r}, which takes none. Leave it away.")
    if name == "vectors":
        *steps, classifier = _dense(VectorEmbedder())
        return make_transfer_pipeline(*steps, SelfTrainingClassifier(classifier))
    words = NGramVectorizer("binary", max_ngram="auto"), NaiveBayesLogisticRegression(weighting="auto")
    if name == "words":
        return make_transfer_pipeline(words[0], SelfTrainingClassifier(words[1]))
    teacher = SentenceEmbedder(by_sentence=True) if teacher is None else teacher
    views = [
        ("words", make_transfer_pipeline(*words)),
        ("sentences", make_transfer_pipeline(*_dense(teacher))),
    ]
    if name == "sentences":
        return CoTrainingClassifier(views)
    views.insert(1, ("student", make_transfer_pipeline(*_dense(DistilledEmbedder(teacher)))))
    return CoTrainingClassifier(views, predict_with=["words", "student"])


def _dense(embedder):
    """Centred rows of mean squared length 1, for which C = 1 is a middling regularisation."""
    return embedder, DomainCentering(), LengthScaling(), LogisticRegression(C=1.0, max_iter=500)
