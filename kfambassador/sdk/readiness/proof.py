"""Proof that a publication answers: its own mapping wins the request, and its own server answers it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kfambassador.errors import NoGateway, RouteFailed
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.targets import read_target
from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.calls import Call, build_call
from kfambassador.sdk.calling.http import Answer
from kfambassador.sdk.calling.meanings import find_gateways_words, tell_denial, tell_redirect
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.publishing.variants import list_answering, name_mapping
from kfambassador.sdk.readiness.listening import Speech, find_speech, is_loopback
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.views import Explanation

_PROBE_TIMEOUT: Final = 5.0

#: A request for the model goes to somebody else: no model of ours can answer it.
CONFLICT: Final = "conflict"
#: Envoy does not yet do what the gateway's table says.
DISAGREEMENT: Final = "envoy-differs"
#: An AuthService or the server asks for credentials.
DENIED: Final = "denied"
#: Nobody answered, or not as a server of this kind does.
UNANSWERED: Final = "unanswered"


@dataclass(frozen=True, slots=True)
class Probe:
    """A request without effect that one variant of a publication answers.

    Attributes:
        variant: The variant.
        mapping: The mapping that is to take it.
        server: What is to answer it.
        call: The request.
    """

    variant: str
    mapping: Mapping
    server: ModelServer
    call: Call


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a probe proves nothing.

    Attributes:
        probe: The probe.
        code: One word for programs.
        message: What became of it, in words.
        answer: The answer, when there was one.
    """

    probe: Probe
    code: str
    message: str
    answer: Answer | None = None


def build_probe(publication: Publication, variant: str | None = None) -> Call | None:
    """Build a request without effect that a publication's service answers; None where there is none.

    A shadow answers nobody. Of a redirect the answer that sends the client away is proof enough.

    Args:
        publication: What is published.
        variant: Which variant is to answer, by its header; None means whoever would.
    """
    mapping = _first_mapping(publication, variant)
    if mapping.shadow or mapping.prefix_regex or mapping.method_regex or mapping.method not in {None, "GET"}:
        return None
    if mapping.host_regex or mapping.regex_headers or mapping.regex_query_parameters:
        return None  # what an expression takes is not known
    name = publication.stable.name if variant is None else variant
    headers = {} if variant is None else publication.pin_headers(name)
    return build_call(mapping, "GET", publication.server_of(name).probe_path(publication.base), headers=headers)


def build_probes(publication: Publication) -> Iterator[Probe]:
    """Build a probe of each variant whose answers reach a caller."""
    for variant in list_answering(publication.variants):
        call = build_probe(publication, variant.name)
        if call is not None:
            server = publication.server_of(variant.name)
            yield Probe(variant.name, _first_mapping(publication, variant.name), server, call)


def find_doubt(access: Access, publication: Publication, probe: Probe, *, timeout: float) -> Doubt | None:
    """Ask who takes a probe, and send it; say what keeps it from proving anything, None when it proves.

    Args:
        access: The gateway.
        publication: What is published.
        probe: The request.
        timeout: Seconds an answer may take; five at most.
    """
    won = _ask(access, probe.call)
    if not ours_wins(publication, won, probe):
        return Doubt(probe, CONFLICT, _tell_taker(publication, probe, won))
    if won.envoy is not None and not won.envoy.agrees:
        message = f"Envoy does not yet do what the gateway's table says: {won.envoy.difference}"
        return Doubt(probe, DISAGREEMENT, message)
    try:
        answer = probe.call.send(access.http, access.url, timeout=min(timeout, _PROBE_TIMEOUT), retries=None)
    except RouteFailed as error:
        return Doubt(probe, UNANSWERED, str(error))
    return _judge(publication, probe, answer, guarded=bool(won.asks))


def doubt_unasked(access: Access, publication: Publication, nowhere: str) -> Doubt | None:
    """Say that there is nobody to ask, where nothing without effect can be sent; None when nothing speaks for that.

    Args:
        access: The gateway.
        publication: What is published.
        nowhere: What the gateway says of a Service that leads nowhere; "" when it leads somewhere.
    """
    mapping = _first_mapping(publication, None)
    if mapping.shadow or mapping.host_redirect:
        return None
    message = nowhere or ("nothing listens there" if _is_silent(access, publication, mapping) else "")
    if not message:
        return None
    call = build_call(mapping, mapping.method or "GET", publication.base)
    return Doubt(Probe(publication.stable.name, mapping, publication.server, call), UNANSWERED, message)


def _is_silent(access: Access, publication: Publication, mapping: Mapping) -> bool:
    target = read_target(mapping.service, namespace=publication.namespace, protected=bool(mapping.tls)).target
    if target is None or not access.is_here or not is_loopback(target.host):
        return False
    return find_speech(target.host, target.port) is Speech.NOTHING


def ours_wins(publication: Publication, won: Explanation, probe: Probe) -> bool:
    """Tell whether a mapping of the probed variant takes it, and not a catch-all, a neighbour or another variant."""
    names = {mapping.name for mapping in publication.mappings}
    if len(list_answering(publication.variants)) > 1:
        routes = probe.server.routes(publication.name, publication.base)
        names &= {
            name_mapping(route.name, probe.variant, pinned=pinned) for route in routes for pinned in (True, False)
        }
    return not {f"{publication.namespace}/{name}" for name in names}.isdisjoint(won.mappings)


def _ask(access: Access, call: Call) -> Explanation:
    """Ask the table, and Envoy as well where it can be asked."""
    if not access.reader.is_own:
        try:
            return access.reader.find_winner(call.method, call.target, call.headers, ask_envoy=True)
        except NoGateway:
            # Not every Envoy has a socket to be asked by; whether the gateway is away the next line tells.
            pass
    return access.reader.find_winner(call.method, call.target, call.headers)


def _judge(publication: Publication, probe: Probe, answer: Answer, *, guarded: bool) -> Doubt | None:
    words = find_gateways_words(answer, probe.mapping)
    if words is not None:
        return Doubt(probe, UNANSWERED, f"{words} ({answer.status} {answer.text})", answer)
    denial = tell_denial(answer) or _tell_login(answer, probe.mapping)
    fault = probe.server.judge_probe(publication.name, answer.status)
    # Where an AuthService is asked first, a denial may be its own: the server may never have been reached.
    if denial and (fault or guarded):
        return Doubt(probe, DENIED, denial, answer)
    return Doubt(probe, UNANSWERED, fault, answer) if fault else None


def _tell_login(answer: Answer, mapping: Mapping) -> str:
    told = "" if mapping.host_redirect else tell_redirect(answer)
    return told if "login" in told else ""


def _tell_taker(publication: Publication, probe: Probe, won: Explanation) -> str:
    which = "" if len(publication.variants) == 1 else f" for variant {probe.variant}"
    asked = f"{publication.name} is served, but {probe.call.method} {probe.call.path}{which} goes to"
    if not won.mappings:
        return f"{asked} no mapping: nothing that may be sent has what it asks for"
    taker = " and ".join(won.mappings)
    return f"{asked} {taker}. Give it a path of its own with prefix=, or a higher precedence="


def _first_mapping(publication: Publication, variant: str | None) -> Mapping:
    # Whose note somebody edited away has mappings of other names than its server's.
    own = () if variant is None else publication.mappings_of(variant)
    return (own or publication.mappings)[0]
