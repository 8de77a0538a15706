"""Floors on the web page, in headless Chromium: who holds one and who waits is seen live, and decided by pointer and by keyboard."""
from contextlib import ExitStack, closing

import pytest

from node import Node, Ue, wait_until
from page import Page
from test_page import Keys, contrast, sign_in
from test_tokens import token


@pytest.fixture(scope="module")
def node():
    with Node() as running:
        yield running


def join(node, conference, name, tone, *options, seconds=90):
    caller = Ue(node.uri(conference), "--display", name, "--tone", tone, *options, seconds=seconds)
    caller.close = caller.stop
    return caller


def ids(node, conference):
    return {p["display"]: p["id"] for p in node.participants(conference)}


def state(node, conference, floor="stage"):
    """[(participant's name, status)], holders first."""
    return [(r["name"], r["status"]) for r in node.api("floor", "show", conference, floor)["requests"]]


def loud(page):
    """Whose level is seen."""
    return page.script("return [...document.querySelectorAll('.roster tbody tr')].filter(r => r.querySelector('.meter i').clientWidth > 10)"
                       ".map(r => r.querySelector('.name').textContent)")


def wait_choice(page, name):
    wait_until(lambda: name in page.script("return document.querySelector('.floor select')?.textContent ?? ''"), 15, f"{name} to choose")


def choose(page, name, what):
    wait_choice(page, name)
    page.wait(".floor select").send_keys(name)
    page.click(f".floor {what}")


def line(page, name):
    return page.browser.find_element("xpath", f'//ol[@class="requests"]/li[.//*[@class="name" and text()="{name}"]]')


def test_a_floor_goes_round(node):
    with Page(node) as page, ExitStack() as people:
        page.open()
        page.click("#create")
        page.type("#f-title", "Panel")
        page.type("#f-id", "panel")
        page.wait("#f-security").send_keys("SRTP by SDES")
        page.click("label[for=f-anonymous]")
        page.script("document.querySelector('dialog details').open = true")
        page.click("#add-floor")
        page.wait("dialog [data-name=mode]").send_keys("Whom a chair")
        page.shot("floors-1-create")
        page.click("dialog .primary")
        page.wait("h1", "Panel")
        page.wait(".floor h2", "stage")
        page.wait(".floor header", "audio · a chair decides")
        page.wait(".floor .free", "Nobody has it.")
        page.shot("floors-2-empty")
        assert [(f["name"], f["mode"], f["holders"]) for f in node.api("conference", "show", "panel")["floors"]] == [("stage", "chair", 1)]

        people.enter_context(closing(join(node, "panel", "Anna", 400)))
        people.enter_context(closing(join(node, "panel", "Ben", 600, "--floor", "--floor-ask-at", "1")))
        people.enter_context(closing(join(node, "panel", "Carla", 800)))
        page.wait(".requests .pending .name", "Ben")  # he asked by BFCP
        page.wait(".roster .badge.waits", "stage ?")
        page.wait(".roster .state", "no floor")
        node.wait_participants(3, "panel")
        assert loud(page) == [], "nobody has the floor, so nobody is heard"

        line(page, "Ben").find_element("css selector", ".grant").click()
        page.wait(".requests .granted .name", "Ben")
        page.wait(".roster .badge.holds", "stage")
        wait_until(lambda: loud(page) == ["Ben"], 10, "Ben's level, and only his")
        page.wait(".requests .sub", "for 2 s")
        for place, name in enumerate(("Carla", "Anna"), 1):
            choose(page, name, ".give")
            page.wait(".roster .badge.waits", f"stage {place}")
        page.shot("floors-3-queue")
        assert state(node, "panel") == [("Ben", "granted"), ("Carla", "accepted"), ("Anna", "accepted")]
        line(page, "Anna").find_element("css selector", ".up").click()
        wait_until(lambda: state(node, "panel")[1][0] == "Anna", 5, "Anna is before Carla")
        page.wait(".requests .accepted .mark", "1")

        line(page, "Ben").find_element("css selector", ".revoke").click()
        page.wait("dialog h2", "Take the floor stage from Ben")
        page.keys("time is over")
        page.shot("floors-4-take")
        page.click("dialog .danger")
        page.wait(".requests .granted .name", "Anna")
        wait_until(lambda: loud(page) == ["Anna"], 10, "Anna's level, and only hers")
        assert page.script("return document.querySelector('.unseen').textContent") == "stage: Anna"  # for screen readers
        line(page, "Carla").find_element("css selector", ".deny").click()
        page.click("dialog .danger")
        page.wait_none(".requests .name", "Carla")

        choose(page, "Carla", ".make-chair")
        page.wait(".chairs .name", "Carla")
        page.shot("floors-5-chair")
        page.click(".chairs button")
        page.wait_none(".chairs .name", "Carla")

        node.cli("floor", "release", "panel", "stage", str(node.api("floor", "show", "panel", "stage")["requests"][0]["request"]))
        page.wait(".floor .free", "Nobody has it.")  # somebody else did it, the page follows
        wait_until(lambda: loud(page) == [], 10, "nobody's level")
        page.click("#settings")
        page.click("dialog .floor-row button")
        page.click("dialog .primary")
        page.wait_none(".floor")
        wait_until(lambda: len(loud(page)) == 3, 10, "all are heard")
        node.cli("conference", "close", "panel")
        assert not [one for one in page.complaints() if "/conferences/panel" not in one]


