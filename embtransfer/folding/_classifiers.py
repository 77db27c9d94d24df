"""The last step of a pipeline: columns of scores, and the head that reads them."""

from dataclasses import replace

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    HuberRegressor,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC, LinearSVR

from ..classifiers import (
    CoTrainingClassifier,
    FeatureAugmentationClassifier,
    LabelShiftClassifier,
    MultiLabelClassifier,
    NaiveBayesLogisticRegression,
)
from ..classifiers._base import BaseTransferPredictor
from ..classifiers._multi_label import CERTAIN
from ..priors import LEAST
from ._rows import Block, CannotFold, Inner, Rows
from ._steps import fold_steps

_LINEAR = (
    LogisticRegression,
    RidgeClassifier,
    RidgeClassifierCV,
    LinearSVC,
    SGDClassifier,
    Perceptron,
    LinearDiscriminantAnalysis,
)
_NUMBERS = (
    LinearRegression,
    Ridge,
    RidgeCV,
    ElasticNet,  # the lasso is one
    LassoCV,
    ElasticNetCV,
    BayesianRidge,
    HuberRegressor,
    SGDRegressor,
    LinearSVR,
)


class Scores:
    """Columns of scores, filled by `add`, which returns where the new ones are."""

    def __init__(self):
        self.blocks, self.width = [], 0

    def add(self, rows):
        start = self.width
        self.blocks += rows.blocks
        self.width += rows.width
        return start, self.width


def found_by(search):
    """What a search predicts with."""
    if getattr(search, "_worth", None) is not None:
        raise CannotFold(
            "a search that decides by its scoring; its best_estimator_, which gives the most probable of "
            "three or more labels, may fold"
        )
    return search.best_estimator_


def fold_model(model, rows, scores):
    """The head of a fitted pipeline or classifier, whose columns go into scores; rows is None for texts."""
    if hasattr(model, "best_estimator_"):
        return fold_model(found_by(model), rows, scores)
    if isinstance(model, FrozenEstimator):
        return fold_model(model.estimator, rows, scores)
    if isinstance(model, Pipeline):
        rows = fold_steps(model.steps[:-1], rows)
        name, last = model.steps[-1]
        try:
            return fold_model(last, rows, scores)
        except CannotFold as error:
            if error.args[0].startswith("step "):
                raise
            raise CannotFold(f"step {name!r} ({type(last).__name__}): {error}") from None
    if isinstance(model, MultiLabelClassifier):
        return _labels(model, rows, scores)
    if isinstance(model, CoTrainingClassifier):
        weights = model._weights()
        heads = [fold_model(model.views_[name], rows, scores) for name in weights]
        mean = {"kind": "mean", "heads": heads, "weights": list(weights.values())}
        return _tempered(mean, getattr(model, "target_temperature_", 1.0), len(model.classes_))
    if isinstance(model, VotingClassifier):
        if model.voting != "soft":
            raise CannotFold("voting='hard' does not fold; 'soft' does")
        heads = [fold_model(part, rows, scores) for part in model.estimators_]
        weights = model._weights_not_none
        return {"kind": "mean", "heads": heads, "weights": [float(w) for w in weights or [1] * len(heads)]}
    if isinstance(model, (FixedThresholdClassifier, TunedThresholdClassifierCV)):
        return _threshold(model, rows, scores)
    if isinstance(model, CalibratedClassifierCV):
        return _calibrated(model, rows, scores)
    if hasattr(model, "answered_by"):
        raise CannotFold("a cascade as a whole; its fast model is folded when it predicts")
    if rows is None:
        raise CannotFold("a classifier without steps before it that make rows of texts")
    if isinstance(model, LabelShiftClassifier):
        return {
            "kind": "shift",
            "head": fold_model(model.estimator_, rows, scores),
            "slope": float(model.slope_),
            "biases": model.biases_.tolist(),
            "ratio": model.prior_ratio_.tolist(),
            "least": float(LEAST),
        }
    if isinstance(model, FeatureAugmentationClassifier) and model.n_target_labels_:
        zeros = Rows([Block(rows.width)])
        parts = (rows, zeros, rows) if model.domain_ == "target" else (rows, rows, zeros)
        rows = Rows([block for part in parts for block in part.blocks])
        return fold_model(model.estimator_, rows, scores)
    if isinstance(model, BaseTransferPredictor):
        return fold_model(model.estimator_, rows, scores)
    return _plain(model, rows, scores)


