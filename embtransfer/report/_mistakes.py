"""Which classes the model takes for which."""

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from ..system._escape import plain
from ._blocks import Section, Table

_LARGEST = 20  # classes of a matrix that a page can show


def confusion(model) -> tuple[pd.DataFrame | None, str, str]:
    """Counts, a row a true class and a column a predicted one; what they are of; or why there are none."""
    if model.error:
        return None, "", f"The model could not be fitted ({model.error})."
    found = model.predictions()
    if found is None:
        return None, "", "The target has no labels, and a source class is one text, which cannot be held out."
    true, predicted, what = found
    names: dict = {}  # a class 1 of the source and 1.0 of the target are one
    for label in (*model.data.y.tolist(), *np.asarray(true).tolist()):
        names.setdefault(label, plain(label))
    true, predicted = ([names[label] for label in np.asarray(some).tolist()] for some in (true, predicted))
    labels = sorted({*true, *predicted})
    counts = confusion_matrix(true, predicted, labels=labels)
    return pd.DataFrame(counts, labels, labels), what, ""


def accuracy(counts) -> tuple[float, int]:
    """Share of the texts that are right, and how many texts there are."""
    n = int(counts.to_numpy().sum())
    return float(np.trace(counts.to_numpy()) / n), n


def mistakes(counts, what, reason) -> Section:
    section = Section("confusion", "Which classes are mistaken", left_out=reason or None)
    if reason:
        return section
    n, right = int(counts.to_numpy().sum()), int(np.trace(counts.to_numpy()))
    section.blocks = [f"{right:,} of {n:,} are right ({right / n:.1%}). Scored: {what}."]
    if len(counts) <= _LARGEST:
        named = counts.add_prefix("predicted ")
        shares = named.div(named.sum(axis=1).clip(lower=1), axis=0).reset_index(drop=True)
        frame = named.reset_index(names="true class")
        caption = "Confusion matrix: texts of each true class, by predicted class"
        section.blocks.append(Table("confusion", caption, frame, shade=shares, beside=True))
    else:
        section.blocks.append(_pairs(counts))
    section.blocks.append(_by_class(counts))
    return section


def _pairs(counts):
    rows, columns = np.nonzero(counts.to_numpy())
    pairs = pd.DataFrame(
        {
            "true_class": counts.index[rows],
            "taken_for": counts.columns[columns],
            "texts": counts.to_numpy()[rows, columns],
        }
    )
    pairs = pairs[pairs["true_class"] != pairs["taken_for"]].sort_values(
        "texts", ascending=False, kind="stable", ignore_index=True
    )
    caption = f"The most frequent of all mistakes ({len(counts)} classes are too many for a matrix)"
    return Table("mistakes", caption, pairs.head(_LARGEST), sortable=True)


def _by_class(counts):
    table = counts.to_numpy()
    true, predicted = (np.repeat(*pair) for pair in _cells(table))
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=np.arange(len(table)), zero_division=0
    )
    frame = pd.DataFrame(
        {"class": counts.index, "precision": precision, "recall": recall, "f1": f1, "texts": support}
    )
    headers = {"f1": "F1", "texts": "texts of it"}
    return Table("classes", "Precision and recall of each class", frame, headers, sortable=True, beside=True)


def _cells(table):
    """(class, times) of the true and of the predicted classes, cell by cell."""
    rows, columns = np.indices(table.shape)
    return (rows.ravel(), table.ravel()), (columns.ravel(), table.ravel())
