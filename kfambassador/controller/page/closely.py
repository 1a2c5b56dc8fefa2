"""One route, or one object with what was written in it, looked at closely; each leads to the other. Pure."""

import json
from collections.abc import Collection, Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from typing import Final

from kfambassador.controller.overview import Seen, name_group
from kfambassador.controller.page.faring import Fare, Fares
from kfambassador.controller.page.listing import list_parts, spell_split
from kfambassador.controller.page.marking import Line, mark_lines
from kfambassador.controller.state import SourceStatus, Work
from kfambassador.kube.objects import is_as_new
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.problems import ObjectKey, Problem
from kfambassador.resources.documents import write_documents
from kfambassador.resources.fields import as_object, as_objects
from kfambassador.resources.objects import Contribution
from kfambassador.resources.secrecy import hide_text, hide_values
from kfambassador.routing.describe import describe_match, describe_route, name_mapping
from kfambassador.routing.model import Cluster, Match, PathKind, Route, Split, ValueKind
from kfambassador.routing.spelling import spell_conditions, spell_host, spell_method, spell_path, spell_rewrite

#: So many endpoints of a service are listed.
MOST_ENDPOINTS: Final = 20


@dataclass(frozen=True, slots=True)
class Service:
    """Where a part of a route's requests goes.

    Attributes:
        mapping: Whose it is, as namespace/name.
        place: Where requests go, as it was written.
        rewrite: What replaces the matched part of the path; "" when nothing is said.
        share: Its share of the requests in percent.
        is_copy: Whether it only gets copies.
        fare: How it fares.
        source: The object it was written in; None when that is not known.
        document: Which document of its annotation.
        line: Where that begins.
        target: The host and port Envoy connects to; "" for a redirect.
        discovery: How its endpoints are found.
        endpoints: The first of them.
        more: How many more there are.
        tls: Whether connections are protected, in words; "" when they are not.
        shared_with: Mappings whose requests are counted together with its own.
        attributes: Everything else that was written, secrets left out.
    """

    mapping: str
    place: str
    rewrite: str
    share: int
    is_copy: bool
    fare: Fare
    source: ObjectKey | None
    document: int | None
    line: int | None
    target: str
    discovery: str
    endpoints: tuple[str, ...]
    more: int
    tls: str
    shared_with: tuple[str, ...]
    attributes: Dict[str, str]


