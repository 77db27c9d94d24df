"""The sentences of the README and the guide that quote figures, made from results/.

Each is a page and a part of a sentence; the tests look for it there, whatever its line breaks.
"""

import statistics

from . import gain, labelling
from ._accuracy_tables import cascade_cells
from ._picture import in_words
from ._results import results
from .accuracy_peers import amazon_summary, banking_summary
from .accuracy_transfer import summary
from .domain_vectors import BUILT, PRETRAINED, WORDS as RECIPE, mean
from .real_targets import TODAY, WORDS, cells, groups, score

NUMBERS = ["none", "one", "two", "three", "four", "five", "six"]
NUMBERS += ["seven", "eight", "nine", "ten", "eleven", "twelve"]


def nearest(value, step):
    """Rounded to a multiple of step, with commas: 699,295 to 700,000."""
    return f"{step * round(value / step):,}"


def sentences():
    return [
        ("README.md", f"![{in_words()}]("),
        *accuracy_sentences(),
        *share_sentences(),
        *peers_sentences(),
        *scoring_sentences(),
        *file_sentences(),
        *model_sentences(),
        *adapter_sentences(),
        *cascade_sentences(),
        *domain_sentences(),
        *(("docs/few-labels.md", part) for part in (gain.sentence(), *labelling.sentences())),
    ]


def cascade_sentences():
    records = results("cascade")["records"]
    losses = [point["max_loss"] for point in records[0]["fast"]["distilled"]["points"]]
    cells = {loss: cascade_cells(records, "distilled", i) for i, loss in enumerate(losses)}
    reviews, tweets = ({loss: row[at : at + 6] for loss, row in cells.items()} for at in (0, 6))
    yield (
        "docs/combine-and-distil.md",
        f"With `max_loss=1` the sentence model reads {reviews[1][0]} % of the reviews and {tweets[1][0]} % "
        f"of the tweets, and {reviews[1][2]} and {tweets[1][2]} points are lost; the student alone loses "
        f"{reviews[100][2]} and {tweets[100][2]}.",
    )
    yield (
        "docs/measured.md",
        f"at a tenth ({reviews[4][0]} and {tweets[4][0]} % deferred) {reviews[4][2]} and {tweets[4][2]} "
        "points are lost",
    )


def domain_sentences():
    found = {}
    for one in results("domain_vectors")["records"]:
        found.setdefault(one["data"], []).append(one)
    glove, learned = (
        [mean(some, name, "centred")[0] for some in found.values()] for name in (PRETRAINED, BUILT)
    )
    words = [mean(some, RECIPE, "self-trained")[0] for some in found.values()]
    in_words = [" / ".join(f"{one:.1f}" for one in row) for row in (learned, glove, words)]
    yield (
        "docs/your-own-embeddings.md",
        "On Amazon and FDU-MTL reviews, tweets about crises and about airlines such a table, centred, is "
        f'right on {in_words[0]} %, GloVe alone on {in_words[1]}, the recipe "words" on {in_words[2]}',
    )


def accuracy_sentences():
    found = {name: row["unseen"] for name, row in summary(results("accuracy_transfer")).items()}
    words, tfidf = found["recipe 'words', without a model"], found["TF-IDF"]
    yield (
        "docs/which-model.md",
        f"gets {words} % of reviews right that nothing has seen, where TF-IDF with logistic regression "
        f"gets {tfidf}",
    )
    yield (
        "docs/adapters.md",
        f"On TF-IDF of 5,000 words ({found['TF-IDF of 5,000 words']}), SCL reaches "
        f"{found['TF-IDF of 5,000 words, SCL']} and mSDA {found['TF-IDF of 5,000 words, mSDA']}.",
    )
    few = "TF-IDF, 100 target labels"
    yield (
        "docs/measured.md",
        f"With the labels of 100 target reviews TF-IDF reaches {found[f'{few} alone']} by them alone, "
        f"{found[f'{few} and the source, pooled']} pooled with the source, and "
        f"{found[f'{few} and the source, augmented features']} with augmented features.",
    )
    sts = results("similarity_sts")["all-MiniLM-L6-v2"]
    yield "docs/measured.md", f"all-MiniLM-L6-v2: {sts['pearson']:.1f} / {sts['spearman']:.1f} (published"


def share_sentences():
    found = {"Amazon": groups(results("real_targets")["records"])["amazon, held out"]}
    taken, estimated = (cells(found, score(name, 0))[0] for name in (TODAY, WORDS))
    yield (
        "README.md",
        'on Amazon reviews with other shares that raises the accuracy of the recipe "words" from '
        f"{taken} to {estimated} %",
    )


