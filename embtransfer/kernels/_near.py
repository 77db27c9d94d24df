"""Compiled kernel: which words come near which."""

from ._compiling import njit


@njit
def count_near(ids, text, first, last, window, out):
    """Add 1 / distance to out[word - first, context] for each context near a word of first <= id < last.

    ids int32 (n,), below 0 for tokens that are no word; text int64 (n,), the number of each token's text; out
    float64 (last - first, n_contexts): the contexts are the first words.
    """
    n, n_contexts = len(ids), out.shape[1]
    for i in range(n):
        if first <= ids[i] < last:
            for j in range(max(0, i - window), min(n, i + window + 1)):
                if j != i and text[j] == text[i] and 0 <= ids[j] < n_contexts:
                    out[ids[i] - first, ids[j]] += 1 / abs(i - j)