@dataclass(frozen=True, slots=True)
class RouteView:
    """One route.

    Attributes:
        number: Its place in the order of evaluation, counted from 1.
        total: How many routes there are.
        method: The condition on the method.
        host: The condition on the host.
        path: The condition on the path.
        conditions: All others.
        precedence: What was said of its order.
        services: Where its requests go.
        fare: How the worst of them fares.
        problems: What is wrong with it.
        request: A request it could take, as an address's query.
    """

    number: int
    total: int
    method: str
    host: str
    path: str
    conditions: str
    precedence: int
    services: tuple[Service, ...]
    fare: Fare
    problems: tuple[Problem, ...]
    request: Dict[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """One mapping of an object.

    Attributes:
        name: As namespace/name.
        line: Where it begins; None where it is the object itself.
        routes: The routes it is in, each by its group and in words; none when it is left out.
    """

    name: str
    line: int | None
    routes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SourceView:
    """One object.

    Attributes:
        key: Which.
        status: How far it has come.
        written: The mappings it carries.
        lines: What was written, secrets left out, with what is wrong beside it; none when it cannot be shown.
        where: What the lines are of.
        problems: What is wrong with it as a whole, or with text that is not shown.
        newer: The version the cluster has since; "" when it is this one.
    """

    key: ObjectKey
    status: SourceStatus
    written: tuple[Written, ...]
    lines: tuple[Line, ...]
    where: str
    problems: tuple[Problem, ...]
    newer: str = ""


def view_route(seen: Seen, group: str) -> RouteView | None:
    """Look at a route; None when there is none of that name."""
    route = seen.groups.get(group)
    if route is None:
        return None
    fares, match, described = Fares(seen), describe_match(route.match), describe_route(route)
    together = _count_together(seen, {split.cluster for split in route.receivers if split.cluster})
    written = (*as_objects(described["splits"]), *as_objects(described.get("shadows")))
    services = tuple(
        _view_service(
            seen,
            fares.of(split.cluster),
            split,
            as_object(told.get("attributes")),
            is_copy=is_copy,
            together=together.get(split.cluster, ()),
        )
        for (split, is_copy), told in zip(list_parts(route), written, strict=True)
    )
    places = {(split.origin.object, split.origin.document) for split in route.receivers}
    problems = (each for each in seen.work.compiled.problems if (each.origin.object, each.origin.document) in places)
    return RouteView(
        number=next(number for number, each in enumerate(seen.routes, start=1) if each is route),
        total=len(seen.routes),
        method=spell_method(match),
        host=spell_host(match),
        path=spell_path(match),
        conditions=spell_conditions(match, without=["host"]),
        precedence=route.precedence,
        services=services,
        fare=fares.of_route(route),
        problems=tuple(problems),
        request=guess_request(route.match),
    )


def view_source(work: Work, status: SourceStatus, contribution: Contribution | None) -> SourceView:
    """Look at an object.

    Args:
        work: What its reader may see of what was compiled.
        status: How far the object has come, in words for its reader.
        contribution: What the cluster is known to hold of it.
    """
    key = status.key
    routes: dict[str, list[tuple[str, str]]] = {}
    for route in work.compiled.table.routes():
        for split in route.receivers:
            if split.origin.object == key:
                routes.setdefault(name_mapping(split), []).append((name_group(route), write_route(route)))
    carried = [each for each in work.resources.mappings if each.origin.object == key]
    names = [(f"{each.namespace}/{each.mapping.name}", each.origin.line) for each in carried]
    text, where = _read_text(contribution)
    shown = tuple(each for each in status.problems if text)
    return SourceView(
        key=key,
        status=status,
        written=tuple(Written(name, line, tuple(routes.get(name, ()))) for name, line in names),
        lines=_mark(text, shown) if text else (),
        where=where,
        problems=tuple(each for each in status.problems if not text),
        newer=_find_newer(status, contribution),
    )


def write_route(route: Route) -> str:
    """Write a route in one line.

    Example:
        >>> from kfambassador.routing.model import PathMatch
        >>> write_route(Route(Match(PathMatch(PathKind.PREFIX, "/m/")), precedence=0, splits=()))
        '/m/*'
    """
    match = describe_match(route.match)
    method = spell_method(match)
    return " ".join(
        each for each in ("" if method == "*" else method, spell_path(match), spell_conditions(match)) if each
    )


def guess_request(match: Match) -> dict[str, str]:
    """A request that a route takes, as far as its conditions tell.

    Example:
        >>> from kfambassador.routing.model import PathMatch
        >>> guess_request(Match(PathMatch(PathKind.PREFIX, "/m/")))
        {'method': 'GET', 'host': '', 'path': '/m/'}
    """
    exact = {each.name: each.value for each in match.headers if each.kind is ValueKind.EXACT}
    return {
        "method": exact.get(":method", "GET"),
        "host": exact.get(":authority", ""),
        "path": "/" if match.path.kind is PathKind.REGEX else match.path.text,
    }


def _view_service(
    seen: Seen, fare: Fare, split: Split, attributes: Dict[str, object], *, is_copy: bool, together: Iterable[str]
) -> Service:
    cluster = seen.clusters.get(split.cluster)
    own, endpoints = name_mapping(split), cluster.endpoints if cluster else ()
    return Service(
        mapping=own,
        place=spell_split(split),
        rewrite=spell_rewrite(attributes),
        share=split.share,
        is_copy=is_copy,
        fare=fare,
        source=split.origin.object,
        document=split.origin.document,
        line=split.origin.line,
        target=str(cluster.target) if cluster else "",
        discovery=cluster.discovery.value if cluster else "",
        endpoints=tuple(map(str, endpoints[:MOST_ENDPOINTS])),
        more=max(0, len(endpoints) - MOST_ENDPOINTS),
        tls=_tell_tls(cluster),
        shared_with=tuple(sorted(set(together) - {own})),
        attributes=_spell_attributes(attributes),
    )


def _count_together(seen: Seen, clusters: Collection[str]) -> dict[str, set[str]]:
    """For each cluster, the mappings that lead to it: Envoy counts their requests as one."""
    together: dict[str, set[str]] = {name: set() for name in clusters}
    for route in seen.routes:
        for split in route.receivers:
            if split.cluster in together:
                together[split.cluster].add(name_mapping(split))
    return together


def _tell_tls(cluster: Cluster | None) -> str:
    """Say how connections to a service are protected; certificates are spoken of by name."""
    if cluster is None or cluster.tls is None:
        return ""
    by = f" by the TLSContext {cluster.tls.context}" if cluster.tls.context else ""
    if cluster.tls.authorities is None:
        return f"encrypted{by}; its certificate is not verified"
    return f"encrypted{by}; its certificate must be for {' or '.join(cluster.tls.verified_names)}"


def _spell_attributes(attributes: Dict[str, object]) -> dict[str, str]:
    hidden = as_object(hide_values(attributes))
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in sorted(hidden.items())
    }


def _read_text(contribution: Contribution | None) -> tuple[str, str]:
    """Give what was written, and what that is: the annotation, or the object itself."""
    if contribution is None or contribution.origin.object is None:
        return "", ""
    if contribution.text:
        return contribution.text, CONFIG_ANNOTATION
    if not isinstance(contribution.spec, tuple):
        return "", ""
    version, spec = contribution.spec
    key = contribution.origin.object
    metadata = {"name": key.name, "namespace": key.namespace}
    return write_documents({"apiVersion": version, "kind": key.kind, "metadata": metadata, "spec": spec}), "resource"


def _mark(text: str, problems: Iterable[Problem]) -> tuple[Line, ...]:
    """Mark the lines as they were written, and then show them without secrets: they are the same in number."""
    marked = mark_lines(text, problems)
    shown = hide_text(text.removesuffix("\n")).split("\n")
    return tuple(replace(line, text=hidden) for line, hidden in zip(marked, shown, strict=True))


def _find_newer(status: SourceStatus, contribution: Contribution | None) -> str:
    version = contribution.origin.resource_version if contribution else ""
    return version if version and not is_as_new(status.resource_version, version) else ""