def peers_sentences():
    records = results("accuracy_peers")["records"]
    amazon, banking = amazon_summary(records), banking_summary(records)
    peers = {name: float(row["unseen"]) for name, row in amazon.items() if not name.startswith("embtransfer")}
    few = [float(right) for name, right in banking.items() if not name.startswith("embtransfer")]
    best, words = max(peers, key=peers.get), "embtransfer: recipe 'words'"
    above = NUMBERS[sum(right > float(banking[words]) for right in few)]
    yield (
        "docs/measured.md",
        f'No peer\'s recipe passes the recipe "words" ({amazon[words]["unseen"]}), which wants no '
        f'pretrained model; the nearest is "{best}" on MiniLM, {peers[best]}. With 77 classes and 5 labels '
        f"each pretrained vectors win: {above} of the peers' {len(few)} recipes, all on such vectors, are "
        f'above the recipe "words" ({banking[words]}), and none reaches MiniLM with logistic regression here '
        f"({banking['embtransfer: MiniLM, no adaptation']}; self-trained "
        f"{banking['embtransfer: MiniLM, self-trained']}).",
    )
    yield (
        "README.md",
        f"{len(peers)} recipes of peers reach {min(peers.values())} to {max(peers.values())}",
    )


def scoring_sentences():
    sets = [set_ for case in results("score_speed")["cases"].values() for set_ in case.values()]
    two = [
        set_["contenders"]["folded, from Arrow"]["seconds"]
        / set_["contenders"]["folded, from Arrow, 2 threads"]["seconds"]
        for set_ in sets
    ]
    processes = [set_["contenders"]["fastText, 2 processes"]["ratio"] for set_ in sets]
    yield (
        "docs/measured.md",
        f"Two threads reach {min(two):.1f} to {max(two):.1f} times as much from Arrow; fastText is serial, "
        f"and in two processes takes {min(processes):.1f} to {max(processes):.1f} times as long as one "
        "thread here.",
    )
    reviews = [case["reviews"] for case in results("score_speed")["cases"].values()]
    fasttext = [set_["contenders"]["fastText predict"]["ratio"] for set_ in reviews]
    tfidf = [set_["contenders"]["TF-IDF, logistic regression"]["ratio"] for set_ in reviews]
    rates = [
        reviews[0]["megabytes"] / reviews[0]["contenders"][name]["seconds"]
        for name in ("folded", "folded, from Arrow")
    ]
    yield (
        "docs/millions-of-rows.md",
        f"takes reviews to labels at {rates[0]:.0f} MB/s on one thread, and at {rates[1]:.0f} from Arrow, "
        f"as files give it. On reviews fastText takes {min(fasttext):.0f} to {max(fasttext):.0f} times as "
        f"long as folded pipelines, TF-IDF with logistic regression {min(tfidf):.0f} to {max(tfidf):.0f} "
        "times.",
    )
    embed = results("embed_speed")["sets"]
    slow, fast = sorted(
        embed[name]["megabytes"] / embed[name]["contenders"]["WordEmbedder"]["seconds"]
        for name in ("reviews", "sentences")
    )
    yield (
        "README.md",
        f"{nearest(slow, 10)} to {nearest(fast, 10)} MB of English text a second become vectors",
    )


