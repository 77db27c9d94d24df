"""Contracts of every public estimator, found by walking `embtransfer.__all__`: a new class needs no edit."""

import inspect
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.estimator_checks import parametrize_with_checks

import embtransfer
from embtransfer import classifiers, datasets
from embtransfer.adapters import ADAPTERS as ADAPTER_NAMES, BaseAdapter, NoAdaptation
from embtransfer.classifiers._base import BaseTransferClassifier
from embtransfer.recipes import RECIPES

PUBLIC = [getattr(embtransfer, name) for name in embtransfer.__all__]
CLASSES = [part for part in PUBLIC if inspect.isclass(part) and not inspect.isabstract(part)]
FUNCTIONS = [part for part in PUBLIC if inspect.isfunction(part)]
ESTIMATORS = [part for part in CLASSES if issubclass(part, BaseEstimator)]
ADAPTERS = [part for part in ESTIMATORS if issubclass(part, BaseAdapter)]
WITH_PRIORS = [adapter for adapter in ADAPTERS if "priors" in inspect.signature(adapter).parameters]
CLASSIFIERS = [part for part in ESTIMATORS if issubclass(part, BaseTransferClassifier)]
CLASSIFIERS.append(embtransfer.NaiveBayesLogisticRegression)
CONSTRAINED = [part for part in ESTIMATORS if hasattr(part, "_parameter_constraints")]
REQUIRED = {
    embtransfer.TransferPipeline: {"steps": [("adapt", NoAdaptation())]},
    embtransfer.StackedDomains: {"estimator": NoAdaptation()},
    embtransfer.CascadeClassifier: {"fast": LogisticRegression(), "slow": LogisticRegression(C=9)},
    embtransfer.ColumnEmbedder: {"column": "text", "embedder": embtransfer.VectorEmbedder()},
    embtransfer.CoTrainingClassifier: {"estimators": [("adapt", NoAdaptation())]},
}
SECTIONS = [
    "Parameters",
    "Attributes",
    "Returns",
    "Yields",
    "Raises",
    "Warns",
    "See Also",
    "Notes",
    "References",
    "Examples",
]

every_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda part: part.__name__)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda part: part.__name__)
every_map = pytest.mark.parametrize("method", ["transform", "transform_source"])
either_domain = pytest.mark.parametrize("broken", ["X", "X_target"])


def make_domains(dtype=np.float64, n_source=60, n_target=45, n_features=5, seed=0):
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(n_source, n_features)) @ rng.normal(size=(n_features, n_features))
    target = rng.normal(size=(n_target, n_features)) @ rng.normal(size=(n_features, n_features)) + 3
    return source.astype(dtype), target.astype(dtype)


def outputs(adapter, source, target):
    fitted = adapter().fit(source, X_target=target)
    return (
        adapter().fit_transform(source, X_target=target),
        fitted.transform_source(source),
        fitted.transform(target),
    )


def break_one(broken, change):
    domains = dict(zip(["X", "X_target"], make_domains(), strict=True))
    domains[broken] = change(domains[broken])
    return domains


def not_meant(estimator):
    """scikit-learn's checks that feed what an estimator refuses by its tags."""
    if isinstance(estimator, embtransfer.NaiveBayesLogisticRegression):
        checks = "check_decision_proba_consistency", "check_class_weight_classifiers"
        return dict.fromkeys(checks, "feeds negative numbers")
    weights = [f"check_sample_weight_equivalence_on_{kind}_data" for kind in ("dense", "sparse")]
    if isinstance(estimator, embtransfer.SelfTrainingClassifier | embtransfer.LabelShiftClassifier):
        return dict.fromkeys(weights, "sets cv to a list; folds and shares count rows, not weights")
    seven_digits = "wants seven digits of a solver that stops at tol=1e-4"
    if isinstance(estimator, embtransfer.CORALClassifier):
        return dict.fromkeys(weights, seven_digits)
    return {}


EXACT = "FeatureAugmentationClassifier", "ImportanceWeightedClassifier", "PooledClassifier"


@parametrize_with_checks([part() for part in ADAPTERS + CLASSIFIERS], expected_failed_checks=not_meant)
def test_scikit_learn_checks(estimator, check):
    if "sample_weight_equivalence" in check.func.__name__ and type(estimator).__name__ in EXACT:
        # its seven digits are more than scikit-learn's solver gives by default
        estimator = type(estimator)(LogisticRegression(C=10.0, max_iter=1000, tol=1e-9))
    check(estimator)


