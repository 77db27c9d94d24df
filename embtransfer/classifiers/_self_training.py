"""Self-training: a classifier learns from its own surest target rows; the rounds, for one view or several."""

import warnings
from numbers import Integral, Real
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval

from .._parts import settled
from .._types import Estimator, Rows, Seed
from ..priors import (
    LEAST,
    PRIORS,
    TargetPriors,
    calibrate,
    check_priors,
    is_estimated,
    matched,
    priors_by_rows,
    target_priors,
)
from ..priors._target_labels import Known
from ._base import BaseLabelledTargetClassifier
from ._views import View, held_out, pool_weights, pooled, probabilities

CONSTRAINTS = {
    "n_rounds": [Interval(Integral, 1, None, closed="left")],
    "share": [Interval(Real, 0, 1, closed="right")],
    "priors": PRIORS,
    "min_confidence": [Interval(Real, 0, 1, closed="both")],
    "target_weight": [Interval(Real, 0, None, closed="neither")],
    "cv": [Interval(Integral, 2, None, closed="left")],
    "random_state": ["random_state"],
}


class SelfTrainingClassifier(BaseLabelledTargetClassifier):
    r"""Fit a classifier on source rows, then again with the target rows of which it is surest.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        None: logistic regression with C = 10.
    n_rounds : int, default=5
        Rounds at most; each labels the target rows anew and takes more of them.
    share : float in (0, 1], default=0.8
        Share of the target rows that the last round takes; the rounds before take it in equal steps. The
        rest's labels are often wrong.
    priors : {"estimated", "source", "uniform"} or array-like of shape (n_classes,), default="estimated"
        Class shares among the rows taken: of the target, as estimated; of the source's labels; equal; or
        known, in the order of the sorted labels. Without such a quota one class takes over, and with one
        that is far from the target's shares many rows are taken with wrong labels.
    min_confidence : float in [0, 1], default=0.5
        Rows of less confidence are never taken: the calibrated probability of their label, by a temperature
        fitted on held-out source rows.
    target_weight : float, default=3.0
        Weight of a target row whose label is known (`y_target` of `fit`), where source rows, and target rows
        taken with a guessed label, have 1 on the mean.
    cv : int, default=5
        Folds, stratified, for that temperature; equal rows stay together. Lowered to the distinct rows of the
        smallest class.
    random_state : int, RandomState instance or None, default=0
        For the folds.

    Attributes
    ----------
    estimator_ : the classifier of the last round
    unadapted_estimator_ : the classifier fitted on source rows alone
    history_ : list of dict
        Of each round: "n_added", target rows taken; "confidence", their mean calibrated confidence;
        "agreement", share of all target rows that get the same label as from `unadapted_estimator_`. A
        round that would take no other rows and labels than the one before is left out. Empty if none took
        any, of which a warning tells.
    temperature_ : float
        Of the calibration.
    source_priors_ : ndarray of shape (n_classes,)
        Class shares of the source's labels.
    priors_ : ndarray of shape (n_classes,)
        Class shares in use; the source's without a target.
    prior_intervals_ : ndarray of shape (n_classes, 2)
        Of `priors_`: 95 % confidence if they are estimated, `priors_` twice if not.
    n_target_labels_ : int
        Labelled target rows.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    See Also
    --------
    CoTrainingClassifier : The same for several views of the texts.

    Notes
    -----
    Target probabilities p are matched to the priors,
    :math:`q_{ik} \propto p_{ik} \pi_k / \bar p_k`; the label of row i is the
    largest of :math:`q_i`, and each class takes the rows of its label with the largest q, in number
    :math:`\pi_k` times the round's share of the target rows, without the fraction; of equal ones the first.
    The rows that the fractions come to go one each to classes that have more, of the largest fractions; of
    equal ones the surest rows go first. All labels are given anew in each round. Without a target the source
    is the target. With `sample_weight` a target row counts as the mean source row; temperature and priors
    count rows.

    Target rows with a known label keep it and are learned from in every round, and count in the class quotas.
    They measure the shares as well: by Bayes' rule on their labels, which are as probable as the
    :math:`q_{ik}` of the classifier of the source say, whichever rows they are of.

    Shares are estimated by expectation maximisation on calibrated probabilities, several times. Of sparse
    rows the stable columns speak: those whose frequency in the target is within a factor of two of what the
    classes' frequencies in the source let expect, once under the source's shares and once under those that
    all columns give. One half of the columns estimates, too, and the other. The logarithms are averaged, and
    drawn towards the source's shares: the more, the less the halves agree, the worse the classes are told
    apart, and the farther the target lies outside of what mixtures of the source's classes could give. In a
    TransferPipeline after an adapter that has estimated the shares, these are taken over: rows whose means it
    matched under these shares tell them again, and err more. Dense rows of texts, in such a pipeline without
    one, are a view beside the texts' words.

    It helps where a classifier is about right and the domains differ in which words carry the label, as with
    TF-IDF rows; on rows that transfer well already it can lose. Compare with `unadapted_estimator_` on a few
    labelled target rows if you can.

    References
    ----------
    D. Yarowsky. "Unsupervised word sense disambiguation rivaling supervised methods." ACL 1995.
    Y. Zou, Z. Yu, B. Kumar, J. Wang. "Unsupervised domain adaptation for semantic segmentation via
    class-balanced self-training." ECCV 2018.
    M. Saerens, P. Latinne, C. Decaestecker. "Adjusting the outputs of a classifier to new a priori
    probabilities." Neural Computation 14, 2002 (expectation maximisation).
    A. Alexandari, A. Kundaje, A. Shrikumar. "Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation." ICML 2020 (calibration before it).

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import SelfTrainingClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 50)
    >>> X, X_target = rng.normal(size=(100, 2)) + y[:, None], rng.normal(size=(100, 2)) + 2 * y[:, None]
    >>> model = SelfTrainingClassifier().fit(X, y, X_target=X_target)
    >>> [step["n_added"] for step in model.history_]
    [16, 32, 48, 64, 80]
    """

    _holds_labels_out = True  # steps before it that learn from labels spoil that
    # TransferPipeline sets these while it fits: what an adapter before it found, the texts of dense rows
    _shares_found = None
    _words = None
    _parameter_constraints = {
        **CONSTRAINTS,
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
    }

    def __init__(
        self,
        estimator: Estimator = None,
        *,
        n_rounds: int = 5,
        share: float = 0.8,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
        min_confidence: float = 0.5,
        target_weight: float = 3.0,
        cv: int = 5,
        random_state: Seed = 0,
    ):
        self.estimator = estimator
        self.n_rounds = n_rounds
        self.share = share
        self.priors = priors
        self.min_confidence = min_confidence
        self.target_weight = target_weight
        self.cv = cv
        self.random_state = random_state

    def _fit(self, X, y, X_target, known, sample_weight):
        check_priors(self.priors, len(self.classes_))
        if len(known.rows) and self.target_weight != 1:
            self._check_takes_weights(self.target_weight)
        view = View(self._make_estimator(), X, X_target, sample_weight)
        first, last, _ = train(self, [view], y, "all", known, self._shares(X, y, X_target, known))
        self.unadapted_estimator_, self.estimator_ = first[0], last[0]

    def _shares(self, X, y, X_target, known):
        """What an adapter found, or what the texts of dense rows tell beside them; else None."""
        if not is_estimated(self.priors):
            return None
        if self._shares_found or self._words is None or X_target is X or sparse.issparse(X):
            return self._shares_found
        index, told = (np.searchsorted(self.classes_, labels) for labels in (y, known.labels))
        return priors_by_rows(
            self.priors, [(X, X_target)], index, known=(known.rows, told), words=self._words
        )


