"""Rounds of a search: each judges fewer candidates on more texts."""

import warnings
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits

from ..._rows import kind_of_rows
from ...classifiers import NaiveBayesLogisticRegression
from ...classifiers._density_ratio import learning_weights
from ...copies._groups import fewest_groups, stratified_folds
from ...pipeline._words import words_of
from ...priors import TargetPriors, priors_by_rows
from .._progress import Steps, line
from . import _criteria
from ._consensus import consensus
from ._evidence import Evidence, collect
from ._metric import Metric

CRITERIA = (
    "consensus_and_source",
    "consensus",
    "source_accuracy",
    "weighted_accuracy",
    "reverse_accuracy",
    "negative_entropy",
    "mutual_information",
    "neighbourhood_density",
)
_MORE_ROWS, _SHARE_KEPT, _LEAST_KEPT = 4, 1 / 3, 6
# weights in the choice, where all target rows without labels have 1 together: of one with a label, the source
_LABELLED, _SOURCE = 0.005, 0.25
_WEIGHT_COLUMNS = 50  # of sparse rows, where no candidate has dense ones to weigh the source by


@dataclass
class Round:
    """What a round found, by a candidate's place."""

    y: np.ndarray  # numbers of the classes of the round's source texts
    priors: TargetPriors
    metric: Metric
    evidence: dict[int, Evidence] = field(default_factory=dict)
    criteria: Any = None  # DataFrame, once all are computed
    consensus: np.ndarray | None = None
    balanced: np.ndarray | None = None  # the consensus that favours neither adapted nor unadapted candidates
    told: np.ndarray | None = None  # numbers of the classes of the target texts, -1 where no label judges
    last: bool = True

    @property
    def judging(self) -> TargetPriors:
        """Shares that candidates are judged by: the less is known of a class's, the more the source's.

        Labels given by wrong shares agree with one another, and a consensus under these takes them for right.
        In the last round: of few texts little is known, and models that take the shares into account stay.
        """
        if not self.last:
            return self.priors
        unknown = np.ptp(self.priors.intervals, axis=1) ** len(self.priors.target)
        mixed = (1 - unknown) * self.priors.target + unknown * self.priors.source
        return replace(self.priors, target=mixed / mixed.sum())

    @property
    def weights(self):
        """By how much each target text counts in the choice: one with a label for many without."""
        n_rows = len(self.consensus)
        return 1 / n_rows + (np.zeros(n_rows) if self.told is None else _LABELLED * (self.told >= 0))


def sizes(least, most, n_candidates) -> list[int]:
    """Texts of a domain that each round takes."""
    found, size = [], least
    while 2 * size <= most and n_candidates > _LEAST_KEPT:
        found.append(size)
        size, n_candidates = _MORE_ROWS * size, n_candidates * _SHARE_KEPT
    return [*found, most]


def nested_order(index, rng):
    """Rows in an order of which each beginning has the classes in about the same shares, at random."""
    order = rng.permutation(len(index))
    counts = np.bincount(index)
    place = np.empty(len(index))
    for k, count in enumerate(counts):
        place[order[index[order] == k]] = (np.arange(count) + 0.5) / count
    return np.argsort(place, kind="stable")


@dataclass
class Asked:
    """What all rounds are asked: `priors`, the target's class shares or "estimated".

    `told`: (n_target,), numbers of the classes of the target texts, -1 where not known, which tell the
    shares; `judging`: the same of those that judge candidates, too. None: there are none.
    """

    classes: np.ndarray
    cv: int
    seed: int
    priors: Any
    metric: Metric
    n_jobs: int | None = None
    told: np.ndarray | None = None
    judging: np.ndarray | None = None


def halve(candidates, store, data, orders, numbers, asked, criterion, progress):
    """Judge all candidates on few texts, and the better ones on more.

    Parameters
    ----------
    orders : (n_source,) and (n_target,) ndarray
        Of a domain's texts, whose first ones a round takes.
    numbers : list of int
        Texts of a domain in each round.

    Returns
    -------
    (the last Round, criteria of each round, errors by a candidate's place)
    """
    by_class, shuffled = orders
    tables, alive = [], list(range(len(candidates)))
    errors: dict[int, str] = {}
    for size in numbers:
        some, others = np.sort(by_class[:size]), store.n_source + np.sort(shuffled[:size])
        tick = Steps(progress, len(alive), f"{size:,} texts: ")
        texts = some, data.y[some], data.groups[some], others
        names = None if data.domain is None else data.domain[some]
        last = size == numbers[-1]
        found = judge(candidates, alive, store, *texts, asked, tick, errors, names, last)
        tick("done")
        tables.append(found.criteria)
        alive = survivors(candidates, found, criterion)
    return found, tables, errors


