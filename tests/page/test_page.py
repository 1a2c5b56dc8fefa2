"""The diagnostics page in a real browser, as a person uses it: without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browsers import take
from tests.e2e.gateway import running_gateway
from tests.page.looking import opened
from tests.page.scene import CANARY, MARKUP, QUOTES, Scene

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("diagnostics-page")]

PAGES = (
    "/",
    "/?health=red",
    "/?q=nothing-is-called-this",
    "/problems",
    "/problems?sort=notices&q=x",
    "/envoy",
    "/ask",
    "/ask?method=POST&path=/models/mnist/",
    "/ask?path=/nothing",
    "/sources/Service/default/tools",
    "/sources/Service/default/nasty",
    "/sources/Service/default/keyed",
    "/sources/Service/default/broken",
)


@pytest.fixture
def page(chromium: Browser, scene: Scene) -> Iterator[Page]:
    with opened(chromium, scene) as page:
        yield page


def row(page: Page, path: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=path, exact=False))


def search(page: Page, words: str) -> None:
    page.get_by_role("searchbox", name="Search").fill(words)
    page.get_by_role("button", name="Show", exact=True).click()


def test_routes_are_listed_in_the_order_they_are_evaluated_with_how_they_fare(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Routes")
    numbers = page.locator("table.routes tbody tr td:first-child").all_inner_texts()
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    # The colour is said in words and by a sign as well.
    assert row(page, "/echo/*").locator(".pill").first.inner_text().split() == ["✓", "well:", "100%"]
    assert row(page, "/models/mnist/*").locator(".pill").first.inner_text().split() == ["✗", "badly:", "0%"]
    expect(row(page, "/team/*").locator(".pill").first).to_contain_text("not known: no requests")
    expect(row(page, "/models/mnist/*").get_by_role("img")).to_have_accessible_name(
        "default/mnist 80%, default/mnist-canary 20%"
    )
    # Envoy counts by service, and these two share one.
    expect(row(page, "/quotes/")).to_contain_text("shared")
    expect(row(page, "/echo/*")).not_to_contain_text("shared")
    expect(row(page, "/old/*")).to_contain_text("301 to https://new.example")


def test_routes_are_searched_and_narrowed_down_by_a_form(page: Page) -> None:
    search(page, "mnist post")
    expect(page.get_by_role("status")).to_contain_text("1 of ")
    expect(page).to_have_url(re.compile(r"\?q=mnist\+post"))
    search(page, "mnist -post")
    expect(page.get_by_text("No route is like that.")).to_be_visible()
    page.get_by_role("link", name="Show all", exact=True).click()
    page.get_by_label("Success").select_option("✓ well")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(row(page, "/echo/*")).to_be_visible()
    expect(row(page, "/models/mnist/*")).to_have_count(0)
    page.get_by_role("link", name="Show all", exact=True).click()
    page.get_by_label("with problems only").check()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(row(page, "/typo/*")).to_be_visible()
    expect(row(page, "/echo/*")).to_have_count(0)


def test_from_a_route_to_its_service_to_the_line_of_its_annotation_and_back(page: Page) -> None:
    row(page, "/typo/*").get_by_role("link", name="/typo/*").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("/typo/*")
    expect(page.locator(".problem")).to_contain_text("did you mean timeout_ms?")
    page.locator("article").get_by_role("link", name="Service default/tools, line 8").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Service default/tools")
    expect(page).to_have_url(re.compile(r"/sources/Service/default/tools#L\d+$"))
    marked = page.locator("tr.marked")
    assert [text.split(maxsplit=1)[1] for text in marked.all_inner_texts()] == ["timeout: 500", "origins: 5"]
    expect(page.locator("tr.marked + tr.note").first).to_contain_text("timeout is not an attribute")
    expect(page.locator("tr.marked + tr.note").last).to_contain_text("expected a list, got 5")
    page.get_by_role("link", name="/typo/*").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("/typo/*")
    page.get_by_role("link", name="Routes").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Routes")


def test_what_is_no_yaml_is_marked_where_the_parser_stopped(page: Page) -> None:
    page.goto("/sources/Service/default/broken")
    expect(page.locator("tr.note")).to_contain_text("not YAML at line 3")
    expect(page.get_by_text("None could be read.")).to_be_visible()


def test_problems_are_sorted_and_searched(page: Page) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Problems").click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("Conflicts")
    page.get_by_role("navigation", name="Sorts of problems").get_by_role("link", name="Conflicts").click()
    expect(page.locator(".problem")).to_have_count(1)
    expect(page.locator(".problem")).to_contain_text("the name echo is taken")
    page.get_by_role("link", name="Service default/twin").click()
    expect(page.locator("tr.note")).to_contain_text("the name echo is taken")
    page.goto("/problems")
    search(page, "timeout_ms")
    expect(page.locator(".problem")).to_have_count(1)


def test_where_a_request_would_go_is_answered_by_the_table_and_by_envoy(page: Page) -> None:
    page.get_by_role("link", name="Where would it go?").click()
    page.get_by_label("Method").fill("POST")
    page.get_by_label("Path, or a whole address").fill("/models/mnist/")
    page.get_by_role("button", name="Ask").click()
    fate = page.get_by_role("status")
    expect(fate).to_contain_text("routed")
    expect(fate).to_contain_text("/v1/models/mnist:predict")
    expect(fate).to_contain_text("Envoy agrees")
    expect(page.get_by_role("region", name="Routes that do not take it")).to_contain_text("is not below /echo/")
    fate.get_by_role("link", name="/models/mnist/*").click()
    page.get_by_role("link", name="Where would such a request go?").click()
    expect(page.get_by_role("status")).to_contain_text("Envoy agrees")


@pytest.mark.parametrize(
    ("path", "host", "headers", "told"),
    [
        ("/team/", "", "X-Team: a", "routed"),
        ("/team/", "", "X-Team: b", "no route takes it"),
        ("/down/", "models.example", "", "routed"),
        ("/old/x?a=1", "", "", "https://new.example/old/x?a=1 (301)"),
        ("/a%2Fb", "", "", "refused"),
        ("http://models.example/down/", "", "", "routed"),
    ],
)
def test_host_and_headers_count(page: Page, path: str, host: str, headers: str, told: str) -> None:
    page.goto("/ask")
    page.get_by_label("Path, or a whole address").fill(path)
    page.get_by_label("Host").fill(host)
    page.get_by_label("Headers, one a line").fill(headers)
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("status")).to_contain_text(told, ignore_case=True)
    expect(page.get_by_role("status")).to_contain_text("Envoy agrees")


def test_what_is_no_header_is_said_so(page: Page) -> None:
    page.goto("/ask")
    page.get_by_label("Path, or a whole address").fill("/")
    page.get_by_label("Headers, one a line").fill("nonsense")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_contain_text("each header in a line of its own")


def test_headers_that_are_asked_about_stay_out_of_addresses_and_secrets_out_of_the_page(page: Page) -> None:
    page.goto("/ask")
    page.get_by_label("Path, or a whole address").fill(f"/keyed/?access_token={CANARY[::-1]}")
    page.get_by_label("Headers, one a line").fill(f"X-Api-Key: {CANARY[::-1]}\nX-Team: a")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("region", name="Routes that do not take it")).to_contain_text("x-api-key has another value")
    expect(page.get_by_label("Headers, one a line")).to_have_value("X-Api-Key: •••\nX-Team: a")
    assert page.url.endswith("/ask")


def test_envoy_is_shown_and_its_log_level_is_changed(page: Page) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Envoy").click()
    expect(page.get_by_role("row", name="kfambassador 1.40.0 up to date")).to_be_visible()
    expect(page.locator("dd").filter(has_text="MiB in use")).to_be_visible()
    level = page.get_by_label("Level of all its loggers")
    for name in ("error", "warning"):
        level.select_option(name)
        page.get_by_role("button", name="Change").click()
        expect(level).to_have_value(name)
        expect(page).to_have_url(re.compile("/envoy$"))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_screen_reader_stumbles_over_nothing(chromium: Browser, scene: Scene, theme: str, path: str) -> None:
    # The rules are a script; the page has none of its own.
    with opened(chromium, scene, theme=theme, scripts=True) as page:
        page.goto(path)
        found = Axe().run(page)
        wrong = [(each["id"], each["nodes"][0]["html"][:200]) for each in found.response["violations"]]
        assert wrong == []
        assert "color-contrast" in {each["id"] for each in found.response["passes"]}


@pytest.mark.parametrize(("theme", "is_light"), [("light", True), ("dark", False)])
def test_it_is_light_or_dark_as_its_reader_wants(chromium: Browser, scene: Scene, theme: str, is_light: bool) -> None:
    with opened(chromium, scene, theme=theme, scripts=True) as page:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        levels = [int(part) for part in re.findall(r"\d+", colour)[:3]]
        assert (sum(levels) > 3 * 128) == is_light


def test_names_are_text_and_no_markup(chromium: Browser, scene: Scene) -> None:
    with opened(chromium, scene, scripts=True) as page:
        expect(row(page, "/nasty/").get_by_role("link").first).to_have_text(f"/nasty/{MARKUP}/*")
        expect(row(page, "/quotes/").get_by_role("link").first).to_have_text(f"/quotes/{QUOTES}*")
        for path in ("/problems", "/sources/Service/default/nasty", f"/?q={QUOTES}", f"/ask?path=/{QUOTES}"):
            page.goto(path)
            expect(page.locator("main script, main img, main b b")).to_have_count(0)
        page.goto("/sources/Service/default/nasty")
        page.get_by_role("link", name=f"/nasty/{MARKUP}/*").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"/nasty/{MARKUP}/*")
        assert page.evaluate("window.hacked") is None


def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#content$"))
    for _ in range(6):
        page.keyboard.press("Tab")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("mnist")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 of ")


def test_nothing_is_wider_than_a_telephone(chromium: Browser, scene: Scene) -> None:
    with opened(chromium, scene, scripts=True, width=390) as page:
        for path in PAGES:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_browser_that_is_asked_for_the_token_shows_the_page(chromium: Browser) -> None:
    with running_gateway(token="a-token") as gateway:
        scene = Scene(gateway, "", "")
        with opened(chromium, scene, token="a-token") as page:
            expect(page.get_by_text("There are no routes yet.")).to_be_visible()
            page.goto("/envoy")
            page.get_by_label("Level of all its loggers").select_option("error")
            page.get_by_role("button", name="Change").click()
            expect(page.get_by_label("Level of all its loggers")).to_have_value("error")


@pytest.mark.parametrize(
    ("name", "theme", "path", "height"),
    [
        ("diagnostics.png", "light", "/?q=-nasty+-quotes", 860),
        ("diagnostics-source.png", "dark", "/sources/Service/default/tools", 900),
        ("diagnostics-ask.png", "light", "/ask?method=POST&path=/models/mnist/", 860),
    ],
)
def test_the_guide_has_its_pictures(
    chromium: Browser, scene: Scene, pictures: Path, name: str, theme: str, path: str, height: int
) -> None:
    with opened(chromium, scene, theme=theme, width=1200) as page:
        page.set_viewport_size({"width": 1200, "height": height})
        page.goto(path)
        take(page, pictures, name)
