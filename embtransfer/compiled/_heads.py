"""From columns of scores to decisions, probabilities and classes, as the classifiers of a pipeline do.

A head is a dictionary, as it stands in a compiled model's config.json:

- linear: columns `start` to `stop` are the decision; `link` turns them into probabilities: "logistic" (one
  column), "softmax", "one_vs_rest", "modified_huber", or None. `decision`: whether they are a decision
  function or likelihoods alone.
- shift: log-probabilities of the inner head, times a slope, plus biases and the logarithm of a prior ratio.
  `decision`: whether they are a decision function; they are where it does not say.
- calibrated: mean over members, each an inner head with calibrators.
- mean: weighted mean probability of heads.
- threshold: the second class where its probability or decision reaches a threshold.
- labels: several labels a text, a head of two classes for each; they are given as columns of 0 and 1.
- number: column `start` is the number predicted.
"""

import numpy as np

LINKS = ("logistic", "softmax", "one_vs_rest", "modified_huber", None)


def predict(head, scores):
    """Numbers of the classes: int64 (n,). scores: float64 (n, n_columns).

    Of several labels 0 or 1: int64 (n, n_labels). Of a number itself: float64 (n,).
    """
    kind = head["kind"]
    if kind == "labels":
        return np.stack([predict(inner, scores) for inner in head["heads"]], axis=1)
    if kind == "number":
        return scores[:, head["start"]].astype(np.float64)
    if kind == "linear":
        columns = scores[:, head["start"] : head["stop"]]
        return (columns[:, 0] > 0).astype(np.int64) if columns.shape[1] == 1 else columns.argmax(axis=1)
    if kind == "threshold":
        inner, positive = head["head"], head["positive"]
        values = decision(inner, scores) if head["response"] == "decision" else proba(inner, scores)
        if head["response"] != "decision":
            values = values[:, positive]
        elif positive == 0:
            values = -values
        return np.where(values >= head["threshold"], positive, 1 - positive)
    if kind == "shift":
        return _shifted(head, scores).argmax(axis=1)
    return proba(head, scores).argmax(axis=1)


def has_proba(head):
    """Whether the head gives probabilities."""
    if head["kind"] == "number":
        return False
    if head["kind"] == "labels":
        return all(map(has_proba, head["heads"]))
    if head["kind"] == "linear":
        return head["link"] is not None
    return has_proba(head["head"]) if head["kind"] == "threshold" else True


def has_decision(head):
    """Whether the head has a decision function."""
    if head["kind"] == "threshold":
        return has_decision(head["head"])
    if head["kind"] == "labels":
        return all(map(has_decision, head["heads"]))
    return head["kind"] in ("shift", "linear") and head.get("decision", True)


def decision(head, scores):
    """The decision function: float64 (n,) for two classes, (n, n_classes) for more, or for several labels."""
    if head["kind"] == "labels":
        return np.stack([decision(inner, scores) for inner in head["heads"]], axis=1)
    if head["kind"] == "threshold":
        return decision(head["head"], scores)
    if head["kind"] == "shift":
        log_proba = _shifted(head, scores)
        return log_proba[:, 1] - log_proba[:, 0] if log_proba.shape[1] == 2 else log_proba
    columns = scores[:, head["start"] : head["stop"]]
    return columns[:, 0] if columns.shape[1] == 1 else columns


def proba(head, scores):
    """Class probabilities: float64 (n, n_classes)."""
    kind = head["kind"]
    if kind == "labels":
        return np.stack([proba(inner, scores)[:, 1] for inner in head["heads"]], axis=1)
    if kind == "threshold":
        return proba(head["head"], scores)
    if kind == "shift":
        return np.exp(_shifted(head, scores))
    if kind == "mean":
        weights = head["weights"]
        parts = zip(head["heads"], weights, strict=True)
        return sum(weight * proba(inner, scores) for inner, weight in parts) / sum(weights)
    if kind == "calibrated":
        members = head["members"]
        return sum(_calibrated(member, head["n_classes"], scores) for member in members) / len(members)
    columns = scores[:, head["start"] : head["stop"]]
    link = head["link"]
    if link == "softmax":
        return softmax(columns)
    shares = (np.clip(columns, -1, 1) + 1) / 2 if link == "modified_huber" else _expit(columns)
    if shares.shape[1] == 1:
        return np.concatenate([1 - shares, shares], axis=1)
    total = shares.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, shares, 1.0)
    return shares / shares.sum(axis=1, keepdims=True)


def expect(condition, what):
    """Refuse a configuration: ValueError of what is wrong with it."""
    if not condition:
        raise ValueError(what)


