"""
Reviews across products
=======================

You have labelled reviews of films and want to know what people think of kitchenware. Nobody has
labelled a single review of a pan. Which model is the right one, and how far can it be trusted?
"""

import matplotlib.pyplot as plt

from embtransfer import TransferSearch, check_domains, explain
from embtransfer.datasets import load_demo_reviews

films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")

# %%
# First a look at the data: classes, lengths, doubles, and words that the vectors do not know.

print(check_domains(films.data, films.target, pans.data))

# %%
# The search tries words and vectors, with and without adapting, and judges them without any label
# of the target: by how far models that see a text in different ways agree.

search = TransferSearch(embedders=["word_mean"], adapters=["none", "centering"])
search.fit(films.data, films.target, X_target=pans.data)
print(search.reason_)

# %%
# In a notebook the search shows itself as a card.

search

# %%
# These reviews do have labels, which were kept aside. So we can see whether the promise was kept.

model = search.best_estimator_
accuracy = model.score(pans.data, pans.target)
low, high = search.score_interval_

_, ax = plt.subplots(figsize=(7, 1.8), layout="constrained")
ax.plot([low, high], [0, 0], lw=6, color="#9ecae1", solid_capstyle="round", label="interval, without labels")
ax.plot(search.expected_score_, 0, "o", ms=11, color="#08519c", label="expected, without labels")
ax.plot(accuracy, 0, "D", ms=9, color="#d55e00", label="measured")
ax.set(xlim=(0.45, 1), ylim=(-1, 1), yticks=[], xlabel="accuracy on kitchenware reviews")
ax.legend(ncols=3, frameon=False, loc="upper center")

# %%
# Why does the model say so? The words' shares add up to its decision.

explain(model, "A lovely, well balanced knife.")

# %%
# Next: :doc:`/docs/which-model` says what the search can know and what it cannot, and
# :doc:`3_a_hundred_labels` what to do if you can read some reviews.
