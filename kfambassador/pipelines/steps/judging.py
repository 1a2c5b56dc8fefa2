"""Judging what a model answered: against what was expected, and against limits. Pure."""

from collections.abc import Iterator, Sequence
from math import ceil, inf, isnan
from typing import NamedTuple

from kfambassador.resources.fields import is_number


class Difference(NamedTuple):
    """A place in which predictions are not as expected.

    Attributes:
        place: Which prediction, and where in it; "" is all of them.
        expected: What was expected there.
        got: What came.
        size: By how much a number differs; infinite where something else than a number differs.
    """

    place: str
    expected: object
    got: object
    size: float = inf

    def __str__(self) -> str:
        return f"predictions{self.place}: {self.got!r} came, and {self.expected!r} should"


def compare(expected: object, got: object, *, tolerance: float, place: str = "") -> Iterator[Difference]:
    """Find where predictions differ from the expected ones.

    Args:
        expected: The expected ones: numbers, texts, and lists and objects of them.
        got: What came.
        tolerance: By how much a number may differ.
        place: Where in the predictions these are.

    Example:
        >>> [str(found) for found in compare([2.5, {"label": "cat"}], [2.4, {"label": "cat"}], tolerance=0.01)]
        ['predictions[0]: 2.4 came, and 2.5 should']
        >>> [str(found) for found in compare([1, 2], [1], tolerance=0)]
        ['predictions: a list of 1 came, and a list of 2 should']
    """
    match expected, got:
        case list(), list() if len(expected) != len(got):
            yield Difference(place, _Length(len(expected)), _Length(len(got)))
        case list(), list():
            for index, pair in enumerate(zip(expected, got, strict=True)):
                yield from compare(*pair, tolerance=tolerance, place=f"{place}[{index}]")
        case dict(), dict() if expected.keys() == got.keys():
            for name in expected:
                yield from compare(expected[name], got[name], tolerance=tolerance, place=f"{place}[{name!r}]")
        case _ if is_number(expected) and is_number(got):
            size = _measure(float(expected), float(got))  # type: ignore[arg-type]  # they are numbers
            if size > tolerance:
                yield Difference(place, expected, got, size)
        case _ if expected != got or isinstance(expected, bool) is not isinstance(got, bool):
            yield Difference(place, expected, got)


def _measure(expected: float, got: float) -> float:
    """Say by how much two numbers differ; what is no number at all (NaN) differs from numbers alone."""
    if isnan(expected) or isnan(got):
        return 0.0 if isnan(expected) and isnan(got) else inf
    return 0.0 if expected == got else abs(expected - got)


class _Length(int):
    def __repr__(self) -> str:
        return f"a list of {int(self)}"


def find_percentile(times: Sequence[float], percent: int) -> float:
    """Find the time within which so many of 100 answers came: one that was measured, by its rank.

    Example:
        >>> find_percentile([5.0, 1.0, 9.0, 2.0], 50), find_percentile([5.0, 1.0, 9.0, 2.0], 95)
        (2.0, 9.0)
    """
    ranked = sorted(times)
    return ranked[max(0, ceil(len(ranked) * percent / 100) - 1)]
