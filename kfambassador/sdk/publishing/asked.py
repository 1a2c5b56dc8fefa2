"""What a caller says of a model, judged by its types before anything is looked up or applied. Pure."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from datetime import timedelta

from kfambassador.problems import Fault
from kfambassador.resources.fields import is_number
from kfambassador.resources.validation import show
from kfambassador.sdk.servers.base import ModelServer


def check_asked(name: object, arguments: Dict[str, object]) -> Iterator[Fault]:
    """Say what no model can be published with.

    Args:
        name: The name to publish by.
        arguments: What the caller of ``expose`` said.

    Example:
        >>> [fault.message for fault in check_asked("mnist", {"ttl": "8h"})]
        ["expected seconds or a timedelta, got '8h'"]
    """
    if not isinstance(name, str):
        yield _expect("text", name, path="name")
    if not isinstance(arguments.get("namespace"), str | None):
        yield _expect("text", arguments["namespace"], path="namespace")
    yield from check_place(arguments.get("service"), arguments.get("server"))
    ttl = arguments.get("ttl")
    if not (ttl is None or isinstance(ttl, timedelta) or is_number(ttl)):
        yield _expect("seconds or a timedelta", ttl, path="ttl")
    labels = arguments.get("object_labels") or {}
    if not isinstance(labels, Dict) or not all(isinstance(each, str) for pair in labels.items() for each in pair):
        yield _expect("an object of texts", labels, path="object_labels")


def check_place(service: object, server: object) -> Iterator[Fault]:
    """Say what is no place of a model server, and no kind of one.

    Args:
        service: Where the caller says it is.
        server: What kind of server the caller says it is.

    Example:
        >>> from kfambassador.sdk.servers.openai import OpenAI
        >>> [fault.message for fault in check_place(8501, OpenAI)]
        ['expected a server such as OpenAI(), got its class; write the parentheses']
    """
    if isinstance(service, bool) or not isinstance(service, str | int | None):
        yield _expect("a port or a text such as 'mnist:8501'", service, path="service")
    if isinstance(server, type) and issubclass(server, ModelServer):
        words = f"expected a server such as {server.__name__}(), got its class; write the parentheses"
        yield Fault("wrong-type", words, path="server")
    elif not isinstance(server, ModelServer | None):
        yield _expect("a server such as TFServing()", server, path="server")


def _expect(what: str, value: object, *, path: str) -> Fault:
    return Fault("wrong-type", f"expected {what}, got {show(value)}", path=path)
