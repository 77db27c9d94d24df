"""Pages of `embtransfer label --page` in Chromium: labelled with keys, saved, read back."""

import csv
import time

import numpy as np
import pandas as pd

from embtransfer.labelling import read_rounds, write_round
from embtransfer.report import write_label_page

FEW = ["bad", "<b>good</b>", "-1", "=שלום"]
MANY = [f"card {i} {('payment', 'transfer', 'cash')[i % 3]}" for i in range(77)]


def make_label_pages(output, hostile):
    """Two pages: hostile texts and few classes, which have keys; demo texts and 77, which are typed."""
    texts = [
        "A good pan.",
        hostile,
        "=1+1",
        "</script><script>alert(1)</script><!--<script>",
        "a\u2028b\u2029",
    ]
    texts += ["\"two\", 'one'\r\nand a line;\ttab", "שלום עולם, 3 pans", "", "long " * 8000, "'+1 😀\\u003c"]
    for name, classes in {"label_few": FEW, "label_many": MANY}.items():
        folder = output / name
        folder.mkdir(parents=True, exist_ok=True)
        rows = range(len(texts))
        drawn = pd.DataFrame(
            {"row": rows, "why": "margin", "probability": [0.125, *[np.nan] * len(rows[1:])]}
        )
        write_round(folder / "round.csv", drawn, texts, {"id": [f"@{row}" for row in rows]})
        write_label_page(folder / "round.html", folder / "round.csv", texts, classes)
        yield folder / "round.html", texts, classes


def label_errors(texts, classes, driver, page):
    """How many things are not as they should be after all texts were labelled, some twice."""
    from selenium.webdriver import ActionChains, Keys

    saved = page.parent / "saved"
    saved.mkdir(exist_ok=True)
    for file in saved.iterdir():
        file.unlink()
    behaviour = {"behavior": "allow", "downloadPath": str(saved.resolve())}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    driver.get(page.resolve().as_uri())

    def press(*keys):
        ActionChains(driver).send_keys(*keys).perform()

    def give(number):
        if len(classes) < 36:
            press("0" if number is None else str(number + 1))
        else:
            press(" " if number is None else f"CARD {number} ", Keys.ENTER * (number is not None))

    expected = [i % len(classes) if i % 4 < 3 else None for i in range(len(texts))]
    seen = []
    for number in expected[:5]:
        seen.append(driver.execute_script("return document.getElementById('et-text').textContent"))
        give(number)
    press(Keys.LEFT)
    press(Keys.LEFT)
    give(0)  # a second thought about text 4, and back from it
    press(Keys.BACKSPACE)
    driver.get(page.resolve().as_uri())  # what was done is kept, and the first open text is shown
    for number in expected[5:]:
        seen.append(driver.execute_script("return document.getElementById('et-text').textContent"))
        give(number)
    said = driver.execute_script("return document.getElementById('et-said').textContent")
    ActionChains(driver).key_down(Keys.CONTROL).send_keys("s").key_up(Keys.CONTROL).perform()
    file = saved / "round.csv"
    stop = time.monotonic() + 10
    while not file.exists() and time.monotonic() < stop:
        time.sleep(0.05)
    labels = {i: classes[number] for i, number in enumerate(expected) if number is not None}
    rounds = read_rounds(file, texts, classes)
    right = [
        seen == texts,
        "All texts are done" in said,
        rounds == ([*range(len(texts))], labels, {0: 0.125}),
        _without_labels(file) == _without_labels(page.with_name("round.csv")),
        file.read_bytes()[:3] == b"\xef\xbb\xbf",
    ]
    return {"label_errors": right.count(False)}


def _without_labels(file):
    with open(file, encoding="utf-8-sig", newline="") as opened:
        return [cells[:-1] for cells in csv.reader(opened)]
