"""Faces of what the gateway serves: routes, explanations and tests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kfambassador.sdk.faces.html import Html, badge, code, facts, fill, frame, table

if TYPE_CHECKING:
    from kfambassador.sdk.calling.calls import RouteTest
    from kfambassador.sdk.views import Explanation, Route, Split

_HEADINGS = ("Method", "Path", "Conditions", "Service", "Rewrite", "Share", "Mapping")


def show_routes(routes: "Sequence[Route]") -> Html:
    """A table of routes, in the order they are evaluated."""
    count = f"{len(routes)} route{'' if len(routes) == 1 else 's'}, in the order they are evaluated"
    if not routes:
        return frame(fill("words", text="no routes"))
    return frame(_list(count, routes))


def show_route(route: "Route") -> Html:
    """One route."""
    return frame(_list("Route", [route]))


def show_explanation(explanation: "Explanation") -> Html:
    """What becomes of a request, and why the other routes do not take it."""
    asked = f"{explanation.request.method} {explanation.request.path}"
    parts = [
        facts(
            fill("title", text=f"Explanation of {asked}"),
            [
                ("outcome", _tell_outcome(explanation)),
                ("sent to", explanation.redirect.location if explanation.redirect else ""),
                ("asked first", explanation.asks),
                ("Envoy", _tell_envoy(explanation)),
            ],
        )
    ]
    if explanation.winner is not None:
        rows = [
            (split.mapping, code(split.place), code(explanation.upstream_paths.get(split.mapping, "")), _share(split))
            for split in explanation.winner.splits
        ]
        headings = ("Mapping", "Service", "Path it sees", "Share")
        parts.append(table("Taken by", headings, rows, numbers=("Share",), name_column="Mapping"))
    passed = [verdict for verdict in explanation.verdicts if verdict.reason]
    if passed:
        reasons = [(", ".join(verdict.mappings), verdict.reason) for verdict in passed]
        more = "explain(...).verdicts has them all"
        parts.append(table("Not taken by", ("Mapping", "Because"), reasons, name_column="Mapping", more=more))
    return frame(*parts)


def show_test(test: "RouteTest") -> Html:
    """What became of one request; the answer's body is left out, because it may repeat what was sent."""
    verdict = badge("passed", tone="good") if test else badge(f"failed, expected {test.expected}", tone="bad")
    taken = test.mapping or "no route"
    return frame(
        facts(
            fill("title", text=f"Test of {test.answer.method} {test.path}"),
            [
                ("result", verdict),
                ("status", test.status),
                ("latency", f"{test.latency_ms:.1f} ms"),
                ("because", "" if test else test.meaning),
                ("mapping", taken),
                ("backend", test.backend),
                ("path before", code(test.path)),
                ("path after", code(test.upstream_path) if test.upstream_path else ""),
            ],
        )
    )


def _list(caption: str, routes: "Sequence[Route]") -> Html:
    rows = [
        (
            route.method,
            code(route.path),
            route.conditions,
            code(split.place),
            code(split.path) if split.path else "",
            _share(split, copies=is_copy) if is_copy or len(route.splits) > 1 else "",
            split.mapping,
        )
        for route in routes
        for split, is_copy in [*((each, False) for each in route.splits), *((each, True) for each in route.shadows)]
    ]
    return table(caption, _HEADINGS, rows, numbers=("Share",), name_column="Mapping", more="print() shows them all")


def _share(split: "Split", *, copies: bool = False) -> str:
    return f"copy of {split.share}%" if copies else f"{split.share}%"


def _tell_outcome(explanation: "Explanation") -> Html:
    if explanation.winner is None:
        return badge(explanation.refusal or "404, no route takes it", tone="bad")
    if explanation.redirect is not None:
        return badge(f"{explanation.redirect.code} {explanation.redirect.words}", tone="plain")
    return badge("routed", tone="good")


def _tell_envoy(explanation: "Explanation") -> Html | str:
    if explanation.envoy is None:
        return ""
    if explanation.envoy.agrees:
        return badge("agrees", tone="good")
    return badge(f"differs: {explanation.envoy.difference}", tone="bad")
