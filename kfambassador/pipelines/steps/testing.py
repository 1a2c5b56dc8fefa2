"""Asking a published model as its callers would, and judging its answers."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from http import HTTPStatus
from math import inf
from pathlib import Path
from typing import Final, NamedTuple

from kfambassador.errors import ConfigurationError, RouteFailed
from kfambassador.pipelines.steps.judging import Difference, compare, find_percentile
from kfambassador.pipelines.steps.reports import show_tested
from kfambassador.pipelines.steps.running import Log, open_gateway, say, write
from kfambassador.pipelines.steps.values import mend_numbers
from kfambassador.pipelines.steps.wording import tell
from kfambassador.resources.fields import is_number
from kfambassador.sdk.calling.calls import RouteTest
from kfambassador.sdk.exposure import Exposure
from kfambassador.sdk.servers.base import is_success

_STATUSES: Final = range(100, 600)


class Passed(NamedTuple):
    """How a test ended.

    Attributes:
        passed: Whether everything was as it should be.
    """

    passed: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a test asks with, and what must come.

    Attributes:
        inputs: What to ask for predictions of, or a whole request; None sends a sample.
        expected: The predictions that must come; None judges none.
        tolerance: By how much a number may differ.
        expect: The status that must come.
        p95_ms: Milliseconds within which 95 of 100 answers must come; None is no limit.
        requests: How many are sent.
        variant: Which variant is asked; None leaves it to the split.
    """

    inputs: object = None
    expected: object = None
    tolerance: float = 1e-6
    expect: int = 200
    p95_ms: float | None = None
    requests: int = 20
    variant: str | None = None

    def check(self) -> None:
        """Refuse what cannot be tested with.

        Raises:
            ConfigurationError: It is refused.

        Example:
            >>> Wanted(requests=0).check()
            Traceback (most recent call last):
            ...
            kfambassador.errors.ConfigurationError: requests: expected how many are to be sent, 1 or more, got 0
        """
        if self.expect not in _STATUSES:
            raise ConfigurationError(f"expect: expected an HTTP status from 100 to 599, got {self.expect}")
        if self.requests < 1:
            raise ConfigurationError(f"requests: expected how many are to be sent, 1 or more, got {self.requests}")
        for name, limit in (("p95_ms", self.p95_ms), ("tolerance", self.tolerance)):
            # Nothing can exceed a limit that is no number, or has no end.
            if limit is not None and not (is_number(limit) and 0 <= limit < inf):
                raise ConfigurationError(f"{name}: expected a number that is not negative, got {limit!r}")
        if self.expected == []:
            raise ConfigurationError("expected: there is no prediction in it, so that nothing would be judged")
        if self.expected is not None and not is_success(self.expect):
            raise ConfigurationError(f"expected predictions cannot come with status {self.expect}: say one of them")


