"""A small Envoy-like client of the delta protocol, for tests that speak it over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc

from kfambassador.envoy.protos import DeltaDiscoveryRequest, DeltaDiscoveryResponse
from kfambassador.envoy.snapshot import TypeUrl

_METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"

_OPTIONS = [("grpc.max_receive_message_length", -1)]


class XdsClient:
    """One delta stream, spoken by hand."""

    def __init__(self, call: grpc.aio.StreamStreamCall) -> None:
        self._call = call

    async def ask(
        self,
        type_url: TypeUrl,
        *names: str,
        node: str = "",
        drop: tuple[str, ...] = (),
        holding: Mapping[str, str] | None = None,
        version: tuple[int, int, int] | None = None,
    ) -> None:
        """Subscribe to names of a type; to none at all is the old way to ask for all."""
        request = DeltaDiscoveryRequest(
            type_url=type_url,
            resource_names_subscribe=names,
            resource_names_unsubscribe=drop,
            initial_resource_versions=holding or {},
        )
        request.node.id = node
        if version is not None:
            build = request.node.user_agent_build_version.version
            build.major_number, build.minor_number, build.patch = version
        await self._call.write(request)

    async def receive(self) -> DeltaDiscoveryResponse:
        """The next response, within a generous time."""
        async with asyncio.timeout(20):
            return await self._call.read()

    async def accept(self, response: DeltaDiscoveryResponse) -> None:
        """Acknowledge a response."""
        await self._call.write(DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce))

    async def refuse(self, response: DeltaDiscoveryResponse, message: str) -> None:
        """Refuse a response, in these words."""
        request = DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
        request.error_detail.message = message
        await self._call.write(request)


@asynccontextmanager
async def xds_client(path: Path) -> AsyncIterator[XdsClient]:
    """Open one stream to the server at a Unix socket."""
    async with grpc.aio.insecure_channel(f"unix:{path}", options=_OPTIONS) as channel:
        method = channel.stream_stream(
            _METHOD,
            request_serializer=DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=DeltaDiscoveryResponse.FromString,
        )
        call = method()
        yield XdsClient(call)
        call.cancel()