def train(options, views, y, labels_from, known, found=None, fit_weights=False):
    """Fitted classifiers on the source alone, after the last round, and how much each view counts.

    Writes what was learned on options. `found`: shares that an adapter has estimated, so that they are not
    estimated again.
    """
    classes, rng = options.classes_, check_random_state(options.random_state)
    index, told = np.searchsorted(classes, y), np.searchsorted(classes, known.labels)
    first = last = [view.fit(y) for view in views]
    for view, model in zip(views, first, strict=True):
        view.classifier = settled(model, view.classifier)
    probas = [probabilities(model, view.target) for model, view in zip(first, views, strict=True)]
    unseen = held_out(views, index, y, options.cv, rng)
    weights = np.full(len(views), 1 / len(views))
    if fit_weights and unseen is not None:
        weights = pool_weights(unseen, index)
    unadapted = pooled(probas, weights)
    if unseen is None:
        unseen = [probabilities(model, view.source) for model, view in zip(first, views, strict=True)]
    slope = calibrate(np.log(np.maximum(pooled(unseen, weights), LEAST)), index, "temperature")[0]
    options.temperature_ = float(1 / slope)
    found = found or _priors(options.priors, views, index, unseen, probas, Known(known.rows, told), rng)
    options.source_priors_, options.priors_, options.prior_intervals_ = (
        found.source,
        found.target,
        found.intervals,
    )

    def fit(taken):
        """Classifiers that also learn from guessed labels, and what they say of the target's other rows."""
        fitted = [
            view.fit(y, some, known, options.target_weight) for view, some in zip(views, taken, strict=True)
        ]
        said = [probabilities(model, view.target) for model, view in zip(fitted, views, strict=True)]
        for proba in said:
            proba[known.rows] = np.eye(len(classes))[told]
        return fitted, said

    if len(known.rows):
        last, probas = fit([None] * len(views))
    options.history_, before = [], [(b"", b"")] * len(views)
    for r in range(1, options.n_rounds + 1):
        share = options.share * r / options.n_rounds
        taken, confidence = [], []
        for i in range(len(views)):
            theirs = [j for j in range(len(views)) if j != i] if labels_from == "others" else []
            theirs = theirs or list(range(len(views)))
            some = pooled([probas[j] for j in theirs], weights[theirs])
            rows, labels, sure = _surest(some, slope, share, options)
            guessed = ~np.isin(rows, known.rows)
            taken.append(Known(rows[guessed], classes[labels[guessed]]))
            confidence.append(sure[guessed])
        now = [(some.rows.tobytes(), some.labels.tobytes()) for some in taken]
        if now == before:
            continue  # the classifiers would stay the same; a later round's larger share may not be
        before = now
        last, probas = fit(taken)
        same = pooled(probas, weights).argmax(axis=1) == unadapted.argmax(axis=1)
        confidence = np.concatenate(confidence)
        options.history_.append(
            {
                "n_added": len(taken[0].rows),
                "confidence": float(confidence.mean()) if len(confidence) else float("nan"),
                "agreement": float(same.mean()),
            }
        )
    adapting = any(view.target is not view.source for view in views)
    if last is first and options.n_rounds and adapting:
        surest = _calibrated(pooled(probas, weights), slope).max()
        warnings.warn(
            f"Got {len(unadapted)} target rows and took none in any round: the surest has a calibrated "
            f"confidence of {surest:.2f}, with min_confidence={options.min_confidence} and "
            f"share={options.share}. The classifier is that of the source alone. Lower min_confidence, raise "
            "share or give more target rows to learn from them.",
            UserWarning,
            stacklevel=4,
        )
    return first, last, weights


