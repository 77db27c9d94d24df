"""TransferPipeline: a scikit-learn Pipeline whose fit also sees unlabelled target data."""

from collections.abc import Sequence, Sized
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from sklearn import config_context
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted, has_fit_parameter

from .._parts import by_domain, children, takes
from .._rows import a_row
from .._texts import check_domain, plain_labels
from .._types import Estimator, Labels, Matrix, Rows
from ..priors import shares_found
from ..priors._target_labels import unwrap
from ._labels import check_labels
from ._labels_seen import warn_of_labels_seen
from ._source import source_view
from ._target import any_takes
from ._words import words_of


def _where_pipeline_has(method):
    return available_if(lambda pipeline: hasattr(super(TransferPipeline, pipeline), method))


class TransferPipeline(Pipeline):
    """Embed, adapt, classify: a Pipeline that carries `X_target` to its adapter.

    Fitting sends `X_target` through the steps before the adapter, as it does `X`. `predict`,
    `predict_proba`, `transform` and the rest then serve the target domain; `predict_source` serves the
    source domain. Without `X_target` it is an ordinary Pipeline.

    Parameters
    ----------
    steps : list of (str, estimator)
    transform_input : sequence of str, default=("X_target",)
        Fit parameters that earlier steps transform; see scikit-learn's Pipeline.
    memory : str, object with the joblib.Memory interface, or None, default=None
        Where to cache fitted transformers.
    verbose : bool, default=False
        Whether to print the time of each step.

    See Also
    --------
    make_transfer_pipeline : Names the steps.
    source_scorer : Honest scores on held-out source rows.

    Notes
    -----
    scikit-learn's metadata routing, which carries X_target, is switched on for the call alone; the global
    configuration stays as it is. Fit parameters of one step go as `step__parameter=value`.

    A fitted pipeline takes rows for *target* rows. Plain cross-validation scores held-out *source* rows
    and so misleads: use `source_scorer`, and `Target` for X_target. Whatever fits on predictions for
    source rows (CalibratedClassifierCV, TunedThresholdClassifierCV, stacking) belongs inside the
    pipeline, as its last step.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from embtransfer import CORAL, TransferPipeline, WordEmbedder
    >>> pipeline = TransferPipeline([("embed", WordEmbedder()), ("adapt", CORAL()),
    ...                              ("classify", LogisticRegression())])
    >>> films, pans = ["good plot", "bad plot", "dull film"], ["a good pan", "bad handle", "poor lid"]
    >>> pipeline.fit(films, ["+", "-", "-"], X_target=pans).predict(pans).shape
    (3,)
    """

    _parameter_constraints = {**Pipeline._parameter_constraints, "transform_input": [list, tuple, None]}
    _words = None  # of the texts that were embedded already: a comparison sets it while it fits

    def __init__(
        self,
        steps: list[tuple[str, Estimator]],
        *,
        transform_input: Sequence[str] = ("X_target",),
        memory: Any = None,
        verbose: bool = False,
    ):
        super().__init__(steps, transform_input=transform_input, memory=memory, verbose=verbose)

    def fit(
        self,
        X: Rows,
        y: Labels | None = None,
        X_target: Rows | None = None,
        y_target: Labels | None = None,
        domain: Labels | None = None,
        **params: Any,
    ) -> Self:
        """Fit all steps.

        Parameters
        ----------
        X : 1-D sequence of texts, or what the first step takes
            Source data.
        y : array-like of shape (n_source,), default=None
            Source labels: one a row, classes or numbers; for MultiLabelClassifier lists of labels, or a
            matrix of 0 and 1.
        X_target : like X, or Target, default=None
            Target data.
        y_target : array-like of shape (n_target,), default=None
            Labels of target data, for the steps that ask for them, with None, NaN or pandas.NA where not
            known. A Target may hold them instead.
        domain : array-like of shape (n_source,), default=None
            The name of each source row's domain, where there are several, for the adapters that map each by
            itself. Other steps learn from all source rows together.
        **params : dict
            Fit parameters of steps, as `step__parameter=value`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X_target or y_target is given and no step takes it, or y_target without X_target; if labels
            are missing, or of another shape, or not each source row has a domain.
        """
        return self._with_target(super().fit, X, y, X_target, y_target, domain, params)

    @_where_pipeline_has("fit_transform")
    def fit_transform(
        self,
        X: Rows,
        y: Labels | None = None,
        X_target: Rows | None = None,
        y_target: Labels | None = None,
        domain: Labels | None = None,
        **params: Any,
    ) -> Matrix:
        """Fit all steps and return the source rows as the last step gives them."""
        return self._with_target(super().fit_transform, X, y, X_target, y_target, domain, params)

    @_where_pipeline_has("fit_predict")
    def fit_predict(
        self,
        X: Rows,
        y: Labels | None = None,
        X_target: Rows | None = None,
        y_target: Labels | None = None,
        domain: Labels | None = None,
        **params: Any,
    ) -> np.ndarray:
        """Fit all steps and return what the last one's `fit_predict` gives."""
        return self._with_target(super().fit_predict, X, y, X_target, y_target, domain, params)

    def _with_target(self, fit, X, y, X_target, y_target, domain, params):
        if y is not None:
            y = plain_labels(y)
            check_labels(y, self)
        X_target, y_target = unwrap(X_target, y_target)
        if isinstance(X_target, tuple):
            X_target = list(X_target)  # scikit-learn takes a tuple for several data sets
        if X_target is not None:
            if not any_takes(children(self), "X_target"):
                raise ValueError(
                    "Got X_target, but no step of the pipeline takes it. Put an adapter before the "
                    "classifier: NoAdaptation() if nothing is to be adapted."
                )
            if isinstance(X_target, Sized) and _num_samples(X_target) == 0:
                raise ValueError("Got X_target without a row. Pass data of the target domain, or None.")
            params = {**params, "X_target": X_target}
        if y_target is not None:
            if not any_takes(children(self), "y_target"):
                raise ValueError(
                    "Got y_target, but no step of the pipeline takes it. Put SelfTrainingClassifier(), "
                    "PooledClassifier() or FeatureAugmentationClassifier() last."
                )
            params["y_target"] = y_target
        if domain is not None:
            names = check_domain(domain, _num_samples(X))
            if any(takes(step, "domain") for step in children(self)):
                params["domain"] = names
        warn_of_labels_seen(self.steps)
        with config_context(enable_metadata_routing=True), self._step_params_requested(params):
            self._on_its_way = 0, X_target
            words = self._words or words_of(X, X_target, children(self))
            for step in children(self):
                if hasattr(step, "_words"):
                    step._words = words
            try:
                return fit(X, y, **params)
            finally:
                del self._on_its_way
                for step in children(self):  # with memory, other ones than before
                    for name in ("_words", "_shares_found"):
                        getattr(step, "__dict__", {}).pop(name, None)

    def _fit(self, X, y=None, routed_params=None, raw_params=None, **more):
        # scikit-learn before 1.9 passes raw_params in `fit` alone, and without them leaves X_target as it is:
        # `fit_transform` would hand the adapter texts, or rows that the steps before it never saw
        if raw_params is None and isinstance(routed_params, dict):  # without parameters it is no dict
            methods = [params for step in routed_params.values() for params in step.values()]
            raw_params = {name: value for params in methods for name, value in params.items()}
        return super()._fit(X, y, routed_params, raw_params, **more)

    def _get_metadata_for_step(self, *, step_idx, step_params, all_params):
        last = self.steps[-1][1]
        if step_idx == len(self.steps) - 1 and hasattr(last, "_shares_found"):
            last._shares_found = shares_found(self.steps[:step_idx])
        # scikit-learn's sends X_target through all the steps before each one that asks for it, which embeds
        # it once for the adapter and again for the classifier; here it goes on from the last that asked
        asked = any("X_target" in params for params in step_params.values())
        transformed = {*(self.transform_input or ())}.intersection(all_params or ())
        if not (step_idx and asked and transformed == {"X_target"}) or (
            get_routing_for_object(self[:step_idx]).consumes("transform", all_params)
        ):
            return super()._get_metadata_for_step(
                step_idx=step_idx, step_params=step_params, all_params=all_params
            )
        at, rows = self._on_its_way
        for _, step in self.steps[at:step_idx]:
            if step is not None and step != "passthrough":
                rows = step.transform(rows)
        self._on_its_way = step_idx, rows
        found = {method: Bunch(**params) for method, params in step_params.items()}
        for params in found.values():
            if "X_target" in params:
                params["X_target"] = rows
        return found

    @contextmanager
    def _step_params_requested(self, params):
        """Let steps, and estimators inside them, ask for their `step__parameter`; take it back after."""
        before = {}
        try:
            for key in params:
                name, _, parameter = key.partition("__")
                if not parameter:
                    continue
                step = self.named_steps.get(name)
                if not hasattr(step, "set_fit_request"):
                    raise ValueError(
                        f"Got {key!r}. Expected step__parameter with one of: {list(self.named_steps)}."
                    )
                inners = [s for s in step.get_params().values() if has_fit_parameter(s, parameter)]
                for part, alias in [(step, key), *((inner, True) for inner in inners)]:
                    before.setdefault(id(part), (name, part, part.__dict__.get("_metadata_request")))
                    part.set_fit_request(**{parameter: alias})
            yield
        finally:
            for name, part, request in reversed(before.values()):
                parts = {id(part): part}
                if type(self.named_steps[name]) is type(part):  # another object with memory
                    parts[id(self.named_steps[name])] = self.named_steps[name]
                for part in parts.values():
                    if request is None:
                        part.__dict__.pop("_metadata_request", None)
                    else:
                        part._metadata_request = request

    @_where_pipeline_has("predict")
    def predict(self, X: Rows, **params: Any) -> np.ndarray:
        """Predict labels, or numbers, of target rows: array of shape (n_rows,); of no row an empty one."""
        return self._also_of_none(super().predict, X, params)

    @_where_pipeline_has("predict_proba")
    def predict_proba(self, X: Rows, **params: Any) -> np.ndarray:
        """Predict class probabilities of target rows: array of shape (n_rows, n_classes)."""
        return self._also_of_none(super().predict_proba, X, params)

    @_where_pipeline_has("decision_function")
    def decision_function(self, X: Rows, **params: Any) -> np.ndarray:
        """Signed distances of target rows, shaped as the last step gives them."""
        return self._also_of_none(super().decision_function, X, params)

    def _also_of_none(self, ask, X, params):
        # steps of scikit-learn refuse no rows: one that is left out says what an empty array is like
        none = isinstance(X, Sized) and not isinstance(X, str) and _num_samples(X) == 0
        return ask(a_row(self), **params)[:0] if none else ask(X, **params)

    def source_view(self, domain: str | None = None) -> Pipeline:
        """The fitted pipeline for source rows: adapters send them through `transform_source`.

        Parameters
        ----------
        domain : str, default=None
            The one that the rows are of, if `fit` was told the domains. None: the map of all together.

        Returns
        -------
        Pipeline
            Shares the fitted steps; its `predict`, `predict_proba`, `score` and `transform` take source
            rows.
        """
        check_is_fitted(self)
        return Pipeline([(name, source_view(step, domain)) for name, step in self.steps])

    def predict_source(self, X: Rows, domain: Labels | None = None) -> np.ndarray:
        """Predict labels of source rows, of all or each of which `domain` names the one: (n_rows,)."""
        return by_domain(self, lambda view, rows: view.predict(rows), X, domain)

    def predict_proba_source(self, X: Rows, domain: Labels | None = None) -> np.ndarray:
        """Predict class probabilities of source rows: array of shape (n_rows, n_classes)."""
        return by_domain(self, lambda view, rows: view.predict_proba(rows), X, domain)


def make_transfer_pipeline(*steps: Estimator, memory: Any = None, verbose: bool = False) -> TransferPipeline:
    """Make a TransferPipeline with steps named by their lower-cased types, as in make_pipeline.

    Parameters
    ----------
    *steps : estimators
        An embedder, an adapter, a classifier, and whatever goes between.
    memory, verbose
        As in TransferPipeline.

    Raises
    ------
    TypeError
        If a step is a name or a class.

    Examples
    --------
    >>> from embtransfer import DomainCentering, WordEmbedder, make_classifier, make_transfer_pipeline
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("ridge"))
    >>> list(pipeline.named_steps)
    ['wordembedder', 'domaincentering', 'ridgeclassifier']
    """
    for step in steps:
        if isinstance(step, type) or (isinstance(step, str) and step != "passthrough"):
            raise TypeError(
                f"Got the step {step!r}. Expected an estimator, such as make_embedder('word_mean'), "
                "make_adapter('coral') or make_classifier('logistic')."
            )
    return TransferPipeline(make_pipeline(*steps).steps, memory=memory, verbose=verbose)
