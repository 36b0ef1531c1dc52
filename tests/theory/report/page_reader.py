"""An HTML page read back: its tags, ids, references, texts, and what stands inside which element."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "path", "circle", "rect"}


class Page(HTMLParser):
    """Fails where tags do not match.

    refers : what the page refers to. elements : (tag, attributes, ids of what it stands in). words : the text,
    with every attribute for the blind left out.
    """

    def __init__(self, text):
        super().__init__()
        self.source = text
        self.open, self.inside, self.refers, self.ids, self.text, self.tags = [], [], [], [], [], []
        self.elements = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        assert len(given) == len(attributes), f"{tag} has an attribute twice"
        self.tags.append(tag)
        self.elements.append((tag, given, [*self.open]))
        if tag not in VOID:
            self.open.append(tag + (f".{given['class']}" if "class" in given else ""))
        self.refers += [given[name] for name in ("href", "src", "srcset", "data", "action") if name in given]
        self.ids += [given["id"]] if "id" in given else []

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop().partition(".")[0] == tag

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())

    def all(self, tag):
        return [given for name, given, _ in self.elements if name == tag]


def standing_alone(page, data):
    """Nothing comes from elsewhere: pictures are inside, links lead to the page itself or to the data beside it."""
    assert "script" not in page.tags and "@import" not in page.source and "url(" not in page.source
    assert not any(name.startswith("on") for _, given, _ in page.elements for name in given)
    assert {ref for ref in page.refers if not ref.startswith(("#", "data:"))} == set(data)
    assert {ref[1:] for ref in page.refers if ref.startswith("#")} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
