"""
Crisis posts, when the shares change
====================================

During a flood somebody sorted posts: half were reports that helpers can use, half were talk. Now
there is an earthquake, and most posts are talk. A model that expects one report in two will find
far too many.
"""

import matplotlib.pyplot as plt
import pandas as pd

from embtransfer import (
    DomainCentering,
    NoAdaptation,
    WordEmbedder,
    class_shares,
    make_classifier,
    make_transfer_pipeline,
)

posts = pd.read_csv("crisis_posts.csv")
flood, quake = (posts[posts["event"] == event] for event in ("flood", "earthquake"))
print(pd.crosstab(posts["event"], posts["label"]))

# %%
# The posts (:download:`crisis_posts.csv`) were written for this example.
#
# Three models on the mean of word vectors. None sees a label of the earthquake.

adapters = {
    "not adapted": NoAdaptation(),
    "centred, the flood's shares taken": DomainCentering(priors="source"),
    "centred, shares estimated": DomainCentering(),
}
models = {
    name: make_transfer_pipeline(WordEmbedder(), adapter, make_classifier("logistic")).fit(
        flood["text"], flood["label"], X_target=quake["text"]
    )
    for name, adapter in adapters.items()
}
found = pd.DataFrame(
    {
        name: {
            "accuracy": model.score(quake["text"], quake["label"]),
            "share of reports": (model.predict(quake["text"]) == "report").mean(),
        }
        for name, model in models.items()
    }
).T
print(found.round(3))

# %%
# Centring moves the mean of both domains to one place. If talk is more frequent in one of them,
# that place is wrong, unless the shares are taken into account. This is what the model thinks they
# are, with an interval:

shares = class_shares(models["centred, shares estimated"])
print(shares.round(2))

# %%

true = (quake["label"] == "report").mean()
_, (left, right) = plt.subplots(1, 2, figsize=(9, 2.6), layout="constrained", sharey=True)
colours = ["#999999", "#d55e00", "#0072b2"]
left.barh(found.index, found["accuracy"], color=colours)
left.set(xlim=(0.5, 1), xlabel="accuracy")
right.barh(found.index, found["share of reports"], color=colours)
right.axvline(true, color="black", ls="--", label="the truth")
right.set(xlabel="posts called a report")
right.legend(frameon=False)

# %%
# Here the estimate saves what centring alone would have lost, and not adapting is better still. So
# it often is between crises: on real ones adapting wins or loses, by the event
# (:doc:`/docs/measured`). The interval of the shares is wide, and says that forty labels would be
# well spent. :doc:`/docs/what-differs` has more on shares.
