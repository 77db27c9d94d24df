"""The passes over files that fit the steps of a pipeline."""

import numpy as np
from scipy import sparse

from .._texts import objects
from ..adapters import BaseAdapter
from ..embedders._base import BaseEmbedder
from ..embedders._pooled import PooledEmbedder
from ..pipeline._words import words_of
from ..priors import rows_for_priors, weights_by_class
from ..tables import TableReader, column_values
from ..tables._files import STDIN, find_files
from ._closed_form import fit_by_sums, has_closed_form
from ._spool import Spool, shuffled_blocks

EMBEDDING_SOURCE, EMBEDDING_TARGET = "Embedding the source", "Embedding the target"


class Passes:
    """The passes over a source and a target file that fit the steps; rows wait on disk between them.

    Parameters
    ----------
    folder : Path
        For the spooled rows.
    source, target : str, path or list of these; target may be None
    columns : (str, str, str)
        Names of the columns with texts and labels, and with the target's texts, if that is another.
    dialect : (str or None, str or None)
        Delimiter and encoding of the files.
    batch_size : int
    report : callable (rows so far, None, what is being done)
    """

    def __init__(self, folder, source, target, columns, dialect, batch_size, report):
        if any(given is not None and find_files(given) == [STDIN] for given in (source, target)):
            raise ValueError(
                "Got - (stdin), which can be read once; a fit from files takes several passes. Put it in a "
                "file, or fit in memory: pipeline.fit, or no --stream."
            )
        self.folder, self.source = folder, TableReader(source, *dialect)
        self.target = None if target is None else TableReader(target, *dialect)
        self.text_column, self.label_column, own = columns
        self.target_column = own or self.text_column
        self.source.check_columns({"text_column": self.text_column, "label_column": self.label_column})
        if self.target is not None:
            option = "target_text_column" if own else "text_column"
            self.target.check_columns({option: self.target_column})
        self.batch_size, self.report = batch_size, report
        self.spools = {}
        self.classes, self.numbers = {}, self._spool("labels", np.int32)
        self.fitted = []  # steps after the embedder that have learned

    def _spool(self, name, dtype=np.float32):
        self.spools[name] = Spool(self.folder / name, dtype)
        return self.spools[name]

    def close(self):
        for spool in self.spools.values():
            spool.close()

    def embed(self, embedder, cleaners=()):
        """Fit the embedder to texts that go through the cleaners, embed the source, and gather its labels."""
        self.cleaners = cleaners
        if self.target is not None:  # say now, not after the source has been read, that it cannot be read
            next(self.target.batches([self.target_column], self.batch_size, self.target_column))
        self.embedder = embedder
        learned = isinstance(embedder, PooledEmbedder) and embedder.pooling in ("idf", "sif", "usif")
        if learned:
            self._learn_words()
        spool = self._spool("source")
        for texts in self._source_texts(EMBEDDING_SOURCE):
            if spool.n_rows == 0 and not learned:
                embedder.fit(texts)  # which learns nothing from them
            spool.append(_dense(embedder, embedder.transform(texts)))

    def adapt(self, steps):
        """Fit the steps between embedder and classifier, one after the other, and map the source rows."""
        adapters = [step for _, step in steps if isinstance(step, BaseAdapter)]
        passes = len(adapters) + sum(step._asks_for_priors() for step in adapters)
        if passes > 1 and self.target is not None:
            spool = self._spool("target")
            for rows in self._embedded_target():
                spool.append(rows)
        for name, step in steps:
            self._fit_step(f"Fitting {name}", step)
            self.fitted.append(step)
        self.adapted = self.spools["source"]
        if self.fitted:
            self.adapted = self._spool("adapted")
            for rows in self._source_rows("Adapting the source"):
                self.adapted.append(rows)
            self.spools["source"].close()

    # texts

    def _batches(self, table, columns, what):
        """Batches of columns, of which the first has the texts."""
        n = 0
        for batch in table.batches(columns, self.batch_size, columns[0]):
            if batch.num_rows:
                yield batch
                n += batch.num_rows
                self.report(n, None, what)
        if n == 0:
            raise ValueError(f"{table.name} has no rows. Expected at least one.")

    def _texts(self, batch, column):
        """The texts as Arrow for our embedders, as a list for others."""
        texts = batch.column(column)
        for cleaner in self.cleaners:
            texts = cleaner.transform(texts)
        return texts if isinstance(self.embedder, BaseEmbedder) else texts.to_pylist()

    def _source_texts(self, what):
        """Batches of texts; the first pass gathers the labels."""
        first, missing = not self.classes, 0
        for batch in self._batches(self.source, [self.text_column, self.label_column], what):
            if first:
                missing += self._add_labels(column_values(batch, self.label_column))
            if not missing:  # otherwise only counting is left to do
                yield self._texts(batch, self.text_column)
        if missing:
            raise ValueError(
                f"{self.source.name} has {missing:,} rows without a {self.label_column!r}. Remove them first."
            )
        if first:
            self._sort_classes()

    def _add_labels(self, labels):
        """Write the labels' numbers, in the order in which labels came; return how many are missing."""
        missing = sum(label is None or label == "" or label != label for label in labels)
        if not missing:
            try:
                numbers = [self.classes.setdefault(label, len(self.classes)) for label in labels]
            except TypeError:
                raise TypeError(
                    f"{self.source.name} has labels such as {labels[0]!r}. Expected one text or number a row."
                ) from None
            self.numbers.append(np.array(numbers)[:, None])
        return missing

    def _sort_classes(self):
        if len({isinstance(label, str) for label in self.classes}) == 2:
            raise ValueError(
                f"{self.source.name} has labels that are texts and others that are not. Make them alike."
            )
        seen = np.array(list(self.classes))
        if seen.dtype.kind == "f" and (seen != seen.round()).any():
            raise ValueError(
                f"{self.source.name} has labels such as {seen[0]}. Expected classes, not quantities."
            )
        if len(seen) < 2:
            raise ValueError(f"Got 1 class, {seen.tolist()[0]!r}. Expected labels of at least two classes.")
        self.sorted_classes, order = np.unique(seen, return_inverse=True)
        self.order = order.astype(np.intp)

    # rows

    def _learn_words(self):
        """As `fit` does: components come from final weights, for which partial_fit cannot wait."""
        embedder, begun = self.embedder, False
        for texts in self._source_texts("Counting words"):
            texts = embedder._texts_to_fit(texts)
            if not begun:
                embedder._begin()
                begun = True
            embedder._count(texts)
        embedder._weigh()
        if embedder.pooling != "idf":
            for texts in self._source_texts("Finding common components"):
                embedder._learn_components(embedder._texts_to_fit(texts))

    def _target_texts(self, what):
        for batch in self._batches(self.target, [self.target_column], what):
            yield self._texts(batch, self.target_column)

    def _embedded_target(self):
        for texts in self._target_texts(EMBEDDING_TARGET):
            yield _dense(self.embedder, self.embedder.transform(texts))

    def _source_rows(self, what):
        """Source rows as the steps fitted so far map them, batch by batch."""
        n = 0
        for rows in self.spools["source"].blocks(self.batch_size):
            for step in self.fitted:
                transform = step.transform_source if isinstance(step, BaseAdapter) else step.transform
                rows = _dense(step, transform(rows))
            yield rows
            n += len(rows)
            self.report(n, None, what)

    def _target_rows(self):
        spool = self.spools.get("target")
        for rows in spool.blocks(self.batch_size) if spool else self._embedded_target():
            for step in self.fitted:
                rows = _dense(step, step.transform(rows))
            yield rows

    def _fit_step(self, what, step):
        if not hasattr(step, "partial_fit"):  # it learns nothing but the columns
            step.fit(next(self._source_rows(what)))
            return
        if self.target is not None and isinstance(step, BaseAdapter) and step._asks_for_priors():
            index = self.order[self._labels()]
            weights = weights_by_class(index, self._find_priors(step, index))[index]
            n = 0
            for rows in self._source_rows(what):
                step.partial_fit(rows, sample_weight=weights[n : n + len(rows)])
                n += len(rows)
        else:
            for rows in self._source_rows(what):
                step.partial_fit(rows)
        if isinstance(step, BaseAdapter) and self.target is not None:
            for rows in self._target_rows():
                step.partial_fit(X_target=rows)

    def _find_priors(self, step, index):
        """The target's class shares, from the rows that `fit` would estimate them from."""
        what = "Estimating class shares"
        some, others = rows_for_priors(index, self.spools["target"].n_rows)
        source, target = _picked(self._source_rows(what), some), _picked(self._target_rows(), others)
        both = (self._source_texts(what), some), (self._target_texts(what), others)
        step._words = words_of(*(_picked(map(objects, texts), wanted) for texts, wanted in both))
        try:
            return step._find_priors(source, target, index[some])
        finally:
            del step._words

    def _labels(self):
        """Numbers of the source rows' labels, in the order in which labels came: (n_source,)."""
        return np.concatenate([part[:, 0] for part in self.numbers.blocks(self.batch_size)])

    # classifier

    def classify(self, name, classifier, epochs, max_memory, random_state):
        """Fit the classifier on the adapted source rows: by sums, by steps, or on a memory map."""
        what, classes = f"Fitting {name}", self.sorted_classes

        def blocks():
            n = 0
            pairs = zip(*(s.blocks(self.batch_size) for s in (self.adapted, self.numbers)), strict=True)
            for rows, numbers in pairs:
                yield rows, self.order[numbers[:, 0]]
                n += len(rows)
                self.report(n, None, what)

        if has_closed_form(classifier):
            fit_by_sums(classifier, blocks, classes)
        elif hasattr(classifier, "partial_fit"):
            # naive Bayes counts: a second pass would count twice
            counts = type(classifier).__module__ == "sklearn.naive_bayes"
            rng, n = np.random.default_rng(random_state), 0
            for _ in range(1 if counts else epochs):
                for rows, numbers in shuffled_blocks((self.adapted, self.numbers), self.batch_size, rng):
                    classifier.partial_fit(rows, classes[self.order[numbers[:, 0]]], classes=classes)
                    n += len(rows)
                    self.report(n, None, what)
        else:
            spool = self.adapted
            n_bytes = 4 * spool.n_rows * spool.n_columns
            if n_bytes > max_memory:
                raise ValueError(
                    f"{type(classifier).__name__} wants all {spool.n_rows:,} x {spool.n_columns} numbers at "
                    f"once: {n_bytes:,} bytes, more than max_memory={max_memory:,.0f}. Put "
                    "SGDClassifier(loss='log_loss'), which learns by steps, or RidgeClassifier, which takes "
                    "sums, in its place, or raise max_memory."
                )
            classifier.fit(spool.mapped().view(np.ndarray), classes[self.order[self._labels()]])


def _picked(blocks, wanted):
    """The rows with these numbers, sorted, of blocks that follow one another."""
    picked, n = [], 0
    for rows in blocks:
        first, last = np.searchsorted(wanted, (n, n + len(rows)))
        picked.append(rows[wanted[first:last] - n])
        n += len(rows)
    return np.concatenate(picked)


def _dense(step, rows):
    if sparse.issparse(rows):
        raise TypeError(
            f"{type(step).__name__} gives sparse rows, which fit_files does not take. Use WordEmbedder, "
            "StaticEmbedder or SentenceEmbedder, or fit in memory: pipeline.fit(texts, labels, X_target)."
        )
    return np.asarray(rows, np.float32)
