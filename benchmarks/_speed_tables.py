"""The tables of speed."""

import statistics

from ._results import markdown_table, results

PEERS = {
    "the pipeline itself": "pipeline",
    "fastText's predict": "fastText predict",
    "TF-IDF and logistic regression": "TF-IDF, logistic regression",
    "hashing and SGD": "hashing, SGD",
    "model2vec and logistic regression": "model2vec, logistic regression",
}
TEXTS = ("reviews", "sentences")
RATES = {
    "folded, MB/s": "folded",
    "folded, from Arrow as files give it, MB/s": "folded, from Arrow",
    "its limit: tokenise and look up alone, MB/s": "tokenise and look up, from Arrow",
}


def scoring():
    """Times as long as the folded pipeline, reviews / sentences; and rates in MB a second."""
    cases = results("score_speed")["cases"]
    rows = []
    for label, name in {**PEERS, **RATES}.items():
        cells = []
        for case in cases.values():
            runs = [(case[texts], case[texts]["contenders"][name]) for texts in TEXTS]
            if label in RATES:
                cells.append(" / ".join(f"{set_['megabytes'] / run['seconds']:.0f}" for set_, run in runs))
            else:
                cells.append(" / ".join(f"{run['ratio']:.1f}" for _, run in runs))
        rows.append([label, *cells])
    return markdown_table(["", *cases], rows)


EMBEDDING_PEERS = {
    "model2vec": "model2vec",
    "scikit-learn CountVectorizer": "scikit-learn",
    "fastText get_sentence_vector": "fastText",
    "gensim loop": "gensim, mean of the known words' rows",
    "spaCy nlp.pipe": "spaCy",
    "embetter TextEncoder (model2vec)": "embetter TextEncoder",
    "wordllama embed, its own table": "wordllama",
    "StaticEmbedder, wordllama's table": "StaticEmbedder, wordllama's table",
    "embetter LiteTextEncoder (no table)": "embetter LiteTextEncoder",
    "skrub StringEncoder (no table)": "skrub StringEncoder",
    "skrub MinHashEncoder (no table)": "skrub MinHashEncoder",
    "embetter SentenceEncoder (MiniLM)": "embetter SentenceEncoder",
    "skrub LLMEncoder (MiniLM)": "skrub LLMEncoder",
}


def embedding():
    sets = {
        "reviews": "reviews",
        "short sentences": "sentences",
        "reviews with an accented word": "reviews, an accented word in each",
        "vowels accented": "reviews, vowels accented",
        "Cyrillic letters": "reviews, Cyrillic letters",
    }
    found = results("embed_speed")
    runs = [found["sets"][name] for name in sets.values()]
    absent = found.get("absent", {})
    rows = []
    for label, name in EMBEDDING_PEERS.items():
        if name in absent:
            rows.append([f"{label}: {absent[name]}", *[""] * len(runs)])
        elif name in runs[0]["contenders"]:
            rows.append([label, *(f"{run['contenders'][name]['ratio']:.1f}" for run in runs)])
    rates = [run["megabytes"] / run["contenders"]["WordEmbedder"]["seconds"] for run in runs]
    rows.append(["WordEmbedder, MB/s", *(f"{rate:.0f}" for rate in rates)])
    return markdown_table(["", *sets], rows)


def backends():
    found = results("sentence_backends")
    rows = []
    for name, run in found["contenders"].items():
        seconds, first, peak = map(statistics.median, zip(*found["starts"][name], strict=True))
        cells = f"{run['ratio']:.2f}", f"{seconds:.1f}", f"{first:.0f} / {peak:.0f}"
        rows.append([name, *cells, f"{found['differences'][name]:.0e}", f"{found['cosines'][name]:.4f}"])
    header = ["", "times as long", "seconds to the first vector", "MB there / at most"]
    return markdown_table([*header, "largest difference", "least cosine"], rows)


def loading():
    sizes = [results("load_speed")[f"400,000 x {size}"] for size in (50, 300)]
    rows = []
    for name in sizes[0]:
        cells, peaks = [], []
        for runs in sizes:
            seconds, peak = map(statistics.median, zip(*runs[name], strict=True))
            pairs = zip(runs["gensim"], runs[name], strict=True)
            times = statistics.median(gensim[0] / own[0] for gensim, own in pairs)
            cells.append(f"{1000 * seconds:.1f} ms" if times > 1000 else f"{times:.1f}")
            peaks.append(f"{peak:.0f}")
        rows.append([name.removeprefix("embtransfer, "), *cells, " / ".join(peaks)])
    return markdown_table(["", "50 columns", "300 columns", "peak MB, 50 / 300"], rows)


def growth():
    """What grows faster than linearly with rows: the largest number measured, seconds and memory there."""
    rows = []
    for record in results("growth")["curves"]:
        if record["variable"] == "rows" and record["faster"]:
            last = record["points"][-1]
            exponents = [f"{record[key][0]:.1f}" if record[key] else "" for key in ("time", "memory")]
            cells = f"{last['x']:,}", f"{last['seconds']:.1f}", f"{last['megabytes']:,.0f}"
            rows.append([f"{record['stage']}: {record['work']}", *cells, *exponents])
    return markdown_table(["", "rows", "seconds", "MB", "exponent of time", "of memory"], rows)
