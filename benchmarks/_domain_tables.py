"""Word vectors learned from the unlabelled texts of two domains, alone and joined with a pretrained table."""

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from embtransfer import DomainWordEmbedder, WordVectors
from embtransfer._words import words_of
from embtransfer.embedders._domain_words import WINDOW, neighbours, numbered, scaled

MIN_COUNT = 2
PRETRAINED, WORD2VEC, STARTED, COUNTS, REVIEWS = (
    "pretrained: GloVe 6B 50d, 400,000 words",
    "Word2Vec of the domains",
    "Word2Vec, begun at the pretrained",
    "PPMI of neighbours, SVD",
    "TF-IDF of texts, SVD, a vector a word",
)
BUILT = "DomainWordEmbedder: PPMI beside the pretrained"


def tables(texts, pretrained):
    """Name -> WordVectors."""
    tokens = [words_of(one, True) for one in texts]
    words, counts, ids, text = numbered(tokens, MIN_COUNT)
    both = DomainWordEmbedder(pretrained).fit(texts).vectors_
    width, weights = pretrained.matrix.shape[1], np.log1p(counts)
    given, of_counts = both.matrix[:, :width], both.matrix[:, width:]
    rows = pretrained.rows_of(words)
    known = rows >= 0
    start = {word: pretrained.matrix[row] for word, row in zip(words, rows, strict=True) if row >= 0}
    of_windows = word2vec(tokens, words, 100)
    loadings = of_texts(texts, words)
    near = neighbours(ids, text, len(words), WINDOW)
    made = {
        WORD2VEC: of_windows,
        STARTED: word2vec(tokens, words, width, start),
        f"{WORD2VEC}; side by side": np.hstack([given, scaled(of_windows, weights)]),
        f"{WORD2VEC}; CCA": joined(given, of_windows, known, weights),
        COUNTS: of_counts,
        BUILT: both.matrix,
        f"{COUNTS}; CCA": joined(given, of_counts, known, weights),
        REVIEWS: loadings,
        f"{REVIEWS}; side by side": np.hstack([given, scaled(loadings, weights)]),
        "à la carte, unknown words": a_la_carte(near, start, words, known, counts),
    }
    return {PRETRAINED: pretrained} | {
        name: WordVectors(words, np.ascontiguousarray(matrix, np.float32), name=name)
        for name, matrix in made.items()
    }


def word2vec(tokens, words, n_columns, start=None):
    """Skip-grams, five epochs, ten words to each side; from `start`, word -> vector, where it has one."""
    from gensim.models import Word2Vec  # the pages' tables are made without it

    model = Word2Vec(vector_size=n_columns, window=10, min_count=MIN_COUNT, sg=1, workers=1, seed=0, epochs=5)
    model.build_vocab(tokens)
    for word, vector in (start or {}).items():
        model.wv.vectors[model.wv.key_to_index[word]] = vector
    model.train(tokens, total_examples=model.corpus_count, epochs=model.epochs)
    return model.wv[words]


def of_texts(texts, words, n_columns=300):
    """Latent semantic analysis: each word's loadings times its inverse document frequency."""
    vectorizer = TfidfVectorizer(analyzer=words_of, vocabulary=words, sublinear_tf=True)
    svd = TruncatedSVD(n_columns, n_iter=4, random_state=0).fit(vectorizer.fit_transform(texts))
    return svd.components_.T * vectorizer.idf_[:, None]


def joined(given, learned, known, weights, n_columns=50):
    """Mean of both in their canonical directions (Sarma, Liang, Sethares, ACL 2018); else the learned one."""
    share = (weights[known] / weights[known].sum())[:, None]
    whitened = [whitening(matrix[known], share) for matrix in (given, learned)]
    one, other = (
        (matrix - mean) @ white for matrix, (mean, white) in zip((given, learned), whitened, strict=True)
    )
    left, _, right = np.linalg.svd((one[known] * share).T @ other[known], full_matrices=False)
    one, other = one @ left[:, :n_columns], other @ right[:n_columns].T
    return np.where(known[:, None], (one + other) / 2, other)


def whitening(rows, share):
    mean = (share * rows).sum(axis=0)
    values, vectors = np.linalg.eigh(((rows - mean) * share).T @ (rows - mean))
    return mean, vectors / np.sqrt(values.clip(1e-3 * values[-1])) @ vectors.T


def a_la_carte(near, given, words, known, counts):
    """Pretrained vectors; where there is none a map of the neighbours' mean (Khodak et al., ACL 2018)."""
    width = len(next(iter(given.values())))
    rows = np.array([given.get(word, np.zeros(width)) for word in words], np.float32)
    near = near @ sparse.diags(known.astype(float))
    means = (near @ rows) / np.asarray(near.sum(axis=1)).clip(1e-9)
    sure = known & (counts >= 10)
    ridge = Ridge(1.0, fit_intercept=False).fit(means[sure], rows[sure], np.log(counts[sure]))
    return np.where(known[:, None], rows, ridge.predict(means))
