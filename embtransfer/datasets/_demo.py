"""The bundled demo reviews."""

from collections.abc import Sequence

from sklearn.utils import Bunch

from ..system._package_data import data_folder
from ._bunches import SENTIMENTS, check_domains, join_parts
from ._files import read_csv

DEMO_DOMAINS = ("films", "kitchenware")


def load_demo_reviews(domain: str | Sequence[str] | None = None) -> Bunch:
    """Load the bundled demo reviews: two small domains with the same two labels.

    Parameters
    ----------
    domain : {"films", "kitchenware"}, list of these, or None, default=None
        The domains to load, in the order asked. None loads both, since adapting needs two.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        `data`, list of str: the reviews; `target`, int64 ndarray: 0 negative, 1 positive;
        `target_names`: ``["negative", "positive"]``; `domain`, ndarray of str: the domain of each
        row; `DESCR`, str.

    Raises
    ------
    ValueError
        If a domain is unknown or named twice.

    Examples
    --------
    >>> from embtransfer.datasets import load_demo_reviews
    >>> load_demo_reviews("films").target_names
    ['negative', 'positive']
    """
    names = check_domains(DEMO_DOMAINS if domain is None else domain, DEMO_DOMAINS, "domain")
    parts = {}
    for name in names:
        texts, labels = read_csv(data_folder() / f"demo_{name}.csv", "label")
        parts[name] = texts, [SENTIMENTS.index(label) for label in labels]
    descr = "Demo reviews of films and kitchenware, bundled with embtransfer: see data/README.md."
    return join_parts(parts, "domain", SENTIMENTS, descr)
