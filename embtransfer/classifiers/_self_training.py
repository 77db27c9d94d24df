"""Self-training: a classifier learns from its own surest target rows."""

from numbers import Integral, Real
from typing import Literal

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import HasMethods, Interval

from .._parts import settled
from .._types import Estimator, Rows, Seed
from ..priors import PRIORS, check_priors, is_estimated, priors_by_rows
from ._base import BaseLabelledTargetClassifier
from ._rounds import train
from ._sureness import divided, divides, target_temperature
from ._views import View, probabilities

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
    last_estimator : classifier with `predict_proba` or None, default=None
        Learns from the rows and labels of the last round in the place of `estimator`, which serves the
        rounds and the class shares alone: one that takes longer, say.
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
        fitted on held-out source rows, matched to the priors as in Notes.
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
    estimator_ : the classifier of the last round, or `last_estimator` fitted to its rows
    unadapted_estimator_ : the same classifier fitted on source rows alone
    history_ : list of dict
        Of each round: "n_added", target rows taken; "confidence", their mean calibrated confidence;
        "agreement", share of all target rows that get the same label as from `estimator` fitted on the
        source alone. A round that would take no other rows and labels than the one before is left out. Empty
        if none took any, of which a warning tells.
    temperature_ : float
        Of the calibration.
    target_temperature_ : float
        By which the log-odds of `estimator_` were divided after the last round: see Notes. 1 where it is no
        logistic regression, or there was nothing to learn from.
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
    From five a class on they measure the shares as well: by Bayes' rule on their labels, whichever rows they
    are of, with a factor for each class by which the probabilities of the source's classifier are multiplied.

    Shares are estimated by expectation maximisation on calibrated probabilities, several times. Of sparse
    rows the stable columns speak: those whose frequency in the target is within a factor of two of what the
    classes' frequencies in the source let expect, once under the source's shares and once under those that
    all columns give. One half of the columns estimates, too, and the other. Where the target's rows hold
    twice as many words as the source's, or more, source rows of a class are joined for it until they are as
    long: votes of words that add up over a long text would give all of it to one class. The logarithms are
    averaged. Of two classes the target itself says something, too: scores by parts of the columns covary by
    :math:`\pi (1 - \pi)`, and of three the third moment shows which class is the rarer one; this asks nothing
    of the source's rates of error, and says the more, the more target rows there are. The mean is
    drawn towards the source's shares: the more, the less the halves agree, the worse the classes are told
    apart, and the farther the target lies outside of what mixtures of the source's classes could give; of
    more than two classes each as far as its own share is unsure, since rare ones err more. In a
    TransferPipeline after an adapter that has estimated the shares, these are taken over: rows whose means it
    matched under these shares tell them again, and err more. Dense rows of texts, in such a pipeline without
    one, are a view beside the texts' words.

    A classifier that has learned from its own labels is too sure of them. After the last round its log-odds
    are divided by the temperature T that minimises :math:`-\sum_{ik} q_{ik} \log \mathrm{softmax}_k(z_i / T)`
    over every second target row, with z by a classifier that learned from the others, and q the calibrated
    probabilities that the classifier of the source alone gives, matched to the priors. Labels stay as they
    are, and so does `temperature_`, which is for the rounds.

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
    A. Jaffe, B. Nadler, Y. Kluger. "Estimating the accuracies of multiple classifiers without labeled data."
    AISTATS 2015 (covariances and third moments).

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

    last_estimator = None  # of models that were saved before
    _holds_labels_out = True  # steps before it that learn from labels spoil that
    # TransferPipeline sets these while it fits: what an adapter before it found, the texts of dense rows
    _shares_found = None
    _words = None
    _parameter_constraints = {
        **CONSTRAINTS,
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "last_estimator": [HasMethods(["fit", "predict_proba"]), None],
    }

    def __init__(
        self,
        estimator: Estimator = None,
        *,
        last_estimator: Estimator = None,
        n_rounds: int = 5,
        share: float = 0.8,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
        min_confidence: float = 0.5,
        target_weight: float = 3.0,
        cv: int = 5,
        random_state: Seed = 0,
    ):
        self.estimator = estimator
        self.last_estimator = last_estimator
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
        trained = train(self, [view], y, "all", known, self._shares(X, y, X_target, known))
        self.unadapted_estimator_, self.estimator_ = trained.first[0], trained.last[0]
        if self.last_estimator is not None:
            self._fit_last(view, y, known, trained)
        self.target_temperature_ = 1.0
        if trained.taken is None or not divides(self.estimator_):
            return

        def sure(models, rows):
            return lambda temperature: probabilities(divided(models[0], temperature), rows[0])

        self.target_temperature_ = target_temperature(
            [view], trained.taken, y, trained.expected, known, self.target_weight, sure
        )
        self.estimator_ = divided(self.estimator_, self.target_temperature_)

    def _fitted_with_weights(self):
        last = [] if self.last_estimator is None else [self.last_estimator]
        return [*super()._fitted_with_weights(), *last]

    def _fit_last(self, view, y, known, trained):
        of_rounds, view.classifier = view.classifier, self.last_estimator
        unadapted = view.fit(y)
        view.classifier = last = settled(unadapted, self.last_estimator)
        if type(last) is type(of_rounds) and last.get_params() == of_rounds.get_params():
            return  # on this evidence it is what the rounds had
        self.unadapted_estimator_ = self.estimator_ = unadapted
        guessed = None if trained.taken is None else trained.taken[0]
        if guessed is not None or len(known.rows):
            self.estimator_ = view.fit(y, guessed, known, self.target_weight)

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
