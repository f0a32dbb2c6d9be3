"""The system's Chromium, and waiting for a page that forbids what a driver's own waiting does."""

import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest

# What a browser of the system needs to stay off the network in a container.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Start the system's chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on this machine: install it (Debian: apt install chromium)")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def draw_all(page: Any, language: str = "en") -> None:
    """Bring every figure into the window until it is drawn."""
    for node in page.locator(".plot:visible").all():
        node.scroll_into_view_if_needed()
        until(
            page,
            "([node, language]) => (node.dataset.drawn || '').includes(` ${language} `)",
            [node.element_handle(), language],
        )


def until(page: Any, expression: str, given: Any = None, seconds: float = 60.0) -> None:
    """Return when a JavaScript expression, or a function of `given`, is true.

    The driver's own `wait_for_function` evaluates a text inside the page, which the page's
    policy refuses; asked from outside, it does not.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(expression, given):
        if time.monotonic() > end:
            raise TimeoutError(f"not true within {seconds} seconds: {expression}")
        time.sleep(0.05)
