"""Open reports and pages to label in Chromium: screenshots, PDF, console, network, accessibility, width, use.

python -m benchmarks.report_browser --output shots [--axe axe.min.js] [--page report.html ...]

Without --page it makes reports first: the demo, two fragments in one notebook, hostile texts (scripts,
quotes, right-to-left), and, where EMBTRANSFER_DATA is set, 2,000 book against 2,000 kitchen reviews; and two
pages to label, of few classes and of 77, whose texts are labelled with keys, saved and read back. It needs
selenium, chromium and chromedriver (Debian: chromium, chromium-driver), and tells which is missing. axe-core
is fetched with `npm pack` unless --axe names the file; without either that check is told to be skipped.
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from embtransfer import compare, make_report
from embtransfer.datasets import fetch_amazon_reviews, load_demo_reviews

from ._label_pages import label_errors, make_label_pages

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
WIDTHS = (1280, 768, 390, 320)
HOSTILE = "<script>alert(1)</script> \"quotes\" & 'more' </svg> ünïcödé 漢字 שלום עולם \u202e مرحبا"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("report_shots"))
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--page", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    try:
        import selenium  # noqa: F401
    except ImportError:
        missing.append("selenium")
    if missing:
        print(f"Skipped: {', '.join(missing)} not found. Install chromium, chromium-driver and selenium.")
        return 0
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        axe = options.axe or _fetch_axe(Path(folder))
        if axe is None:
            print("Accessibility check skipped: `npm pack axe-core` did not work. Pass --axe axe.min.js.")
        pages = [(page, _sorts) for page in options.page or make_pages(options.output)]
        if not options.page:
            for page, *round_ in make_label_pages(options.output, HOSTILE):
                pages.append((page, partial(label_errors, *round_)))
        profiles = [Path(folder) / f"profile{i}" for i in range(len(pages))]
        results = [
            check(page, options.output, axe, new, use)
            for (page, use), new in zip(pages, profiles, strict=True)
        ]
    print(pd.DataFrame(results).T.to_string(header=False))
    bad = ("console_errors", "network_requests", "axe_violations", "overflow", "alerts", "label_errors")
    return int(any(result.get(name) not in (0, None) for result in results for name in bad))


def make_pages(output):
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    data = films.data, films.target, pans.data, pans.target
    yield _save(output / "demo", data, title="films → kitchenware")
    yield _notebook(output / "notebook", make_report(*data, table=compare(*data, recipes=[])))
    rng = np.random.default_rng(0)
    texts = [f"{text} {HOSTILE}" for text in films.data]
    labels = rng.choice([HOSTILE, "b|a*d", "שלום"], len(texts))
    others = [f"too: {text}" for text in texts[::-1]]  # compare scores none that is in the source
    data = texts, labels, others, labels[::-1]
    yield _save(output / "hostile", data, title=HOSTILE, curves=_curves())
    if "EMBTRANSFER_DATA" in os.environ:
        books, kitchen = fetch_amazon_reviews("books"), fetch_amazon_reviews("kitchen")
        data = books.data, books.target, kitchen.data, kitchen.target
        yield _save(output / "amazon", data, title="books → kitchen", curves=_curves())


def _save(folder, data, title, curves=None):
    table = compare(*data, recipes=[])
    start = time.perf_counter()
    command = ["embtransfer", "compare", title]
    report = make_report(*data, table=table, title=title, curves=curves, command=command)
    page = report.save(folder)[0]
    print(f"{folder.name}: {time.perf_counter() - start:.1f} s beyond compare, {page.stat().st_size:,} bytes")
    return page


def _notebook(folder, report):
    """Two fragments in a page of somebody else, as a notebook shows them."""
    folder.mkdir(parents=True, exist_ok=True)
    twice = "".join(f"<div>{report._repr_html_()}</div>" for _ in range(2))
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Notebook</title></head>'
    page = f"{head}<body><main><h1>Notebook</h1>{twice}</main></body></html>"
    (folder / "report.html").write_text(page, "utf-8")
    return folder / "report.html"


def _curves():
    """A frame as learning_curve makes it: scores that rise with the labels, of made-up models."""
    rng = np.random.default_rng(0)
    rows = []
    for model, start in (("TF-IDF + logistic", 0.52), ("word_sif centred", 0.6), ("words <recipe>", 0.55)):
        for labels in ("source", "target", "both"):
            for size in (16, 64, 256, 1000):
                score = start + 0.05 * np.log2(size) / 2 + rng.normal(0, 0.01, 3)
                n_source = {"source": size, "target": 0, "both": 2000}[labels]
                n_target = 0 if labels == "source" else size
                rows += [(model, labels, n_source, n_target, i, s, 0.1, "") for i, s in enumerate(score)]
    columns = ["model", "labels", "n_source", "n_target", "repeat", "score", "seconds", "error"]
    return pd.DataFrame(rows, columns=columns)


def _fetch_axe(folder):
    try:
        subprocess.run(["npm", "pack", "axe-core"], cwd=folder, check=True, capture_output=True, timeout=120)
        with tarfile.open(next(folder.glob("axe-core-*.tgz"))) as archive:
            archive.extract("package/axe.min.js", folder, filter="data")
    except (OSError, subprocess.SubprocessError, StopIteration, KeyError):
        return None
    return folder / "package" / "axe.min.js"


def check(page, output, axe, profile, use):
    """Counts of one page, and what `use` finds that is done to it; screenshots and the PDF go to `output`."""
    driver = _start(profile)
    try:
        name = page.parent.name
        result = {"page": name, "bytes": page.stat().st_size, "overflow": 0, "axe_violations": 0}
        if axe is None:
            result["axe_violations"] = None
        for theme in ("light", "dark"):
            _emulate(driver, theme)
            for width in WIDTHS:
                metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
                driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
                driver.get(page.resolve().as_uri())
                wide = driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
                result["overflow"] += max(0, wide)
                shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
                (output / f"{name}_{theme}_{width}.png").write_bytes(base64.b64decode(shot["data"]))
                if axe is not None:
                    result["axe_violations"] += _violations(driver, axe, f"{name} {theme} {width}")
        result |= use(driver, page)
        _emulate(driver, "dark", media="")  # paper stays white in the dark theme, too
        pdf = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
        (output / f"{name}.pdf").write_bytes(base64.b64decode(pdf["data"]))
        result["pdf_pages"] = base64.b64decode(pdf["data"]).count(b"/Type /Page\n")
        result["alerts"] = driver.execute_script("return window.alerted || 0")
        logs = [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        result["console_errors"] = len(logs)
        requests = _requests(driver, page.resolve().as_uri())
        result["network_requests"] = len(requests)
        for line in [*logs, *requests]:
            print(line, file=sys.stderr)
        return result
    finally:
        driver.quit()


def _start(profile):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    script = {"source": "window.alert = () => { window.alerted = (window.alerted || 0) + 1 }"}
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    return driver


def _emulate(driver, theme, media="screen"):
    features = [{"name": "prefers-color-scheme", "value": theme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def _violations(driver, axe, where):
    driver.execute_script(axe.read_text("utf-8"))
    found = driver.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations))"
    )
    for violation in found:
        nodes = [node["target"] for node in violation["nodes"]][:3]
        print(f"{where}: {violation['id']}: {violation['help']} {nodes}", file=sys.stderr)
    return len(found)


def _sorts(driver, page):
    """Whether two clicks on the last number column of the first sortable table order it down."""
    driver.execute_script("document.querySelectorAll('table[data-sortable] th.et-n button')[1].click()")
    driver.execute_script("document.querySelectorAll('table[data-sortable] th.et-n button')[1].click()")
    values = driver.execute_script(
        "const head = document.querySelector('th[aria-sort]'); const t = head.closest('table');"
        "return [...t.tBodies[0].rows].map(r => r.cells[head.cellIndex].dataset.value)"
    )
    numbers = [float(value) for value in values if value]
    return {"sorted": len(numbers) > 1 and numbers == sorted(numbers, reverse=True)}


def _requests(driver, page):
    """Addresses that the page asked for, other than itself and data in it."""
    messages = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    asked = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    urls = [params["request"]["url"] for params in asked if params["documentURL"].startswith(page)]
    if page not in urls:
        raise RuntimeError("The browser's log of requests lacks the page itself, so it says nothing.")
    return [url for url in urls if url.partition("#")[0] != page and not url.startswith("data:")]


if __name__ == "__main__":
    sys.exit(main())
