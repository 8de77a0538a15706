"""The chat on the web page, in headless Chromium: read live, answered as the conference; participants are MSRP clients that are none of ours."""
from contextlib import ExitStack

import pytest

from chat import Guest, house
from msrp import cpim
from node import wait_until
from page import Page
from test_page import Keys

LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 8


@pytest.fixture(scope="module")
def node():
    with house({"id": "room", "title": "Room"}, {"id": "many"}, {"id": "narrow"}, {"id": "mute", "chat": False}) as node:
        yield node


def said(page):
    """[(who, text)] of the lines that are shown."""
    return page.script("return [...document.querySelectorAll('.messages .said')].map(li => [li.querySelector('b').textContent, "
                       "li.querySelector('.text, .note').textContent])")


def open_chat(page, conference):
    page.open(f"#/c/{conference}")
    page.click("[role=tab]", "Chat")
    page.wait(".chat h2")
    page.wait(".link", "live")


def test_read_live_and_say_as_the_conference(node):
    with Page(node) as page, ExitStack() as people:
        open_chat(page, "room")
        page.wait(".log .free", "from now on")
        page.wait(".beside .free", "Nobody")
        page.shot("chat-1-empty")
        page.type("#say", "hello?")
        page.keys(Keys.ENTER)
        page.wait(".say .problem", "it reached nobody")
        ann, bob = (people.enter_context(Guest(node, name)) for name in ("ann", "bob"))
        page.wait(".members .name", "Ann")
        page.wait(".beside h2", "In the chat: 2")
        assert ann.say("good morning") == 200
        page.wait(".messages .text", "good morning")
        assert ann.peer.nickname('"Queen Ann"') == 200
        page.wait(".members .name", "Queen Ann")
        page.wait(".members .sub", "Ann")
        assert bob.say("<b>hi</b>\n" + LONG) == 200
        assert ann.say("this is for bob alone", to=bob.identity) == 200
        assert ann.peer.send(cpim(ann.identity, ann.room, b"PNG " * 9000, "image/png")) == 200
        page.wait(".messages .note", "sent image/png, 36 kB")
        page.wait("#say").clear()
        page.wait("#say").send_keys("Please be brief", Keys.SHIFT, Keys.ENTER, Keys.NULL, "and kind.", Keys.ENTER)
        page.wait(".messages .ours .text", "Please be brief")
        for guest, count in ((ann, 2), (bob, 4)):
            assert guest.got(count)[-1][1].replace("\r", "") == "Please be brief\nand kind.", guest.who
        assert page.wait("#say").get_attribute("value") == ""
        page.wait(".say select").send_keys("to Queen Ann")
        page.type("#say", "a word, Ann")
        page.click(".say .primary")
        page.wait(".messages .private .from", "to Queen Ann only")
        assert ann.got(3)[-1][1] == "a word, Ann"
        page.shot("chat-2-said")
        assert said(page) == [["Conference", "hello?"], ["Ann", "good morning"], ["Bob", "<b>hi</b>\n" + LONG], ["Queen Ann", "sent image/png, 36 kB"],
                              ["Conference", "Please be brief\nand kind."], ["Conference", "a word, Ann"]]
        assert len(bob.got(4)) == 4 and "for bob alone" not in page.script("return document.body.textContent")
        assert page.wait(".messages time").text and page.script("return document.querySelector('.messages').getAttribute('aria-live')") == "polite"
        assert page.script("return document.documentElement.scrollWidth <= window.innerWidth")
        page.click("[role=tab]", "Participants")
        page.wait(".roster .sub", "in the chat: Queen Ann")
        assert not page.complaints()


def test_unread_is_marked(node):
    with Page(node) as page, Guest(node, "ann") as ann:
        page.open("#/c/room")
        page.wait(".roster .name", "Ann")
        page.wait(".link", "live")
        for n in range(3):
            assert ann.say(f"line {n}") == 200
        page.wait(".unread", "3")
        assert page.script("return document.querySelector('[role=tab] .unread').parentNode.getAttribute('aria-label')") == "Chat, 3 unread"
        page.shot("chat-3-unread")
        page.click("[role=tab]", "Chat")
        page.wait_none(".unread")
        page.wait(".unread-from", "new")
        page.shot("chat-4-read")
        assert ann.say("seen at once") == 200
        page.wait(".messages .text", "seen at once")
        assert not page.find(".unread")
        page.click("[role=tab]", "Participants")
        page.click("[role=tab]", "Chat")
        page.wait_none(".unread-from")


