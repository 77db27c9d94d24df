"""
Scoring a night's batch
=======================

Every night a folder of files arrives. Each row needs a label by the morning, unsure ones are left
to people, and a broken row must not stop the rest.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from embtransfer import CompiledPipeline, compile_pipeline, make_recipe, score_file
from embtransfer.datasets import load_demo_reviews

films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")

# %%
# By day: fit the model, and fold it into tables that score without scikit-learn. The folder is all
# that production needs.

model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)
work = Path(tempfile.mkdtemp())
compile_pipeline(model).save(work / "model")

# %%
# The night's files, in the place of yours: 50,000 reviews in five files of JSON lines. In one of
# them a line was cut off.

inbox = work / "inbox"
inbox.mkdir()
night = pd.DataFrame({"id": range(50_000), "text": (list(pans.data) * 157)[:50_000]})
for hour in range(5):
    lines = night[hour::5].to_json(orient="records", lines=True)
    (inbox / f"0{hour + 1}.jsonl").write_text(lines + '{"id": 50000, "text": "A pan th\n' * (hour == 4))

# %%
# By night, the one call. Memory stays that of a few blocks, and the output is there when it is
# complete, not before. With ``resume=True`` a job that was killed goes on where it was.

found = score_file(
    CompiledPipeline.load(work / "model"),
    inbox,
    work / "scored.parquet",
    columns=["id"],
    proba=True,
    reject_below=0.7,
    on_error="skip",
)
print(f"{found.rows_read:,} rows read, {found.rows_written:,} written, {found.rows_rejected} set aside")
print(f"{found.rows_without_label:,} without a label, for people to read")

# %%
# In the morning: how sure was the model, and what is left?

scored = pd.read_parquet(work / "scored.parquet")
_, ax = plt.subplots(figsize=(7, 3), layout="constrained")
sure = scored["prediction"].notna()
bins = [i / 40 for i in range(41)]
ax.hist(scored.loc[sure, "prediction_1"], bins, color="#0072b2", label="labelled")
ax.hist(scored.loc[~sure, "prediction_1"], bins, color="#d55e00", label="left to people")
ax.set(xlabel="probability of a positive review", ylabel="rows")
ax.legend(frameon=False)

# %%
# On the command line: ``embtransfer score model inbox -o scored.parquet --proba --reject-below 0.7
# --on-error skip``. What happens when a disk is full or a job is killed:
# :doc:`/docs/when-things-go-wrong`; tens of millions of rows: :doc:`/docs/millions-of-rows`.
