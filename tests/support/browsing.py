"""Waiting for a page that forbids what a browser driver's own waiting does."""

import time
from typing import Any


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
