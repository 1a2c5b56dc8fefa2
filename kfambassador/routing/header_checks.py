"""What is wrong with the headers a mapping adds and takes out."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from typing import Final

from kfambassador.attributes.headers import HeaderFormat, HeaderForms, read_form, write_value
from kfambassador.names import IDENTITY_HEADERS
from kfambassador.problems import Fault, Severity
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import show
from kfambassador.routing.operators import OPERATOR
from kfambassador.routing.texts import LONGEST_HEADER, TOKEN, check_length, check_printable, is_printable

# The framing of a message, and where it goes: nobody's to say but the gateway's.
_FRAMING: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})
# Besides: Envoy's own headers, and who the user is.
_PROTECTED: Final = _FRAMING | set(IDENTITY_HEADERS)
_PROTECTED_PREFIX: Final = "x-envoy-"
# How many headers Envoy adds.
_MOST: Final = 1000


def check_headers(mapping: Mapping) -> Iterator[Fault]:
    """Judge what a mapping does to the headers of requests and answers."""
    if mapping.add_request_headers:
        more = 1 if mapping.add_linkerd_headers else 0
        yield from _check_added(mapping.add_request_headers, "add_request_headers", more=more)
    if mapping.add_response_headers:
        yield from _check_added(mapping.add_response_headers, "add_response_headers")
    if mapping.remove_request_headers:
        yield from _check_removed(mapping.remove_request_headers, "remove_request_headers")
    if mapping.remove_response_headers:
        yield from _check_removed(mapping.remove_response_headers, "remove_response_headers")


def _check_added(headers: Dict[str, HeaderForms], field: str, *, more: int = 0) -> Iterator[Fault]:
    if len(headers) + more > _MOST:
        yield Fault("too-many", f"{len(headers) + more:,} headers; at most {_MOST:,} are added", path=field)
    for name, given in headers.items():
        path = f"{field}.{name}"
        header = read_form(given)
        yield from _check_name(name, path, "set", protected=_is_protected(name))
        yield from check_length(name, LONGEST_HEADER, field)
        yield from check_length(write_value(header), LONGEST_HEADER, path)
        yield from check_printable(header.value, path)
        literal = not isinstance(header, HeaderFormat) and is_printable(header.value)
        if literal and OPERATOR.search(header.value):
            message = f"{show(header.value)} is sent as it is written; Envoy's operators are not expanded"
            yield Fault("header-operator", message, path=path, severity=Severity.WARNING)


def _check_removed(names: Iterable[str], field: str) -> Iterator[Fault]:
    of_request = field == "remove_request_headers"
    for number, name in enumerate(names):
        # What the gateway says of itself in an answer may be kept from the client.
        protected = _is_protected(name) if of_request else name.lower() in _FRAMING
        yield from _check_name(name, f"{field}[{number}]", "take out", protected=protected)


def _is_protected(name: str) -> bool:
    # kubeflow_userid and kubeflow-userid are one header to a service that speaks WSGI or CGI.
    spelled = name.lower().replace("_", "-")
    return spelled in _PROTECTED or spelled.startswith(_PROTECTED_PREFIX)


def _check_name(name: str, path: str, deed: str, *, protected: bool) -> Iterator[Fault]:
    if not TOKEN.fullmatch(name):
        yield Fault("bad-header", f"{show(name)} is no header name", path=path)
    elif protected:
        message = f"a mapping may not {deed} {name}: it belongs to the gateway or says who the user is"
        yield Fault("protected-header", message, path=path)
