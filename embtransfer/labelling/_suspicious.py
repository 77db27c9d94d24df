"""suspicious_labels: source labels that models contradict which did not see them."""

from contextlib import suppress

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

from .._rows import is_table, unwrapped
from .._texts import plain_labels, text_list
from .._types import Estimator, Labels, Rows, Seed
from ..classifiers import CoTrainingClassifier, SelfTrainingClassifier
from ..classifiers._base import classes_of
from ..classifiers._views import fit_steps, held_out
from ..embedders import NGramVectorizer
from ..priors import LEAST, calibrate
from ._views import no_probabilities

SUREST = 0.1  # of the rows of a predicted class: what their labels contradict are errors
PRIOR_ROWS = 20  # of each class, that have errors as often as all: few rows are little evidence
MOST = 0.49  # of a class: with more errors than right labels nothing could be told


def suspicious_labels(
    model: Estimator, X: Rows, y: Labels, *, cv: int = 5, random_state: Seed = 0
) -> pd.DataFrame:
    r"""Find the labels that are probably wrong, the most suspicious first.

    Parameters
    ----------
    model : classifier with `predict_proba`, of one label a row
        Fitted or not: its parts are fitted anew, without the target. A CoTrainingClassifier has several
        views; a model with one is joined by TF-IDF with logistic regression, if the rows are texts in which
        words come twice. Of a self-trained model it is the classifier before.
    X : like the source rows that the model takes
    y : array-like of shape (n_rows,)
        Their labels.
    cv : int, default=5
        Folds; equal rows, and texts that differ in case and white space alone, stay together. Lowered to the
        distinct rows of the smallest class.
    random_state : int, RandomState instance or None, default=0
        For the folds.

    Returns
    -------
    DataFrame
        "row", the position in X; "label", as given; "suggested", the label that it more probably has;
        "suspicion", the probability that the given one is wrong. As many rows as labels are expected to be
        wrong: the sum of the suspicions of all rows. Clean labels give few.

    Raises
    ------
    ValueError
        If a class has one distinct row, or X and y differ in length.
    TypeError
        If the model is no classifier of one label a row with `predict_proba`.

    See Also
    --------
    suggest_labels : Which target texts to label.

    Notes
    -----
    :math:`q_{ik}` are the views' mean probabilities of the labels, each view's and the mean calibrated by a
    temperature, of classifiers that did not see row i. A label that contradicts them may be wrong, or its
    text hard. The rate of errors is read where texts are easy: :math:`T_{kl}` is the share of label l among
    the surest tenth of the rows for which k is predicted (with 20 more rows that have errors as often as
    those of all classes). Then the true classes have the probabilities :math:`p_i = T^{-\top} q_i`, negative
    ones set to zero, and the suspicion is, by Bayes' rule, that of a label l

    .. math::

        1 - \frac{p_{il} T_{ll}}{\sum_k p_{ik} T_{kl}}

    A model that is wrong in its surest rows, too, takes the rate to be higher than it is, and so finds too
    many: with few rows, say. Errors that many texts share, such as a guideline misread, are learned like any
    other rule, and not found. Time and memory grow with the number of rows.

    References
    ----------
    C. Northcutt, L. Jiang, I. Chuang. "Confident learning: estimating uncertainty in dataset labels." JAIR
    70, 2021.
    T. Liu, D. Tao. "Classification with noisy labels by importance reweighting." IEEE TPAMI 38, 2016 (rates
    of errors from the surest rows).

    Examples
    --------
    >>> from embtransfer import WordEmbedder, make_classifier, make_transfer_pipeline, suspicious_labels
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films = load_demo_reviews("films")
    >>> y = films.target.copy()
    >>> y[:30] = 1 - y[:30]
    >>> model = make_transfer_pipeline(WordEmbedder(), make_classifier("logistic"))
    >>> found = suspicious_labels(model, films.data, y)
    >>> bool((found["row"][:20] < 30).mean() > 3 * 30 / 320)
    True
    """
    model = unwrapped(model)
    y = np.asarray(column_or_1d(plain_labels(y), warn=True))
    check_consistent_length(X, y)
    classes = classes_of(y)
    index = np.searchsorted(classes, y)
    texts = _texts(X)
    views = [fit_steps(view, X, y, None)[0] for view in _views(model)]
    if texts is not None and not isinstance(model, CoTrainingClassifier):
        with suppress(ValueError):  # of scripts without spaces hardly a word comes twice
            views.append(fit_steps(_plain(), X, y, None)[0])
    rng = check_random_state(random_state)
    found = held_out(views, index, y, cv, rng, [X if texts is None else texts])
    if found is None:
        raise ValueError(
            f"The class {str(classes[np.bincount(index).argmin()])!r}, or another, has no two distinct rows, "
            "so that none can be held out. Leave it out, or add some."
        )
    mean = np.mean([_calibrated(proba, index) for proba in found], axis=0)
    suspicion, other = _suspicion(_calibrated(mean, index), index)
    rows = np.argsort(-suspicion, kind="stable")[: round(suspicion.sum())]
    columns = {"row": rows, "label": y[rows], "suggested": classes[other[rows]], "suspicion": suspicion[rows]}
    return pd.DataFrame(columns)


