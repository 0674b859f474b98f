"""A lesson as a page: its notebook with the stored results, and links that work on the site."""

import base64
import html
import re
from urllib.parse import quote

import nbformat

RUN = """<p class="run-lesson">
<a class="run-button" href="../run/lab/index.html?path={path}">Run this lesson</a> in your browser,
with nothing to install: Python comes with the page, and what you write stays on your machine.
<a href="../run/fresh.html?lesson={name}">Begin it anew</a> if yours no longer works.</p>
"""
CODE_LINK = re.compile(r"\[([^\]]+)\]\(\.\./(course/[^)]*)\)")
LESSON_LINK = re.compile(r'href="([\w-]+)\.ipynb"')  # in a result
ALT_IN_SVG = re.compile(r'aria-label="([^"]*)"')
SVG_IMAGE = re.compile(r'src="data:image/svg\+xml;base64,([^"]+)"')


def lay(path, source):
    """Write the notebook at `path` into `source`/lessons, and its pictures into `source`/_static.

    Returns the files of the package that it links to, as a set of paths.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)
    pictures = Pictures(source / "_static" / "results", path.stem)
    links = set()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            links |= {path for _, path in CODE_LINK.findall(cell.source) if path.endswith(".py")}
            cell.source = CODE_LINK.sub(code_link, cell.source).replace("../docs/", "../")
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data = pictures.shown(output)
    title, _, rest = notebook.cells[0].source.partition("\n")
    run = RUN.format(path=quote(f"lessons/{path.name}"), name=path.stem)
    notebook.cells[0].source = f"{title}\n\n{run}\n{rest}"
    (source / "lessons").mkdir(exist_ok=True)
    nbformat.write(notebook, source / "lessons" / path.name)
    return links


def code_link(match):
    """A link to a file of the package, as one to its page on the site."""
    text, path = match.groups()
    text = re.sub("`([^`]*)`", r"<code>\1</code>", text)
    page = code_page(path) if path.endswith(".py") else f"api/{path.rstrip('/')}/index"
    return f'<a href="../{page}.html">{text}</a>'


def code_page(path):
    """The page of a file of the package."""
    return "code/" + path.removesuffix(".py").replace("/", "-")


class Pictures:
    """Results of one notebook; its pictures become files, loaded when they are about to be seen."""

    def __init__(self, folder, lesson):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.lesson, self.count = folder, lesson, 0

    def shown(self, output):
        """Of the forms that a result is stored in, the one that a page without a kernel shows."""
        data = output.data
        if "image/png" in data:
            about = output.get("metadata", {}).get("image/png", {})
            png = base64.b64decode(data["image/png"])
            return {"text/html": self.image(png, "png", about, data.get("text/plain", ""))}
        if "image/svg+xml" in data:
            svg = data["image/svg+xml"]
            return {"text/html": self.image(svg.encode(), "svg", {"alt": alt_of(svg)}, "")}
        if "text/html" in data:
            text = LESSON_LINK.sub(r'href="\1.html"', data["text/html"])
            return {"text/html": SVG_IMAGE.sub(self.outside, text)}
        return {"text/plain": data["text/plain"]}

    def image(self, content, kind, about, plain):
        """The <img> of a picture, with the words that it comes with, or else its plain text."""
        alt = html.escape(about.get("alt") or plain, quote=True)
        sides = "".join(f' {s}="{about[s]}"' for s in ("width", "height") if s in about)
        return f'<img src="{self.file(content, kind)}" alt="{alt}"{sides} loading="lazy">'

    def outside(self, match):
        """The src of a picture that was inside the page."""
        return f'src="{self.file(base64.b64decode(match[1]), "svg")}" loading="lazy"'

    def file(self, content, kind):
        """Write a picture; returns its address as seen from the lesson."""
        name = f"{self.lesson}-{self.count:02}.{kind}"
        self.count += 1
        (self.folder / name).write_bytes(content)
        return f"../_static/results/{name}"


def alt_of(svg):
    """The words that an SVG says of itself."""
    found = ALT_IN_SVG.search(svg)
    return html.unescape(found[1]) if found else ""