@dataclass(slots=True)
class Findings:
    """What came of a test.

    Attributes:
        name: The model.
        url: Where it was asked.
        wanted: What was wanted.
        answers: Those that came.
        failures: What was wrong with a request each, in words.
        sent: How many requests were sent: fewer than wanted where one was not answered in time.
        differences: Where the predictions of the first answer are not as expected.
    """

    name: str
    url: str
    wanted: Wanted
    answers: list[RouteTest] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    sent: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def hangs(self) -> bool:
        """Whether the last request failed because no answer came in time."""
        if not self.failures:
            return False
        return len(self.answers) < self.sent or self.answers[-1].status == HTTPStatus.GATEWAY_TIMEOUT

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; nothing when it passed."""
        return [*self._tell_failures(), *self._tell_slowness(), *self._tell_differences()]

    @property
    def metrics(self) -> dict[str, float]:
        """What is kept as numbers; times in milliseconds."""
        found: dict[str, float] = {"requests": self.sent, "failed": len(self.failures)}
        if self.answers:
            times = [answer.latency_ms for answer in self.answers]
            found |= {f"p{percent}_ms": round(find_percentile(times, percent), 3) for percent in (50, 95, 99)}
        if self.wanted.expected is not None:
            found["differences"] = len(self.differences)
        return found

    def _tell_failures(self) -> Iterator[str]:
        for words, count in Counter(self.failures).items():
            yield f"{count} of {self.sent} requests failed: {words}"

    def _tell_slowness(self) -> Iterator[str]:
        p95, limit = self.metrics.get("p95_ms"), self.wanted.p95_ms
        if p95 is not None and limit is not None and p95 > limit:
            yield f"95 of 100 answers came within {p95:.4g} ms, and should within {limit:.4g} ms"

    def _tell_differences(self) -> Iterator[str]:
        if self.differences:
            more = f" ({len(self.differences) - 1} more differ)" if len(self.differences) > 1 else ""
            yield f"{self.differences[0]}{more}"


def try_route(
    name: str,
    *,
    log: Log,
    report_path: str,
    inputs: Sequence[object] | None = None,
    body: Dict[str, object] | None = None,
    dataset_path: str | None = None,
    expected: Sequence[object] | None = None,
    tolerance: float = 1e-6,
    expect: int = 200,
    p95_ms: float | None = None,
    requests: int = 20,
    variant: str | None = None,
    must_pass: bool = True,
    namespace: str | None = None,
    target: str | None = None,
) -> Passed:
    """Test a published model, write what came of it, and fail when it did not pass; see ``test_route``.

    Raises:
        RouteFailed: It did not pass, and must.
        NotFound: Nothing is published by that name.
        ConfigurationError: The test itself is at fault.
    """
    given, known = choose_inputs(mend_numbers(inputs), mend_numbers(body), dataset_path)
    wanted = Wanted(
        inputs=given,
        expected=known if expected is None else mend_numbers(expected),
        tolerance=tolerance,
        expect=expect,
        p95_ms=p95_ms,
        requests=requests,
        variant=variant or None,
    )
    wanted.check()
    with open_gateway(target) as gateway:
        tested = ask(gateway.get_exposure(name, namespace=namespace or None), wanted)
    write(report_path, show_tested(tested))
    for metric, value in tested.metrics.items():
        log(metric, value)
    say(f"{name} passed its test" if not tested.faults else "\n".join([f"{name} did not pass:", *tested.faults]))
    if tested.faults and must_pass:
        status = tested.answers[0].status if tested.answers else None
        raise RouteFailed("\n  ".join([f"{name} did not pass its test:", *tested.faults]), status=status)
    return Passed(not tested.faults)


def choose_inputs(inputs: object, body: object, dataset_path: str | None) -> tuple[object, object]:
    """Choose what to ask with; give it, and the predictions expected of it, where a file holds both.

    Raises:
        ConfigurationError: More than one is given, there is nothing in it, or the file cannot be read.
    """
    given = [each for each in (inputs, body, dataset_path) if each is not None]
    if len(given) > 1:
        raise ConfigurationError("Of inputs, body and dataset one can be given: what is asked with is one request.")
    found = read_dataset(dataset_path) if dataset_path else ((given or [None])[0], None)
    if found[0] == []:
        words = "an empty list, so that each request would ask for nothing; list what to predict"
        raise ConfigurationError(f"{'The dataset' if dataset_path else 'inputs'} has {words}.")
    return found


def read_dataset(path: str) -> tuple[object, object]:
    """Read inputs, and the predictions expected of them, out of a JSON file.

    Raises:
        ConfigurationError: It cannot be read.
    """
    hint = 'write a JSON list of inputs, or an object with "inputs" and "expected"'
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"The dataset cannot be read ({error}): {hint}.") from error
    match found:
        case list():
            return found, None
        case {"inputs": list(), "expected": None}:
            raise ConfigurationError(
                'The dataset says "expected": null, which would judge nothing. List what must come, one for each '
                'input; or leave "expected" out, and only status and times are judged.'
            )
        case {"inputs": list(given), **others} if not others.keys() - {"expected"}:
            return given, others.get("expected")
        case _:
            raise ConfigurationError(f"The dataset holds neither: {hint}.")


def ask(exposure: Exposure, wanted: Wanted) -> Findings:
    """Send the requests, one after the other, and judge each answer."""
    call = exposure.example(wanted.inputs)
    tested = Findings(exposure.name, exposure.url, wanted)
    for number in range(wanted.requests):
        if tested.hangs:
            # Each of the others would take as long, which is minutes.
            tested.failures[-1] += f"; the other {wanted.requests - number} were not sent"
            break
        tested.sent += 1
        try:
            answer = exposure.test(
                call.body, method=call.method, path=call.path, variant=wanted.variant, expect=wanted.expect
            )
        except RouteFailed as error:
            tested.failures.append(tell(error))
            continue
        tested.answers.append(answer)
        if not answer:
            failure = f"status {answer.status}, expected {wanted.expect}. {tell(answer.meaning)}".rstrip(". ")
            said = answer.answer.text
            tested.failures.append(f"{failure}. It said: {said}" if said else failure)
        elif wanted.expected is not None:
            found = list(_compare(exposure, answer, wanted))
            # The same request was sent each time: what differs first is shown, and others only counted.
            if number and found and not tested.differences:
                tested.failures.append("its predictions changed from one request to the next")
            tested.differences[:] = tested.differences or found
    return tested


def _compare(exposure: Exposure, answer: RouteTest, wanted: Wanted) -> Iterator[Difference]:
    try:
        predictions = exposure.server.read_predictions(answer.answer.json())
    except RouteFailed:
        predictions = None
    yield from compare(wanted.expected, predictions, tolerance=wanted.tolerance)
