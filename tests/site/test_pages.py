"""The pages: nothing is missing, nobody else is asked, and everybody can read them."""

import json
import re
import shutil
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from accessibility import JUDGE, fetch_axe
from visitor import COURSE

from course import copies

LESSONS = sorted(path.stem for path in (COURSE / "notebooks").glob("*.ipynb"))
LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}
NOTEBOOK_LINK = re.compile(r"\]\((?!\w+:|#)([\w./-]+\.(?:ipynb|py|md)|[\w./-]+/)\)")


class Page(HTMLParser):
    """`links` and `loaded` have addresses, `ids` the places that a link can lead to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.ids, self.unnamed = [], [], set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag in LOADED and attributes.get(LOADED[tag]):
            self.loaded.append(attributes[LOADED[tag]])
        if tag == "img" and "alt" not in attributes:
            self.unnamed.append(attributes["src"])


@pytest.fixture(scope="module")
def pages(site):
    paths = [path for path in site.rglob("*.html") if "run" not in path.relative_to(site).parts]
    return {path: Page(path) for path in paths}


def is_elsewhere(address):
    return bool(urlsplit(address).scheme or address.startswith("//"))


def broken(path, address, pages, site):
    """What is wrong with a link, or None."""
    parts = urlsplit(address)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "no such file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return "no such place in the page"
    lesson = parse_qs(parts.query).get("path")
    if lesson and not (site / "run" / "files" / lesson[0]).is_file():
        return "no such lesson to run"
    return None


def test_every_lesson_has_a_page_with_its_results_and_a_link_to_run_it(pages, site):
    for lesson in LESSONS:
        page = pages[site / "lessons" / f"{lesson}.html"]
        assert f"../run/lab/index.html?path=lessons/{lesson}.ipynb" in page.links
        assert (
            any("_static/results/" in address for address in page.loaded) or lesson == "10b-pytorch"
        )


def test_no_link_is_broken(pages, site):
    found = {
        f"{path.relative_to(site)} -> {address}: {reason}"
        for path, page in pages.items()
        for address in page.links + page.loaded
        if not is_elsewhere(address) and (reason := broken(path, address, pages, site))
    }
    assert sorted(found) == []
    assert sum(len(page.links) for page in pages.values()) > 1000


def test_pages_load_nothing_from_elsewhere(pages):
    elsewhere = {
        address
        for page in pages.values()
        for address in page.loaded
        if is_elsewhere(address) and not address.startswith("data:")
    }
    assert elsewhere == set()


def test_every_picture_has_words(pages):
    assert [name for page in pages.values() for name in page.unnamed] == []


def test_links_between_the_lessons_to_run_lead_somewhere(site):
    folder = site / "run" / "files" / "lessons"
    count = 0
    for lesson in LESSONS:
        path = folder / f"{lesson}.ipynb"
        assert not copies.is_changed(path), "it would be packed with a learner's work"
        cells = json.loads(path.read_text())["cells"]
        for cell in cells:
            assert not cell.get("outputs"), f"{lesson} has results before it has run"
            assert cell.get("execution_count") is None
            if cell["cell_type"] == "markdown":
                for address in NOTEBOOK_LINK.findall("".join(cell["source"])):
                    assert (folder / address).exists(), f"{lesson}: {address}"
                    count += 1
    assert count > 100


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    if shutil.which("npm") is None:
        pytest.skip("there is no npm to fetch axe-core with (it comes with Node.js)")
    return fetch_axe(tmp_path_factory.mktemp("axe"))


PAGES = ["index.html", "notation.html", *(f"lessons/{lesson}.html" for lesson in LESSONS)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible(visitor, axe, path, scheme):
    page = visitor.open(path)
    page.emulate_media(color_scheme=scheme)
    page.add_script_tag(path=axe)
    found = page.locator("body").evaluate_all(JUDGE, [])
    assert found["violations"] == []
    assert found["legible"] > 20


@pytest.mark.parametrize("path", ["index.html", "lessons/06-recognizer.html"])
def test_pages_fit_on_a_phone(visitor, path):
    page = visitor.open(path)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_nothing_is_cut_off_on_paper(visitor):
    page = visitor.open("lessons/02-mlp.html")
    page.set_viewport_size({"width": 700, "height": 1000})  # A4 without its margins
    page.emulate_media(media="print")
    blocks = page.locator("pre").evaluate_all("all => all.map(e => e.scrollWidth - e.clientWidth)")
    assert len(blocks) > 30 and max(blocks) <= 0
    assert not page.get_by_text("Skip to content").is_visible()
    assert not page.locator(".run-lesson").is_visible()


def test_search_finds_a_lesson(visitor):
    page = visitor.open("search.html?q=softmax")
    # Sphinx lists what it finds one by one, so the first of them need not be a lesson.
    page.locator("#search-results li a[href*='lessons/']").first.wait_for()
