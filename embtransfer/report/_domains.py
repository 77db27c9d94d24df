"""Sections on the domains: where their rows lie, how far apart they are, which words make it."""

from collections import Counter

import pandas as pd
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from .._rows import stack_rows, to_show
from ..diagnostics import domain_shift, word_shift
from ..explaining import word_weights
from ..folding import CannotFold
from ..system._escape import plain
from . import _svg
from ._blocks import Chart, Mark, Section, Table
from ._directions import along, gaps, limits, says_nothing

POINTS = 600  # of a domain in a picture: more would cover one another
_CLASSES = 5  # that get a shape of their own
_OTHERS = "other classes"
_TOP, _MOST_MOVED = 12, 8
_MOVED = 2000  # words that are looked at
_HEADERS = {"source_count": "source", "target_count": "target", "speaks_for": "speaks for"}
_NO_WORDS = "The rows are vectors, whose words are not known."


def projection_points(model) -> tuple[dict[str, pd.DataFrame] | None, str]:
    """Source and target rows in two components, before and after adapting; or why there are none."""
    reason = _no_rows(model)
    if reason:
        return None, reason
    pictures = {"before": model.before, "after": model.after}
    every = [plain(label) for label in model.data.y]
    shown = {label for label, _ in Counter(every).most_common(_CLASSES)}
    labels = [every[i] if every[i] in shown else _OTHERS for i in model.drawn[0][:POINTS]]
    found = {
        when: along(source[:POINTS], target[:POINTS], labels)
        for when, (source, target) in ((w, rows) for w, rows in pictures.items() if rows is not None)
    }
    if len(found) > 1 and found["before"].equals(found["after"]):
        del found["after"]
    if says_nothing(found):
        return None, "Neither the source's classes nor the domains lie apart in any direction of the rows."
    return found, ""


def projection(pictures, reason, model) -> Section:
    section = Section("projection", "Where source and target lie", left_out=reason or None)
    if reason:
        return section
    section.blocks = [
        "Across: the direction that tells the source's classes apart best. Up: the one that then tells the "
        "domains apart. Both are found on other texts than those drawn, in standard deviations within "
        "classes and domains; points beyond the frame are drawn at its edge."
    ]
    ends = limits(pictures)
    for when, points in pictures.items():
        classes, domains = gaps(points)
        title = f"{when.capitalize()} adaptation" if len(pictures) > 1 else "Rows of the model"
        inside = points.assign(x=points["x"].clip(*ends["x"]), y=points["y"].clip(*ends["y"]))
        groups = marks_of(inside)
        section.blocks.append(
            Chart(
                f"projection_{when}",
                title,
                f"Classes of the source lie {classes:.1f} standard deviations apart, domains {domains:.1f}.",
                _svg.draw(groups, x="classes", y="domains", size=2, ends=(ends["x"], ends["y"])),
                [group[0] for group in groups],
                points.round(4),
            )
        )
    if len(pictures) == 1:
        why = f" ({model.no_rows})" if model.after is None else ""
        section.blocks.append(f"There is no second picture: {model.name} adapts no rows{why}.")
    return section


def marks_of(points):
    """(Mark, x, y) of each class of the source, and of the target."""
    source = points[points["domain"] == "source"]
    classes = sorted(source["label"].unique(), key=lambda label: (label == _OTHERS, label))
    groups = []
    target = points[points["domain"] == "target"]
    groups.append((Mark("target", "cross", 6), target["x"].to_numpy(), target["y"].to_numpy()))
    for i, label in enumerate(classes):
        some = source[source["label"] == label]
        mark = Mark(f"source: {label}", _svg.SHAPES[i], i)
        groups.append((mark, some["x"].to_numpy(), some["y"].to_numpy()))
    return groups


def shift(model) -> Section:
    section = Section("shift", "How far apart the domains are", left_out=_no_rows(model) or None)
    if section.left_out:
        return section
    columns = {}
    for when, rows in (("before", model.before), ("after", model.after)):
        if rows is not None:
            columns[when] = domain_shift(*rows, random_state=model.random_state)
    frame = pd.DataFrame(columns)
    last = frame.iloc[:, -1]
    frame.insert(0, "measure", [_MEASURES[key] for key in frame.index])
    frame["what_it_says"] = [_reading(key, last) for key in frame.index]
    if len(columns) == 1:
        section.blocks.append(f"Before adaptation only: {model.name} adapts no rows ({model.no_rows}).")
    n_source, n_target = (rows.shape[0] for rows in model.before)
    told = " and ".join(f"{_named(of['proxy_a_distance'])} {when}" for when, of in columns.items())
    caption = "Distances before and after"
    section.blocks += [
        f"A linear classifier names the domain of {told} adapting (50% is chance); measured on {n_source:,} "
        f"source and {n_target:,} target texts, without labels. Domains that lie close are not yet domains "
        "in which the same words mean the same label.",
        Table("shift", caption, frame.reset_index(drop=True), formats=_DIGITS, folded=True),
    ]
    return section


_DIGITS = {"before": ".4g", "after": ".4g"}
_MEASURES = {
    "proxy_a_distance": "proxy A-distance",
    "squared_mmd": "squared MMD",
    "mmd_p_value": "p-value of MMD",
    "coral_loss": "CORAL loss",
    "covariance_distance": "distance of covariances",
}


def _named(distance):
    """The share of the texts whose domain a classifier names."""
    return f"{0.5 + distance / 4:.0%}"


