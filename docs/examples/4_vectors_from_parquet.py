"""
Vectors from parquet
====================

Somebody has embedded the texts already, and what you get are parquet files with a column of
numbers: of an embedding service, of images, of speech. Adapting, choosing and scoring work on these
as they do on texts.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from embtransfer import TransferSearch, WordEmbedder, score_file
from embtransfer.datasets import load_demo_reviews

folder = Path(tempfile.mkdtemp())
for name in ("films", "kitchenware"):  # in the place of your files
    reviews = load_demo_reviews(name)
    vectors = WordEmbedder().fit_transform(reviews.data)
    pd.DataFrame({"id": range(len(vectors)), "vector": list(vectors), "label": reviews.target}).to_parquet(
        folder / f"{name}.parquet"
    )

films, pans = (pd.read_parquet(folder / f"{name}.parquet") for name in ("films", "kitchenware"))
films.head(3)

# %%
# A matrix goes wherever texts go.

X, X_target = np.stack(films["vector"]), np.stack(pans["vector"])
search = TransferSearch().fit(X, films["label"], X_target=X_target)
print(search.reason_)
print(f"expected {search.expected_score_:.2f}, measured {search.score(X_target, pans['label']):.2f}")

# %%
# What adapting did to the rows, in two directions. Before, the domains lie beside each other.

model = search.best_estimator_
print(*model.named_steps.values(), sep="\n")
before = X, X_target
adapter = model[-2]
after = adapter.transform_source(X), adapter.transform(X_target)
_, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for ax, rows, title in zip(axes, (before, after), ("as they came", "adapted"), strict=True):
    flat = PCA(2, random_state=0).fit_transform(np.vstack(rows))
    ax.scatter(*flat[: len(X)].T, s=12, alpha=0.6, label="films")
    ax.scatter(*flat[len(X) :].T, s=12, alpha=0.6, marker="^", label="kitchenware")
    ax.set(title=title, xticks=[], yticks=[])
axes[0].legend(frameon=False)

# %%
# From parquet to parquet, without all rows in memory:

report = score_file(
    model, folder / "kitchenware.parquet", folder / "scored.parquet", vector_column="vector", columns=["id"]
)
print(f"{report.rows_written} rows")
pd.read_parquet(folder / "scored.parquet").head(3)

# %%
# ``embtransfer choose --source films.parquet --target kitchenware.parquet --vector-column vector -o
# model`` does the same; vectors beside texts are in :doc:`/docs/your-own-embeddings`.