def judge(
    candidates, places, store, source, y, groups, target, asked, tick, errors, domain=None, last=True
) -> Round:
    """Collect the evidence of candidates on rows of the store, and compute all criteria.

    What fails goes to `errors`, place -> message; `tick(name)` is called before each candidate.
    """
    classes, metric = asked.classes, asked.metric
    index = np.searchsorted(classes, y)
    rarest = fewest_groups(index, groups)  # a round may lack a class
    splits = stratified_folds(index, groups, max(min(asked.cv, rarest), 2), asked.seed)
    told, judging = (
        None if labels is None else labels[target - store.n_source] for labels in (asked.told, asked.judging)
    )
    priors = _priors(asked.priors, candidates, places, store, source, index, target, len(classes), told)
    found = Round(index, priors, metric, told=judging, last=last)

    def tasks():
        for place in places:
            try:
                model, X, X_target = store.to_fit(_to_judge(candidates[place].estimator), source, target)
            except Exception as error:  # a candidate that fails is a row of the table, not the end of it
                yield delayed(line)(error)
            else:
                yield delayed(_collected)(model, X, y, X_target, classes, splits, priors.target, domain)

    results = Parallel(asked.n_jobs, return_as="generator")(tasks())
    for place in places:
        tick(candidates[place].name)
        result = next(results)
        if isinstance(result, str):
            errors[place] = result
        else:
            found.evidence[place] = result
    if not found.evidence:
        raise ValueError(
            f"No candidate could be fitted. The first one's error: {next(iter(errors.values()))}"
        )
    of_source, of_target = _weighing_rows(store, source, target)
    nearest = learning_weights(of_source, of_target, "nearest")
    table, ratio = {}, found.judging.ratio
    for place, evidence in found.evidence.items():
        table[place] = {
            "consensus_and_source": np.nan,
            "consensus": np.nan,
            "source_accuracy": _criteria.source_score(evidence, index, ratio, metric),
            "weighted_accuracy": _criteria.weighted_accuracy(evidence, index, nearest * ratio[index]),
            "reverse_accuracy": _criteria.reverse_accuracy(evidence, index, ratio, metric),
            "negative_entropy": _criteria.negative_entropy(evidence),
            "mutual_information": _criteria.mutual_information(evidence),
            "neighbourhood_density": _criteria.neighbourhood_density(evidence),
            "rows": max(len(source), len(target)),
            "fit_seconds": evidence.seconds,
        }
    found.criteria = pd.DataFrame.from_dict(table, orient="index")
    confer(candidates, found)
    return found


def _to_judge(estimator):
    """The same without last estimators: with them a recipe won where others were better, and took longer."""
    last = [name for name in estimator.get_params() if name.rpartition("__")[2] == "last_estimator"]
    return clone(estimator).set_params(**dict.fromkeys(last)) if last else estimator


def _collected(*candidate):
    """Evidence, or the message of what failed."""
    try:
        with warnings.catch_warnings(), threadpool_limits(1):  # threads of small solves wait for one another
            warnings.filterwarnings("ignore", ".* and took none in any round", UserWarning)
            return collect(*candidate)
    except Exception as error:
        return line(error)


