"""A page of a report as a reader finds it: tags, tables by caption, tiles by label."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """The page as a reader sees it: text by id, tables by caption, and what a page must not hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.by_id: dict[str, str] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._id: str | None = None
        self._rows: list[list[str]] = []
        self._caption: str | None = None
        self._text: list[str] | None = None
        self._label: str | None = None
        self.tiles: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "dd":
            self._id = dict(attrs).get("id")
        if tag == "table":
            self._rows, self._caption = [], None
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th", "caption", "dd", "dt"):
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self._text or []).strip()
        if tag == "caption":
            self._caption = text
        elif tag in ("td", "th"):
            self._rows[-1].append(text)
        elif tag == "dt":
            self._label = text.lstrip("✖▲◆●✔ ")
        elif tag == "dd":
            self.tiles[self._label or ""] = text
            if self._id:
                self.by_id[self._id] = text
        elif tag == "table":
            assert self._caption, "a table without a caption"
            self.tables[self._caption] = self._rows
        if tag in ("td", "th", "caption", "dd", "dt"):
            self._text = None