def _reading(key, values):
    value = values[key]
    if key == "proxy_a_distance":
        return f"From 0 to 2: a linear classifier names the domain of {_named(value)} of texts."
    if key == "squared_mmd":
        return "0 for equal distributions; compare before with after, not with other embedders."
    if key == "mmd_p_value":
        if value < 0.05:
            return "Below 0.05: the difference is not chance."
        return "Not below 0.05: the difference may be chance."
    if key == "coral_loss":
        return "0 if the columns vary alike; it depends on the scale of the rows."
    return f"From 0 to 1, free of scale: the covariances differ by {value:.1%} of their size."


def words(data, model) -> Section:
    section = Section("words", "Words that moved, and words that decide")
    texts = _texts(data)
    if texts is None:
        section.left_out = _NO_WORDS
        return section
    deciding, reason = _deciding(model, to_show(data.scored))
    moved = _that_matter(word_shift(*texts, top=_MOVED), deciding)
    for name, rows in (("target", moved[moved["z"] > 0]), ("source", moved[moved["z"] < 0])):
        frame = rows.head(_MOST_MOVED).reset_index(drop=True)
        caption = f"Typical of the {name}"
        section.blocks.append(
            Table(f"typical_{name}", caption, frame, _HEADERS, {"z": ".1f"}, sortable=True, beside=True)
            if len(frame)
            else f"No word is more frequent in the {name}."
        )
    if deciding is None:
        section.blocks.append(f"Which words decide is left out: {reason}")
        return section
    section.blocks.insert(
        0,
        "Words that came or went between the domains and that decide: first those of the largest z, how sure "
        "the difference is in standard deviations, times weight in the model. English words without a "
        "meaning of their own are left out.",
    )
    shown = deciding.groupby("label", sort=False).head(_TOP).head(10 * _TOP).reset_index(drop=True)
    caption = "Words of the scored target texts with most weight for each class"
    section.blocks.append(
        Table("deciding", caption, shown, formats={"rate": ".2%"}, sortable=True, folded=True)
    )
    return section


def _that_matter(moved, deciding):
    """Words that moved, weighed by what they decide where that is known; without stop words."""
    frame = moved[~moved["word"].isin(ENGLISH_STOP_WORDS)][["word", "source_count", "target_count", "z"]]
    if deciding is not None:
        most = deciding.sort_values("weight", ascending=False).drop_duplicates("word")
        frame = frame.merge(most[["word", "label", "weight"]], on="word").rename(
            columns={"label": "speaks_for"}
        )
        return frame.iloc[(-frame["z"].abs() * frame["weight"]).argsort(kind="stable")]
    return frame.iloc[(-frame["z"].abs()).argsort(kind="stable")]


def _deciding(model, texts):
    if model.error:
        return None, f"the model could not be fitted ({model.error})."
    try:
        frame = word_weights(model.fitted, texts=texts, top=_MOVED)
    except CannotFold as error:
        return None, f"{model.name} has no weights of single words. {error}"
    return frame.reset_index(drop=True).assign(label=[plain(label) for label in frame["label"]]), ""


def coverage(data, model) -> Section:
    section = Section("coverage", "Known and unknown words")
    texts = _texts(data)
    if texts is None or model.error:
        section.left_out = f"The model could not be fitted ({model.error})." if texts else _NO_WORDS
        return section
    embedders = model.word_embedders()
    if not embedders:
        section.left_out = f"{model.name} has no WordEmbedder, whose table of words could lack some."
        return section
    source, target = texts
    for i, embedder in enumerate(embedders):
        found = {"source": embedder.coverage(source), "target": embedder.coverage(target)}
        rows = [
            (name, len(c.n_tokens), int(c.n_tokens.sum()), c.share, c.n_zero_rows)
            for name, c in found.items()
        ]
        names = ["domain", "texts", "words", "known", "texts_without_a_known_word"]
        frame = pd.DataFrame(rows, columns=names)
        of = f" ({i + 1})" if len(embedders) > 1 else ""
        section.blocks += [
            f"The table{of} has {found['source'].share:.1%} of the source's words and "
            f"{found['target'].share:.1%} of the target's; {found['source'].n_zero_rows:,} and "
            f"{found['target'].n_zero_rows:,} texts have none that it has.",
            Table(f"coverage_{i}", f"Known words{of}", frame, formats={"known": ".1%"}, folded=True),
        ]
        unknown = found["target"].unknown(_TOP)
        headers = {"share_of_unknown": "of all unknown"}
        section.blocks.append(
            Table(
                f"unknown_{i}",
                f"Most frequent unknown words of the target{of}",
                unknown,
                headers,
                {"share_of_unknown": ".1%"},
                folded=True,
            )
            if len(unknown)
            else "The table knows every word of the target."
        )
    return section


def _texts(data):
    """Texts of the source, and of the target, seen or scored; None where rows hold none."""
    if data.views[0][1] != "texts":
        return None
    target = data.seen if data.seen is data.scored else stack_rows(data.seen, data.scored)
    return to_show(data.source), to_show(target)


def _no_rows(model):
    if model.error:
        return f"The model could not be fitted ({model.error})."
    if model.before is None:
        return f"{model.name} shows no rows: {model.no_rows}."
    if min(rows.shape[0] for rows in model.before) < 2:
        return "A domain has fewer than two texts."
    return ""
