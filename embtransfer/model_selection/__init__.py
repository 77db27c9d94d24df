"""Cross-validation that trains on source rows and scores target rows, for scikit-learn's own tools."""

from ._domains import mark_domains, stack_domains, stratified_order
from ._splitters import LeaveOneDomainOut, TargetKFold, TargetShuffleSplit
from ._stacked import StackedDomains

__all__ = [
    "LeaveOneDomainOut",
    "StackedDomains",
    "TargetKFold",
    "TargetShuffleSplit",
    "mark_domains",
    "stack_domains",
    "stratified_order",
]
