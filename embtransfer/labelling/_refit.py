"""A saved model fitted anew, with labels of the target."""

from sklearn.base import clone

from .._parts import last_step, learns_target_labels, takes
from .._rows import n_rows, unwrapped
from ..classifiers import CLASSIFIERS, make_classifier
from ..recipes import RECIPES
from ._known import by_row


def refitted(model, X, y, X_target, labels, random_state=None, domain=None):
    """A copy of a model, fitted to source and target with labels of some target rows (a mapping) or none.

    `random_state` goes to all parts that draw; None leaves what they have. `domain` names each source row's,
    where there are several, for parts that map each by itself.

    Raises
    ------
    TypeError
        If no part of the model takes labels of the target.
    """
    check_takes_labels(model)
    model = clone(model)
    if random_state is not None:
        seeds = [name for name in model.get_params() if name.split("__")[-1] == "random_state"]
        model.set_params(**dict.fromkeys(seeds, random_state))
    y_target = by_row(labels, n_rows(X_target), "y_target") if labels else None
    told = {"domain": domain} if domain is not None and takes(model, "domain") else {}
    return model.fit(X, y, X_target=X_target, y_target=y_target, **told)


def check_takes_labels(model) -> None:
    """Refuse a model that cannot learn from labels of the target.

    Raises
    ------
    TypeError
    """
    if learns_target_labels(model):
        return
    if unwrapped(model) is not model:
        raise TypeError(
            f"Got a {type(model).__name__}, a model with a threshold that was set for another score than "
            "accuracy. Give the labels to embtransfer choose, as --target-labels with the same --scoring: it "
            "sets it anew."
        )
    named = [name for name in CLASSIFIERS if takes(make_classifier(name), "y_target")]
    raise TypeError(
        f"Got a model that ends with {type(last_step(model)).__name__}, which takes no labels of the target. "
        f"Those that do: embtransfer fit --recipe {', '.join(RECIPES)}; --classifier {', '.join(named)}; in "
        "Python pipelines that end with PooledClassifier or FeatureAugmentationClassifier, too."
    )
