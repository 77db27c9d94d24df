"""compare and TransferSearch on rows of a table: texts beside vectors."""

import numpy as np
import pandas as pd
import polars
import pytest

from embtransfer import (
    TransferSearch,
    compare,
    learning_curve,
    load_pipeline,
    make_recipe,
    make_report,
    save_pipeline,
)
from embtransfer._rows import columns_of


def table(shift, seed, n=160):
    """Rows that texts and vectors say the label of, each in most cases."""
    rng, y = np.random.default_rng(seed), np.arange(n) % 2
    words = np.where(rng.random(n) < 0.85, np.array(["bad", "good"])[y], "odd")
    vectors = rng.normal(size=(n, 6)).astype(np.float32) + shift
    vectors[:, 0] += 3 * y
    texts = [f"{word} pan {seed} {i}" for i, word in enumerate(words)]
    return pd.DataFrame({"text": texts, "e5": list(vectors)}), y


(SOURCE, Y), (TARGET, Y_TARGET) = table(0, 0), table(1, 1)
FEW = {"embedders": ["word_mean"], "adapters": ["none", "centering"]}


@pytest.fixture(scope="module")
def compared():
    return compare(SOURCE, Y, TARGET, Y_TARGET, **FEW)


def test_compare_has_rows_of_each_view_and_of_both(compared):
    found = compared
    names = found[["embedder", "adapter", "classifier"]].agg(" ".join, axis=1).tolist()
    assert names == [
        "- none majority",
        *["tfidf none logistic", "tfidf joint logistic"],
        *["word_mean none logistic", "word_mean centering logistic"],
        *["vectors of e5 none logistic", "vectors of e5 centering logistic"],
        *["recipe - words", "recipe - vectors of e5", "recipe - columns"],
    ]
    assert (found["error"] == "").all()
    both = found.set_index("classifier")["target_score"]
    assert both["columns"] > max(both["words"], 0.85)


def test_the_views_are_those_of_the_columns_alone(compared):
    scores = compared.set_index(["embedder", "adapter", "classifier"])["target_score"]
    texts = compare(SOURCE["text"], Y, TARGET["text"], Y_TARGET, **FEW)
    rows = np.stack(SOURCE["e5"]), Y, np.stack(TARGET["e5"]), Y_TARGET
    vectors = compare(*rows, adapters=["none", "centering"])
    vectors = vectors.replace({"vectors": "vectors of e5"})
    for alone in (texts, vectors):
        for names, score in alone.set_index(["embedder", "adapter", "classifier"])["target_score"].items():
            assert scores[names] == pytest.approx(score, abs=1e-6), names


def test_a_search_chooses_among_views_and_its_model_knows_its_columns(tmp_path):
    search = TransferSearch(**FEW, classifiers=["logistic"], max_rows=80).fit(SOURCE, Y, X_target=TARGET)
    found = search.results_
    assert {"ngrams", "word_mean", "vectors of e5", "recipe"} == set(found["embedder"])
    assert {"words", "vectors of e5", "columns"} <= set(found["classifier"])
    assert (found["error"] == "").all()
    model = load_pipeline(save_pipeline(search, tmp_path / "model"))
    assert set(columns_of(model)) <= {"text", "e5"}
    assert (model.predict(TARGET) == Y_TARGET).mean() > 0.85
    assert model.predict(TARGET).tolist() == search.predict(TARGET).tolist()


def test_other_tables_give_the_same(compared):
    expected = compared["target_score"][compared["embedder"] != "recipe"].tolist()
    columns = ({"text": t["text"].tolist(), "e5": np.stack(t["e5"])} for t in (SOURCE, TARGET))
    plain = [polars.DataFrame(one) for one in columns]
    for kind in (plain, [one.to_arrow() for one in plain]):
        assert compare(kind[0], Y, kind[1], Y_TARGET, **FEW, recipes=[])["target_score"].tolist() == (
            pytest.approx(expected, nan_ok=True)
        )


