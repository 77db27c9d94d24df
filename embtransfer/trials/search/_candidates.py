"""The candidates of a search: whole models from texts to labels, each with its unadapted counterpart."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.model_selection import ParameterGrid

from ..._parts import children, first_steps, rebuilt
from ..._types import Estimator
from ...adapters import BaseAdapter, DomainCentering, LengthScaling, NoAdaptation, make_adapter
from ...classifiers import CoTrainingClassifier, LabelShiftClassifier, make_classifier
from ...classifiers._base import BaseTransferClassifier
from ...embedders import ColumnEmbedder, NGramVectorizer, VectorEmbedder, WordEmbedder, make_embedder
from ...pipeline import TransferPipeline
from ...recipes import make_recipe
from .._named_estimators import named, named_for, of_view, recipes_for
from .._store import description

_ROLES = ("embedder", "adapter", "classifier")
EMBEDDERS, RECIPES = ("word_mean", "domain_words"), ("words",)  # of texts


@dataclass
class Candidate:
    """A model and its names.

    `view` names what it sees of a text: candidates of one view err together. None: it sees several.
    `unadapted` is the place of its counterpart that learns nothing from the target; its own, if it is one.
    """

    embedder: str
    adapter: str
    classifier: str
    estimator: Estimator
    parameters: dict = field(default_factory=dict)
    view: str | None = None
    unadapted: int = -1

    @property
    def name(self):
        parts = [self.embedder, self.adapter, self.classifier]
        parts += [f"{key}={value}" for key, value in self.parameters.items()]
        return " + ".join(part for part in parts if part != "-")


def make_candidates(views, embedders, adapters, classifiers, recipes, parameters):
    """Candidates for rows of these views, and the names that were left out since they need another.

    TF-IDF (of vectors these themselves) with and without corrected shares, all combinations, the recipes,
    and missing counterparts.
    """
    shifted = LabelShiftClassifier(n_bootstrap=0)  # its intervals are not asked for
    plain = ("logistic", _logistic()), ("label_shift", shifted)
    made = [
        _joined((embedder_name, "none", name), (embedder, NoAdaptation(), classifier), {})
        for embedder_name, embedder in plain_embedders(views)
        for name, classifier in plain
    ]
    grid = _Grid(parameters or {})
    named_embedders, aside = named_for(views, embedders, make_embedder, EMBEDDERS, optional=True)
    for embedder_name, embedder in named_embedders:
        for adapter_name, adapter in named(adapters, make_adapter):
            for classifier_name, classifier in named(classifiers, make_classifier):
                names = embedder_name, adapter_name, classifier_name
                made += [
                    _joined(names, parts, values)
                    for parts, values in grid.settings((embedder, adapter, classifier))
                ]
    grid.check_all_used()
    make, usual = recipes_for(views, make_recipe, RECIPES)
    models, more = named_for(views, recipes, make, usual, optional=True)
    made += [Candidate("recipe", "-", name, model) for name, model in models]
    seen = {view_of(candidate.estimator) for candidate in made} - {None}
    if len(seen) < 2 and views[0][1] == "texts":  # one view agrees with itself
        names = "word_mean", "centering", "logistic"
        words = of_view(WordEmbedder(), views[0][0])
        made.append(_joined(names, (words, DomainCentering(), _logistic()), {}))
    return _with_counterparts(made), aside + more


def _with_counterparts(made) -> list[Candidate]:
    """Each candidate once, and the counterpart of each that learns nothing from the target."""
    unique = {description(candidate.estimator, seeds=False): candidate for candidate in reversed(made)}
    made = list(reversed(unique.values()))
    places = {description(candidate.estimator, seeds=False): place for place, candidate in enumerate(made)}
    for candidate in list(made):
        plain = without_target(candidate.estimator)
        key = description(plain, seeds=False)
        if key not in places:
            places[key] = len(made)
            names = candidate.embedder, "none", f"{candidate.classifier}, unadapted"
            made.append(Candidate(*names, plain, candidate.parameters, unadapted=len(made)))
        candidate.unadapted = places[key]
    for candidate in made:
        candidate.view = view_of(candidate.estimator)
    return made


def plain_embedders(views) -> list:
    """TF-IDF of texts and each view of vectors as it is, with their names."""
    found, _ = named_for(views, ("ngrams", "vectors"), make_embedder, ())
    return found if views[0][0] else found[:1]


def _logistic():
    return make_classifier("logistic")


def _joined(names, parts, values):
    return Candidate(*names, TransferPipeline(list(zip(_ROLES, parts, strict=True))), values)


class _Grid:
    """Settings of parameters named role__parameter, for the estimators that have them."""

    def __init__(self, parameters):
        if not isinstance(parameters, Mapping) or any(
            key.partition("__")[0] not in _ROLES or "__" not in key for key in parameters
        ):
            raise ValueError(
                f"Got parameters={parameters!r}. Expected a dict from names such as classifier__C to lists "
                f"of values; the first part is one of: {', '.join(_ROLES)}."
            )
        self.parameters, self.used = parameters, set()

    def settings(self, parts):
        """Yield (clones of the three parts with parameters set, the values that were set)."""
        own = {}
        for role, part in zip(_ROLES, parts, strict=True):
            for key, values in self.parameters.items():
                if key.startswith(f"{role}__") and key[len(role) + 2 :] in part.get_params():
                    own[key] = values
        self.used |= set(own)
        for values in ParameterGrid(own):
            made = []
            for role, part in zip(_ROLES, parts, strict=True):
                ours = {k[len(role) + 2 :]: v for k, v in values.items() if k.startswith(f"{role}__")}
                made.append(clone(part).set_params(**ours))
            yield made, values

    def check_all_used(self):
        unused = set(self.parameters) - self.used
        if unused:
            raise ValueError(
                f"Got parameters of no candidate: {', '.join(sorted(unused))}. Expected parameters of the "
                "embedders, adapters or classifiers listed."
            )


def without_target(estimator):
    """The same model, but learning nothing from the target: no adapter, no self-training, no weights."""
    if parts := children(estimator):
        made = rebuilt(estimator, map(without_target, parts))
        return made.set_params(n_rounds=0) if isinstance(made, CoTrainingClassifier) else made
    if isinstance(estimator, LabelShiftClassifier):
        return estimator  # it learns the classes' shares alone
    if isinstance(estimator, BaseTransferClassifier):
        return clone(estimator._make_estimator())
    if isinstance(estimator, BaseAdapter) and not isinstance(estimator, LengthScaling):
        return NoAdaptation()
    return estimator


def view_of(estimator) -> str | None:
    """What an estimator sees of a text: counts of words, a table, a model; None if several of them."""
    seen = {_view(step) for step in first_steps(estimator)}
    return seen.pop() if len(seen) == 1 else None


def _view(step):
    if isinstance(step, NGramVectorizer | CountVectorizer | HashingVectorizer):
        return "words"
    parameters = step.get_params(deep=False)
    if isinstance(step, ColumnEmbedder):
        texts = not isinstance(step.embedder, VectorEmbedder)
        return _view(step.embedder) if texts else f"vectors of {step.column}"
    table = parameters.get("vectors", parameters.get("model"))
    return f"{type(step).__name__} {table!r:.80}"
