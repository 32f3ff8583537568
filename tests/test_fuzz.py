"""tests/fuzz.py finds what it looks for, and finds nothing in the program in a minute."""

import os
import subprocess
import sys
import time

import pytest
from hypothesis import strategies as st

from cssafe.settings import ROOT
from tests import fuzz
from tests.fuzz_targets import Target

INPUTS = 300


def tried(check) -> fuzz.Outcome:
    calls = []

    def counted(value):
        calls.append(value)
        return check(value)

    target = Target(st.integers(0, 1000), counted, os.getpid())
    return fuzz.attempt(target, fuzz.Outcome("made-up"), lambda: len(calls) >= INPUTS, 0)


def test_inputs_are_counted_and_one_input_may_be_several():
    outcome = tried(lambda value: 3)
    assert outcome.inputs == 3 * INPUTS and outcome.faults == ()


def test_an_exception_is_a_fault_with_its_smallest_input():
    def check(value):
        if value >= 77:
            raise KeyError("lost")

    outcome = tried(check)
    [fault] = outcome.faults
    assert fault.startswith("KeyError: 'lost'") and fault.endswith("smallest input: 77")


def test_an_exception_that_does_not_come_again_is_a_fault():
    calls = []

    def check(value):
        calls.append(value)
        assert len(calls) != 50, "once"

    [fault] = tried(check).faults
    assert fault.startswith("AssertionError: once")


def test_an_answer_that_takes_long_is_a_fault_by_processor_time_alone(monkeypatch):
    def busy(value):
        begun = time.process_time()
        while value == 0 and time.process_time() - begun < 0.1:
            pass

    monkeypatch.setattr(fuzz, "ANSWER_S", 0.05)
    [fault] = tried(busy).faults
    assert "An answer took" in fault and fault.endswith("input: 0")
    assert tried(lambda value: time.sleep(0.1 * (value == 0))).faults == ()


def test_memory_that_is_kept_is_a_fault(monkeypatch):
    kept = []
    monkeypatch.setattr(fuzz, "GROWTH_MB", 5)
    [fault] = tried(lambda value: kept.append(b"x" * 50_000)).faults
    assert fault.startswith("The memory at rest grew by")


def die(*_args):
    os._exit(1)


def test_a_process_that_dies_is_a_fault(monkeypatch):
    monkeypatch.setattr(fuzz, "fuzz", die)
    assert fuzz.apart("made-up", 1, 0).faults != ()


@pytest.mark.slow
def test_a_minute_of_hostile_inputs_finds_no_fault():
    """The command, for here streamlit.testing has replaced __main__, which the processes of the targets would run again."""
    command = [sys.executable, "-m", "tests.fuzz", "--minutes", "1", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
