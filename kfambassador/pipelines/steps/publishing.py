"""Publishing a model."""

from collections.abc import Mapping as Dict
from math import inf
from typing import Final, NamedTuple

from kfambassador.errors import ConfigurationError
from kfambassador.pipelines.steps.running import open_gateway, say, write
from kfambassador.pipelines.steps.values import mend_numbers, read_seconds
from kfambassador.problems import suggest
from kfambassador.resources.documents import write_documents
from kfambassador.resources.fields import as_object
from kfambassador.sdk.publishing.objects import list_publications
from kfambassador.sdk.publishing.publication import list_documents
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.shell_words import SAID_OTHERWISE, ServerKind, choose_server

#: What ``Gateway.expose`` is told by keywords of its own: as an attribute it would be told twice, or (``wait``) change
#: what the step promises.
_NO_ATTRIBUTES: Final = frozenset({"self", *SAID_OTHERWISE})


class Published(NamedTuple):
    """Where a model answers.

    Attributes:
        url: Its public address.
        internal_url: Its address inside the cluster.
    """

    url: str
    internal_url: str


def publish(
    name: str,
    *,
    mapping_path: str,
    service: str | None = None,
    server: str | None = None,
    model: str | None = None,
    attributes: Dict[str, object] | None = None,
    namespace: str | None = None,
    timeout: float | None = None,
    ttl: str | None = None,
    take_over: bool = False,
    target: str | None = None,
) -> Published:
    """Publish a model, and return when it answers; see ``publish_route`` for what is said.

    Server-side apply by one owner: done again it finds everything as it is.

    Raises:
        MappingRejected: Something of it is at fault, or somebody else holds the name or the path.
        NotServed: It did not answer in time.
        ConfigurationError: There is no such kind of server, a time is none, or an attribute is none.
    """
    check(attributes, timeout)
    kind = read_server(server, model)
    seconds = read_seconds(ttl or None, name="ttl")
    with open_gateway(target) as gateway:
        exposure = gateway.expose(
            name,
            service=service or None,
            server=kind,
            namespace=namespace or None,
            timeout=timeout,
            ttl=seconds,
            take_over=take_over,
            **as_object(mend_numbers(attributes)),  # type: ignore[arg-type]  # a person's, judged at run time
        )
        for publication, _ in list_publications(gateway.client, exposure.namespace, name=name):
            write(mapping_path, write_documents(*list_documents(publication)))
        say(f"{name} answers at {exposure.url}")
        say(exposure.curl())
        return Published(exposure.url, exposure.internal_url)


def check(attributes: Dict[str, object] | None, timeout: float | None) -> None:
    """Refuse what ``Gateway.expose`` would stumble over.

    Raises:
        ConfigurationError: It is refused.

    Example:
        >>> check({"ttl": "8h"}, None)
        Traceback (most recent call last):
        ...
        kfambassador.errors.ConfigurationError: attributes: 'ttl' is no attribute of a mapping; a step has inputs for the rest
    """  # noqa: E501 - the sentence is one line
    if taken := sorted(_NO_ATTRIBUTES & as_object(attributes).keys()):
        raise ConfigurationError(
            f"attributes: {taken[0]!r} is no attribute of a mapping; a step has inputs for the rest"
        )
    if timeout is not None and not 0 <= timeout < inf:
        raise ConfigurationError(f"timeout: expected seconds that are not negative, got {timeout!r}")


def read_server(kind: str | None, model: str | None) -> ModelServer | None:
    """Read which kind of server is meant; None leaves it to what is found.

    Raises:
        ConfigurationError: There is no such kind.

    Example:
        >>> read_server("kserve-v2", "iris")
        KServeV2(model='iris')
        >>> read_server("tfservin", None)
        Traceback (most recent call last):
        ...
        kfambassador.errors.ConfigurationError: server: 'tfservin' is no kind of server; did you mean tfserving?
    """
    kinds = [each.value for each in ServerKind]
    if kind and kind not in kinds:
        near = suggest(kind, kinds) or f"; there are: {', '.join(kinds)}"
        raise ConfigurationError(f"server: {kind!r} is no kind of server{near}")
    return choose_server(ServerKind(kind) if kind else None, model or None)
