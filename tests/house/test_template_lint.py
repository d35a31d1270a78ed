"""The template lint fires on each thing it forbids, and finds none of them in our pages."""

import pytest

from tests.house.template_lint import lint_all, lint_style, lint_template

FORBIDDEN = {
    '<p style="color:red">': "style attribute",
    "<style>p{}</style>": "inline style sheet",
    '<a href="#" onclick="go()">': "event attribute",
    '<a href="https://elsewhere.example">': "another host",
    '<img src="//elsewhere.example/x.png" alt="">': "another host",
    '<img src="data:image/png;base64,AA" alt="">': "data: address",
    "{{ words | safe }}": "|safe",
    "{% autoescape false %}": "autoescape off",
    '<script src="/static/js/page.js"></script>': "without nonce",
    '<script nonce="{{ csp_nonce() }}">go()</script>': "inline script",
    '<form method="post" action="/a"><input name="b"></form>': "csrf token",
    '<img src="/a.png">': "without alt",
    '<b hx-on:click="go()">': "hx-on",
    "<b hx-vals='js:{a: 1}'>": "js: value",
    '<b hx-get="/a">': "without hx-nonce",
    '<iframe src="/a"></iframe>': "sandbox",
    '{{ icon("no-such") }}': "icons.txt",
}
ALLOWED = (
    '<form method="post" action="/a">{{ form.csrf_token }}</form>',
    '<form method="post"><input type="hidden" name="csrf_token" value="{{ csrf_token() }}"></form>',
    '<form method="get" action="/search"><input name="q"></form>',
    '<script nonce="{{ csp_nonce() }}" src="/static/js/page.js" defer></script>',
    '<b hx-get="/a" hx-target="#b" {{ hx(csp_nonce()) }}>',
    '<img src="/a.png" alt="">',
    "{# https://a.comment.example is not a page #}",
    "<p>It is safe and only on = off</p>",
    '<iframe sandbox src="/a" title="Page 4"></iframe>',
    '{{ icon("check") }}',
)


@pytest.mark.parametrize(("source", "rule"), FORBIDDEN.items())
def test_it_refuses(source: str, rule: str) -> None:
    found = lint_template("page.html", f"<h1>Page</h1>\n{source}", ["check"])

    assert [rule in finding.rule for finding in found] == [True]
    assert str(found[0]).startswith("page.html:2: ")


@pytest.mark.parametrize("source", ALLOWED)
def test_it_lets_pass(source: str) -> None:
    assert lint_template("page.html", source, ["check"]) == []


@pytest.mark.parametrize(
    "source", ['@import "a.css";', "p { background: url(https://a.example/b) }", "p { background: url(data:a/b) }"]
)
def test_style_sheets_stay_on_this_host(source: str) -> None:
    assert len(lint_style("a.css", source)) == 1


def test_our_templates_and_style_sheets_are_clean() -> None:
    assert lint_all() == []
