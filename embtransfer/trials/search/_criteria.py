"""Criteria that need no target label: each gives one number a candidate, the larger the better."""

import numpy as np

from ._evidence import Evidence

_LEAST = 1e-12
_TEMPERATURE = 0.05  # of soft neighbourhood density, as published


def source_accuracy(evidence: Evidence, y, ratio) -> float:
    """Accuracy on held-out source rows, where the classes had the target's shares.

    `ratio`: (n_classes,), share in the target by share in the source.
    """
    return float(np.average(_right(evidence, y), weights=ratio[y]))


def source_score(evidence: Evidence, y, ratio, metric) -> float:
    """The same for the user's metric: "source_accuracy" of a search's table."""
    return metric.value(evidence.source, _one_hot(y, ratio), weights=ratio[y])


def weighted_accuracy(evidence: Evidence, y, weights) -> float:
    r"""Importance-weighted accuracy on held-out source rows, :math:`\sum_i w_i c_i / \sum_i w_i`.

    M. Sugiyama, M. Krauledat, K.-R. Mueller. "Covariate shift adaptation by importance weighted cross
    validation." JMLR 8, 2007.
    """
    return float(np.average(_right(evidence, y), weights=weights))


def reverse_accuracy(evidence: Evidence, y, ratio, metric) -> float:
    """The metric on held-out source rows of a model of the target's predicted labels, adapted to the source.

    Of classes in the target's shares. Accuracy, where the metric is of probabilities.

    E. Zhong, W. Fan, Q. Yang, O. Verscheure, J. Ren. "Cross validation framework to choose amongst models and
    datasets for transfer learning." ECML 2010.
    """
    gains, weights = reverse_gains(evidence, y, ratio, metric)
    return float(np.average(gains, weights=weights))


def reverse_gains(evidence: Evidence, y, ratio, metric) -> tuple[np.ndarray, np.ndarray]:
    """What each source row that was judged in reverse adds to it, and its weight: (n_judged,) both."""
    judged = evidence.back >= 0
    back, y = evidence.back[judged], y[judged]
    weights = ratio[y]
    if metric.name == "neg_log_loss":  # these are labels
        return (back == y).astype(float), weights
    return metric.gains(_one_hot(back, ratio), _one_hot(y, ratio), weights=weights), weights


def negative_entropy(evidence: Evidence) -> float:
    """Minus the mean entropy of the predictions for target rows, in nats."""
    proba = np.maximum(evidence.target, _LEAST)
    return float((proba * np.log(proba)).sum(axis=1).mean())


def mutual_information(evidence: Evidence) -> float:
    """Entropy of the mean prediction for target rows, minus the mean of their entropies, in nats."""
    mean = np.maximum(evidence.target.mean(axis=0), _LEAST)
    return float(-(mean * np.log(mean)).sum()) + negative_entropy(evidence)


def neighbourhood_density(evidence: Evidence, max_rows=2000) -> float:
    """Soft neighbourhood density: mean entropy of the softmax of similarities between target predictions.

    Of at most `max_rows` rows, the first. K. Saito, D. Kim, P. Teterwak, S. Sclaroff, T. Darrell, K. Saenko.
    "Tune it the right way: unsupervised validation of domain adaptation via soft neighborhood density."
    ICCV 2021.
    """
    rows = evidence.target[:max_rows]
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST)
    rows = rows.astype(np.float32)
    logs = (rows @ rows.T - 1) / np.float32(_TEMPERATURE)  # at most 0, but for rounding
    shares = np.exp(logs)
    np.fill_diagonal(shares, 0)
    total = np.maximum(shares.sum(axis=1, dtype=np.float64), _LEAST)
    mean = np.einsum("ij,ij->i", shares, logs) / total
    return float((np.log(total) - mean).mean())


def _right(evidence, y):
    return evidence.source.argmax(axis=1) == y


def _one_hot(y, ratio):
    return np.eye(len(ratio))[y]