@every_dtype
@every_adapter
def test_dtype_is_kept(adapter, dtype):
    assert {out.dtype for out in outputs(adapter, *make_domains(dtype))} == {np.dtype(dtype)}


@every_dtype
@every_adapter
def test_dtype_is_that_of_the_rows_not_of_the_fit(adapter, dtype):
    source, target = make_domains(np.float64)
    fitted = adapter().fit(source.astype(np.float32), X_target=target)
    assert fitted.transform(target.astype(dtype)).dtype == dtype
    assert fitted.transform_source(source.astype(dtype)).dtype == dtype


@every_adapter
def test_integers_become_float64(adapter):
    source, target = make_domains()
    outs = outputs(adapter, (source * 10).astype(int), (target * 10).astype(int))
    assert {out.dtype for out in outs} == {np.dtype(np.float64)}


@pytest.mark.parametrize("estimator", CONSTRAINED, ids=lambda part: part.__name__)
def test_every_parameter_has_a_constraint(estimator):
    assert set(estimator._parameter_constraints) == parameter_names(estimator)


@every_adapter
def test_fit_transform_is_fit_then_transform_source(adapter):
    source, target = make_domains()
    fit_transformed, transformed, _ = outputs(adapter, source, target)
    np.testing.assert_array_equal(fit_transformed, transformed)


@every_adapter
def test_two_maps_where_domains_differ(adapter):
    source, target = make_domains()
    fitted = adapter().fit(source, X_target=target)
    same = np.allclose(fitted.transform(source), fitted.transform_source(source))
    assert same == adapter._one_map


@every_adapter
def test_one_map_without_target(adapter):
    source, target = make_domains()
    fitted = adapter().fit(source)
    np.testing.assert_array_equal(fitted.transform(target), fitted.transform_source(target))
    np.testing.assert_array_equal(adapter().fit_transform(source), fitted.transform(source))


@every_adapter
def test_the_source_as_target_is_no_target(adapter):
    if adapter is embtransfer.OptimalTransport:
        pytest.skip("an entropic plan moves even a copy of the source")
    source, _ = make_domains()
    np.testing.assert_allclose(
        adapter().fit_transform(source, X_target=source), adapter().fit_transform(source), atol=1e-12
    )


@every_adapter
def test_labels_are_ignored_unless_the_adapter_uses_them(adapter):
    if adapter._uses_labels:
        pytest.skip("it uses labels")
    source, target = make_domains()
    estimator = adapter()
    if "priors" in estimator.get_params():
        estimator.set_params(priors="source")  # otherwise the labels say which source rows to take
    np.testing.assert_array_equal(
        estimator.fit_transform(source, ["a", "b", "c"] * 20, X_target=target),
        estimator.fit_transform(source, X_target=target),
    )