def file_sentences():
    most = max(results("score_files")["runs"], key=lambda run: run["rows"])
    rate, millions = nearest(most["rows"] / most["seconds"], 100_000), most["rows"] // 1_000_000
    memory = nearest(most["peak_megabytes"], 10)
    yield "README.md", f"{rate} sentences a second get their labels on two, from parquet to parquet"
    end = f"at {rate} rows a second on two cores"
    for page in ("docs/measured.md", "docs/millions-of-rows.md"):
        yield page, f"takes {millions} million sentences"
        yield page, f"with probabilities, {end}"
        yield page, f"in {memory} MB of memory"

    cold = results("cold_start")
    whole = {name: statistics.median(run[0] for run in runs) for name, runs in cold["runs"].items()}
    bare = whole["folded, where neither SciPy nor pandas is installed"]
    yield (
        "docs/measured.md",
        f"gives its first label {whole['folded']:.1f} seconds after its start ({bare:.1f} where neither "
        f"SciPy nor pandas is installed, {whole['pipeline']:.1f} with the pipeline, {whole['fastText']:.1f} "
        "for fastText); the first call after an install compiles the kernels, for "
        f"{cold['first'][3]:.0f} seconds",
    )

    run = max(results("stream_speed")["runs"], key=lambda run: run["rows"])["contenders"]
    ours, theirs = run["fit_files"], run["fit in memory"]
    yield (
        "docs/millions-of-rows.md",
        f"it takes {ours['seconds']:.0f} s and {ours['peak_megabytes']:,.0f} MB, where fitting in memory "
        f"takes {theirs['ratio']:.2f} times as long and {theirs['peak_megabytes']:,.0f} MB",
    )

    day = results("endurance")
    total = {key: sum(file[key] for file in day["files"]) for key in ("gigabytes", "rows", "malformed")}
    yield "docs/measured.md", f"{total['gigabytes']:.1f} GB of text in csv, jsonl, parquet and packed files"
    yield "docs/measured.md", f"{total['rows']:,} rows with {total['malformed']:,} malformed ones"
    yield "docs/measured.md", f"no row lost, none twice, {day['peak_megabytes']:.0f} MB at most"
    spark = results("spark_speed")["results"]
    per_core = spark["local[2]"]["spark.score"]["rate"] / 2
    hours = 1e9 / per_core / 3600
    yield (
        "docs/millions-of-rows.md",
        f"at {nearest(per_core, 1000)} rows a second and core: {hours:.0f} core-hours, or "
        f"{0.05 * hours:.2f} USD",
    )
    alone = 1e9 / spark["one process"]["score_file"]["rate"] / 3600
    yield "docs/millions-of-rows.md", f"`score_file`, on one machine, takes {alone:.0f} core-hours"


def model_sentences():
    found = results("sentence_speed")
    reviews, queries = (found["sets"][name] for name in ("Amazon reviews", "Banking77 queries"))
    rate = [set_["texts"] / set_["contenders"]["SentenceEmbedder"]["seconds"] for set_ in (reviews, queries)]
    ratios = [
        [run["ratio"] for name, run in set_["contenders"].items() if "encode" in name]
        for set_ in (reviews, queries)
    ]
    grid = [run["seconds"] for run in found["grid_search"]["runs"].values()]
    yield (
        "docs/measured.md",
        f"encodes {rate[0]:.0f} reviews or {rate[1]:.0f} BANKING77 queries a second, {ratios[0][0]:.2f} and "
        f"{ratios[1][0]:.2f} times as many as `SentenceTransformer.encode` with its default batch size "
        f"({ratios[0][1]:.2f} and {ratios[1][1]:.2f} with the best of a trial). A grid search of 3 folds x "
        f"8 candidates on 399 texts takes {grid[0]:.0f} seconds without `cache_dir`, {grid[1]:.1f} with it, "
        f"and {grid[2]:.1f} the next time.",
    )
    runs = results("distilled_speed")["contenders"]
    few = runs["all-MiniLM-L6-v2"]["texts"]
    times = [
        runs[name]["texts"] / few / runs[name]["ratio"]
        for name in ("student, 384 columns", "student, 128 columns", "recipe 'words', to labels")
    ]
    yield (
        "docs/measured.md",
        f"embeds {nearest(times[0], 100)} times as many reviews a second as its teacher, with "
        f'`n_components=128` {nearest(times[1], 100)} times; the recipe "words" takes texts to labels '
        f"{nearest(times[2], 50)} times as fast",
    )
    choosing = {row["what"]: row["seconds"] for row in results("choosing_speed")["rows"]}
    yield (
        "docs/measured.md",
        f"`TransferSearch()` {choosing['TransferSearch, defaults']:.0f} s, with 60 candidates "
        f"{choosing['TransferSearch, 60 candidates']:.0f} s",
    )


def adapter_sentences():
    runs = {(run["dtype"], run["threads"]): run["contenders"] for run in results("coral_speed")["runs"]}
    peer = "skada, fit_transform and transform"
    one, two = runs["float32", 1], runs["float32", 2]
    double = [runs["float64", threads][peer]["ratio"] for threads in (1, 2)]
    for page in ("docs/measured.md", "docs/adapters.md"):
        yield (
            page,
            f"takes {one['CORAL']['seconds']:.2f} s on one thread in float32, where skada's takes "
            f"{one[peer]['ratio']:.1f} times as long ({two[peer]['ratio']:.1f} on two threads; "
            f"{double[0]:.1f} and {double[1]:.1f} in float64), and {one['CORAL']['peak_megabytes']:.0f} MB "
            f"beside the rows, where skada's takes {one[peer]['peak_megabytes']:.0f} MB",
        )
