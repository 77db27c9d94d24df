"""Words of a pipeline's texts, which tell the target's class shares beside the rows of a step."""

import numpy as np

from .._rows import cleans_texts
from .._texts import check_texts, text_list
from ..classifiers import NaiveBayesLogisticRegression
from ..embedders import NGramVectorizer


class Words:
    """Makes rows of words of some texts of both domains when a step asks for them: most never do."""

    classifier = NaiveBayesLogisticRegression(weighting="auto")  # of these rows

    def __init__(self, source, target, cleaners=()):
        self._texts, self._cleaners, self._last = (source, target), cleaners, None

    def rows(self, some, others):
        """Counts, csr, in the source's and the target's texts at these places; None where no word recurs."""
        places = some, others
        # adapters tried one after another ask for the same
        if self._last is None or not all(map(np.array_equal, self._last[0], places)):
            lists = [text_list(check_texts(texts)) for texts in self._texts]
            for cleaner in self._cleaners:
                lists = [cleaner.transform(texts) for texts in lists]
            source, target = ([texts[i] for i in of] for texts, of in zip(lists, places, strict=True))
            vectorizer = NGramVectorizer("binary", max_ngram="auto")
            try:
                vectorizer.fit(source, X_target=target)
                self._last = places, (vectorizer.transform(source), vectorizer.transform(target))
            except ValueError:  # of letters or signs alone
                self._last = places, None
        return self._last[1]


def words_of(source, target, steps=()) -> Words | None:
    """None where the rows of the two domains are no texts; of these, those that the steps see."""
    try:
        for texts in (source, target):
            text_list(check_texts(texts)[:1])
    except (TypeError, ValueError):
        return None
    return Words(source, target, [step for step in steps if cleans_texts(step)])
