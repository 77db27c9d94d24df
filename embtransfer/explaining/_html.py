"""An explanation as HTML without style sheets or scripts, which notebooks and mail programs strip."""

from collections import defaultdict

from .._names import first_few
from ..system._escape import escape

FOR, AGAINST = "33,102,172", "230,97,1"  # blue and orange: told apart in all common kinds of colour blindness
_WIDTH = 12  # of the bars, em
_STRONGEST = 0.55  # opacity: the text on it keeps a contrast above 7 to 1, black or white


def fragment(explanation, top, number):
    """The class, the shaded text and a table of words."""
    shown = explanation.words[:top]
    rest = explanation.words[len(shown) :]
    largest = max((abs(row["share"]) for row in explanation.words), default=0.0)
    body = "".join(
        f'<tr><td style="text-align:right">{number(row["share"])}</td>'
        f'<td style="text-align:left">{escape(row["word"])}</td>'
        f'<td style="text-align:right">{row["count"]}</td><td>{_bar(row["share"], largest)}</td></tr>'
        for row in shown
    )
    if rest:
        body += _plain_row(number(sum(row["share"] for row in rest)), f"{len(rest):,} more")
    if explanation.constant:
        body += _plain_row(number(explanation.constant), "constant")
    return (
        '<div style="line-height:1.7">'
        f"<p><b>{escape(explanation._summary())}</b></p>"
        f'<p style="white-space:pre-wrap;overflow-wrap:anywhere">{_shaded(explanation, number)}</p>'
        f'<p><span style="{_shade(1.0, 1.0)}">for</span> <span style="{_shade(-1.0, 1.0)}">against</span> '
        f"{escape(str(explanation.label))}{_unknown(explanation)}</p>"
        '<table><thead><tr><th>share</th><th style="text-align:left">word</th><th>count</th><th></th></tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def word_shares(explanation):
    """(start, end) of each known word -> its share and that of its n-grams, evenly among their words."""
    shares = defaultdict(float)
    for row, places in zip(explanation.words, explanation.spans, strict=True):
        for words in places:
            for span in words:
                shares[span] += row["share"] / (len(places) * len(words))
    return shares


def _shaded(explanation, number):
    shares = word_shares(explanation)
    largest = max(map(abs, shares.values()), default=0.0)
    pieces, at = [], 0
    for (start, end), share in sorted(shares.items()):
        if start < at:  # read in two ways, such as "İ" with and without lower-casing: the first one is shown
            continue
        word = escape(explanation.text[start:end])
        pieces.append(escape(explanation.text[at:start]))
        pieces.append(f'<span title="{number(share)}" style="{_shade(share, largest)}">{word}</span>')
        at = end
    return "".join(pieces) + escape(explanation.text[at:])


def _share(value, largest):
    return abs(value) / largest if largest else 0.0


def _bar(share, largest):
    """A bar from the middle: to the right what speaks for the class, to the left what speaks against it."""
    width = _share(share, largest) * _WIDTH / 2
    left = _WIDTH / 2 - (width if share < 0 else 0)
    return (
        f'<div style="width:{_WIDTH}em;background:linear-gradient(currentColor,currentColor) center/1px 100% '
        f'no-repeat"><div style="height:0.8em;margin-left:{left:.2f}em;width:{width:.2f}em;'
        f'background:rgb({FOR if share > 0 else AGAINST})"></div></div>'
    )


def _shade(share, largest):
    opacity = _STRONGEST * _share(share, largest)
    return f"background:rgba({FOR if share > 0 else AGAINST},{opacity:.3f});border-radius:0.2em"


def _plain_row(value, name):
    return f'<tr><td style="text-align:right">{value}</td><td style="text-align:left">{name}</td></tr>'


def _unknown(explanation):
    words = [row["word"] for row in explanation.unknown_words]
    if not words:
        return ""
    return f"; unknown: {escape(first_few(words, 20))}"
