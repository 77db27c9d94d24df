"""Named parts of labelled texts, joined as scikit-learn's loaders give them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

SENTIMENTS = ("negative", "positive")


def join_parts(parts: dict[str, Any], key: str, target_names: Sequence[str], descr: str) -> Bunch:
    """Join the named parts, each (texts, codes); `key` holds the name of the part of each row."""
    return Bunch(
        data=[text for texts, _ in parts.values() for text in texts],
        target=np.concatenate([np.array(codes, dtype=np.int64) for _, codes in parts.values()]),
        target_names=list(target_names),
        DESCR=descr,
        **{key: np.repeat(list(parts), [len(texts) for texts, _ in parts.values()])},
    )


def check_domains(asked: str | Sequence[str], valid: Sequence[str], parameter: str) -> list[str]:
    names = [asked] if isinstance(asked, str) else list(asked)
    if not names or len(set(names)) < len(names) or not set(names) <= set(valid):
        expected = f"one or more of {list(valid)}, each at most once"
        raise ValueError(f"Got {parameter}={asked!r}, expected {expected}.")
    return names
