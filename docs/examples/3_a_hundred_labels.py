"""
A hundred labels
================

You can read a hundred texts of the new domain, not more. Which ones, how good is the model after
each round, and when do you stop?
"""

import matplotlib.pyplot as plt

from embtransfer import estimate_score, expected_gain, make_recipe, suggest_labels
from embtransfer.datasets import load_demo_reviews

films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)

# %%
# Four rounds of 25. Most texts are suggested because the model is in doubt, and it learns from
# these. Every fifth is drawn at random: the model does not learn from it, and so it can say how
# good the model is.

labels, learned, probability, rounds = {}, {}, {}, []
for _ in range(4):
    to_label = suggest_labels(model, pans.data, 25, y_target=labels)
    for row, why, chance in to_label[["row", "why", "probability"]].itertuples(index=False):
        labels[row] = pans.target[row]  # here somebody reads the text
        probability[row] = chance
        if why != "random":
            learned[row] = labels[row]
    y_target = [learned.get(row) for row in range(len(pans.data))]
    model.fit(films.data, films.target, X_target=pans.data, y_target=y_target)
    estimate = estimate_score(model, pans.data, labels, probability=probability)
    unread = [row for row in range(len(pans.data)) if row not in labels]
    truth = model.score([pans.data[row] for row in unread], pans.target[unread])
    rounds.append((len(labels), estimate, truth))
    print(f"{len(labels)} labels: {estimate.score:.2f}, from {estimate.interval[0]:.2f} to", end=" ")
    print(f"{estimate.interval[1]:.2f}; in truth {truth:.2f}")

# %%
# The estimate beside the truth, which only an example can know:

_, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
for number, estimate, truth in rounds:
    ax.plot([number, number], estimate.interval, lw=6, color="#9ecae1", solid_capstyle="round")
    ax.plot(number, estimate.score, "o", ms=9, color="#08519c")
    ax.plot(number, truth, "D", ms=7, color="#d55e00")
ax.plot([], [], "o", color="#08519c", label="estimated by random labels, with its interval")
ax.plot([], [], "D", color="#d55e00", label="measured on all that nobody read")
ax.set(xlabel="labels", ylabel="accuracy", xticks=[number for number, *_ in rounds])
ax.legend(frameon=False, loc="lower right")

# %%
# What would fifty more labels bring? This needs no label at all.

gain = expected_gain(model, films.data, films.target, pans.data, learned, n=50)
print(f"{gain.changed:.0%} of the texts would get another label;", end=" ")
print(f"accuracy would move by {gain.interval[0]:+.2f} to {gain.interval[1]:+.2f}")

# %%
# The same without Python, with a spreadsheet or a page to label on: :doc:`/docs/few-labels`.
