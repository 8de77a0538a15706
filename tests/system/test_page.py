"""The web page: its files over HTTP, and the page itself in headless Chromium."""
import http.client
import re
from contextlib import closing

import pytest

from node import Node, Ue, free_port, wait_until
from page import Page
from test_tokens import token

Keys = pytest.importorskip("selenium.webdriver.common.keys", reason="python3-selenium is missing").Keys


@pytest.fixture(scope="module")
def node():
    with Node() as running:
        yield running


def ask(node, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.mark.sanitized
def test_files(node):
    page, body = ask(node, "/")
    assert page.status == 200 and page.getheader("Content-Type") == "text/html; charset=utf-8" and b"<title>Conclave</title>" in body
    policy = page.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy and page.getheader("X-Content-Type-Options") == "nosniff"
    script, code = ask(node, "/main.js?x")
    assert script.status == 200 and script.getheader("Content-Type").startswith("text/javascript") and b"import" in code
    head, nothing = ask(node, "/main.js", "HEAD")
    assert head.status == 200 and nothing == b"" and int(head.getheader("Content-Length")) == len(code)
    again, nothing = ask(node, "/main.js", **{"If-None-Match": script.getheader("ETag")})
    assert again.status == 304 and nothing == b""
    assert ask(node, "/none.js")[0].status == 404
    assert ask(node, "/", "POST")[0].status == 404
    assert ask(node, "/", Host="attacker.example")[0].status == 421


def test_files_need_no_token_but_the_api_does(tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret-of-this-test\n")
    token.chmod(0o600)
    with Node({"http": {"token_file": str(token)}}, start=False) as node:
        node.write_config()
        node.start_dp()
        node.start_cp()
        assert ask(node, "/")[0].status == 200 and ask(node, "/api.js")[0].status == 200
        assert ask(node, "/v1/conferences")[0].status == 401
        assert ask(node, "/v1/conferences", Authorization="Bearer s3cret-of-this-test")[0].status == 200


# The page in a browser.

def ue(node, conference, name, tone):
    caller = Ue(node.uri(conference), "--display", name, "--tone", tone, seconds=60)
    caller.close = caller.stop
    return caller


def row(name):
    return f'//tbody/tr[.//*[@class="name" and text()="{name}"]]'


def test_create_watch_steer_close(node):
    with Page(node) as page:
        page.open()
        page.wait("th a", "Demo")
        page.shot("1-list")
        page.click("#create")
        page.type("#f-title", "Weekly <b>round</b>")
        page.type("#f-id", "weekly")
        page.wait("#f-security").send_keys("SRTP by SDES")
        page.click("label[for=f-anonymous]")
        page.shot("2-create")
        page.click("dialog .primary")
        page.wait("h1", "Weekly <b>round</b>")
        page.wait(".link", "live")
        assert node.api("conference", "show", "weekly")["security"] == "sdes"

        people = [ue(node, "weekly", name, tone) for name, tone in (("Anna", 400), ("Ben", 600), ('<img src=x onerror=alert(1)>', 800))]
        try:
            for name in ("Anna", "Ben", "<img"):
                page.wait(".roster .name", name)
            page.wait(".verified", "AES_CM_128_HMAC_SHA1_80 · not verified")
            page.wait(".badge.sdes", "SDES")
            page.wait(".roster tr.talking .name", "Anna")
            wait_until(lambda: page.script("return [...document.querySelectorAll('.meter i')].filter(i => i.clientWidth > 10).length") == 3, 10, "levels")
            page.shot("3-roster")

            page.browser.find_element("xpath", row("Ben") + '//button[contains(@class,"mute")]').click()
            wait_until(lambda: [p["muted"] for p in node.participants("weekly")].count(True) == 1, 5, "one is muted")
            page.wait(".mute[aria-pressed=true]", "Unmute")
            muted = next(p for p in node.participants("weekly") if p["muted"])
            assert muted["display"] == "Ben"

            page.browser.find_element("xpath", row("Anna") + '//button[contains(@class,"remove")]').click()
            page.wait("dialog", "Anna is hung up on")
            page.shot("4-remove")
            page.click("dialog .danger")
            page.wait_none(".roster .name", "Anna")
            assert people[0].result()["ended_by"] == "focus"

            node.cli("conference", "lock", "weekly")  # somebody else does it, the page follows
            page.wait("#lock", "Unlock")
            page.click("#lock")
            wait_until(lambda: not node.api("conference", "show", "weekly")["locked"], 5, "it is unlocked")

            page.click("[role=tab]", "May join")
            page.type("#add", "sip:carl@example.net")
            page.click(".line .primary")
            page.wait(".people span", "sip:carl@example.net")
            page.click("[role=tab]", "Statistics")
            wait_until(lambda: page.script("return document.querySelector('.plot polyline').getAttribute('points')?.includes(' ')"), 10, "a plot")
            page.shot("5-statistics")
            page.click("[role=tab]", "Events")
            page.wait(".events li", "participant left")
            page.shot("6-events")

            page.click("#settings")
            page.type("#f-title", "Renamed")
            page.click("dialog .primary")
            page.wait("h1", "Renamed")
            page.click("#close")
            page.click("dialog .danger")
            page.wait("h1", "Conferences")
            page.wait_none("th a", "Renamed")
            assert all(one.result()["ended_by"] == "focus" for one in people[1:])
        finally:
            for one in people:
                one.stop()
        # A look that was under way while the conference was closed finds it gone.
        assert not [one for one in page.complaints() if "/conferences/weekly" not in one]


def test_records_and_changes(node):
    node.cli("conference", "create", "recorded", "--security", "sdes", "--anonymous")
    with closing(ue(node, "recorded", "Gina", 500)):
        node.wait_participants(1, "recorded")
    with Page(node) as page:
        def look():
            page.open("#/")
            page.open("#/records")
            return page.script("return [...document.querySelectorAll('tbody tr')].map(r => r.textContent)") or None
        rows = wait_until(lambda: [row for row in look() or [] if "recorded" in row and "departed" in row], 15, "Gina's record")
        assert "Gina" in rows[0] and "SDES to next hop" in rows[0]
        page.shot("13-records")
        page.open("#/audit")
        page.wait("td", "recorded")
        page.shot("14-changes")
        assert not page.complaints()


def test_a_moderator_lets_in_from_the_lobby(node):
    node.cli("conference", "create", "waiting-room", "--security", "sdes", "--anonymous", "--lobby")
    with Page(node) as page, closing(ue(node, "waiting-room", "Dora", 500)):
        page.open("#/c/waiting-room")
        page.wait(".state", "in the lobby")
        page.shot("8-lobby")
        page.click(".admit")
        page.wait(".state", "connected")
        page.wait_none("#admit-all")


def test_calls_out_and_says_what_fails(node):
    with Page(node) as page:
        page.open("#/c/demo")
        page.click("#call")
        page.type("#line", "nobody")
        page.click("dialog .primary")
        page.wait(".toast.error")
        page.shot("9-error")


def test_everything_that_can_be_done_to_one(node):
    with Page(node) as page, closing(ue(node, "demo", "Hans", 500)):
        page.open("#/c/demo")
        page.wait(".roster .name", "Hans")
        one = node.participants("demo")[0]["id"]

        def shown(name):
            return node.api("participant", "show", "demo", str(one))[name]
        page.click(".more")
        page.wait("dialog h2", "Hans")
        page.keys(*[Keys.ARROW_LEFT] * 6)
        page.wait("dialog output", "-6 dB")
        page.shot("15-more")
        page.click("dialog .primary")
        wait_until(lambda: shown("gain_db") == -6, 10, "it is softer")
        page.click(".deaf")
        wait_until(lambda: shown("deaf"), 10, "it hears nobody")
        page.click(".deaf", "Undeafen")
        wait_until(lambda: not shown("deaf"), 10, "it hears again")
        page.wait(".role").send_keys("listener")
        wait_until(lambda: shown("role") == "listener", 10, "it only listens")
        page.click(".more")
        page.click("dialog button", "Announce …")
        page.wait("dialog h2", "Play an announcement to Hans")
        page.wait("#clip").send_keys("welcome")
        page.click("dialog .primary")
        page.wait(".toast", "It is being played.")
        page.click("#announce")
        page.wait("dialog h2", "Play an announcement to all")
        page.wait("#clip").send_keys("Tones")
        page.wait("#tones")
        page.shot("16-announce")
        page.click("dialog .primary")
        wait_until(lambda: node.api("node", "show")["media"]["total"]["plays_ended"] >= 2, 15, "both were played")
        for _ in range(12):  # more than can wait
            node.cli("conference", "announce", "demo", "tone:880:5000", check=False)
        page.click("#announce")
        page.click("dialog .primary")
        page.wait(".toast.error", "too many announcements wait")
        assert not [one for one in page.complaints() if "503" not in one]


def test_calls_somebody_and_asks_somebody_to_call(node):
    with Page(node) as page, closing(ue(node, "demo", "Ida", 500)):
        page.open("#/c/demo")
        page.click("#call")
        page.type("#line", f"sip:nobody@127.0.0.1:{free_port()}")
        page.shot("17-call")
        page.click("dialog .primary")
        page.wait(".toast", "is being called")
        page.click("#call")
        page.type("#line", f"sip:nobody@127.0.0.1:{free_port()}")
        page.wait("#verb").send_keys("Ask to dial in")
        page.click("dialog .primary")
        page.wait(".toast", "asked to dial in")
        entries = [entry["what"] for entry in node.api("audit", "--conference", "demo")["entries"]]
        assert any("called sip:nobody" in what for what in entries) and any("referred sip:nobody" in what for what in entries)


def test_mistakes_are_named_where_they_are_made(node):
    """A form that is refused stays, with what is wrong."""
    with Page(node) as page:
        page.open()
        page.click("#create")
        page.type("#f-title", "Kept")
        page.type("#f-id", "mistaken")
        page.type("#f-authorised", "nobody")
        page.click("dialog .primary")
        page.wait("dialog .problem")
        assert page.wait("#f-title").get_attribute("value") == "Kept"
        page.shot("18-mistake")
        page.type("#f-authorised", "sip:anna@example.net")
        page.click("dialog .primary")
        page.wait("h1", "Kept")
        page.click("#settings")
        page.script("document.querySelector('dialog details:last-of-type').open = true")
        page.type("#f-creator", "nobody")
        page.click("dialog .primary")
        page.wait("dialog .problem")
        page.type("#f-creator", "sip:anna@example.net")
        page.click("dialog .primary")
        page.wait(".toast", "The settings are saved.")
        assert node.api("conference", "show", "mistaken")["creator"] == "sip:anna@example.net"
        node.cli("conference", "close", "mistaken")


def test_by_keyboard_alone(node):
    with Page(node) as page:
        page.open()
        page.wait("th a", "Demo")
        page.script("document.getElementById('main').focus()")
        page.keys(Keys.TAB, Keys.ENTER)  # "New conference"
        page.wait("dialog")
        page.keys("By keyboard", Keys.TAB, "keys")
        page.shot("10-keyboard")
        page.keys(Keys.ENTER)
        page.wait("h1", "By keyboard")
        page.script("document.getElementById('tab-0').focus()")
        page.keys(Keys.ARROW_RIGHT)
        page.wait("[role=tab][aria-selected=true]", "May join")
        page.script("document.getElementById('close').focus()")
        page.keys(Keys.ENTER)
        page.wait("dialog")
        page.keys(Keys.ESCAPE)
        page.wait_none("dialog")
        assert page.script("return document.activeElement.id") == "close"  # the focus is where it was
        node.cli("conference", "close", "keys")
        page.wait(".empty", "over")


@pytest.mark.parametrize("width,dark", [(360, False), (360, True), (1280, True)], ids=["phone", "phone-dark", "dark"])
def test_on_a_phone_and_in_the_dark(node, width, dark):
    with Page(node, width=width, height=740, dark=dark) as page, closing(ue(node, "demo", "Emil with a very long name indeed", 440)):
        for view, sign in (("#/", "th a"), ("#/c/demo", ".roster .name")):
            page.open(view)
            page.wait(sign)
            assert page.script("return document.documentElement.scrollWidth") <= width, f"{view} is wider than the screen"
            small = page.script("return [...document.querySelectorAll('button')].filter(b => b.checkVisibility() && b.clientHeight < 22).length")
            assert small == 0
            page.shot(f"11-{width}-{'dark' if dark else 'light'}-{'conference' if 'c/' in view else 'list'}")
        ink, paper = page.script("const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]")
        assert contrast(ink, paper) > 7


def contrast(a, b):
    """Ratio of WCAG 2.2."""
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_controls_have_names(node):
    """What a screen reader would say of every control of the page."""
    with Page(node) as page, closing(ue(node, "demo", "Fritz", 440)):
        page.open("#/c/demo")
        page.wait(".roster .name", "Fritz")
        page.click("#settings")
        tree = page.command("Accessibility.getFullAXTree")["nodes"]
        nameless = [n for n in tree if n.get("role", {}).get("value") in ("button", "textbox", "combobox", "checkbox", "link", "spinbutton", "tab")
                    and not n.get("ignored") and not n.get("name", {}).get("value")]
        assert not nameless, nameless[:3]
        assert sum(n.get("role", {}).get("value") == "checkbox" for n in tree) >= 5


def test_asks_for_a_token_and_keeps_it_in_the_tab(tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret-of-this-test\n")
    token.chmod(0o600)
    with Node({"http": {"token_file": str(token)}}) as node, Page(node) as page:
        page.open()
        page.wait("dialog h2", "Sign in")
        page.type("#token", "wrong")
        page.click("dialog .primary")
        page.wait("dialog .problem", "not valid")
        page.type("#token", "s3cret-of-this-test")
        page.shot("12-sign-in")
        page.click("dialog .primary")
        page.wait("th a", "Demo")
        page.open("#/c/demo")
        page.wait("h1", "Demo")
        assert "s3cret" not in page.browser.current_url and page.script("return localStorage.length + document.cookie.length") == 0
        page.click("#who")
        page.wait("dialog h2", "Sign in")


def sign_in(page, text):
    page.open()
    page.type("#token", text)
    page.click("dialog .primary")
    page.wait("#who", "sign out")


def test_with_the_token_of_a_participant(tmp_path):
    """A creator sees and steers its own; a moderator may what the policy lets moderators; who may not is told so."""
    path = tmp_path / "tokens"
    anna = token(path, "anna", "--role", "creator", "--identity", "sip:anna@example.net")
    bert = token(path, "bert", "--identity", "sip:bert@example.net")
    wall = token(path, "wall")
    with Node({"http": {"tokens": str(path)}}) as node:
        with Page(node) as page:
            sign_in(page, anna)
            page.wait(".empty", "No conference yet")  # demo is none of hers
            page.shot("19-empty")
            assert not page.find("#nav-audit") and not page.find("#nav-records")
            page.click("#create")
            page.type("#f-title", "Annas")
            page.type("#f-id", "annas")
            page.type("#f-authorised", "sip:bert@example.net=moderator")
            page.click("dialog .primary")
            page.wait("h1", "Annas")
            assert node.api("conference", "show", "annas")["creator"] == "sip:anna@example.net"
        with Page(node) as page:
            sign_in(page, bert)
            page.click("th a", "Annas")
            page.wait("h1", "Annas")
            assert not page.find(".toast.error")
            page.click("[role=tab]", "May join")
            page.wait(".list-note", "does not let sip:bert@example.net see its list")
            assert not page.find("#add")
            page.click("#lock")
            page.wait(".toast.error", "policy does not let sip:bert@example.net do that")
            page.shot("20-forbidden")
            node.cli("conference", "update", "annas", "--who-may-change", "moderators")
            page.click("#lock")
            page.wait("#lock", "Unlock")
            assert node.api("audit", "--conference", "annas")["entries"][0]["by"] == "bert"
        with Page(node) as page:
            sign_in(page, wall)
            page.open("#/audit")
            page.wait(".empty", "This takes a token of role admin")
            page.open("#/c/annas")
            page.wait("h1", "Annas")
            page.click("#lock")
            page.wait(".toast.error", "changes nothing")


def test_survives_a_restart_of_the_server(node):
    with Page(node) as page:
        page.open("#/c/demo")
        page.wait(".link", "live")
        node.kill("cp", 15)
        page.wait(".link", "reconnecting")
        page.wait("#node", "does not answer")
        assert not page.find(".toast"), "it is said once, where it stays"
        node.start_cp()
        page.wait(".link", "live", seconds=30)
