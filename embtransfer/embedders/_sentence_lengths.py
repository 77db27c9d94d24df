"""How many tokens a sentence model reads: of a text, and of texts together."""

import numpy as np

_TOKENS = 1024  # with padding, a batch on a CPU: its activations stay in the processor's cache
_OFFSET_POSITIONS = {"camembert", "mpnet", "roberta", "xlm-roberta"}  # they use the first two for padding


def check_max_length(max_length, n_special, n_positions, model_type):
    """Refuse lengths that leave no room for a token beside the special ones, or that the model lacks.

    `n_positions` None is as many as there may be.
    """
    least, limit = 1 + n_special, n_positions or np.inf
    if model_type in _OFFSET_POSITIONS:
        limit -= 2
    if not least <= max_length <= limit:
        raise ValueError(f"Got max_length={max_length}. Expected {least} to {limit:,.0f} for this model.")


def batches(lengths, batch_size, bounded=True):
    """Yield positions, longest texts first: what needs most memory fails at once, if it does."""
    order, start = np.argsort(-lengths, kind="stable"), 0
    while start < len(order):
        n_fitting = _TOKENS // max(lengths[order[start]], 1) if bounded else batch_size
        end = start + max(1, min(batch_size, n_fitting))
        yield order[start:end]
        start = end
