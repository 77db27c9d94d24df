"""Lightweight scikit-learn classifiers, set up for embedded texts."""

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.svm import LinearSVC

from .._names import check_name
from .._types import Estimator
from ._co_training import CoTrainingClassifier
from ._coral import CORALClassifier
from ._density_ratio import density_ratio
from ._few_labels import FeatureAugmentationClassifier, PooledClassifier
from ._importance import ImportanceWeightedClassifier, ImportanceWeightedRegressor
from ._label_shift import LabelShiftClassifier
from ._multi_label import MultiLabelClassifier
from ._naive_bayes import NaiveBayesLogisticRegression
from ._self_training import SelfTrainingClassifier

__all__ = [
    "CLASSIFIERS",
    "REGRESSORS",
    "CORALClassifier",
    "CoTrainingClassifier",
    "FeatureAugmentationClassifier",
    "ImportanceWeightedClassifier",
    "ImportanceWeightedRegressor",
    "LabelShiftClassifier",
    "MultiLabelClassifier",
    "NaiveBayesLogisticRegression",
    "PooledClassifier",
    "SelfTrainingClassifier",
    "density_ratio",
    "make_classifier",
    "make_regressor",
]

# embeddings are averages, whose columns vary by some 0.1 only: the usual C = 1 would be strong shrinkage
_MAKERS = {
    "logistic": lambda seed: LogisticRegression(C=10.0, max_iter=1000, random_state=seed),
    "ridge": lambda seed: RidgeClassifier(alpha=1.0),
    "svm": lambda seed: LinearSVC(C=1.0, random_state=seed),
    "lda": lambda seed: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    "naive_bayes": lambda seed: GaussianNB(),
    "centroid": lambda seed: NearestCentroid(),
    "log_count_ratio": lambda seed: NaiveBayesLogisticRegression(),
    "self_training": lambda seed: SelfTrainingClassifier(random_state=seed),
    "importance": lambda seed: ImportanceWeightedClassifier(random_state=seed),
    "label_shift": lambda seed: LabelShiftClassifier(random_state=seed),
}
CLASSIFIERS = tuple(_MAKERS)
_REGRESSOR_MAKERS = {"ridge": Ridge, "importance": ImportanceWeightedRegressor}
REGRESSORS = tuple(_REGRESSOR_MAKERS)


def make_regressor(name: str) -> Estimator:
    """Make a regressor by name, for labels that are numbers, such as ratings.

    Parameters
    ----------
    name : {"ridge", "importance"}
        Ridge regression, or the same weighted by nearest neighbours in the target.

    Returns
    -------
    regressor : a new, unfitted scikit-learn regressor

    Raises
    ------
    ValueError
        If there is no regressor of that name.

    Examples
    --------
    >>> from embtransfer import make_regressor
    >>> make_regressor("ridge")
    Ridge()
    """
    check_name("regressor", name, REGRESSORS)
    return _REGRESSOR_MAKERS[name]()


def make_classifier(name: str, random_state: int | None = 0) -> Estimator:
    """Make a classifier by name.

    Parameters
    ----------
    name : {"logistic", "ridge", "svm", "lda", "naive_bayes", "centroid", "log_count_ratio", \
            "self_training", "importance", "label_shift"}
        Logistic regression (C = 10), ridge, linear support vector machine, linear discriminant analysis
        with Ledoit-Wolf shrinkage, Gaussian naive Bayes, nearest class mean; logistic regression on
        log-count ratios (for "ngrams"), self-trained, importance-weighted by nearest neighbours, or with the
        target's priors.
    random_state : int or None, default=0
        For the classifiers that draw at random.

    Returns
    -------
    classifier : a new, unfitted scikit-learn classifier

    Raises
    ------
    ValueError
        If there is no classifier of that name.

    Examples
    --------
    >>> from embtransfer import make_classifier
    >>> make_classifier("centroid")
    NearestCentroid()
    """
    check_name("classifier", name, CLASSIFIERS)
    return _MAKERS[name](random_state)