def check_head(head, n_columns, n_classes):
    """Refuse, with ValueError or KeyError, a head that does not fit the columns or the classes."""
    kind = head["kind"]
    if kind == "number":
        expect(n_classes == 0, "a number has no classes")
        expect(0 <= head["start"] < n_columns, "a head has other columns than the program")
        return
    if kind == "labels":
        expect(len(head["heads"]) == n_classes > 0, "a head has other labels")
        for inner in head["heads"]:
            expect(inner["kind"] not in ("labels", "number"), "a label is no class")
            check_head(inner, n_columns, 2)
        return
    expect(n_classes >= 2, "there are no two classes")
    if kind == "linear":
        width = head["stop"] - head["start"]
        expect(0 <= head["start"] < head["stop"] <= n_columns, "a head has other columns than the program")
        expect(width == n_classes or (width == 1 and n_classes == 2), "a head has other classes")
        expect(head["link"] in LINKS, "a link is unknown")
    elif kind in ("shift", "threshold"):
        check_head(head["head"], n_columns, n_classes)
        if kind == "shift":
            expect(len(head["biases"]) == len(head["ratio"]) == n_classes, "a head has other classes")
            expect({"slope", "least"} <= head.keys(), "a head lacks numbers")
        else:
            expect(n_classes == 2, "a threshold needs two classes")
            expect(head["positive"] in (0, 1), "a threshold needs two classes")
            expect({"threshold", "response"} <= head.keys(), "a head lacks numbers")
    elif kind == "mean":
        expect(len(head["heads"]) == len(head["weights"]) > 0, "a mean has no heads")
        for inner in head["heads"]:
            check_head(inner, n_columns, n_classes)
    else:
        expect(kind == "calibrated", "a head is unknown")
        expect(head["members"], "a calibration is empty")
        expect(head["n_classes"] == n_classes, "a head has other classes")
        for member in head["members"]:
            check_head(member["head"], n_columns, n_classes)
            same = "slope" in member or len(member["places"]) == len(member["calibrators"])
            expect(same, "a calibration lacks classes")


def try_head(head, n_columns, n_classes):
    """Refuse a head whose numbers are none, or that gives classes that there are not, by running it.

    Raises
    ------
    ValueError, TypeError, LookupError, ArithmeticError
    """
    scores, kind = np.zeros((2, n_columns)), head["kind"]
    with np.errstate(all="ignore"):
        classes = predict(head, scores)
        if kind == "number":
            return
        most = 2 if kind == "labels" else n_classes
        expect(classes.dtype == np.int64 and ((classes >= 0) & (classes < most)).all(), "a class is unknown")
        if has_proba(head):
            expect(proba(head, scores).shape == (2, n_classes), "a head has other classes")
        if has_decision(head):
            shape = decision(head, scores).shape
            expect(shape in ((2,), (2, n_classes)), "a head has other classes")


def softmax(logits):
    """exp(z) over its sum, row by row."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def _expit(values):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-values))


def _shifted(head, scores):
    inner = head["head"]
    if has_proba(inner):
        logits = np.log(np.maximum(proba(inner, scores), head["least"]))
    else:
        logits = decision(inner, scores)
        logits = logits if logits.ndim == 2 else np.stack([np.zeros_like(logits), logits], axis=1)
    logits = head["slope"] * logits + np.array(head["biases"])
    logits = logits + np.log(np.maximum(head["ratio"], head["least"]))
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def _calibrated(member, n_classes, scores):
    inner = member["head"]
    values = decision(inner, scores) if has_decision(inner) else proba(inner, scores)
    if member["method"] == "temperature":
        if values.ndim == 1:
            values = np.stack([-values, values], axis=1)
        return softmax(member["slope"] * values)
    if values.ndim == 1:
        values = values[:, None]
    elif n_classes == 2:
        values = values[:, 1:]
    shares = np.zeros((len(scores), n_classes))
    for place, value, calibrator in zip(member["places"], values.T, member["calibrators"], strict=True):
        shares[:, place] = _calibrate(calibrator, value)
    if n_classes == 2:
        shares[:, 0] = 1 - shares[:, 1]
        return shares
    total = shares.sum(axis=1, keepdims=True)
    return np.where(total != 0, shares / np.where(total != 0, total, 1), 1 / n_classes)


def _calibrate(calibrator, values):
    if "slope" in calibrator:  # Platt
        return _expit(-(calibrator["slope"] * values + calibrator["offset"]))
    return np.interp(values, calibrator["x"], calibrator["y"])  # isotonic
