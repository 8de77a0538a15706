"""The web page in a real browser: headless Chromium, driven over WebDriver. Screenshots stay in the build's folder screenshots/."""
import os
import shutil

import pytest

from node import BUILD, wait_until

BROWSER = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
SHOTS = os.path.join(BUILD, "screenshots")


class Page:
    """with Page(node) as page: …  width and dark choose what a visitor has."""

    def __init__(self, node, width=1280, height=900, dark=False):
        if not BROWSER or not DRIVER:
            pytest.skip("no chromium or chromedriver here: sudo ./run setup")
        from selenium import webdriver  # noqa: PLC0415
        from selenium.webdriver.chrome.options import Options  # noqa: PLC0415
        from selenium.webdriver.chrome.service import Service  # noqa: PLC0415
        options = Options()
        options.binary_location = BROWSER
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
                         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.node, self.base = node, f"http://127.0.0.1:{node.http_port}/"
        self.browser = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.shot("failed")
            print("\n".join(self.complaints()))
        self.browser.quit()

    def command(self, name, **parameters):
        return self.browser.execute_cdp_cmd(name, parameters)

    def open(self, fragment="#/"):
        self.browser.get(self.base + fragment)

    def find(self, css):
        """The elements that are seen."""
        return [node for node in self.browser.find_elements("css selector", css) if node.is_displayed()]

    def wait(self, css, text=None, seconds=15):
        """The first element that is seen and holds the text."""
        def found():
            return self.browser.execute_script(
                "return [...document.querySelectorAll(arguments[0])].find(n => n.checkVisibility() && "
                "(arguments[1] === null || n.textContent.includes(arguments[1])))", css, text)
        return wait_until(found, seconds, f"{css} with {text!r} on the page")

    def wait_none(self, css, text=None, seconds=15):
        def gone():
            return not self.browser.execute_script(
                "return [...document.querySelectorAll(arguments[0])].some(n => n.checkVisibility() && "
                "(arguments[1] === null || n.textContent.includes(arguments[1])))", css, text)
        wait_until(gone, seconds, f"no {css} with {text!r} on the page")

    def click(self, css, text=None):
        node = self.wait(css, text)
        self.script("arguments[0].closest('dialog') && arguments[0].scrollIntoView({block: 'center'})", node)  # from under its buttons, which stay
        node.click()

    def type(self, css, text):
        field = self.wait(css)
        field.clear()
        field.send_keys(text)

    def keys(self, *keys):
        """To whatever has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains  # noqa: PLC0415
        ActionChains(self.browser).send_keys(*keys).perform()

    def script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def complaints(self):
        """What the browser logged as an error: scripts that fail, what the policy of contents refuses."""
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]

    def shot(self, name):
        os.makedirs(SHOTS, exist_ok=True)
        self.browser.save_screenshot(os.path.join(SHOTS, f"{name}.png"))
