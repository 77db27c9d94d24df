"""The section on the data: what stands there, and what is probably wrong with it."""

from ..trials import check_domains
from ._blocks import Section, Table, without_home

_HEADERS = {"source_share": "share of source", "target_share": "share of target"}
_SHOWN = 50  # classes


def data_check(X, y, X_target, y_target) -> Section:
    """What `check_domains` finds; the words that lack have a section of their own."""
    found = check_domains(X, y, X_target, y_target, embedder=None)
    section = Section("data", "The data", [without_home(said) for said in (found.summary, *found.problems)])
    if found.classes is not None:
        frame = found.classes.reset_index().sort_values("source", ascending=False, kind="stable")[:_SHOWN]
        frame["class"] = frame["class"].map(lambda label: without_home(str(label)))
        if y_target is None:
            frame = frame.drop(columns=["target", "target_share"])
        section.blocks.append(
            Table("data", "Rows of each class", frame, _HEADERS, sortable=True, folded=True)
        )
    return section
