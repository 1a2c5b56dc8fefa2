"""Comparing what came of a request with what the case expects; every difference is a sentence."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt

from tests.backends import Echo
from tests.behaviour.casefile import Expect, Mirror, Value
from tests.behaviour.client import Answered

Fill = Callable[[str], str]

#: Standard deviations a share may be off: once in hundreds of millions of runs.
_DEVIATIONS = 6


def judge_answer(answered: Answered, expect: Expect, fill: Fill) -> Iterator[str]:
    """Compare one answer."""
    if answered.status != expect.code:
        yield f"status: expected {expect.code}, got {answered.status} {answered.text[:200]!r}"
    if answered.grpc and answered.grpc != (expect.grpc or "OK"):
        yield f"gRPC status: expected {expect.grpc or 'OK'}, got {answered.grpc} {answered.text[:200]!r}"
    for name, value in expect.response.items():
        yield from _judge_value(f"response header {name}", answered.header(name), value, fill)
    if expect.location is not None:
        yield from _judge_value("location", answered.header("location"), expect.location, fill)
    if expect.text is not None:
        yield from _judge_value("text", answered.text, expect.text, fill)
    asks_backend = (expect.backend, expect.path, expect.headers, expect.method, expect.spelled, expect.body is not None)
    if any(asks_backend):
        yield from _judge_echo(answered, expect, fill)


def _judge_echo(answered: Answered, expect: Expect, fill: Fill) -> Iterator[str]:
    echo = answered.echo
    if echo is None:
        yield f"expected an answer of a backend, got {answered.status} {answered.text[:200]!r}"
        return
    yield from judge_seen(echo, expect, fill)
    for name in expect.spelled:
        if name not in dict(echo.headers):
            yield f"expected a header spelled {name}, got {[each for each, _ in echo.headers]}"
    if expect.backend is not None and echo.backend != expect.backend:
        yield f"backend: expected {expect.backend}, got {echo.backend}"
    if answered.said and expect.body is not None and answered.said != expect.body:
        yield f"what came back: expected {expect.body!r}, got {answered.said!r}"


def judge_seen(echo: Echo, expect: Expect | Mirror, fill: Fill) -> Iterator[str]:
    """Compare what a backend saw."""
    upgraded = echo.header("upgrade") is not None
    for what, wanted, got in (
        ("method", expect.method, echo.method),
        ("path", expect.path, echo.path),
        ("body", None if upgraded else expect.body, echo.body),
    ):
        yield from _judge_value(what, got, wanted, fill) if wanted is not None else ()
    for name, value in expect.headers.items():
        yield from _judge_value(f"header {name}", echo.header(name), value, fill)


def _judge_value(what: str, got: str | None, wanted: Value, fill: Fill) -> Iterator[str]:
    if isinstance(wanted, bool):
        if (got is not None) is not wanted:
            yield f"{what}: expected {'any value' if wanted else 'none'}, got {got!r}"
        return
    if wanted is None or got is None:
        if wanted != got:
            yield f"{what}: expected {wanted!r}, got {got!r}"
        return
    text = fill(wanted)
    expression = re.fullmatch(r"~ (.*)", text, re.DOTALL)
    if expression is not None:
        if not re.fullmatch(expression[1], got, re.DOTALL):
            yield f"{what}: expected a match of {expression[1]}, got {got!r}"
    elif got != text:
        yield f"{what}: expected {text!r}, got {got!r}"


def judge_shares(answers: Sequence[Answered], expect: Expect) -> Iterator[str]:
    """Compare who answered how many of several requests."""
    counts = Counter(echo.backend if (echo := each.echo) else str(each.status) for each in answers)
    if expect.sticky and len(counts) != 1:
        yield f"expected one backend to get all, got {dict(counts)}"
    for name, percent in expect.shares.items():
        if not _is_near(counts[name], percent, len(answers)):
            yield f"share of {name}: expected {percent} %, got {counts[name]} of {len(answers)}: {dict(counts)}"
    if expect.shares and counts.keys() - expect.shares.keys():
        yield f"expected answers of {sorted(expect.shares)} only, got {dict(counts)}"


def _is_near(count: int, percent: float, times: int) -> bool:
    """Tell whether a count is what chance makes of a share; all and nothing are exact."""
    share = percent / 100
    return abs(count - times * share) <= _DEVIATIONS * sqrt(times * share * (1 - share))


def judge_mirror(name: str, seen: Sequence[Echo], mirror: Mirror, *, times: int, fill: Fill) -> Iterator[str]:
    """Compare what a backend saw beside the answers of so many requests."""
    if mirror.share is not None:
        if not _is_near(len(seen), mirror.share, times):
            yield f"{name} was to see {mirror.share} % of {times} requests, and saw {len(seen)}"
        return
    wanted = 1 if mirror.times is None else mirror.times
    if len(seen) != wanted:
        yield f"{name} was to see {wanted} requests, and saw {len(seen)}"
    elif seen:
        yield from (f"mirrored to {name}: {each}" for each in judge_seen(seen[-1], mirror, fill))


def judge_part(wanted: object, got: object, path: str) -> Iterator[str]:
    """Compare a part of Envoy's configuration: all that is wanted must be there, more may be."""
    if isinstance(wanted, Mapping):
        for key, value in wanted.items():
            yield from judge_part(value, got.get(key) if isinstance(got, Mapping) else None, f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for number, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from judge_part(one, other, f"{path}[{number}]")
    elif wanted != got:
        yield f"{path}: expected {wanted!r}, got {got!r}"


def judge_clusters(wanted: Mapping[str, object], served: Mapping[str, object]) -> Iterator[str]:
    """Compare clusters, each found by an expression of its name."""
    for expression, part in wanted.items():
        found = [cluster for name, cluster in served.items() if re.search(expression, name)]
        if len(found) != 1:
            yield f"clusters: expected one whose name matches {expression}, got {len(found)} of {sorted(served)}"
        else:
            yield from judge_part(part, found[0], f"cluster {expression}")
