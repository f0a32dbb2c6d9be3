"""The decorator: what it lets through and what it turns into an exit code."""

import pytest

from konkyo.errors import KonkyoError
from konkyo.pipeline import stage


@stage
def divide(of: int, by: int = 2, *, error: type[BaseException] | None = None) -> float:
    """Divide, or fail."""
    if error is not None:
        raise error(f"{by} is not to be divided by: use 2")
    return of / by


def test_arguments_and_the_result_are_passed_through():
    assert (divide(6), divide(6, 3), divide(of=6, by=4)) == (3.0, 2.0, 1.5)
    assert divide.__name__ == "divide"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KonkyoError, 1, "konkyo: 3 is not to be divided by: use 2\n"),
        (KeyboardInterrupt, 130, "\nkonkyo: interrupted\n"),
    ],
)
def test_errors_and_interrupts_end_with_one_message(error, code, said, capsys):
    with pytest.raises(SystemExit) as ended:
        divide(6, 3, error=error)
    assert ended.value.code == code
    assert capsys.readouterr() == ("", said)


def test_any_other_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        divide(6, 0)
