"""A cascade: a fast model answers where it is sure, a slow one the rest."""

import warnings
from copy import copy
from numbers import Real
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import _num_samples, check_is_fitted, has_fit_parameter

from ._parts import for_source
from ._rows import take
from ._texts import plain_labels
from ._types import Estimator, Labels, Rows, Seed
from .classifiers._base import classes_of
from .classifiers._views import takes_target
from .folding import CannotFold, compile_pipeline
from .priors._target_labels import known_labels, unwrap
from .scoring._confidence import lower_end, shortest

_MOST = 5_000  # rows held out: the slow model reads them all
_SHARES = np.arange(1, 201) / 200  # of rows that the fast model may answer
_ENOUGH = 20  # labels of rows on which the two differ, for a test


class CascadeClassifier(ClassifierMixin, BaseEstimator):
    r"""A fast model answers where it is sure, a slow and better one the rest.

    Parameters
    ----------
    fast, slow : classifier with `predict_proba`
        Pipelines of the same rows, such as the recipes "distilled" and "sentences". Both are fitted here;
        FrozenEstimator keeps one that is fitted already.
    max_loss : float, default=0.5
        How many points of accuracy may be lost against the slow model alone: 0.5 is one text of 200.
    held_out : float, default=0.25
        Share of the target rows that no model is fitted with, to set the threshold; 5,000 rows at most. 1 if
        both are frozen, and were fitted with others.
    confidence : float, default=0.9
        How sure labels of the target have to be to let the fast model answer more.
    random_state : int, RandomState instance or None, default=0
        Draws the rows that are held out.

    Attributes
    ----------
    fast_, slow_ : fitted classifiers
    threshold_ : float
        The fast model answers if the probability of its label is at least this; infinity: never.
    share_deferred_ : float
        Share of the rows held out that the slow model answers.
    expected_loss_ : float
        Points of accuracy that are lost at most, as expected; 0 where all is deferred.
    n_held_out_ : int
    n_target_labels_ : int
        Labels that were used: of rows held out on which the two models differ.
    classes_ : ndarray of shape (n_classes,)

    Warns
    -----
    UserWarning
        If the slow model answers everything, as nothing else keeps the promise.

    See Also
    --------
    confidence_threshold : By labels, from which confidence on one model is right often enough.
    score_file : With `margin=True` a column tells which model answered.

    Notes
    -----
    Accuracy is lost only where the fast model answers and the two differ. Of n rows held out let :math:`D_t`
    be those on which they differ and the fast model's confidence is t or more. The threshold is the least t
    with

    .. math:: \frac{D_t + 1}{n + 1} \, u_t \le \frac{\text{max\_loss}}{100}.

    Without labels of the target :math:`u_t = 1`, as if the slow model were right wherever they differ. That
    is conformal risk control: it holds in expectation for texts like those held out, of any two models; 0.5
    points take 199 rows held out or more. Probabilities would defer less, but promise too much where they are
    not calibrated on the target.

    With labels :math:`u_t = 1 - 2 L_t`, by how much more often the slow model is right than the fast one
    where they differ. L is the lower end of the interval of Clopper and Pearson, at `confidence`, of the mean
    of 1 where the fast model is right, 0 where the slow one is, a half where neither. The surest half percent
    of rows is tested, the surest percent, and so on to the first that fails: no correction for several tests
    is due. Draw the rows to label at random, from all or, which is worth more, from those on which the models
    differ. No model learns from these labels: to learn from others, fit it before and freeze it.

    The promise is for new texts. Of the rows of `X_target` that are not held out, which the slow model has
    read at fit, a fast model that is self-trained on them is too sure: let `slow_` predict these.

    Without a target the source is the target, and a part of it is held out with its labels. A fast model that
    folds predicts folded (`compile_pipeline`). As with TransferPipeline, predictions are for target rows, and
    `predict_source` is for source rows.

    References
    ----------
    A. Angelopoulos et al. "Conformal risk control." ICLR 2024.
    S. Zeighami et al. "Cut costs, not accuracy: LLM-powered data processing with guarantees." 2025.

    Examples
    --------
    >>> from embtransfer import CascadeClassifier, DomainCentering, WordEmbedder, make_classifier
    >>> from embtransfer import make_recipe, make_transfer_pipeline
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> fast = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    >>> model = CascadeClassifier(fast, make_recipe("words"), max_loss=5)
    >>> model = model.fit(films.data, films.target, X_target=pans.data)
    >>> model.expected_loss_ <= 5
    True
    >>> set(model.answered_by(pans.data).tolist()) == {"fast", "slow"}
    True
    """

    _parameter_constraints = {
        "fast": [HasMethods(["fit", "predict_proba"])],
        "slow": [HasMethods(["fit", "predict_proba"])],
        "max_loss": [Interval(Real, 0, 100, closed="both")],
        "held_out": [Interval(Real, 0, 1, closed="right")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }
    __metadata_request__fit = {"X_target": True, "y_target": True}

    def __init__(
        self,
        fast: Estimator,
        slow: Estimator,
        *,
        max_loss: float = 0.5,
        held_out: float = 0.25,
        confidence: float = 0.9,
        random_state: Seed = 0,
    ):
        self.fast = fast
        self.slow = slow
        self.max_loss = max_loss
        self.held_out = held_out
        self.confidence = confidence
        self.random_state = random_state

    def fit(self, X: Rows, y: Labels, X_target: Rows | None = None, y_target: Labels | None = None) -> Self:
        """Fit both models on the source and most of the target; set the threshold on the rest.

        Parameters
        ----------
        X : what both models take, such as a 1-D sequence of texts
            Source.
        y : array-like of shape (n_source,)
            Source labels.
        X_target : like X, or Target, default=None
            Target. None: the target is the source.
        y_target : array-like of shape (n_target,), default=None
            Its labels, with None, NaN or pandas.NA where not known. A Target may hold them instead. They
            measure what is lost; no model learns from them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a model has other classes than y, or is a plain Pipeline with an adapter; of y_target as in
            CoTrainingClassifier.
        """
        self._validate_params()
        X_target, y_target = unwrap(X_target, y_target)
        given, alone = column_or_1d(plain_labels(y)), X_target is None
        check_consistent_length(X, given)
        self.classes_ = classes_of(given)
        target = X if alone else X_target
        n_rows = _num_samples(target)
        known = known_labels(given if alone else y_target, n_rows, self.classes_)
        rest, held, more = self._split(n_rows, given if alone else None, known.rows)
        self.n_held_out_ = len(held)
        source = (take(X, rest), given[rest], None) if alone else (X, given, take(X_target, rest))
        self.fast_, self.slow_ = self._fitted("fast", *source), self._fitted("slow", *source)
        self.__dict__.pop("_folded", None)
        labels, seen = np.full(n_rows, None, object), np.concatenate([held, more])
        labels[known.rows] = known.labels
        self._set_threshold(take(target, seen), labels[seen])
        return self

    def _split(self, n_rows, y, known):
        """Rows to fit with, those held out at random, and further labelled ones: half of all are left."""
        order = check_random_state(self.random_state).permutation(n_rows)
        if y is not None:  # one row of each class is needed to fit
            first = np.unique(y, return_index=True)[1]
            order, known = order[~np.isin(order, first)], known[:0]
        n_held = min(int(np.ceil(self.held_out * len(order))), _MOST)
        held, others = order[:n_held], order[n_held:]
        more = others[np.isin(others, known)][: max(n_rows // 2 - n_held, 0)]
        return np.setdiff1d(np.arange(n_rows), np.concatenate([held, more])), held, more

    def _fitted(self, name, X, y, X_target):
        model = getattr(self, name)
        taken = {}
        if X_target is not None and has_fit_parameter(model, "X_target"):
            taken["X_target"] = X_target
        elif X_target is not None and takes_target(model):
            raise ValueError(
                f"Got a Pipeline with an adapter as the {name} model, which would not hand it X_target. Make "
                "it with make_transfer_pipeline."
            )
        model = clone(model).fit(X, y, **taken)
        if not np.array_equal(model.classes_, self.classes_):
            mine, theirs = self.classes_.tolist(), np.asarray(model.classes_).tolist()
            raise ValueError(f"The {name} model has classes {theirs!r:.80}. Expected y's: {mine!r:.80}.")
        return model

    def _set_threshold(self, X, labels):
        """By the rows held out, of which the first `n_held_out_` were drawn evenly."""
        said = [np.asarray(model.predict_proba(X)) for model in (self._quick(), self.slow_)]
        fast, slow = (self.classes_[proba.argmax(axis=1)] for proba in said)
        sure, differ, n = said[0].max(axis=1), fast != slow, self.n_held_out_
        labelled = np.flatnonzero(differ & (labels != None))  # noqa: E711
        better = (1 + (fast == labels).astype(float) - (slow == labels))[labelled] / 2
        self.n_target_labels_ = len(labelled)
        levels = np.sort(sure[:n])[::-1]
        self.threshold_, self.expected_loss_ = np.inf, 0.0
        for level in levels[np.ceil(_SHARES * n).astype(int) - 1]:
            share = ((differ & (sure >= level))[:n].sum() + 1) / (n + 1)
            some = better[sure[labelled] >= level]
            tested = len(some) and len(some) >= min(_ENOUGH, len(better) / 2)
            most = max(1 - 2 * lower_end(some, np.ones(len(some)), self.confidence), 0) if tested else 1
            if 100 * share * most <= self.max_loss:
                below = levels[levels < level].max(initial=0.0)
                self.threshold_, self.expected_loss_ = shortest(below, level), float(100 * share * most)
            elif tested:
                break
        self.share_deferred_ = float((sure[:n] < self.threshold_).mean())
        if self.threshold_ == np.inf:
            warnings.warn(
                f"The slow model answers everything: by {n:,} rows held out the fast one may lose more than "
                f"{self.max_loss:g} points at any confidence, and with fewer than "
                f"{100 / max(self.max_loss, 0.01) - 1:,.0f} no other can be shown. Give more target rows, "
                "raise held_out or max_loss, or give labels of rows on which the two differ.",
                UserWarning,
                stacklevel=3,
            )

    def _quick(self):
        """The fast model, folded if it folds."""
        if not hasattr(self, "_folded"):
            try:
                self._folded = compile_pipeline(self.fast_)
            except CannotFold:
                self._folded = self.fast_
        return self._folded

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "_folded"}

    def answers(self, X: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Labels (n_rows,), class probabilities and, as `answered_by`, which model answered, in one pass."""
        check_is_fitted(self)
        proba = np.array(self._quick().predict_proba(X), np.float64)
        deferred = proba.max(axis=1) < self.threshold_
        if deferred.any():
            proba[deferred] = self.slow_.predict_proba(take(X, np.flatnonzero(deferred)))
        return self.classes_[proba.argmax(axis=1)], proba, np.where(deferred, "slow", "fast")

    def predict(self, X: Rows) -> np.ndarray:
        """Predict labels of target rows: array of shape (n_rows,)."""
        return self.answers(X)[0]

    def predict_proba(self, X: Rows) -> np.ndarray:
        """Class probabilities by the model that answers: array of shape (n_rows, n_classes)."""
        return self.answers(X)[1]

    def answered_by(self, X: Rows) -> np.ndarray:
        """Which model answers each row, "fast" or "slow": array of shape (n_rows,)."""
        check_is_fitted(self)
        sure = self._quick().predict_proba(X).max(axis=1)
        return np.where(sure < self.threshold_, "slow", "fast")

    def source_view(self) -> Estimator:
        """The fitted cascade for source rows: models send them through `transform_source`."""
        check_is_fitted(self)
        view = copy(self)
        view.fast_, view.slow_ = for_source(self.fast_), for_source(self.slow_)
        return view

    def predict_source(self, X: Rows) -> np.ndarray:
        """Predict labels of source rows: array of shape (n_rows,)."""
        return self.source_view().predict(X)

    def predict_proba_source(self, X: Rows) -> np.ndarray:
        """Predict class probabilities of source rows: array of shape (n_rows, n_classes)."""
        return self.source_view().predict_proba(X)
