"""One published model by gRPC: its protocol, its name and its headers are known."""

from collections.abc import Mapping as Dict
from types import ModuleType, TracebackType
from typing import Self

from kfambassador.errors import ConfigurationError
from kfambassador.resources.mapping import Mapping
from kfambassador.sdk.access import Access
from kfambassador.sdk.grpc.channel import ANSWER_TIMEOUT, Channel, open_channel
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.publishing.variants import STABLE
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.kserve import KServeV2
from kfambassador.sdk.servers.tfserving import TFServing


class GrpcModel:
    """A published model that is asked by gRPC; a context manager that closes its connection.

    Made by :meth:`~kfambassador.sdk.model.Model.open_grpc`.
    """

    def __init__(self, channel: Channel, protocol: ModuleType, *, model: str) -> None:
        self._channel = channel
        self._protocol = protocol
        self._model = model

    def predict(self, inputs: Dict[str, object], *, timeout: float = ANSWER_TIMEOUT) -> dict[str, object]:
        """Ask for predictions.

        Args:
            inputs: An array or nested lists for each input of the model, by name. Arrays are answered with arrays.
            timeout: Seconds the answer may take.

        Returns:
            The outputs by name.

        Raises:
            RouteFailed: The answer is no success.
        """
        answered: dict[str, object] = self._protocol.predict(self._channel, self._model, inputs, timeout=timeout)
        return answered

    def metadata(self, *, timeout: float = 30.0) -> object:
        """What the server says of the model: its inputs and outputs.

        Raises:
            RouteFailed: The answer is no success.
        """
        found: object = self._protocol.model_metadata(self._channel, self._model, timeout=timeout)
        return found

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
        return f"<GrpcModel {self._model} at {self._channel.url}>"


def open_model(access: Access, publication: Publication, variant: str | None) -> GrpcModel:
    """Open a connection to a published model; nothing is sent before the first call.

    Raises:
        ConfigurationError: It was not published with a gRPC port, or there is no such variant.
        MissingExtra: The extra ``grpc`` is not installed.
    """
    server = publication.server_of(variant or STABLE)
    mapping = _find_mapping(publication, variant or STABLE)
    if mapping is None:
        kind = type(server).__name__
        raise ConfigurationError(
            f"{publication.name} is not published for gRPC{f' as {variant}' if variant else ''}: publish it with "
            f"server={kind}(grpc_port=...), where {kind} has one; TFServing and KServeV2 do."
        )
    pins = {} if variant is None else publication.pin_headers(variant)
    channel = open_channel(access.url, mapping=mapping, headers=pins, credentials=access.http.credentials)
    protocol, model = _choose_protocol(server, publication.name)
    return GrpcModel(channel, protocol, model=model)


def _find_mapping(publication: Publication, variant: str) -> Mapping | None:
    return next((mapping for mapping in publication.mappings_of(variant) if mapping.grpc), None)


def _choose_protocol(server: ModelServer, name: str) -> tuple[ModuleType, str]:
    from kfambassador.sdk.grpc import open_inference, tfserving

    if isinstance(server, TFServing):
        return tfserving, server.model or name
    if isinstance(server, KServeV2):
        return open_inference, server.model or name
    raise ConfigurationError(f"A {type(server).__name__} is not asked by gRPC; TFServing and KServeV2 are.")
