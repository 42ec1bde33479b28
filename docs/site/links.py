"""Finds dead links in a folder of HTML pages: files, and places in them, that are not there."""
import html.parser
import os
import pathlib
import urllib.parse


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids = set()
        self.targets = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id" or (name == "name" and tag == "a"):
                self.ids.add(value)
            elif name in ("href", "src") and value is not None:
                self.targets.append(value)


def check(folder):
    """(dead, internal, external): lines about dead links, how many links were followed, and the targets elsewhere."""
    folder = pathlib.Path(folder)
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    dead, internal, external = [], 0, set()
    for path, page in pages.items():
        for target in page.targets:
            parts = urllib.parse.urlsplit(target)
            if parts.scheme == "data":  # it is there, in the link itself
                continue
            if parts.scheme or parts.netloc:
                external.add(target)
                continue
            internal += 1
            place = pathlib.Path(os.path.normpath(path.parent / urllib.parse.unquote(parts.path))) if parts.path else path
            name = path.relative_to(folder)
            if not place.is_relative_to(folder) or parts.path.startswith("/"):
                dead.append(f"{name}: {target} leads out of the site")
            elif not place.is_file():
                dead.append(f"{name}: {target} is not there")
            elif parts.fragment and place in pages and urllib.parse.unquote(parts.fragment) not in pages[place].ids:
                dead.append(f"{name}: {target}: the page has no #{parts.fragment}")
    return dead, internal, sorted(external)