def test_mute_in_the_chat(node):
    with Page(node) as page, Guest(node, "ann") as ann, Guest(node, "bob") as bob:
        open_chat(page, "room")
        page.wait(".members .name", "Bob")
        mute = page.browser.find_element("xpath", '//li[.//*[@class="name" and text()="Bob"]]/button')
        assert mute.get_attribute("aria-label") == "Mute Bob in the chat"
        mute.click()
        page.wait(".members .sub", "muted")
        assert bob.say("?") == 403 and ann.say("!") == 200
        page.wait(".messages .text", "!")
        assert ["Bob", "?"] not in said(page)
        page.click(".members button", "Unmute")
        page.wait_none(".members .sub", "muted")
        assert bob.say("thanks") == 200
        page.wait(".messages .text", "thanks")
        page.click(".members button")
        wait_until(lambda: [m["muted"] for m in node.http("/v1/conferences/room/chat")["members"]].count(True) == 1, 5, "one is muted")


def test_a_long_chat_is_bounded_and_leaves_who_reads_alone(node):
    with Page(node, height=700) as page, Guest(node, "ann", "many") as ann:
        open_chat(page, "many")
        page.wait(".members .name", "Ann")
        for n in range(520):
            assert ann.say(f"line {n}") == 200
        page.wait(".messages .text", "line 519")
        shown = said(page)
        assert len(shown) == 500 and shown[0][1] == "line 20" and shown[-1][1] == "line 519"
        page.wait(".log .sub", "The latest 500 are shown.")
        assert page.script("const m = document.querySelector('.messages'); return m.scrollHeight - m.scrollTop - m.clientHeight") < 40, "it follows the newest"
        page.script("document.querySelector('.messages').scrollTop = 100")
        assert ann.say("are you there?") == 200
        page.wait(".newer")
        assert page.script("return document.querySelector('.messages').scrollTop") < 200, "who reads up there is left alone"
        page.shot("chat-5-long")
        page.click(".newer")
        page.wait_none(".newer")


def test_a_chat_is_set_up_on_the_page_and_ended(node):
    with Page(node) as page:
        page.open("#/c/mute")
        page.wait("h1", "mute")
        page.wait(".link", "live")
        assert not page.find("#tab-1")
        page.click("#settings")
        page.click("label[for=f-chat]")
        page.click("dialog .primary")
        page.wait("[role=tab]", "Chat")
        assert node.http("/v1/conferences/mute")["chat"] is True
        with Guest(node, "ann", "mute") as ann:
            page.click("[role=tab]", "Chat")
            page.wait(".members .name", "Ann")
            assert ann.say("here") == 200
            page.wait(".messages .text", "here")
        node.http("/v1/conferences/mute", "PATCH", {"chat": False})  # by somebody else, while it is looked at
        page.wait_none("[role=tab]", "Chat")
        page.wait("[role=tab][aria-selected=true]", "Participants")


@pytest.mark.parametrize("width,dark", [(360, False), (360, True), (1280, True)], ids=["phone", "phone-dark", "dark"])
def test_on_a_phone_and_in_the_dark(node, width, dark):
    with Page(node, width=width, height=900, dark=dark) as page, ExitStack() as people:
        open_chat(page, "narrow")
        ann, bob = (people.enter_context(Guest(node, name, "narrow")) for name in ("ann", "bob"))
        assert ann.peer.nickname(f'"{LONG[:60]}"') == 200
        page.wait(".members .name", LONG[:20])
        assert ann.say("How are you all?") == 200 and bob.say(LONG) == 200
        page.type("#say", "Fine.")
        page.click(".say .primary")
        page.wait(".messages .ours .text", "Fine.")
        page.wait(".messages .text", LONG)
        page.shot(f"chat-6-{width}-{'dark' if dark else 'light'}")
        assert page.script("return document.documentElement.scrollWidth") <= width, "wider than the screen"
        small = page.script("return [...document.querySelectorAll('.chat button')].filter(b => b.checkVisibility() && (b.clientHeight < 24 || b.clientWidth < 24))"
                            ".map(b => b.textContent)")
        assert not small, small
        tree = page.command("Accessibility.getFullAXTree")["nodes"]
        nameless = [n for n in tree if n.get("role", {}).get("value") in ("button", "textbox", "combobox", "log", "tab")
                    and not n.get("ignored") and not n.get("name", {}).get("value")]
        assert not nameless, nameless[:3]
