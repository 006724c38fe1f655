"""Pages and comments that mean no good, or lead nowhere."""

from __future__ import annotations

import pytest
from docs.site.pages import PageError, comment, read_pages
from docs.site.site_test import Elements
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![picture](https://elsewhere.example/x.png)",
    "<!-- <style>*{display:none}</style>",
    "`<b onclick='x'>` & \"quotes\"",
    "- <i>item</i>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_html_in_comments_is_text(text: str) -> None:
    assert_harmless(comment(text))


@given(st.text(alphabet=st.sampled_from("<>&\"'`/=-* \n\t!scriptonimg[](){}:#")))
def test_no_comment_becomes_an_element_of_its_own(text: str) -> None:
    assert_harmless(comment(text))


def assert_harmless(html: str) -> None:
    tags: set[str] = set()

    class Tags(Elements):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert attrs == [] or (tag == "ol" and [name for name, _ in attrs] == ["start"])
            tags.add(tag)

    Tags(html)
    assert tags <= {"p", "code", "ul", "ol", "li"}


@pytest.mark.parametrize("text", HOSTILE)
def test_html_in_pages_is_text_and_pictures_are_not_loaded(text: str) -> None:
    (page,) = read_pages({"docs/page.md": f"# Title\n\n{text}\n"})
    found = Elements(page.body)
    assert not found.loaded
    assert not found.scripts_within
    assert not [link for link in found.links if link.startswith("javascript:")]


def test_links_lead_to_where_pages_are_in_the_site() -> None:
    sources = {
        "README.md": "# Top\n\n[a](docs/a.md#one-two), [all](docs/), [code](lib/x.py)\n",
        "docs/README.md": "# Docs\n\n[up](../README.md) and [here](#docs)\n",
        "docs/a.md": "# A\n\n## One `two`\n\n## One two\n",
    }
    top, docs, page = read_pages(sources)
    assert Elements(top.body).links == ["docs/a.html#one-two", "docs/README.html"]
    assert '<span class="file" title="lib/x.py">code</span>' in top.body
    assert Elements(docs.body).links == ["../README.html", "#docs"]
    assert page.sections == (("one-two", "One two"), ("one-two-1", "One two"))


@pytest.mark.parametrize(
    ("link", "what"),
    [("b.md", "there is no page docs/b.md"), ("a.md#two", "docs/a.md has no heading #two")],
)
def test_a_link_that_leads_nowhere_is_refused(link: str, what: str) -> None:
    with pytest.raises(PageError, match=rf"docs/a\.md: {what}"):
        read_pages({"docs/a.md": f"# A\n\n[link]({link})\n"})