def _tempered(head, temperature, n_classes):
    """The head with log-probabilities divided by the temperature, as a shift without biases."""
    if temperature == 1:
        return head
    same = {"biases": [0.0] * n_classes, "ratio": [1.0] * n_classes, "least": float(LEAST)}
    return {"kind": "shift", "head": head, "slope": 1 / temperature, "decision": False, **same}


def _labels(model, rows, scores):
    heads = []
    for one in model.estimators_:
        if isinstance(one, DummyClassifier):  # a label that all source texts had, or none
            constant = [CERTAIN if one.classes_[0] else -CERTAIN]
            heads.append(_linear(Rows([Block(1, constant=np.array(constant))]), scores, "logistic", True))
        else:
            heads.append(fold_model(one, rows, scores))
    if len(heads) < len(model.classes_):  # of a ridge that solved all labels at once
        columns = range(heads[0]["start"], heads[0]["stop"])
        heads = [heads[0] | {"start": column, "stop": column + 1} for column in columns]
    return {"kind": "labels", "heads": heads}


def _plain(model, rows, scores):
    if isinstance(model, NaiveBayesLogisticRegression):
        return _log_count_ratios(model, rows, scores)
    if isinstance(model, GaussianNB):
        return _gaussian(model, rows, scores)
    if isinstance(model, (MultinomialNB, ComplementNB)):
        constant = model.class_log_prior_ if isinstance(model, MultinomialNB) else None
        return _linear(rows.affine(model.feature_log_prob_.T, after=constant), scores, "softmax", False)
    if isinstance(model, NearestCentroid):
        return _centroid(model, rows, scores)
    if isinstance(model, _NUMBERS):
        return _number(model, rows, scores)
    if not isinstance(model, _LINEAR):
        raise CannotFold("it is not among the classifiers and regressors that fold")
    decided = rows.affine(np.atleast_2d(model.coef_).T, after=np.ravel(model.intercept_))
    return _linear(decided, scores, _link(model), True)


def _link(model):
    if isinstance(model, (LogisticRegression, LinearDiscriminantAnalysis)):
        if len(model.classes_) == 2:
            return "logistic"
        # scikit-learn before 1.8 has one against the rest, too
        apart = getattr(model, "multi_class", "") == "ovr" or getattr(model, "solver", "") == "liblinear"
        return "one_vs_rest" if apart else "softmax"
    if isinstance(model, SGDClassifier) and model.loss in ("log_loss", "modified_huber"):
        return {"log_loss": "one_vs_rest", "modified_huber": "modified_huber"}[model.loss]
    return None


def _linear(rows, scores, link, decision):
    start, stop = scores.add(rows)
    return {"kind": "linear", "start": start, "stop": stop, "link": link, "decision": decision}


def _number(model, rows, scores):
    coef, intercept = np.ravel(model.coef_), np.ravel(model.intercept_)
    if len(intercept) != 1 or len(coef) != rows.width:
        raise CannotFold(f"it predicts {len(intercept)} numbers a text; one folds")
    start, _ = scores.add(rows.affine(coef[:, None], after=intercept))
    return {"kind": "number", "start": start}


def _log_count_ratios(model, rows, scores):
    leaf = rows.plain_terms()
    if leaf is None:
        raise CannotFold("log-count ratios fold on counts of words alone")
    if model.binarize:
        leaf = replace(leaf, counting="binary", weights=None)
    blocks, parts = [], model.parts()
    for weighting, weights, coefs, offsets in parts:
        regressions = zip(weights, coefs[:, None], offsets[:, None], strict=True)
        if weighting == "idf":  # the same weights for all classes
            regressions = [(weights[0], coefs, offsets)]
        for of_words, coef, offset in regressions:
            weighted = of_words.astype(np.float64) * (1.0 if leaf.weights is None else leaf.weights)
            of_length_1 = Rows.of(replace(leaf, weights=weighted, normalised=True))
            blocks += of_length_1.affine(coef.T, after=offset).blocks
    found = Rows(blocks)
    if len(parts) > 1:  # side by side, so that texts are read once
        n_labels = found.width // len(parts)
        found = Rows.of(Inner(found, "none")).affine(np.tile(np.eye(n_labels), (len(parts), 1)) / len(parts))
    return _linear(found, scores, "one_vs_rest", True)


