"""Target data on their way into a pipeline: their holder, and the steps that take them."""

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from .._parts import children, nested, takes
from .._types import Labels, Rows


class Target:
    """Holds target data on its way through model selection.

    scikit-learn's cross-validation cuts every fit parameter that is as long as X into folds. A target
    that happens to have as many rows as the source would lose rows in each fold, silently. The holder
    has no length, so nothing cuts it; TransferPipeline takes the data out.

    Parameters
    ----------
    X_target : 1-D sequence of str, or array-like of shape (n_target, n_features)
    y_target : array-like of shape (n_target,), default=None
        Labels of target rows, with None, NaN or pandas.NA where not known.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from embtransfer import (DomainCentering, Target, WordEmbedder, make_classifier,
    ...                          make_transfer_pipeline, source_scorer)
    >>> source = ["good pan", "bad pan", "fine pot", "poor pot"] * 3
    >>> target = ["good film", "poor plot"] * 6
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    >>> search = GridSearchCV(pipeline, {"logisticregression__C": [1, 10]}, cv=3,
    ...                       scoring=source_scorer("accuracy"))
    >>> search.fit(source, [1, 0, 1, 0] * 3, X_target=Target(target)).predict(["fine film"])
    array([1])
    """

    def __init__(self, X_target: Rows, y_target: Labels | None = None):
        self.X_target = X_target
        self.y_target = y_target

    def __repr__(self):
        labels = "" if self.y_target is None else f", {type(self.y_target).__name__}"
        return f"Target({type(self.X_target).__name__}{labels})"


def any_takes(steps, name):
    """Whether a step asks for X_target or y_target; refused where it would be handed other rows than X."""
    for step in steps:
        for part in nested(step):
            _check_hands_on(part, name)
    return any(takes(step, name) for step in steps)


def _check_hands_on(step, name):
    if isinstance(step, Pipeline):
        later = any(takes(part, name) for part in children(step)[1:])
        if later and "X_target" not in (step.transform_input or ()):
            raise ValueError(
                "A Pipeline inside the pipeline would hand X_target to its adapter as it is, not as its "
                "earlier steps transform it. Make it with make_transfer_pipeline."
            )
    if isinstance(step, ColumnTransformer) and takes(step, name):
        raise ValueError(
            "A ColumnTransformer would hand its adapter all columns of X_target. Put the adapter after it, "
            "or make it a FeatureUnion of pipelines that choose their columns themselves."
        )