def _views(model):
    """Unfitted models that see the source alone."""
    if isinstance(model, CoTrainingClassifier):
        return [view for _, view in model.estimators]
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if hasattr(last, "multilabel_") or not (is_classifier(last) and hasattr(last, "predict_proba")):
        raise no_probabilities(last)
    model = clone(model)
    if isinstance(last, SelfTrainingClassifier):
        last = last._make_estimator()
        model = model.set_params(**{model.steps[-1][0]: last}) if isinstance(model, Pipeline) else last
    return [model]


def _plain():
    """TF-IDF, which is another view of texts than most models have."""
    return Pipeline([("words", NGramVectorizer()), ("classifier", LogisticRegression(C=10, max_iter=500))])


def _texts(X):
    """X as a list of texts; None where it is something else."""
    if is_table(X):
        return None
    try:
        return text_list(X)
    except (TypeError, ValueError):
        return None


def _calibrated(proba, index):
    logits = np.log(np.maximum(proba, LEAST))
    return softmax(calibrate(logits, index, "temperature")[0] * logits, axis=1)


def _error_rates(proba, index):
    """How often a row of one class is labelled as another: (n_classes, n_classes), rows sum to 1."""
    n_classes, predicted, sure = proba.shape[1], proba.argmax(axis=1), proba.max(axis=1)
    wrong, n = np.zeros((n_classes, n_classes)), np.bincount(predicted, minlength=n_classes)
    n = np.ceil(SUREST * n)
    for k, surest in enumerate(n):
        rows = np.flatnonzero(predicted == k)
        in_order, own = np.sort(-sure[rows]), -sure[rows]
        surer, as_sure = (np.searchsorted(in_order, own, side) for side in ("left", "right"))
        weights = np.clip((surest - surer) / (as_sure - surer), 0, 1)  # rows that are equally sure share
        wrong[k] = np.bincount(index[rows], weights, n_classes)
    np.fill_diagonal(wrong, 0)
    rate = wrong.sum() / n.sum()
    rates = (wrong + PRIOR_ROWS * rate / (n_classes - 1)) / (n + PRIOR_ROWS)[:, None]
    np.fill_diagonal(rates, 0)
    rates *= np.minimum(1, MOST / np.maximum(rates.sum(axis=1, keepdims=True), LEAST))
    return rates + np.diag(1 - rates.sum(axis=1))


def _suspicion(proba, index):
    """Of each row the probability that its label is wrong, and the most probable other class."""
    rates, rows = _error_rates(proba, index), np.arange(len(index))
    true = np.maximum(np.linalg.solve(rates.T, proba.T).T, 0)
    both = true * rates[:, index].T  # a true class, and this label
    own, both[rows, index] = both[rows, index], 0
    others = both.sum(axis=1)
    true[rows, index] = -1
    return others / np.maximum(own + others, np.finfo(np.float64).tiny), true.argmax(axis=1)
