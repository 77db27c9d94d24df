"""Walking a model: its parts, a copy with other parts, and whether one of them sees the target."""

import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler

from embtransfer import CORAL, CoTrainingClassifier, PooledClassifier, TransferPipeline
from embtransfer._parts import children, learns_target_labels, nested, rebuilt, takes
from embtransfer.priors import with_priors

SCALER, ADAPTER, LOGISTIC = StandardScaler(), CORAL(), LogisticRegression()
ADAPTING = TransferPipeline([("scale", SCALER), ("adapt", ADAPTER), ("classify", LOGISTIC)])
PLAIN = Pipeline([("scale", SCALER), ("classify", LOGISTIC)])
UNION = FeatureUnion([("scaled", SCALER), ("as_it_is", "passthrough"), ("adapted", ADAPTER)])
VIEWS = CoTrainingClassifier([("adapting", ADAPTING), ("plain", PLAIN)], n_rounds=3)


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        (ADAPTING, [SCALER, ADAPTER, LOGISTIC]),
        (UNION, [SCALER, "passthrough", ADAPTER]),
        (VIEWS, [ADAPTING, PLAIN]),
        (VotingClassifier([("plain", PLAIN)]), []),  # no walk goes into it
        (LOGISTIC, []),
        ("passthrough", []),
    ],
)
def test_children_are_the_parts_in_their_order(model, parts):
    assert len(children(model)) == len(parts)
    assert all(child is part for child, part in zip(children(model), parts, strict=True))


@pytest.mark.parametrize(
    ("model", "listed"), [(ADAPTING, "steps"), (UNION, "transformer_list"), (VIEWS, "estimators")]
)
def test_a_rebuilt_model_has_other_parts_under_the_same_names(model, listed):
    before = list(getattr(model, listed))
    parts = [LogisticRegression() for _ in before]
    made = rebuilt(model, iter(parts))
    assert type(made) is type(model)
    assert getattr(made, listed) == [(name, part) for (name, _), part in zip(before, parts, strict=True)]
    assert getattr(model, listed) == before


def test_rebuilding_keeps_the_other_parameters_and_wants_a_part_for_each():
    assert rebuilt(VIEWS, children(VIEWS)).n_rounds == 3
    with pytest.raises(ValueError, match="shorter"):
        rebuilt(VIEWS, [PLAIN])


def test_what_has_no_parts_is_rebuilt_as_a_copy():
    made = rebuilt(LOGISTIC, [])
    assert made is not LOGISTIC
    assert made.get_params() == LOGISTIC.get_params()


def test_nested_steps_come_before_what_holds_them_and_views_stay_closed():
    model = Pipeline([("rows", UNION), ("classify", VIEWS)])
    expected = [SCALER, "passthrough", ADAPTER, UNION, VIEWS, model]
    assert [id(part) for part in nested(model)] == [id(part) for part in expected]


@pytest.mark.parametrize(
    ("model", "asks"),
    [
        (ADAPTER, True),
        (ADAPTING, True),
        (UNION, True),
        (VIEWS, True),
        (CoTrainingClassifier([("plain", PLAIN)]), True),
        (Pipeline([("adapt", ADAPTER), ("classify", LOGISTIC)]), True),
        (Pipeline([("rows", UNION), ("classify", LOGISTIC)]), True),
        (ColumnTransformer([("adapt", ADAPTER, [0])]), True),
        (GridSearchCV(ADAPTING, {}), True),
        (PLAIN, False),
        (TransferPipeline(PLAIN.steps), False),  # its fit has the parameter, but no step asks for it
        (LOGISTIC, False),
        ("passthrough", False),
        (None, False),
    ],
)
def test_a_model_takes_the_target_where_it_or_a_step_asks_for_it(model, asks):
    assert takes(model, "X_target") is asks


def test_labels_of_the_target_are_another_question():
    pooled = TransferPipeline([("scale", SCALER), ("classify", PooledClassifier())])
    assert takes(pooled, "y_target")
    assert takes(ADAPTING, "X_target")
    assert takes(ADAPTING, "y_target")  # its adapter estimates the class shares by them
    assert not takes(with_priors(ADAPTING, [0.5, 0.5]), "y_target")
    assert learns_target_labels(pooled)
    assert not learns_target_labels(ADAPTING)