def _calibrated(proba, slope):
    return softmax(slope * np.log(np.maximum(proba, LEAST)), axis=1)


def _surest(proba, slope, share, options):
    """Rows to take, their labels as numbers, their calibrated confidences."""
    sure = matched(proba, options.priors_)
    labels = sure.argmax(axis=1)
    confidence = _calibrated(proba, slope)[np.arange(len(labels)), labels]
    own = sure[np.arange(len(labels)), labels]
    order = np.lexsort((-own, labels))  # by class, the surest first
    order = order[confidence[order] >= options.min_confidence]
    of_class = labels[order]
    place = np.arange(len(order)) - np.searchsorted(of_class, of_class)  # within its class
    quotas = np.round(share * options.priors_ * len(labels), 9)
    whole = np.floor(quotas)
    taken = place < whole[of_class]
    # largest remainder: one more of each class with a row left, as far as the rows of all quotas go
    left = (quotas - whole)[of_class]
    following = np.flatnonzero((place == whole[of_class]) & (left > 0))
    following = following[np.lexsort((-own[order[following]], -left[following]))]
    taken[following[: round(quotas.sum() - whole.sum())]] = True
    rows = np.sort(order[taken])
    return rows, labels[rows], confidence[rows]


def _priors(wanted, views, y, held_out, target, known, rng):
    """Shares of the classes to take rows by; known ones are their own interval."""
    n_classes = held_out[0].shape[1]
    wanted = check_priors(wanted, n_classes)
    source = np.bincount(y) / len(y)
    if not isinstance(wanted, str):
        found = wanted
    elif wanted == "uniform":
        found = np.full(n_classes, 1 / n_classes)
    elif wanted == "source" or all(view.target is view.source for view in views):
        found = source
    else:
        parts = zip(views, held_out, target, strict=True)
        seen = [(view.classifier, view.source, view.target, *probas) for view, *probas in parts]
        return target_priors(seen, y, rng, known=known)
    return TargetPriors(source, found, np.stack([found, found], axis=1))