def test_mistakes_in_floors_are_named(node):
    with Page(node) as page:
        page.open("#/c/demo")
        page.click("#settings")
        page.script("document.querySelector('dialog details').open = true")
        page.click("#add-floor")
        page.type("dialog [data-name=warning_s]", "9")
        page.type("dialog [data-name=limit_s]", "5")
        page.click("dialog .primary")
        page.wait("dialog .problem")
        page.shot("floors-6-mistake")
        assert page.wait("dialog [data-name=warning_s]").get_attribute("value") == "9", "what was filled in stays"
        page.type("dialog [data-name=warning_s]", "2")
        page.click("dialog .primary")
        page.wait(".floor header", "5 s each")
        node.api("conference", "update", "demo", "--floors", "a audio chair", "--floors", "b chat holders=2 limit=300")
        page.wait(".floor header", "chat · who asks first gets it · 2 at a time · 5 min each")
        assert len(page.find(".floor")) == 2


def test_by_keyboard_alone(node):
    node.cli("conference", "create", "keys", "--security", "sdes", "--anonymous", "--floors", "stage audio chair")
    with Page(node) as page, ExitStack() as people:
        for number, name in enumerate(("Anna", "Ben", "Carla")):
            people.enter_context(closing(join(node, "keys", name, 400 + 200 * number)))
        node.wait_participants(3, "keys")
        there = ids(node, "keys")
        page.open("#/c/keys")
        page.wait(".roster .name", "Carla")
        wait_choice(page, "Carla")
        page.script("document.querySelector('.floor select').focus()")
        page.keys("Anna", Keys.TAB, Keys.ENTER)
        page.wait(".requests .granted .name", "Anna")
        for name in ("Ben", "Carla"):
            node.cli("floor", "ask", "keys", "stage", str(there[name]))
            page.wait(".requests .accepted .name", name)
        page.script("[...document.querySelectorAll('.requests li.accepted')][1].querySelector('.up').focus()")
        page.keys(Keys.ENTER)
        wait_until(lambda: state(node, "keys")[1][0] == "Carla", 5, "Carla is before Ben")
        page.wait(".requests li.accepted:nth-child(2) .name", "Carla")
        # the focus went along; at the end of its way the button does nothing
        assert page.script("return document.activeElement.getAttribute('aria-label')") == "Carla one place forward"
        assert page.script("return document.activeElement.getAttribute('aria-disabled')") == "true"
        page.keys(Keys.ENTER, Keys.TAB, Keys.ENTER)
        wait_until(lambda: state(node, "keys")[1][0] == "Ben", 5, "Ben is before Carla again")
        page.script("document.querySelector('.requests .granted .revoke').focus()")
        page.keys(Keys.ENTER)
        page.wait("dialog #reason")
        page.keys(Keys.ESCAPE)
        page.wait_none("dialog")
        assert page.script("return document.activeElement.className") == "revoke"
        page.keys(Keys.ENTER)
        page.wait("dialog #reason")
        page.keys("enough", Keys.ENTER)
        page.wait(".requests .granted .name", "Ben")
        # its line is gone, the keyboard goes on beside it
        wait_until(lambda: page.script("return document.activeElement.closest('.floor') !== null"), 5, "the focus is still there")
        tree = page.command("Accessibility.getFullAXTree")["nodes"]
        nameless = [n for n in tree if n.get("role", {}).get("value") in ("button", "combobox", "list", "region", "meter")
                    and not n.get("ignored") and not n.get("name", {}).get("value")]
        assert not nameless, nameless[:3]
        node.cli("conference", "close", "keys")


