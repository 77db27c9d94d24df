"""The picture at the top of the README: accuracy against speed, an SVG made from results/.

It brings its own background, in light and dark, so that it can be read on any page.
"""

from math import log10
from typing import NamedTuple

from ._results import results
from .accuracy_peers import amazon_summary
from .accuracy_transfer import summary

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 30, 58, 52  # margins
SPEEDS, ACCURACIES = (5, 500_000), (68, 90)
STYLE = """\
    text { font: 14px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 17px; font-weight: 600 }
    .ours text { font-weight: 600; fill: #0a5f8a }
    .small { font-size: 12px; fill: #59636e }
    .page { fill: #ffffff; stroke: #d1d9e0 }
    .grid { stroke: #e4e8ec }
    .peer circle { fill: #ffffff; stroke: #59636e; stroke-width: 2 }
    .ours circle { fill: #0a7ab8 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .ours text { fill: #79c0ff }
      .small { fill: #a5adb8 }
      .page { fill: #0d1117; stroke: #3d444d }
      .grid { stroke: #262c36 }
      .peer circle { fill: #0d1117; stroke: #a5adb8 }
      .ours circle { fill: #58a6ff }
    }
"""


class Point(NamedTuple):
    """A model: accuracy in percent, reviews a second on one core, and where its name stands."""

    name: str
    accuracy: float
    speed: float
    ours: bool
    side: str = "start"  # the name begins right of the point, or ends left of it


def points():
    """Speeds of one machine: of score_speed, with 50 columns and 2 classes, and of distilled_speed."""
    ours, peers = summary(results("accuracy_transfer")), amazon_summary(results("accuracy_peers")["records"])
    reviews = results("score_speed")["cases"]["50 columns, 2 classes"]["reviews"]
    scoring = {name: reviews["texts"] / run["seconds"] for name, run in reviews["contenders"].items()}
    books = {
        name: run["texts"] / run["seconds"] for name, run in results("distilled_speed")["contenders"].items()
    }
    minilm, words = books["all-MiniLM-L6-v2"], books["recipe 'words', to labels"]

    def own(name):
        return float(ours[name]["unseen"])

    def peer(name):
        return float(peers[name]["unseen"])

    tfidf, static = "TF-IDF, logistic regression", "model2vec, logistic regression"
    student = "model2vec: distilled from MiniLM, logistic regression"
    optimal = peer("skada: linear OT (reg 1, about centring)")
    sentences = own("recipe 'sentences', with MiniLM at prediction")
    return [
        Point('recipe "sentences"', sentences, minilm, True),
        Point('recipe "words"', own("recipe 'words', without a model"), words, True),
        Point("averaged GloVe, centred, folded", own("GloVe, centering"), scoring["folded"], True, "end"),
        Point("MiniLM, linear optimal transport (skada)", optimal, minilm, False),
        Point(tfidf, own("TF-IDF"), scoring[tfidf], False, "end"),
        Point("fastText", peer("fastText: its tutorial's settings"), scoring["fastText predict"], False),
        Point(static, peer(student), scoring[static], False, "end"),
    ]


def across(speed):
    low, high = map(log10, SPEEDS)
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (log10(speed) - low) / (high - low), 1)


def up(accuracy):
    low, high = ACCURACIES
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (accuracy - low) / (high - low), 1)


def axes():
    for accuracy in range(70, 91, 5):
        y = up(accuracy)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{accuracy}</text>'
    for power in range(1, 6):
        x = across(10**power)
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        label = f'<text class="small" x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10**power:,}'
        yield label + "</text>"


def mark(point):
    x, y = across(point.speed), up(point.accuracy)
    at = x + 12 if point.side == "start" else x - 12
    kind = "ours" if point.ours else "peer"
    label = f'<text x="{at:.1f}" y="{y + 5:.1f}" text-anchor="{point.side}">{point.name}</text>'
    return f'<g class="{kind}"><circle cx="{x}" cy="{y}" r="7"/>{label}</g>'


def picture():
    """The SVG, as text."""
    lines = [
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
        '<text class="title" x="20" y="32">Accuracy on the new domain, %</text>',
        f'<text class="small" x="{WIDTH - RIGHT}" y="{HEIGHT - 14}" text-anchor="end">'
        "reviews labelled a second on one core; each line is ten times as fast as the one before</text>",
        *axes(),
        *map(mark, points()),
    ]
    body = "\n".join("  " + line for line in lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{in_words().replace(chr(34), "&quot;")}">\n'
        f"  <style>\n{STYLE}  </style>\n{body}\n</svg>\n"
    )


def in_words():
    """What it shows, for who cannot see it."""
    told = [f"{p.name} {p.accuracy:.1f} % at {float(f'{p.speed:.1g}'):,.0f}" for p in points()]
    return "Accuracy on the new domain against reviews a second on one core: " + "; ".join(told) + "."
