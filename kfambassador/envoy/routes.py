"""One route of the table in Envoy's words."""

from dataclasses import dataclass, field

from kfambassador.envoy.filters import pack_route_options
from kfambassador.envoy.protos import Message, RouteAction, RouteList
from kfambassador.envoy.protos import Route as RouteMessage
from kfambassador.envoy.wire import field_tag, write_fields
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.matches import HOST, METHOD, write_expression
from kfambassador.routing.model import Match, PathKind, Route, Split, Target, ValueKind, ValueMatch
from kfambassador.routing.weights import WHOLE

_ROUTES = field_tag(RouteList, "routes")


@dataclass(frozen=True, slots=True)
class RouteDraft:
    """The route that the families' hooks patch; see :class:`kfambassador.attributes.base.RouteDraft`."""

    message: RouteMessage
    service: Target
    action: RouteAction = field(default_factory=RouteAction)

    def per_filter(self, name: str, **options: object) -> None:
        """Set what a filter of the chain does on this route."""
        self.message.typed_per_filter_config[name].CopyFrom(pack_route_options(name, options))


def build_routes(route: Route) -> bytes:
    """Say one route in Envoy's words, as the serialized ``routes`` entries of a RouteList.

    Each mapping of a canary becomes a route of its own, because each keeps its own rewrites and timeouts. All but
    the last take a fraction of the requests. Envoy draws one number a request and asks every fraction with it, so
    thresholds that add up give exact shares. A mapping with no share gets no route.
    """
    pieces: list[bytes] = []
    threshold = 0
    for split in (split for split in route.splits if split.share):
        threshold += split.share
        message = _build_route(route, split)
        if threshold < WHOLE:
            message.match.runtime_fraction.default_value.numerator = threshold
        pieces.extend(each.SerializeToString(deterministic=True) for each in _with_preflight(message, route.match))
    return write_fields(_ROUTES, pieces)


def _build_route(route: Route, split: Split) -> RouteMessage:
    message = RouteMessage(name=f"{split.namespace}/{split.mapping.name}")
    _set_match(message, route.match)
    if split.cluster:
        message.route.cluster = split.cluster
        draft = RouteDraft(message, split.target, message.route)
    else:
        draft = RouteDraft(message, split.target)
    for family in Mapping.families():
        # From the family itself: hooks of several families must not shadow each other.
        family.on_route(split.mapping, draft)
    for shadow in route.shadows if split.cluster else ():
        policy = message.route.request_mirror_policies.add(cluster=shadow.cluster)
        policy.runtime_fraction.default_value.numerator = shadow.share
    return message


def _with_preflight(message: RouteMessage, match: Match) -> list[RouteMessage]:
    """Let browsers ask before they call: a preflight comes as OPTIONS, which a route of one method never takes."""
    method = next((each for each in match.headers if each.name == METHOD), None)
    if method is None or "envoy.filters.http.cors" not in message.typed_per_filter_config:
        return [message]
    preflight = RouteMessage()
    preflight.CopyFrom(message)
    for header in preflight.match.headers:
        if header.name == METHOD:
            header.name = "access-control-request-method"
    preflight.match.headers.add(name=METHOD).string_match.exact = "OPTIONS"
    preflight.match.headers.add(name="origin", present_match=True)
    return [message, preflight]


def _set_match(message: RouteMessage, match: Match) -> None:
    path = match.path
    if path.kind is PathKind.PREFIX:
        message.match.prefix = path.text
    elif path.kind is PathKind.EXACT:
        message.match.path = path.text
    else:
        message.match.safe_regex.regex = path.text
    if not path.case_sensitive:
        message.match.case_sensitive.value = False
    for condition in match.headers:
        header = message.match.headers.add(name=condition.name)
        _set_value(header, condition)
        if condition.name == HOST and condition.kind not in {ValueKind.REGEX, ValueKind.PRESENT}:
            header.string_match.ignore_case = True
    for condition in match.query_parameters:
        _set_value(message.match.query_parameters.add(name=condition.name), condition)


def _set_value(matcher: Message, condition: ValueMatch) -> None:
    """Set the condition; a header's matcher has the same fields as a parameter's."""
    if condition.kind is ValueKind.PRESENT:
        matcher.present_match = True
    else:
        _set_text(matcher.string_match, condition)


def _set_text(matcher: Message, condition: ValueMatch) -> None:
    if condition.kind is ValueKind.REGEX:
        matcher.safe_regex.regex = write_expression(condition)
    else:
        # Envoy's fields are called exact, prefix and suffix, as the kinds are.
        setattr(matcher, condition.kind.value, condition.value)