@pytest.mark.parametrize("adapter", WITH_PRIORS, ids=lambda part: part.__name__)
class TestPriors:
    """Adapters that match moments compare the target with a source that has its class shares."""

    def test_given_ones_are_the_shares_of_the_source_that_is_compared(self, adapter):
        source, target = make_domains()
        y = np.repeat(["a", "b", "c"], [30, 15, 15])
        fitted = adapter(priors=[0, 0.5, 0.5]).fit(source, y, X_target=target)
        twice = np.repeat(np.arange(30, 60), 2)
        expected = adapter(priors="source").fit(source[twice], y[twice], X_target=target)
        for method in ("transform", "transform_source"):
            found = getattr(fitted, method)(source)
            np.testing.assert_allclose(found, getattr(expected, method)(source), rtol=1e-9)  # or weighed sums
        assert fitted.source_priors_.tolist() == [0.5, 0.25, 0.25]
        assert fitted.priors_.tolist() == [0, 0.5, 0.5]
        assert fitted.prior_intervals_.tolist() == [[0, 0], [0.5, 0.5], [0.5, 0.5]]

    def test_estimated_by_default(self, adapter):
        source, target = make_domains()
        source[:30] += 1
        target[:9] -= 2
        y = np.repeat([0, 1], 30)
        fitted = adapter().fit(source, y, X_target=target)
        given = adapter(priors=fitted.priors_).fit(source, y, X_target=target)
        np.testing.assert_array_equal(fitted.transform_source(source), given.transform_source(source))
        assert not np.allclose(fitted.priors_, fitted.source_priors_)
        assert fitted.priors_.sum() == pytest.approx(1)
        low, high = fitted.prior_intervals_.T
        assert ((low > 0) & (low < fitted.priors_) & (fitted.priors_ < high) & (high < 1)).all()

    @pytest.mark.parametrize("lacks", ["y", "X_target"])
    def test_nothing_to_estimate_from(self, adapter, lacks):
        source, target = make_domains()
        given = {"y": np.repeat([0, 1], 30), "X_target": target}
        del given[lacks]
        fitted = adapter(priors=[0.1, 0.9]).fit(source, **given)
        assert fitted.source_priors_ is fitted.priors_ is fitted.prior_intervals_ is None
        expected = adapter(priors="source").fit(source, **given)
        np.testing.assert_array_equal(fitted.transform_source(source), expected.transform_source(source))

    @pytest.mark.parametrize("wrong", [[0.5, 0.6], [1.0], [-0.5, 1.5], ["a", "b"]], ids=repr)
    def test_wrong_ones(self, adapter, wrong):
        source, target = make_domains()
        with pytest.raises(ValueError, match=r"Got priors=.*Expected 2 numbers of at least 0 with sum 1"):
            adapter(priors=wrong).fit(source, np.repeat([0, 1], 30), X_target=target)

    def test_labels_of_other_rows(self, adapter):
        source, target = make_domains()
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            adapter().fit(source, [0, 1] * 20, X_target=target)

    def test_labels_that_are_no_classes_say_nothing(self, adapter):
        if adapter._uses_labels:
            pytest.skip("it wants classes")
        source, target = make_domains()
        fitted = adapter().fit(source, np.linspace(0, 1, 60), X_target=target)
        assert fitted.priors_ is None


@every_adapter
def test_feature_names(adapter):
    source, target = make_domains()
    fitted = adapter().fit(source, X_target=target)
    n_components = fitted.transform(target).shape[1]
    assert fitted.n_features_in_ == source.shape[1]
    assert list(fitted.get_feature_names_out()) == [
        f"{adapter.__name__.lower()}{i}" for i in range(n_components)
    ]


@every_adapter
def test_set_output(adapter):
    source, target = (pd.DataFrame(part).add_prefix("x") for part in make_domains())
    target.index += 100
    pandas = adapter().set_output(transform="pandas")
    from_source, from_target = pandas.fit_transform(source, X_target=target), pandas.transform(target)
    plain_source, _, plain_target = outputs(adapter, source, target)
    names = pandas.get_feature_names_out()
    pd.testing.assert_frame_equal(from_source, pd.DataFrame(plain_source, source.index, names))
    pd.testing.assert_frame_equal(from_target, pd.DataFrame(plain_target, target.index, names))


@every_adapter
def test_columns_of_the_target_in_another_order_are_refused(adapter):
    source, target = (pd.DataFrame(part, columns=list("abcde")) for part in make_domains())
    with pytest.raises(ValueError, match="feature names"):
        adapter().fit(source, X_target=target[list("edcba")])


@every_adapter
def test_containers_of_the_target(adapter):
    source, target = make_domains()
    expected = outputs(adapter, source, target)
    for same in (target.tolist(), np.asfortranarray(target), pd.DataFrame(target)):
        for out, right in zip(outputs(adapter, source, same), expected, strict=True):
            np.testing.assert_allclose(out, right, atol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda part: part.__name__)
def test_init_stores_and_clone_copies(estimator):
    first = estimator(**REQUIRED.get(estimator, {}))
    parameters = set(inspect.signature(estimator).parameters)
    assert set(vars(first)) == parameters
    assert set(first.get_params(deep=False)) == parameters
    assert repr(clone(first)) == repr(first)


@every_adapter
def test_clone_is_not_fitted(adapter):
    source, target = make_domains()
    cloned = clone(adapter().fit(source, X_target=target))
    for method in (cloned.transform, cloned.transform_source):
        with pytest.raises(NotFittedError, match="not fitted"):
            method(source)


