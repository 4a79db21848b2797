"""The report's page in a real browser: figures are drawn without a network, nothing is wrong."""

import shutil

import pytest
from report_samples import table, texts

import wordstock as ws

pytest.importorskip("torch")
pytest.importorskip("plotly")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    report = ws.transfer_report(
        texts(60, 1),
        texts(60, 2),
        encoders=[table()],
        budgets=(6, 24, 60),
        seeds=2,
        families=("tf-idf", "static frozen"),
        command="wordstock report letters.csv",
    )
    return report, report.save(tmp_path_factory.mktemp("page") / "report.html")[0]


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium executable on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=CHROMIUM, headless=True, chromium_sandbox=False, args=ARGUMENTS
        )
        yield opened
        opened.close()


def test_the_page_draws_its_figures_without_a_network(page_file, browser):
    report, path = page_file
    context = browser.new_context(offline=True, viewport={"width": 1100, "height": 900})
    page = context.new_page()
    wrong, asked = [], []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("#curves .scatterlayer .trace path.js-line")
    assert page.title() == "Transfer report: the texts given"
    assert page.inner_text("#recommendation") == report.recommendation
    assert page.locator("#findings li").all_inner_texts() == list(report.findings)
    assert "few-shot (not asked for)" in page.inner_text("#left-out")
    assert page.inner_text("#command") == "wordstock report letters.csv"

    names = page.locator("#curves .legendtext").all_text_contents()
    assert names == ["TF-IDF", "topics frozen"]
    drawn = page.locator("#curves .scatterlayer .trace .points path")
    assert drawn.count() == 6  # two methods, three numbers of labels
    assert page.locator("#seconds .scatterlayer .trace").count() == 2

    rows = page.locator("table").last.locator("tbody tr")
    assert rows.count() == 6
    first = report.analysis.curves[0].stops[0]
    assert f"{100 * first.score:.1f} ± {100 * first.half:.1f} %" in rows.first.inner_text()

    assert not wrong
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()


def test_the_page_fits_a_narrow_screen(page_file, browser):
    context = browser.new_context(offline=True, viewport={"width": 420, "height": 800})
    page = context.new_page()
    page.goto(page_file[1].as_uri())
    page.wait_for_selector("#curves .scatterlayer .trace path.js-line")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 440
    context.close()
