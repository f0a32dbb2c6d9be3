"""Fuzzing in short; `tests/long/fuzz.py` is the long form, of any number of examples."""

from hypothesis import HealthCheck, given, settings

import fuzz_checks
import fuzz_commands
import fuzz_params

some = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(some, max_examples=40)
@given(fuzz_checks.MONTHLY)
def test_monthly_tables_are_right_or_refused(case):
    assert fuzz_checks.records_are_right_or_refused(case)


@settings(some, max_examples=20)
@given(fuzz_checks.DATED)
def test_dated_tables_are_right_or_refused(case):
    assert fuzz_checks.records_are_right_or_refused(case)


@settings(some, max_examples=20)
@given(fuzz_checks.WIDE)
def test_wide_tables_are_right_or_refused(case):
    assert fuzz_checks.records_are_right_or_refused(case)


@settings(some, max_examples=100)
@given(fuzz_params.spoilt_values())
def test_values_of_params_are_params_or_refused(values):
    assert fuzz_params.values_are_params_or_refused(values)


@settings(some, max_examples=10)
@given(fuzz_params.spoilt_yaml())
def test_bytes_of_params_are_params_or_refused(text):
    assert fuzz_params.yaml_is_params_or_refused(text)


@settings(some, max_examples=20)
@given(fuzz_commands.typed())
def test_commands_end_with_a_code(example):
    assert fuzz_commands.ends_with_a_code(example)