def test_several_texts_are_one_view_and_vectors_one_each():
    source, target = (t.assign(title="a pan", v=t["e5"]) for t in (SOURCE, TARGET))
    found = compare(source, Y, target, Y_TARGET, adapters=["none"], cv=2)
    assert [*found["embedder"]][3:6] == ["word_mean", "vectors of e5", "vectors of v"]
    assert [*found["classifier"]][6:] == ["words", "vectors of e5", "vectors of v", "columns"]
    assert (found["error"] == "").all()
    of_vectors = compare(source[["e5", "v"]], Y, target, Y_TARGET, adapters=["none"], cv=2)
    assert [*of_vectors["classifier"]][3:] == ["vectors of e5", "vectors of v", "columns"]
    assert (of_vectors["error"] == "").all()


def test_models_of_tables_are_taken_as_they_are():
    own = {"own": make_recipe("columns", vector_column="e5")}
    found = compare(SOURCE, Y, TARGET, Y_TARGET, **FEW, recipes=own, cv=2)
    assert [*found["classifier"]][-1:] == ["own"]
    assert (found["classifier"] == "own").sum() == 1


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (SOURCE.assign(stars=3), TARGET, "Got target rows without the source's column 'stars'"),
        (SOURCE.assign(stars=3), TARGET.assign(stars=2), r"a column 'stars' of int64\. Expected columns of"),
        (SOURCE, TARGET["text"], "Got source rows of a table and target Series"),
    ],
)
def test_other_columns_are_refused(source, target, message):
    with pytest.raises((TypeError, ValueError), match=message):
        compare(source, Y, target, Y_TARGET)


def test_learning_curves_are_of_each_view_and_of_both():
    sizes = {"source_sizes": [40], "target_sizes": [0, 20], "n_repeats": 1}
    found = learning_curve(SOURCE, Y, TARGET, Y_TARGET, **sizes)
    assert (found["error"] == "").all()
    assert [*found["model"].unique()] == [
        *["tfidf", "word_mean", "domain_words", "words"],
        *["centering of e5", "vectors of e5", "columns"],
    ]
    texts = learning_curve(SOURCE["text"], Y, TARGET["text"], Y_TARGET, models=["tfidf"], **sizes)
    assert found[found["model"] == "tfidf"]["score"].tolist() == texts["score"].tolist()
    rows = np.stack(SOURCE["e5"]), Y, np.stack(TARGET["e5"]), Y_TARGET
    of_vectors = found[found["model"] == "centering of e5"]["score"].tolist()
    assert learning_curve(*rows, **sizes)["score"].tolist()[: len(of_vectors)] == of_vectors
    alone = learning_curve(
        SOURCE[["e5"]].assign(v=SOURCE["e5"]), Y, TARGET.assign(v=TARGET["e5"]), Y_TARGET, **sizes
    )
    assert [*alone["model"].unique()][-1] == "columns"
    assert "tfidf" not in set(alone["model"])


def test_a_report_is_of_vectors_and_of_the_words_beside_them(compared):
    data = SOURCE, Y, TARGET, Y_TARGET
    report = make_report(*data, table=compared)
    assert set(report.left_out) == {"curves", "coverage"}
    sections = {section["key"]: section for section in report.to_dict()["sections"]}
    assert "160 labelled source rows" in report.to_markdown()
    assert "texts of 4 words" in sections["data"]["texts"][0]
    assert {"typical_source", "typical_target"} <= {one["name"] for one in sections["words"]["tables"]}
    assert (report.model.predict(TARGET) == Y_TARGET).mean() > 0.85
    both = make_report(*data, model=make_recipe("columns", vector_column="e5"))
    assert "confusion" not in both.left_out
    of_vectors = make_report(SOURCE[["e5"]].assign(v=SOURCE["e5"]), Y, TARGET.assign(v=TARGET["e5"]))
    assert of_vectors.left_out["words"] == "The rows are vectors, whose words are not known."
