"""Where a request would go: asked of the table and of Envoy itself; nothing is sent to any service."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import takewhile
from pathlib import Path
from typing import Final

from kfambassador.controller.asking import EnvoyAnswer, ask_route
from kfambassador.controller.inquiries import Inquiry
from kfambassador.controller.overview import name_group
from kfambassador.controller.page.aside import aside
from kfambassador.controller.page.closely import write_route
from kfambassador.controller.sight import Sight, narrow_route
from kfambassador.controller.telling import tell_answer, tell_explanation
from kfambassador.errors import NoGateway
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.resources.secrecy import HIDDEN, is_secret_name
from kfambassador.routing.explain import Explanation, Verdict, explain
from kfambassador.routing.model import PathKind
from kfambassador.routing.requests import RequestLine
from kfambassador.routing.spelling import spell_conditions, spell_path, spell_place

#: So many routes say why they do not take it.
NEAREST: Final = 10
#: What the form offers.
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

_LONGEST: Final = 16_384


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wrote into the form.

    Attributes:
        method: The method.
        host: The host; "" is any.
        path: The path and query, or a whole address.
        headers: Headers, one a line.
    """

    method: str = "GET"
    host: str = ""
    path: str = ""
    headers: str = field(default="", repr=False)

    @classmethod
    def read(cls, form: Dict[str, str]) -> "Asked":
        """Read a form's fields, or an address's query."""
        return cls(
            method=form.get("method", "").strip() or "GET",
            host=form.get("host", "").strip(),
            path=form.get("path", "").strip(),
            headers=form.get("headers", "").replace("\r\n", "\n").strip("\n"),
        )

    @property
    def shown_headers(self) -> str:
        r"""The headers as the page repeats them: of those that may be secrets that they were there, and no more.

        Example:
            >>> Asked(headers="X-Team: a\nAuthorization: Bearer abc").shown_headers
            'X-Team: a\nAuthorization: •••'
        """
        return "\n".join(
            f"{name}: {HIDDEN}" if is_secret_name(name.strip()) and value.strip() else line
            for line in self.headers.split("\n")
            for name, _, value in [line.partition(":")]
        )

    def request(self) -> RequestLine:
        """The request it means.

        Raises:
            ValueError: A line is no header, or all of it is too long.
        """
        if len(self.path) + len(self.host) + len(self.headers) > _LONGEST:
            raise ValueError(f"a request of more than {_LONGEST:,} characters is not asked about")
        headers: dict[str, str] = {}
        for line in filter(str.strip, self.headers.split("\n")):
            name, colon, value = line.partition(":")
            if not colon or not name.strip() or not name.strip().isascii():
                raise ValueError("write each header in a line of its own, its name and its value: X-Team: a")
            headers[name.strip()] = value.strip()
        if self.host:
            headers["Host"] = self.host
        return RequestLine.read(self.method, self.path, headers)


@dataclass(frozen=True, slots=True)
class Taker:
    """Whom a request would go to.

    Attributes:
        mapping: Whose route it is, as namespace/name.
        place: The service.
        path: The path it sees.
        share: Its share of such requests in percent.
    """

    mapping: str
    place: str
    path: str
    share: int


