"""What happens to a URL: told by the gateway's table, and by Envoy itself."""

from heapq import nlargest
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from kfambassador.errors import NoGateway
from kfambassador.notebook.answering.arguments import Fate
from kfambassador.routing.describe import Json

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway
    from kfambassador.sdk.views import Explanation, Verdict

#: So many routes say why they do not take it; the rest is counted.
_MOST: Final = 200
_NOT_FOUND: Final = 404


def tell_fate(gateway: "Gateway", question: Fate) -> dict[str, Json]:
    """Tell what becomes of a request; nothing is sent to any model."""
    envoy_words = ""
    try:
        told = gateway.explain(question.method, question.url, question.headers, ask_envoy=question.ask_envoy)
    except NoGateway as error:
        if not question.ask_envoy:
            raise
        # The table can be asked where Envoy cannot.
        told = gateway.explain(question.method, question.url, question.headers)
        envoy_words = str(error)
    path = told.request.path.partition("?")[0]
    passed = [verdict for verdict in told.verdicts if verdict.reason]
    nearest = nlargest(_MOST, passed, key=lambda verdict: _measure(verdict, path))
    reasons: list[Json] = [{"mappings": [*each.mappings], "reason": each.reason} for each in nearest]
    return {
        "words": repr(told)[1:-1].removeprefix("Explanation "),
        "method": told.request.method,
        "path": told.request.path,
        "outcome": _find_outcome(told),
        "refusal": told.refusal,
        "elsewhere": told.elsewhere.words if told.elsewhere else "",
        "asks": told.asks,
        "redirect": told.redirect.model_dump(mode="json") if told.redirect else None,
        "taken_by": _tell_takers(told),
        "envoy": _tell_envoy(told, envoy_words),
        "passed": reasons,
        "more": max(0, len(passed) - _MOST) + told.hidden,
    }


def _measure(verdict: "Verdict", path: str) -> int:
    """How near a route was to taking a request: how much of the path it shares, more where it takes all of it."""
    wanted = verdict.match.get("exact") or verdict.match.get("prefix")
    if not isinstance(wanted, str):
        return 0
    taken = path == wanted if "exact" in verdict.match else path.startswith(wanted)
    pairs = zip(path, wanted, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) + len(path) * taken


def _find_outcome(told: "Explanation") -> str:
    if told.elsewhere is not None:
        return "elsewhere"
    if told.refusal:
        return "refused"
    if told.winner is None:
        return "none"
    return "redirect" if told.redirect is not None else "routed"


def _tell_takers(told: "Explanation") -> list[Json]:
    if told.winner is None:
        return []
    return [
        {
            "mapping": split.mapping,
            "service": split.place,
            "upstream_path": told.upstream_paths.get(split.mapping, ""),
            "share": split.share,
        }
        for split in told.winner.splits
    ]


def _tell_envoy(told: "Explanation", words: str) -> Json:
    if told.envoy is None:
        return {"agrees": None, "words": words} if words else None
    said = told.envoy
    chosen = said.refusal or (f"it chose {said.route}" if said.route else f"no route takes it ({_NOT_FOUND})")
    return {"agrees": said.agrees, "words": chosen if said.agrees else f"{chosen}; {said.difference}"}