@every_adapter
def test_pickle(adapter):
    source, target = make_domains()
    fitted = adapter().fit(source, X_target=target)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(target), fitted.transform(target))
    np.testing.assert_array_equal(again.transform_source(source), fitted.transform_source(source))


@every_dtype
@every_adapter
def test_arrays_passed_in_are_left_alone(adapter, dtype):
    domains = make_domains(dtype)
    copies = [part.copy() for part in domains]
    outputs(adapter, *domains)
    for part, copy in zip(domains, copies, strict=True):
        np.testing.assert_array_equal(part, copy)
        part.flags.writeable = False
    outputs(adapter, *domains)


@every_adapter
def test_frames_passed_in_are_left_alone(adapter):
    domains = [pd.DataFrame(part, columns=list("abcde")) for part in make_domains()]
    copies = [part.copy(deep=True) for part in domains]
    outputs(adapter, *domains)
    for part, copy in zip(domains, copies, strict=True):
        pd.testing.assert_frame_equal(part, copy)


@every_adapter
def test_outputs_are_no_views_of_inputs(adapter):
    source, target = make_domains()
    for out in outputs(adapter, source, target):
        assert not np.shares_memory(out, source)
        assert not np.shares_memory(out, target)


@pytest.mark.parametrize(("value", "message"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
@either_domain
@every_adapter
def test_missing_and_infinite_numbers(adapter, broken, value, message):
    def put(rows):
        rows[3, 1] = value
        return rows

    with pytest.raises(ValueError, match=f"Input {broken} contains {message}"):
        adapter().fit(**break_one(broken, put))


@every_map
@every_adapter
def test_missing_numbers_at_transform(adapter, method):
    source, target = make_domains()
    fitted = adapter().fit(source, X_target=target)
    source[0, 0] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        getattr(fitted, method)(source)


@either_domain
@every_adapter
def test_domains_of_different_widths(adapter, broken):
    with pytest.raises(ValueError, match=r"X_target has \d features, but X has \d"):
        adapter().fit(**break_one(broken, lambda rows: rows[:, :4]))


@every_map
@every_adapter
def test_other_width_at_transform(adapter, method):
    source, target = make_domains()
    fitted = adapter().fit(source, X_target=target)
    with pytest.raises(ValueError, match="expecting 5 features"):
        getattr(fitted, method)(source[:, :4])


@either_domain
@every_adapter
def test_one_dimensional_input(adapter, broken):
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        adapter().fit(**break_one(broken, lambda rows: rows[:, 0]))


@either_domain
@every_adapter
def test_no_rows(adapter, broken):
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        adapter().fit(**break_one(broken, lambda rows: rows[:0]))


@either_domain
@every_adapter
def test_one_row_works_or_says_what_to_do(adapter, broken):
    domains = break_one(broken, lambda rows: rows[:1])
    out, message = np.zeros(1), f"{broken} has n_samples=1, but it works. Give more rows"
    try:
        out = adapter().fit_transform(**domains)
    except ValueError as error:
        message = str(error)
    assert np.isfinite(out).all()
    assert re.match(rf"{broken} has n_samples=1, but .* Give more rows", message)


@every_dtype
@every_adapter
def test_fewer_rows_than_columns(adapter, dtype):
    for out in outputs(adapter, *make_domains(dtype, n_source=7, n_target=5, n_features=20)):
        assert np.isfinite(out).all()


@pytest.mark.parametrize("where", ["source", "target", "both"])
@every_dtype
@every_adapter
def test_constant_column(adapter, dtype, where):
    source, target = make_domains(dtype)
    for name, rows in (("source", source), ("target", target)):
        if where in (name, "both"):
            rows[:, 2] = 0.1
    for out in outputs(adapter, source, target):
        assert np.isfinite(out).all()


@pytest.mark.parametrize("where", ["source", "target", "both"])
@every_dtype
@every_adapter
def test_all_rows_equal(adapter, dtype, where):
    source, target = make_domains(dtype)
    for name, rows in (("source", source), ("target", target)):
        if where in (name, "both"):
            rows[:] = rows[0]
    for out in outputs(adapter, source, target):
        assert np.isfinite(out).all()


@every_dtype
@every_adapter
def test_same_numbers_every_time(adapter, dtype):
    source, target = make_domains(dtype)
    fitted = adapter().fit(source, X_target=target)
    first = fitted.transform_source(source), fitted.transform(target)
    for again in (fitted.fit(source, X_target=target), adapter().fit(source, X_target=target)):
        np.testing.assert_array_equal(again.transform_source(source), first[0])
        np.testing.assert_array_equal(again.transform(target), first[1])


@every_adapter
def test_nothing_is_left_of_an_earlier_fit(adapter):
    source, _ = make_domains()
    refitted = (
        adapter().fit(*make_domains(n_features=9)[:1], X_target=make_domains(n_features=9)[1]).fit(source)
    )
    np.testing.assert_array_equal(refitted.transform(source), adapter().fit(source).transform(source))
    np.testing.assert_array_equal(refitted.transform_source(source), refitted.transform(source))


def sections(documented):
    """Title -> text of each section of a numpydoc docstring, in order."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.getdoc(documented) or "", flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parameter_names(documented):
    return {name.lstrip("*") for name in inspect.signature(documented).parameters}


@pytest.mark.parametrize("documented", CLASSES + FUNCTIONS, ids=lambda part: part.__name__)
class TestDocstrings:
    def test_summary_is_one_line(self, documented):
        summary, _, rest = inspect.getdoc(documented).partition("\n")
        assert summary.endswith(".")
        assert rest.startswith("\n")

    def test_sections_in_order(self, documented):
        titles = list(sections(documented))
        assert titles == sorted(titles, key=SECTIONS.index)

    def test_every_parameter_is_named(self, documented):
        headers = re.findall(r"^(\S.*)$", sections(documented).get("Parameters", ""), flags=re.M)
        named = {name for header in headers for name in re.findall(r"\w+", header.partition(" : ")[0])}
        assert named == parameter_names(documented)

    def test_example_runs_as_doctest(self, documented):
        assert ">>> " in sections(documented).get("Examples", "")


def headers(documented):
    """Parameter -> what its docstring says of its values: `name : values`."""
    text = sections(documented)["Parameters"].replace("\\\n", "")
    found = re.findall(r"^(\w[\w, ]*) : (.*)$", text, flags=re.M)
    return {name: values for names, values in found for name in names.split(", ")}


def listed_names():
    """(documented, parameter, names that it takes): of declared constraints, and of functions."""
    yield embtransfer.make_adapter, "name", ADAPTER_NAMES
    yield embtransfer.make_classifier, "name", classifiers.CLASSIFIERS
    yield embtransfer.make_recipe, "name", RECIPES
    yield embtransfer.density_ratio, "method", classifiers._density_ratio.METHODS
    yield embtransfer.estimate_priors, "method", embtransfer.priors.METHODS
    yield datasets.load_demo_reviews, "domain", datasets.DEMO_DOMAINS
    yield datasets.fetch_amazon_reviews, "domains", datasets.AMAZON_DOMAINS
    for estimator in ESTIMATORS:
        for name, constraints in getattr(estimator, "_parameter_constraints", {}).items():
            names = [one.options for one in constraints if isinstance(one, StrOptions)]
            if names and name in headers(estimator):
                yield estimator, name, set().union(*names)


@pytest.mark.parametrize(("documented", "parameter", "names"), list(listed_names()))
def test_docstrings_list_the_names_that_there_are(documented, parameter, names):
    assert set(re.findall(r'"(\w+)"', headers(documented)[parameter])) == set(names)


DOORS = [*CLASSES, *FUNCTIONS, embtransfer.WordVectors.load, embtransfer.CompiledPipeline.load]


@pytest.mark.parametrize(
    "documented",
    [part for part in DOORS if "progress" in parameter_names(part)],
    ids=lambda part: part.__name__,
)
def test_progress_has_one_signature(documented):
    assert headers(documented)["progress"] == "callable (done, total, description), default=None"


@pytest.mark.parametrize(
    "documented",
    [part for part in DOORS if "n_jobs" in parameter_names(part)],
    ids=lambda part: part.__name__,
)
def test_n_jobs_means_the_same_everywhere(documented):
    assert headers(documented)["n_jobs"] == "int or None, default=None"
    said = "as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one."
    assert re.search(rf"^ +(Threads|Processes) {said}$", sections(documented)["Parameters"], flags=re.M)