def _priors(wanted, candidates, places, store, source, index, target, n_classes, told) -> TargetPriors:
    """The target's class shares, by the rows of one embedder for each view of the texts, and known labels."""
    shares = np.bincount(index, minlength=n_classes) / len(index)
    if not isinstance(wanted, str):
        return TargetPriors(shares, wanted, np.stack([wanted, wanted], axis=1))
    texts, rows = kind_of_rows(store.source) != "vectors", {}
    for place in places:
        view, steps = candidates[place].view, getattr(candidates[place].estimator, "steps", None)
        if view is None or view in rows or not steps or _tells_words(steps[0][1]):
            continue
        with suppress(Exception):  # what fails is said of its candidates
            made = store.rows(steps[0][1]).rows
            rows[view] = made[source], made[target]
            if texts and sparse.issparse(made):  # of words: weighted ones are not made as long
                rows[view] = tuple(some.astype(bool).astype(some.dtype) for some in rows[view])
    if not rows or not shares.all():  # a small round may lack a class
        return TargetPriors(shares, shares, np.stack([shares, shares], axis=1))
    of_words = NaiveBayesLogisticRegression(weighting="auto") if texts else None
    words = None
    if texts and not any(sparse.issparse(some) for some, _ in rows.values()):
        words = words_of(store.texts(source), store.texts(target))
    known: Any = ((), ()) if told is None else (np.flatnonzero(told >= 0), told[told >= 0])
    return priors_by_rows(wanted, list(rows.values()), index, of_words, known, words)


def _tells_words(step):
    return any(getattr(part, "_tells_words", False) for part in (step, *step.get_params().values()))


def confer(candidates, found: Round) -> None:
    """Set both consensuses of a round's candidates, and what follows from them."""
    places = list(found.evidence)
    views = [candidates[place].view for place in places]
    adapted = [candidates[place].unadapted != place for place in places]
    evidences = list(found.evidence.values())
    found.consensus = consensus(evidences, views, adapted, found.y, found.judging)
    found.balanced = consensus(evidences, views, adapted, found.y, found.judging, balanced=True)
    agree(found)


def agree(found: Round) -> None:
    """Set what is known of the target in both consensuses, and the criteria that follow from the first."""
    if found.told is not None:
        rows = found.told >= 0
        of_texts: Any = found.consensus, found.balanced
        for q in of_texts:
            q[rows] = np.eye(q.shape[1])[found.told[rows]]
    found.criteria["consensus"] = [
        found.metric.value(evidence.target, found.consensus, found.judging.target, found.weights)
        for evidence in found.evidence.values()
    ]
    both, weights = found.criteria[["consensus", "source_accuracy"]], [found.weights.sum(), _SOURCE]
    found.criteria["consensus_and_source"] = np.average(both, axis=1, weights=weights)


def survivors(candidates, found: Round, criterion) -> list[int]:
    """The better third, the best of each view, and the unadapted counterpart of each of these."""
    order = found.criteria.sort_values(criterion, ascending=False, kind="stable").index.tolist()
    kept = set(order[: max(_LEAST_KEPT, round(_SHARE_KEPT * len(order)))])
    best_of_view: dict[str | None, int] = {}
    for place in order:
        best_of_view.setdefault(candidates[place].view, place)
    kept |= set(best_of_view.values())
    kept |= {candidates[place].unadapted for place in kept}
    return [place for place in sorted(kept) if place in found.evidence]


def _weighing_rows(store, source, target):
    """Rows of source and target by which all candidates' source texts are weighed: the first dense ones."""
    made = [stored.rows for stored in store.made.values()]
    dense = [rows for rows in made if isinstance(rows, np.ndarray)]
    if dense:
        return dense[0][source], dense[0][target]
    rows = made[0]
    n_columns = min(_WEIGHT_COLUMNS, rows.shape[1] - 1)
    svd = TruncatedSVD(n_columns, random_state=0).fit(rows[np.concatenate([source, target])])
    return svd.transform(rows[source]), svd.transform(rows[target])


def results_table(candidates, tables, errors, criterion) -> pd.DataFrame:
    """A row a candidate, by the last round that judged it: `TransferSearch.results_`."""
    names = [
        [c.embedder, c.adapter, c.classifier, ", ".join(f"{k}={v}" for k, v in c.parameters.items())]
        for c in candidates
    ]
    frame = pd.DataFrame(names, columns=["embedder", "adapter", "classifier", "parameters"])
    judged = tables[0].reindex(columns=[*CRITERIA, "rows", "fit_seconds"])
    for table in tables[1:]:
        judged.loc[table.index] = table[judged.columns]
    frame = frame.join(judged)
    order = frame.sort_values(["rows", criterion], ascending=False, na_position="last").index
    frame["rank"] = pd.Series(np.arange(1, len(order) + 1), order)
    frame["rows"] = frame["rows"].astype("Int64")
    frame["error"] = [errors.get(place, "") for place in range(len(candidates))]
    return frame