def _gaussian(model, rows, scores):
    r"""log p(y) - sum_j ln(2 pi v_j) / 2 - (x_j - m_j)^2 / (2 v_j): linear in x and its squares."""
    means, variances = model.theta_.astype(np.float64), model.var_.astype(np.float64)
    constant = np.log(model.class_prior_) - 0.5 * np.log(2 * np.pi * variances).sum(axis=1)
    constant = constant - 0.5 * (means**2 / variances).sum(axis=1)
    linear, squared = (means / variances).T, -0.5 / variances.T
    if np.allclose(variances, variances[0], rtol=1e-9, atol=0):  # the squares are the same for all classes
        return _linear(rows.affine(linear, after=constant), scores, "softmax", False)
    weight = np.concatenate([linear, squared])
    return _linear(rows.through("squares").affine(weight, after=constant), scores, "softmax", False)


def _centroid(model, rows, scores):
    """Nearest by the squared distance, of which the rows' own length is the same for all classes."""
    prior = getattr(model, "class_prior_", None)
    even = prior is None or np.isclose(prior, 1 / len(prior)).all()
    if model.metric != "euclidean" or not even:
        raise CannotFold("metric='euclidean' and equal priors fold")
    centroids = model.centroids_.astype(np.float64)
    nearest = rows.affine(2 * centroids.T, after=-(centroids**2).sum(axis=1))
    return _linear(nearest, scores, None, False)


def _threshold(model, rows, scores):
    inner = getattr(model, "estimator_", None) or model.estimator
    head = fold_model(inner, rows, scores)
    fixed = isinstance(model, FixedThresholdClassifier)
    if fixed:
        response, threshold = model._get_response_method(), model.threshold
        label = model.pos_label
    else:
        response, threshold = model.response_method, model.best_threshold_
        label = getattr(model._curve_scorer, "pos_label", None)
    names = [response] if isinstance(response, str) else list(response)
    if names == ["auto"]:
        names = ["predict_proba", "decision_function"]
    name = next(name for name in names if hasattr(inner, name))
    if threshold == "auto":
        threshold = 0.5 if name == "predict_proba" else 0.0
    positive = 1 if label is None else int(np.flatnonzero(model.classes_ == label)[0])
    response = "proba" if name == "predict_proba" else "decision"
    found = {"response": response, "threshold": float(threshold), "positive": positive}
    return {"kind": "threshold", "head": head} | found


def _calibrated(model, rows, scores):
    members = []
    for part in model.calibrated_classifiers_:
        inner = part.estimator
        member = {"head": fold_model(inner, rows, scores), "method": part.method}
        if part.method == "temperature":
            if not hasattr(inner, "decision_function"):  # scikit-learn guesses from the rows what it has
                raise CannotFold("temperature calibration folds over a decision_function alone")
            members.append(member | {"slope": float(part.calibrators[0].beta_)})
            continue
        places = np.searchsorted(part.classes, inner.classes_).tolist()
        member["places"] = [1] if len(part.classes) == 2 else places
        member["calibrators"] = [_calibrator(calibrator) for calibrator in part.calibrators]
        members.append(member)
    return {"kind": "calibrated", "n_classes": len(model.classes_), "members": members}


def _calibrator(calibrator):
    if hasattr(calibrator, "a_"):
        return {"slope": float(calibrator.a_), "offset": float(calibrator.b_)}
    if calibrator.out_of_bounds != "clip":
        raise CannotFold("isotonic calibration folds with out_of_bounds='clip'")
    return {"x": calibrator.X_thresholds_.tolist(), "y": calibrator.y_thresholds_.tolist()}
