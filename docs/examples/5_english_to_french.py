"""
English to French
=================

The labels are English and the texts are French. With a small dictionary the English vectors serve
for French words, too. The reviews (:download:`french_reviews.csv`) and the dictionary
(:download:`french_english.csv`) were written for this example.
"""

import matplotlib.pyplot as plt
import pandas as pd

from embtransfer import (
    DomainCentering,
    NoAdaptation,
    WordEmbedder,
    WordVectors,
    make_classifier,
    make_transfer_pipeline,
)
from embtransfer.datasets import load_demo_reviews

films = load_demo_reviews("films")  # English
french = pd.read_csv("french_reviews.csv")  # of kitchenware
y_french = (french["label"] == "positive").astype(int)
french.head(4)

# %%
# Each French word of the dictionary takes the vector of its English translation. That gives a
# French table of words.

english_table = WordVectors.bundled()
position = {word: row for row, word in enumerate(english_table.words)}
dictionary = pd.read_csv("french_english.csv")
dictionary = dictionary[dictionary["english"].isin(position.keys())]
french_table = WordVectors(
    dictionary["french"].tolist(), english_table.matrix[dictionary["english"].map(position)]
)
print(f"{len(french_table)} French words")

# %%
# Each language goes through its own table, into one space. What follows is adapting as ever.

X = WordEmbedder(english_table).fit_transform(films.data)
tables = {"English table, as it is": english_table, "by the dictionary": french_table}
found = {}
for name, table in tables.items():
    X_target = WordEmbedder(table).fit_transform(french["text"])
    for adapted, adapter in {"": NoAdaptation(), ", centred": DomainCentering()}.items():
        model = make_transfer_pipeline(adapter, make_classifier("logistic"))
        model.fit(X, films.target, X_target=X_target)
        found[name + adapted] = model.score(X_target, y_french)
found = pd.Series(found)
print(found.round(2))

# %%

_, ax = plt.subplots(figsize=(8, 2.4), layout="constrained")
ax.barh(found.index, found, color=["#999999", "#999999", "#9ecae1", "#0072b2"])
ax.axvline(0.5, color="black", ls="--", lw=1)
ax.invert_yaxis()
ax.set(xlim=(0, 1), xlabel=f"accuracy on {len(french)} French reviews; dashed: guessing")

# %%
# This is easy French, in words that the dictionary has. For real texts take whole tables, aligned
# by a dictionary with ``align_word_vectors``, or a multilingual sentence model:
# :doc:`/docs/across-languages` has both, and what they reach.
