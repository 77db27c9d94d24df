"""confidence_threshold: below which to give no label, so that the others are right often enough."""

from collections.abc import Mapping
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from .._types import Estimator, Labels, Rows
from ..scoring._confidence import confidences, effective_size, lower_end, shortest
from ._estimate import drawn_rows
from ._known import by_row, check_classes
from ._views import no_probabilities, predicted

SHARES = np.arange(1, 11) / 10  # of rows that may keep their labels


def confidence_threshold(
    model: Estimator,
    X_target: Rows,
    y_target: Labels | Mapping,
    *,
    accuracy: float = 0.9,
    probability: ArrayLike | Mapping | None = None,
    confidence: float = 0.9,
) -> float:
    r"""Find the confidence from which on a model's labels are right as often as asked, by some target labels.

    Parameters
    ----------
    model : fitted classifier with `predict_proba`, of one label a row
        Compiled ones, too.
    X_target : like the target rows that the model takes
        All of them, the unlabelled too.
    y_target, probability
        As in `estimate_score`: labels that are known, and with which probability their rows were drawn. The
        model must not have learned from these. A label that is no class of the model, such as "none of
        these", makes whatever the model says wrong.
    accuracy : float, default=0.9
        How often the labels that are left are to be right.
    confidence : float, default=0.9
        How often such a threshold is to hold what it says.

    Returns
    -------
    float
        The `reject_below` of `score_file`; a short number of those that part the same rows.

    Raises
    ------
    ValueError
        If no threshold is sure enough, by so few labels or at all; as `estimate_score`.
    TypeError
        If the model has no `predict_proba`, or predicts several labels a row.

    See Also
    --------
    score_file : Leaves labels empty with `reject_below`.
    estimate_score : The accuracy of all rows.

    Notes
    -----
    The surest 10, 20, ... 100 % of the rows are tried in this order. Of m labelled ones among them, with
    weights :math:`w_i = 1 / p_i` and right or not, :math:`r_i`,

    .. math::

        n = \frac{(\sum_i w_i)^2}{\sum_i w_i^2}, \quad s = \frac{\sum_i w_i r_i}{\sum_i w_i}, \quad
        L = B^{-1}(1 - c; \; n s, \; n (1 - s) + 1)

    is the lower end of the one-sided interval of Clopper and Pearson at confidence c, exact for any number of
    labels that were drawn evenly (n is m then), and Korn and Graubard's of others. The last share is taken
    before the first whose L is below `accuracy`. As the order is fixed, no correction for several tests is
    due, as long as surer rows are right at least as often. With :math:`l = \log(1 - c) / \log(accuracy)`
    labels L would do were all right: 22 for 0.9, 45 for 0.95. The first shares are passed over, up to one
    that has l labels and half of all or 3 l, so that a wrong one among the first does not end it.

    It holds for texts like X_target: of texts of other classes than the model's it says something if there
    are some in X_target, and some of them among the labelled.

    References
    ----------
    C. Clopper, E. Pearson. "The use of confidence or fiducial limits." Biometrika 26, 1934.
    E. Korn, B. Graubard. "Confidence intervals for proportions with small expected number of positive
    counts." Survey Methodology 24, 1998.
    A. Angelopoulos et al. "Learn then test: calibrating predictive algorithms to achieve risk control."
    Annals of Applied Statistics 19, 2025 (tests in a fixed order).
    Y. Geifman, R. El-Yaniv. "Selective classification for deep neural networks." NIPS 2017.

    Examples
    --------
    >>> from embtransfer import confidence_threshold, make_recipe, suggest_labels
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)
    >>> drawn = suggest_labels(model, pans.data, 100, method="random")
    >>> labels = {row: pans.target[row] for row in drawn["row"]}  # somebody's
    >>> 0.5 < confidence_threshold(model, pans.data, labels, accuracy=0.75) < 1
    True
    """
    for name, value in (("accuracy", accuracy), ("confidence", confidence)):
        if not (isinstance(value, Real) and 0 < value < 1):
            raise ValueError(f"Got {name}={value!r}. Expected a number between 0 and 1, such as 0.9.")
    predicted, classes, sure = _labels(model, X_target)
    labels = by_row(y_target, len(predicted), "y_target")
    rest, scored, chances = drawn_rows(labels, probability)
    if not np.isin(labels[scored], classes.tolist()).any():
        check_classes(labels[scored], classes)
    right, weights = labels[scored] == predicted[scored], 1 / chances
    least = np.log(1 - confidence) / np.log(accuracy)  # labels, were all right
    n_all = effective_size(weights)
    if n_all < least:
        raise ValueError(
            f"Got {len(scored):,} labels, worth {n_all:.0f} drawn evenly. For accuracy={accuracy:g} it takes "
            f"{np.ceil(least):.0f}, and that only if all are right. Label more rows drawn at random, or ask "
            "for less."
        )
    levels, found = np.sort(sure[rest])[::-1], None
    for share in SHARES:
        level = levels[int(np.ceil(share * len(levels))) - 1]
        some = sure[scored] >= level
        if not some.any() or effective_size(weights[some]) < np.clip(n_all / 2, least, 3 * least):
            continue
        low = lower_end(right[some], weights[some], confidence)
        if low < accuracy:
            break
        found = level
    if found is None:
        raise ValueError(
            f"By {len(scored):,} labels no confidence is sure to give an accuracy of {accuracy:g}: the "
            f"surest {share:.0%} of rows may have as little as {low:.3f}. Ask for less, or label more."
        )
    return shortest(levels[levels < found].max(initial=0.0), found)


def _labels(model, X):
    """Labels, classes, and the confidence of each label."""
    model = getattr(model, "best_estimator_", model)
    last = model[-1] if isinstance(model, Pipeline) else model
    if getattr(last, "multilabel_", False) or not hasattr(last, "predict_proba"):
        raise no_probabilities(last)
    (labels, proba, _), classes = predicted(model, X), np.asarray(last.classes_)
    return labels, classes, confidences(labels, proba, classes)[0]
