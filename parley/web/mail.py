"""A mail's HTML made harmless: a short allow-list, shown in a frame of its own in which nothing can run."""

import re
from html.parser import HTMLParser

import nh3

from parley.web.text import is_web_url

# Scripts cannot run for two reasons (`sandbox` without allow-scripts, `default-src 'none'`), so that the page
# around the frame may look into it to give it the height of its text.
_POLICY = (
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd",
    "del", "div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "img", "ins", "li", "mark", "ol", "p", "pre", "q", "s", "small", "span", "strike",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
    "wbr",
}  # fmt: skip
_SILENT = {"script", "style", "title", "head", "template", "noscript", "iframe", "object", "svg", "math"}
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "align", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "size"},
    "ol": {"start", "type"},
    "tr": {"bgcolor", "valign"},
    "col": {"width", "span"},
    "table": {"width", "bgcolor", "border", "cellpadding", "cellspacing"},
    "td": {"width", "height", "bgcolor", "valign", "colspan", "rowspan"},
    "th": {"width", "height", "bgcolor", "valign", "colspan", "rowspan"},
}
_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-radius", "border-right", "border-spacing", "border-style", "border-top", "border-width",
    "color", "direction", "display", "font-family", "font-size", "font-style", "font-variant",
    "font-weight", "height", "letter-spacing", "line-height", "list-style-type", "margin",
    "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding",
    "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration",
    "text-indent", "text-transform", "vertical-align", "white-space", "width", "word-break",
}  # fmt: skip
_LINK = re.compile(r"(https?://|mailto:|tel:)", re.IGNORECASE)
_INLINE_PICTURE = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_REMOTE_PICTURE = re.compile(r"<img\b[^>]*\ssrc\s*=\s*[\"']?\s*https?:", re.IGNORECASE)
_COLOURED = re.compile(r"\b(bgcolor|color|background-color)\s*[=:]", re.IGNORECASE)


def policy(*, pictures: bool) -> str:
    """The Content-Security-Policy of a mail's frame."""
    return _POLICY.format(images="http: https: data:" if pictures else "data:")


def has_remote_pictures(body: str) -> bool:
    """Whether a mail would tell its sender that it is being read."""
    return _REMOTE_PICTURE.search(body) is not None


def is_coloured(cleaned: str) -> bool:
    """Whether a mail brings colours of its own, so that it needs the white paper they were chosen for."""
    return _COLOURED.search(cleaned) is not None


def clean(body: str, *, pictures: bool = False) -> str:
    """Keep of a mail what is text and shape, fold its quotes, leave out pictures from elsewhere unless wanted."""

    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "href":
            return value if _LINK.match(value.strip()) else None
        if name == "src":
            remote = pictures and is_web_url(value)
            return value if remote or _INLINE_PICTURE.fullmatch(value.strip()) else None
        return value

    cleaned = nh3.clean(
        body,
        tags=_TAGS,
        clean_content_tags=_SILENT,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "data"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    folder = _Folder()
    folder.feed(cleaned)
    folder.close()
    return "".join(folder.pieces)


class _Folder(HTMLParser):
    """Wraps each outermost quote into something that opens on a click; works on balanced markup only."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "blockquote":
            if self._depth == 0:
                self.pieces.append("<details><summary>Quoted text</summary>")
            self._depth += 1
        self.pieces.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append(f"</{tag}>")
        if tag == "blockquote":
            self._depth -= 1
            if self._depth == 0:
                self.pieces.append("</details>")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_entityref(self, name: str) -> None:
        self.pieces.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.pieces.append(f"&#{name};")