@dataclass(frozen=True, slots=True)
class Passed:
    """A route that does not take it.

    Attributes:
        group: What its page is called.
        words: The route in a line.
        reason: Why.
    """

    group: str
    words: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a request.

    Attributes:
        method: Its method.
        host: Its host.
        path: Its path, as the routes see it.
        outcome: ``routed``, ``redirect``, ``refused``, ``none`` or ``elsewhere``.
        words: The same in words.
        group: What the page of the route that takes it is called; "" when none does.
        route: That route in a line.
        takers: Whom it would go to.
        asks: Which authorization service is asked first; "" when nobody is.
        agrees: Whether Envoy itself says the same; None where it was not asked.
        envoy: What Envoy said, or why it was not asked; "" when there is nothing to say.
        passed: The routes that come nearest to taking it.
        others: How many more there are.
    """

    method: str
    host: str
    path: str
    outcome: str
    words: str
    group: str
    route: str
    takers: tuple[Taker, ...]
    asks: str
    agrees: bool | None
    envoy: str
    passed: tuple[Passed, ...]
    others: int


async def find_fate(inquiry: Inquiry, asked: Asked) -> Fate:
    """Find out what becomes of a request.

    Raises:
        ValueError: It is no request.
    """
    line, table, sight = asked.request(), inquiry.desk.controller.work.compiled.table, inquiry.sight
    # The whole table decides, whatever of it may be told.
    explanation = await aside(lambda: explain(table, line))
    answer, words = await _ask_envoy(inquiry, line)
    return await aside(lambda: _describe(explanation, sight, answer, words))


async def _ask_envoy(inquiry: Inquiry, line: RequestLine) -> tuple[EnvoyAnswer | None, str]:
    socket = inquiry.desk.settings.listener.asking_socket
    if socket is None:
        return None, ""
    try:
        return await ask_route(Path(socket), line), ""
    except NoGateway as error:
        return None, str(error)


def _describe(explanation: Explanation, sight: Sight, answer: EnvoyAnswer | None, words: str) -> Fate:
    told = tell_explanation(explanation, sight)
    winner = as_object(told.get("winner"))
    outcome, said = _find_outcome(told)
    passed = [each for each in explanation.verdicts if each.reason and narrow_route(each.route, sight) is not None]
    nearest = nlargest(NEAREST, passed, key=lambda verdict: measure_nearness(verdict, explanation.request.path))
    agreement = tell_answer(explanation, answer, sight) if answer is not None else {}
    difference = as_text(agreement.get("difference"))
    return Fate(
        method=explanation.request.method,
        host=explanation.request.host,
        path=explanation.request.path,
        outcome=outcome,
        words=said,
        group=name_group(explanation.winner) if explanation.winner is not None and winner else "",
        route=" ".join(each for each in (spell_path(as_object(winner.get("match"))), _conditions(winner)) if each)
        if winner
        else "",
        takers=tuple(_list_takers(winner, told)),
        asks=as_text(told.get("asks")),
        agrees=None if answer is None else not difference,
        envoy=difference or words,
        passed=tuple(Passed(name_group(each.route), write_route(each.route), each.reason) for each in nearest),
        others=len(explanation.verdicts) - len(nearest) - sum(not each.reason for each in explanation.verdicts),
    )


def measure_nearness(verdict: Verdict, path: str) -> int:
    """How near a route was to taking a path: how much of it both share, more where it takes all of it."""
    match = verdict.route.match.path
    if match.kind is PathKind.REGEX:
        return 0
    taken = path == match.text if match.kind is PathKind.EXACT else path.startswith(match.text)
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(path, match.text, strict=False))
    return sum(1 for _ in shared) + len(path) * taken


def _conditions(winner: Dict[str, object]) -> str:
    return spell_conditions(as_object(winner.get("match")))


def _find_outcome(told: Dict[str, object]) -> tuple[str, str]:
    if told.get("elsewhere"):
        return "elsewhere", as_text(as_object(told["elsewhere"]).get("words"))
    if told.get("refusal"):
        return "refused", f"it is refused before any route is asked: {told['refusal']}"
    if told.get("winner") is None:
        return "none", "no route takes it: it is answered with 404"
    redirect = as_object(told.get("redirect"))
    if redirect:
        return "redirect", f"the client is sent to {redirect.get('location')} ({redirect.get('code')})"
    return "routed", "it is taken"


def _list_takers(winner: Dict[str, object], told: Dict[str, object]) -> list[Taker]:
    paths = as_object(told.get("upstream_paths"))
    takers = []
    for split in as_objects(winner.get("splits")):
        mapping, share = as_text(split.get("mapping")), split.get("share")
        place = spell_place(as_text(split.get("service")), as_object(split.get("attributes")))
        takers.append(Taker(mapping, place, as_text(paths.get(mapping)), share if isinstance(share, int) else 0))
    return takers
