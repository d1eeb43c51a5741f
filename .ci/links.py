"""Checks the links of a built site: each leads to a file of the site, and an anchor to an element of its page.

python3 links.py SITE SOURCE: a page that the summary leaves out is not in the site, which is an error, too.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.update(attributes[name] for name in ("id", "name") if attributes.get(name))
        link = attributes.get("href") if tag == "a" else attributes.get("src")
        if link:
            self.links.append(link)


site, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
pages = {path: Page(path) for path in site.rglob("*.html")}
broken = []
for path, page in pages.items():
    # These repeat the others, with links from their own place.
    if path.name in ("print.html", "404.html", "toc.html"):
        continue
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            # In the repository, a directory is a page, too.
            if not (source / target.relative_to(site)).is_dir():
                broken.append(f"{path.relative_to(site)}: {link}")
        elif not target.is_file():
            broken.append(f"{path.relative_to(site)}: {link}")
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            broken.append(f"{path.relative_to(site)}: {link}")
left_out = [path for path in sorted((source / "docs").glob("*.md")) if not (site / "docs" / path.with_suffix(".html").name).is_file()]
broken += [f"not in the summary: {path.name}" for path in left_out if path.name != "SUMMARY.md"]
print("\n".join(broken) or f"{len(pages)} pages, all links lead somewhere")
sys.exit(bool(broken))
