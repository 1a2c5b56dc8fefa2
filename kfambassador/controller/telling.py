"""An explanation as it may be told to somebody who sees a part of the table.

Whoever asks about a request learns whether it reaches their route, and if not, that a route of another namespace takes
it and by which prefix, path and host: all of these stand in the request they asked about, so nothing is told that they
did not say, and it is enough to choose another path. What stands in no request is kept: whose the route is, what it is
called, where it leads, what its expressions and its conditions on headers and parameters are.
"""

from dataclasses import replace
from typing import Final

from kfambassador.controller.asking import EnvoyAnswer, describe_answer
from kfambassador.controller.sight import Sight, narrow_route
from kfambassador.routing.describe import Json, describe_explanation
from kfambassador.routing.explain import Explanation, Verdict
from kfambassador.routing.matches import HOST
from kfambassador.routing.model import Match, PathKind, Route, ValueKind

_ELSEWHERE: Final = "a route of another namespace takes this request"
_SOMEBODY: Final = "the gateway's authorization service"
_DIFFER: Final = "the table and Envoy differ, about a route of another namespace; the gateway's owner can see which"


def tell_explanation(explanation: Explanation, sight: Sight) -> dict[str, Json]:
    """Describe what becomes of a request, as far as somebody may know it."""
    if sight.sees_all:
        return describe_explanation(explanation)
    seen = [(verdict, narrow_route(verdict.route, sight)) for verdict in explanation.verdicts]
    verdicts = tuple(Verdict(route, verdict.reason) for verdict, route in seen if route is not None)
    narrowed = replace(
        explanation,
        winner=_narrow_winner(explanation.winner, sight),
        verdicts=verdicts,
        asks=_SOMEBODY if explanation.asks else "",
    )
    described = describe_explanation(narrowed)
    described["hidden"] = len(explanation.verdicts) - len(verdicts)
    if explanation.winner is not None and narrowed.winner is None:
        described["elsewhere"] = {"words": _ELSEWHERE, "match": _describe_ground(explanation.winner.match)}
    return described


def tell_answer(explanation: Explanation, answer: EnvoyAnswer, sight: Sight) -> dict[str, Json]:
    """Describe what Envoy said, as far as somebody may know it."""
    described = describe_answer(explanation, answer)
    winner = explanation.winner
    named = {answer.route.partition("/")[0]} if answer.route else set()
    if winner is not None:
        named |= {split.namespace for split in winner.splits}
    if all(map(sight.sees, named)):
        return described
    hidden: dict[str, Json] = {"route": "", "cluster": "", "difference": _DIFFER if described["difference"] else ""}
    return described | hidden


def _narrow_winner(winner: Route | None, sight: Sight) -> Route | None:
    """Leave what of the winner may be seen; who only gets copies has no part in the answer."""
    narrowed = None if winner is None else narrow_route(winner, sight)
    return narrowed if narrowed is not None and narrowed.splits else None


def _describe_ground(match: Match) -> dict[str, Json]:
    """Describe by which path and host a route takes a request, in words of the request only."""
    expression = match.path.kind is PathKind.REGEX
    described: dict[str, Json] = {match.path.kind.value: "(an expression)" if expression else match.path.text}
    hosts = [each for each in match.headers if each.name == HOST and each.kind is not ValueKind.PRESENT]
    if hosts:
        plain = next((each for each in hosts if each.kind is ValueKind.EXACT), None)
        described["host"] = plain.value if plain else "(a pattern)"
    return described
