"""The HTML report in a real browser."""

import pytest
from reports.browser import CHROMIUM, chromium
from reports.example_results import EXAMPLES
from reports.long_run import hour

from stressrunner.reports import render

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Return a browser for all of these tests, because it takes a second to start."""
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def show(browser, tmp_path):
    """Return a function that shows a result's page and returns its tab, after it was seen to be quiet."""
    shown = []

    def show_page(result, **how):
        page = tmp_path / "report.html"
        page.write_text(render("html", result), encoding="utf-8")
        tab = browser.open_tab()
        tab.show(page.as_uri(), **how)
        shown.append(tab)
        return tab

    yield show_page
    for tab in shown:
        assert tab.run("document.readyState") == "complete"
        assert (tab.requests, tab.complaints) == ([], [])


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_asks_for_nothing_and_complains_of_nothing(show, name):
    """It is laid out without a request, and without an error in the console, where a broken policy would show."""
    tab = show(EXAMPLES[name]())
    assert tab.run("document.querySelector('h1').textContent") == "Full API"


@pytest.mark.parametrize("name", ["aborted", "failed", "hour"])
def test_every_chart_has_marks(show, name):
    """Lines and cells have an extent on the screen, in runs of two seconds and of an hour."""
    tab = show(hour() if name == "hour" else EXAMPLES[name]())
    sizes = tab.run(
        """[...document.querySelectorAll("figure")].map(figure => Math.max(0, ...[...figure.querySelectorAll(
        "svg[role=img] .line, svg[role=img] .heat")].map(mark => mark.getBoundingClientRect().width)))"""
    )
    assert len(sizes) >= 7
    assert all(size > 40 for size in sizes)


@pytest.mark.parametrize("width", [320, 1280])
def test_timelines_of_sessions_fit(show, width):
    """Every bar of a message and every line to what is stored is on the screen, with words that can be read."""
    tab = show(EXAMPLES["undelivered"](), width=width)
    tab.run("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert tab.run("document.documentElement.scrollWidth") == width
    drawn = tab.run(
        """[...document.querySelectorAll(".timeline > svg")].map(svg => ({
        marks: [...svg.querySelectorAll(".bar, .link")].map(mark => mark.getBoundingClientRect())
          .map(box => Math.min(Math.max(box.width, box.height), box.left, innerWidth - box.right)),
        letters: [...svg.querySelectorAll("text")].map(t => parseFloat(getComputedStyle(t).fontSize)
          * svg.getScreenCTM().a)}))"""
    )
    assert len(drawn) >= 7
    assert all(min(one["marks"]) > 1 and min(one["letters"]) > 9 for one in drawn)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(show, width, dark):
    """On a telephone, too, only tables and code scroll sideways, in boxes of their own."""
    tab = show(hour(), width=width, dark=dark)
    assert tab.run("document.documentElement.scrollWidth") == width
    letters = tab.run(
        """Math.min(...[...document.querySelectorAll("figure svg text")].filter(t => t.getBoundingClientRect().width)
        .map(t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getScreenCTM().a))"""
    )
    assert letters > 9


def test_dark_is_dark(show):
    """The page follows the system: letters are lighter than what they stand on."""
    shades = []
    for dark in (False, True):
        tab = show(EXAMPLES["failed"](), dark=dark)
        shades.append(
            tab.run(
                """["color", "backgroundColor"].map(name => getComputedStyle(document.body)[name]
                .match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0))"""
            )
        )
    (ink, paper), (light_ink, dark_paper) = shades
    assert paper - ink > 450
    assert light_ink - dark_paper > 450


COLUMN = "[...document.querySelectorAll('.sortable tbody tr')].map(row => row.cells[{}].textContent)"


def test_tables_are_sorted_by_a_click(show):
    """A click on a heading puts the largest first, another one the smallest; names begin with A."""
    tab = show(hour())
    press = "document.querySelectorAll('.sortable th button')[{}].click()"
    sort = "document.querySelectorAll('.sortable thead th')[{}].getAttribute('aria-sort')"
    tab.run(press.format(2))
    failed = [int(text) for text in tab.run(COLUMN.format(2))]
    assert failed == sorted(failed, reverse=True)
    assert tab.run(sort.format(2)) == "descending"
    tab.run(press.format(2))
    assert [int(text) for text in tab.run(COLUMN.format(2))] == failed[::-1]
    tab.run(press.format(0))
    names = tab.run(COLUMN.format(0))
    assert names == sorted(names)
    assert (tab.run(sort.format(0)), tab.run(sort.format(2))) == ("ascending", None)


def test_never_is_sorted_last(show):
    """A percentile that fell among what never ended is the largest of all, whatever unit the others are in."""
    tab = show(EXAMPLES["overloaded"]())
    tab.run("document.querySelectorAll('.sortable th button')[7].click()")
    assert tab.run(COLUMN.format(7))[0] == "never"


def test_the_pointer_shows_values_in_every_chart(show):
    """Over one chart, the values at that moment appear in all that have a time axis, and go when it leaves."""
    tab = show(hour())
    tab.run("document.querySelectorAll('figure svg')[1].scrollIntoView({block: 'center'})")
    place = tab.run(
        """(box => [box.left + box.width * 202 / 360, box.top + box.height / 2])
        (document.querySelectorAll('figure > svg')[1].getBoundingClientRect())"""
    )
    values = "[...document.querySelectorAll('.legend')].map(legend => legend.textContent.replace(/\\s+/g, ' ').trim())"
    quiet = tab.run(values)
    tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
    shown = tab.run(values)
    assert shown[0].startswith("offered 12/s sent 1")
    assert all(legend.endswith(("at 30:00", "at 29:59")) for i, legend in enumerate(shown) if i != 3)
    assert shown[3] == quiet[3]
    tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    assert tab.run(values) == quiet


def test_charts_are_read_with_the_keyboard(show):
    """A chart takes the focus; its arrow keys move along it, and what is shown is read aloud there alone."""
    tab = show(hour())
    tab.run("document.querySelectorAll('figure > svg')[3].focus()")
    for _ in range(20):
        for kind in ("keyDown", "keyUp"):
            tab.call("Input.dispatchKeyEvent", type=kind, key="ArrowRight")
    legend = tab.run("document.querySelectorAll('.legend')[3].textContent")
    assert legend.count(" ms at ") == 2
    assert tab.run("[...document.querySelectorAll('.legend[aria-live]')].length") == 1


def test_the_page_can_be_printed(show):
    """On paper there are no links to parts and no signs to click on, the colours are those of paper, and nothing is cut."""
    tab = show(hour(), width=720, media="print")
    assert tab.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert tab.run("document.documentElement.scrollWidth") == 720
    paper = tab.pdf()
    assert paper.startswith(b"%PDF")
    pages = paper.count(b"/Type /Page\n")
    assert 3 <= pages <= 12


CONTRASTS = """(() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return /, 0\\)$/.test(colour) && element.parentElement ? behind(element.parentElement) : colour;
  };
  const faint = {};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.getClientRects().length || element.closest("script, title, desc")) continue;
    const style = getComputedStyle(element);
    const ink = light(element.closest("svg") ? style.fill : style.color), paper = light(behind(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) faint[element.tagName + "." + element.getAttribute("class")] = contrast;
  }
  return faint;
})()"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["failed", "passed", "aborted", "undelivered"])
def test_every_word_can_be_read(show, name, dark):
    """Letters stand out from what is behind them by the 4.5 to 1 that accessibility guidelines ask for."""
    tab = show(EXAMPLES[name](), dark=dark)
    tab.run("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert tab.run(CONTRASTS) == {}
