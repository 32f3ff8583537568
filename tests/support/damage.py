"""Damage to files and values as short data: a failing input can be read, repeated and shrunk."""

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

HEAD_BYTES = 200
"""Most of what can go wrong stands in the first bytes of a file."""

Edit = tuple[str, int, bytes | int]
"""What is done, where, and with which bytes or how many."""

_AT = st.integers(0, HEAD_BYTES) | st.integers(0, 1 << 20)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), _AT, st.binary(min_size=1, max_size=4)),
        st.tuples(st.just("remove"), _AT, st.integers(1, 64)),
        st.tuples(st.just("repeat"), _AT, st.integers(1, 64)),
        st.tuples(st.just("cut"), _AT, st.just(0)),
    ),
    min_size=1,
    max_size=4,
).map(tuple)


def edit(whole: bytes, edits: Sequence[Edit]) -> bytes:
    """The file with some bytes changed, a piece removed or put in twice, or its end missing."""
    data = bytearray(whole)
    for kind, place, what in edits:
        at = place % (len(data) + 1)
        match kind, what:
            case "change", bytes(new):
                data[at : at + len(new)] = new
            case "remove", int(size):
                del data[at : at + size]
            case "repeat", int(size):
                data[at:at] = data[at : at + size]
            case "cut", _:
                del data[at:]
    return bytes(data)


ODD_TEXTS = (
    *("", " ", "x", "x" * 3000, "\u202eabc", "\0", "\ufeff", "a\nb", "<b>x</b>", "🎓", "=1+1", "../x"),
    *("1", "-1", "1e400", "nan", "9" * 150, "٠٨", "00:00", "24:00", "2026-11-29", "0001-01-01"),
    *("9999-12-31T23:59:59+00:00", "Mon", "Europe/Berlin"),
)
ODD_VALUES = (None, True, False, 0, -1, 1, 0.5, 10**400, 1 << 63, 1e308, float("inf"), float("nan"), *ODD_TEXTS)

TEXTS = st.sampled_from(ODD_TEXTS) | st.text(max_size=20)
VALUES = st.recursive(
    st.sampled_from(ODD_VALUES) | TEXTS | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
CHANGES = st.lists(st.tuples(st.integers(0, 200), VALUES, st.booleans()), min_size=1, max_size=3)
"""For `change`: which place of a value, counted from the outside in, gets which other value, and whether only one of its own
kind."""

Change = tuple[int, Any, bool]


def change(value: Any, changes: Sequence[Change]) -> Any:
    """A copy of a JSON value with other values at some places."""
    holder = [copy.deepcopy(value)]
    for place, new, alike in changes:
        places = [*_places(holder)]
        within, key = places[place % len(places)]
        within[key] = of_kind(within[key], new) if alike else new
    return holder[0]


def of_kind(old: Any, new: Any) -> Any:
    """A value of the old one's kind that the new one gives; the old one where there is none."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int | float):
        return old * len(repr(new)) // 10 if isinstance(old, int) else old * len(repr(new)) / 10
    if isinstance(old, list):
        return old[1:] + old[:1] + old[: len(repr(new)) % 3]
    return str(new)[:40] if isinstance(old, str) else old


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def short(value: Any, most: int = 2000) -> str:
    """The repr of an input, cut where it is long."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def to_json(value: Any) -> bytes:
    return json.dumps(value).encode()