@pytest.mark.parametrize("width,dark", [(360, False), (360, True), (1280, True)], ids=["phone", "phone-dark", "dark"])
def test_on_a_phone_and_in_the_dark(node, width, dark):
    name = f"narrow-{width}-{dark}".lower()
    node.cli("conference", "create", name, "--security", "sdes", "--anonymous", "--floors", "stage audio chair limit=60 warning=59",
             "--floors", "a-floor-with-a-very-long-name-0 chat moderator holders=3")
    with Page(node, width=width, height=1400 if width < 600 else 900, dark=dark) as page, ExitStack() as people:
        for number, who in enumerate(("Anna", "Emil with a very long name indeed, and more of it", "Carla")):
            people.enter_context(closing(join(node, name, who, 400 + 200 * number)))
        there = wait_until(lambda: (lambda all: all if len(all) == 3 else None)(ids(node, name)), 15, "all")
        for who in there.values():
            node.cli("floor", "ask", name, "stage", str(who))
        node.cli("floor", "chair", name, "stage", str(there["Anna"]))
        page.open(f"#/c/{name}")
        page.wait(".requests .accepted .mark", "2")
        page.wait(".requests li.ends")
        page.wait(".chairs .name", "Anna")
        page.wait(".roster .badge.holds")
        page.shot(f"floors-7-{width}-{'dark' if dark else 'light'}")
        assert page.script("return document.documentElement.scrollWidth") <= width, "wider than the screen"
        small = page.script("return [...document.querySelectorAll('.floor button')].filter(b => b.checkVisibility() && (b.clientHeight < 24 || b.clientWidth < 24))"
                            ".map(b => b.textContent)")
        assert not small, small
        ink, paper = page.script("const b = document.querySelector('.badge.holds'), s = getComputedStyle(b); return [s.color, s.backgroundColor]")
        assert contrast(ink, paper) > 4.5
        node.cli("conference", "close", name)


def test_who_may_not_is_told_so_and_who_asks_for_himself_is_let(tmp_path):
    path = tmp_path / "tokens"
    people = {name: f"sip:{name}@example.net" for name in ("anna", "ben")}
    anna = token(path, "anna", "--identity", people["anna"])
    room = {"id": "room", "security": "sdes", "identity": "required", "floors": ["stage audio chair"], "chat": True,
            "authorised": list(people.values())}
    with Node({"sip": {"trusted_peers": ["127.0.0.0/8"]}, "http": {"tokens": str(path)}, "conferences": [room]}) as node, Page(node) as page, \
            ExitStack() as calls:
        for name, uri in people.items():
            calls.enter_context(closing(join(node, "room", name, 400, "--from", uri, "--pai", uri)))
        ben = next(p["id"] for p in node.wait_participants(2, "room") if p["identity"] == people["ben"])
        sign_in(page, anna)
        page.open("#/c/room")
        page.wait(".floor h2", "stage")
        choose(page, people["ben"], ".give")
        page.wait(".toast.error", "policy does not let")
        choose(page, people["anna"], ".give")
        page.wait(".requests .pending .name", people["anna"])
        page.click(".requests .release", "Give back")
        page.wait_none(".requests .name", people["anna"])
        node.cli("floor", "ask", "room", "stage", str(ben))
        page.wait(".requests .granted .name", people["ben"])
        page.click(".requests .revoke")
        page.click("dialog .danger")
        page.wait(".toast.error", "policy does not let")
        page.shot("floors-8-forbidden")
        assert state(node, "room") == [(people["ben"], "granted")]
        page.click("[role=tab]", "Chat")
        page.type("#say", "May I?")
        page.click(".say .primary")
        page.wait(".say .problem", "policy does not let")
        assert page.wait("#say").get_attribute("value") == "May I?", "what was written stays"
