"""The SDK's door to gRPC: a channel to the gateway, and one call with one answer or one error in words."""

from collections.abc import Mapping as Dict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from kfambassador.errors import MissingExtra, RouteFailed
from kfambassador.resources.mapping import Mapping
from kfambassador.sdk.calling.calls import build_call
from kfambassador.sdk.calling.credentials import Credentials, is_loopback, origin_of, warn_in_clear
from kfambassador.sdk.calling.http import Answer
from kfambassador.sdk.calling.meanings import find_gateways_words

if TYPE_CHECKING:
    import grpc

#: Seconds an answer may take when nothing is said; as for calls over HTTP.
ANSWER_TIMEOUT: Final = 330.0

#: Each status with the HTTP status that stands for it (googleapis, google/rpc/code.proto), and what it means here.
_STATUSES: Final = {
    "CANCELLED": (499, "the call was cancelled"),
    "UNKNOWN": (500, "the server itself failed; its log says why"),
    "INVALID_ARGUMENT": (400, "the model does not take these inputs: their names, shapes or kinds of number"),
    "DEADLINE_EXCEEDED": (504, "there was no answer in time; timeout= says how long"),
    "NOT_FOUND": (404, "the server knows no such model, version or signature"),
    "PERMISSION_DENIED": (403, "it is denied: an AuthService of the gateway may have done so, or the server"),
    "RESOURCE_EXHAUSTED": (429, "too many calls, or a message that is too large"),
    "FAILED_PRECONDITION": (400, "the model is not in a state to answer: is it loaded?"),
    "UNIMPLEMENTED": (
        501,
        (
            "no route takes this call, or the server behind it does not have this service. A mapping needs grpc: true, "
            "and its headers have to be sent (open_channel(headers={'x-model': ...}))"
        ),
    ),
    "INTERNAL": (500, "the server failed, or what answers does not speak gRPC: the mapping needs grpc: true"),
    "UNAVAILABLE": (503, "the gateway or the server behind it cannot be reached"),
    "UNAUTHENTICATED": (401, "credentials are asked for: give open_channel(credentials=...)"),
}
_UNAVAILABLE: Final = 503


class Channel:
    """A connection to a gateway for gRPC calls; a context manager that closes it. Made by :func:`open_channel`.

    Attributes:
        url: The gateway's address.
    """

    def __init__(
        self, url: str, channel: "grpc.Channel", *, headers: Dict[str, str], credentials: Credentials | None
    ) -> None:
        self.url = url
        self._channel = channel
        self._headers = headers
        self._credentials = credentials

    def ask(self, method: str, request: bytes, *, metadata: Dict[str, str] | None = None, timeout: float) -> bytes:
        """Call a method with one message, and give the one it answers with.

        Args:
            method: Its path, such as ``/inference.GRPCInferenceService/ServerLive``.
            request: The message's bytes.
            metadata: Headers of this call, over the channel's.
            timeout: Seconds the answer may take.

        Raises:
            RouteFailed: The status is not OK; its own is the HTTP status that stands for it.
        """
        call = self._channel.unary_unary(method)
        try:
            answer: bytes = call(request, timeout=timeout, metadata=self._write_metadata(metadata or {}))
        except _import_grpc().RpcError as error:
            code, details = error.code().name, error.details() or ""
        else:
            return answer
        # Raised with nothing behind it: the frames that failed hold the metadata, and with it the secret.
        raise _explain(f"{self.url}{method}", code, details)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Channel to {self.url}>"

    def _write_metadata(self, metadata: Dict[str, str]) -> tuple[tuple[str, str], ...]:
        """Join headers by name; the credentials' are read anew each time, for they change."""
        shown = {} if self._credentials is None else self._credentials.headers()
        joined = {name.lower(): value for each in (shown, self._headers, metadata) for name, value in each.items()}
        return tuple(joined.items())


def open_channel(
    url: str,
    *,
    mapping: Mapping | None = None,
    headers: Dict[str, str] | None = None,
    credentials: Credentials | None = None,
    ca_file: Path | None = None,
) -> Channel:
    """Open a channel to a gateway; nothing is connected before the first call.

    Args:
        url: The gateway's address as for HTTP: ``http://`` is HTTP/2 in clear, ``https://`` is TLS. No path.
        mapping: The mapping that is to take the calls: its host and the headers it asks for are sent with each.
        headers: More headers for each call, over the mapping's, such as ``{"x-model": "mnist"}``.
        credentials: What lets the caller in; sent with each call, and only to this address.
        ca_file: Authorities to believe, as PEM; None means those that gRPC comes with, or those of
            ``GRPC_DEFAULT_SSL_ROOTS_FILE_PATH``.

    Raises:
        MissingExtra: The extra ``grpc`` is not installed.
        ValueError: The URL is none, or has a path: a gRPC call's path is its method.
    """
    grpc = _import_grpc()
    parts = urlsplit(url)
    origin = origin_of(url)
    if parts.scheme not in {"http", "https"} or parts.path.strip("/") or parts.username is not None:
        raise ValueError(f"{origin} has to be all of the URL of a gateway: scheme, host and port, and no path or user.")
    asked = {**({} if mapping is None else build_call(mapping, "POST", "/").headers), **(headers or {})}
    host = next((asked.pop(name) for name in list(asked) if name.lower() == "host"), None)
    target = origin.partition("://")[2]
    options = _choose_options(url, host=host)
    if parts.scheme == "https":
        trust = grpc.ssl_channel_credentials(None if ca_file is None else ca_file.read_bytes())
        channel = grpc.secure_channel(target, trust, options=options)
    else:
        if credentials is not None:
            warn_in_clear(url)
        channel = grpc.insecure_channel(target, options=options)
    return Channel(origin, channel, headers=asked, credentials=credentials)


def _choose_options(url: str, *, host: str | None) -> list[tuple[str, object]]:
    options: list[tuple[str, object]] = [
        # A batch of images is larger than gRPC's 4 MiB.
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        # Else a channel would wait out the failures of another one that is closed already.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    options += [("grpc.enable_http_proxy", 0)] if is_loopback(url) else []
    options += [("grpc.default_authority", host)] if host is not None else []
    return options


def _import_grpc() -> "grpc":
    try:
        import grpc
    except ModuleNotFoundError as error:
        raise MissingExtra("grpc", needed_for="call a model by gRPC") from error
    return grpc


def _explain(where: str, code: str, details: str) -> RouteFailed:
    status, meaning = _STATUSES.get(code, (500, ""))
    # Envoy says to gRPC what it says to HTTP.
    envoys = find_gateways_words(Answer("POST", where, _UNAVAILABLE, details.encode(), 0.0))
    said = f"{envoys or meaning}{f' ({details})' if details else ''}" if envoys or meaning else details
    return RouteFailed(f"{where} answered {code}: {said or 'nothing more'}", status=status)
