"""A report as one HTML page, or as a fragment for notebooks. Nothing in it comes from elsewhere."""

from base64 import b64encode
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from ..system._escape import escape
from . import _svg
from ._blocks import Bars, Chart, Code, Headline, Table

_FOLDER = Path(__file__).parent


def page(title, lead, sections) -> str:
    """The whole page, with an h1 and landmarks."""
    links = "".join(f'<li><a href="#et-{s.key}">{escape(s.heading)}</a></li>' for s in sections)
    return document(
        title,
        "@page{size:A4;margin:14mm}",
        '<a class="et-skip" href="#et-main">Skip to the report</a>'
        f'<header><h1 class="et-title"><bdi>{escape(title)}</bdi></h1><p class="et-soft">{escape(lead)}</p>'
        f'</header>\n<nav aria-label="Sections"><ol>{links}</ol></nav>\n<main id="et-main" class="et-main">\n'
        f"{_body(sections, 'et', 2)}</main>",
        read("sort.js"),
    )


def document(title, style, body, script) -> str:
    """A page of this style and script beside those that all have; it loads and runs nothing else."""
    known = b64encode(sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none';style-src 'unsafe-inline';script-src 'sha256-{known}';img-src data:"
    policy += ";base-uri 'none';form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">'
        "<style>body{margin:0;background:#fff}@media screen and (prefers-color-scheme:dark)"
        "{body{background:#14171a}}"
        f'{read("page.css")}{style}</style></head><body><div class="et">{body}</div>\n'
        f"<script>{script}</script></body></html>\n"
    )


def fragment(title, lead, sections, prefix) -> str:
    """The same for a page of somebody else: `prefix` begins its ids, and it brings no landmarks."""
    return (
        f'<style>{read("page.css")}</style><div class="et">'
        f'<h2 class="et-title"><bdi>{escape(title)}</bdi></h2><p class="et-soft">{escape(lead)}</p>\n'
        f"{_body(sections, prefix, 3)}</div>\n<script>{read('sort.js')}</script>"
    )


def read(name) -> str:
    """A style sheet or script of this folder."""
    return (_FOLDER / name).read_text("utf-8")


def _body(sections, prefix, level):
    return "".join(_section(section, prefix, level) for section in sections)


def _section(section, prefix, level):
    name = f"{prefix}-{section.key}"
    tag = f"h{level}"
    parts = [f'<section id="{name}"><{tag} class="et-heading">{escape(section.heading)}</{tag}>\n']
    if section.left_out:
        parts.append(f'<p class="et-soft">Left out: {escape(section.left_out)}</p>\n')
    for kind, blocks in groupby(section.blocks, _row_of):
        found = "".join(_block(block, prefix) for block in blocks)
        group = f' role="group" tabindex="0" aria-label="{escape(section.heading)}"' * (kind == "et-charts")
        parts.append(f'<div class="{kind}"{group}>{found}</div>\n' if kind else found)
    return "".join(parts) + "</section>\n"


def _row_of(block):
    """The class of what stands in one row with others."""
    if isinstance(block, Chart):
        return "et-charts"
    return "et-tables" if isinstance(block, Table) and block.beside else ""


def _block(block, prefix):
    if isinstance(block, Chart):
        return _chart(block, f"{prefix}-{block.name}")
    if isinstance(block, Table):
        table = _table(block, f"{prefix}-table-{block.name}")
        said = f"{escape(block.caption)}: {len(block.frame):,} rows"
        return _folded(said, table) if block.folded else table
    if isinstance(block, Headline):
        return f'<p class="et-headline"><bdi>{escape(block.text)}</bdi></p>\n'
    if isinstance(block, Bars):
        return _bars(block, f"{prefix}-bars-{block.name}")
    if isinstance(block, Code):
        code = f'<pre tabindex="0"><code>{escape(block.text)}</code></pre>\n'
        return _folded(escape(block.caption), code) if block.caption else code
    return f"<p>{escape(block)}</p>\n"


def _folded(said, found):
    return f"<details><summary>{said}</summary>{found}</details>\n"


def _bars(bars, name):
    """A row each: the name, a bar with its interval, which is there for the eye alone, and the score."""
    rows = []
    for row, at in zip(bars.frame.itertuples(), bars.places().itertuples(), strict=True):
        ends = f"--v:{at.score:.1%}"
        interval = ""
        if at.low == at.low:
            ends += f";--low:{at.low:.1%};--high:{at.high:.1%}"
            interval = '<span class="et-range"></span>'
        rows.append(
            f"<li{' class=et-best' * bool(row.best)}><span><bdi>{escape(row.name)}</bdi></span>"
            f'<span class="et-bar" aria-hidden="true" style="{ends}"><span class="et-score"></span>{interval}'
            f'</span><span class="et-n">{bars.value(row)}</span></li>\n'
        )
    title = f'<p class="et-bars-title" id="{name}">{escape(bars.title)}</p>'
    return f'{title}<ol class="et-bars" aria-labelledby="{name}">{"".join(rows)}</ol>\n'


def _table(table, name):
    columns = list(table.frame)
    numeric = {column: table.is_number(column) for column in columns}
    head = "".join(
        f'<th scope="col"{_kind(numeric[c])}><bdi>{escape(table.header(c))}</bdi></th>' for c in columns
    )
    rows = []
    for i, values in enumerate(table.frame.itertuples(index=False, name=None)):
        cells = [
            _cell(table, column, value, numeric[column], first=j == 0, row=i)
            for j, (column, value) in enumerate(zip(columns, values, strict=True))
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>\n")
    sortable = " data-sortable" if table.sortable else ""
    return (
        f'<div class="et-scroll" role="group" tabindex="0" aria-labelledby="{name}"><table{sortable}>'
        f'<caption id="{name}">{escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{''.join(rows)}</tbody></table></div>\n"
    )


def _cell(table, column, value, is_number, first, row):
    text = table.cell(column, value)
    value = "" if value is None or value != value else value
    attributes = f' data-value="{escape(value)}"' if table.sortable and is_number else ""
    if table.shade is not None and column in table.shade:
        attributes += f' style="--share:{table.shade[column].iloc[row]:.0%}"'
    if first:
        return f'<th scope="row"{_kind(is_number)}{attributes}><bdi>{escape(text)}</bdi></th>'
    return f"<td{_kind(is_number)}{attributes}><bdi>{escape(text)}</bdi></td>"


def _kind(is_number):
    return ' class="et-n"' if is_number else ""


def _chart(chart, name):
    legend = "".join(
        '<li><svg viewBox="0 0 16 16" aria-hidden="true">'
        f"{_svg.shapes(m.shape, m.colour, [(8, 8)], 4.5)}</svg><bdi>{escape(m.label)}</bdi></li>"
        for m in chart.legend
    )
    return (
        f'<figure><figcaption>{escape(chart.title)}</figcaption><svg class="et-chart" role="img" '
        f'viewBox="0 0 {_svg.WIDTH} {_svg.HEIGHT}" aria-labelledby="{name}-t" aria-describedby="{name}-d">'
        f'<title id="{name}-t">{escape(chart.title)}</title><desc id="{name}-d">{escape(chart.description)}'
        f'</desc>{chart.svg}</svg><ul class="et-legend">{legend}</ul>'
        f'<p class="et-soft">{escape(chart.description)}</p></figure>\n'
    )
