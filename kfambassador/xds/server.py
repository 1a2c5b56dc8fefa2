"""The delta aggregated discovery service on a Unix socket: a session for each stream, and one task that serves it."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import grpc

from kfambassador.envoy.protos import DeltaDiscoveryRequest, DeltaDiscoveryResponse
from kfambassador.envoy.snapshot import Snapshot, TypeUrl
from kfambassador.errors import ConfigurationError
from kfambassador.xds.session import NodeStatus, Session

_log = logging.getLogger(__name__)

_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_METHOD = "DeltaAggregatedResources"
_SCHEME = "unix:"
_LONGEST_PATH = 103  # bytes; macOS has the smallest room for a socket's path
_TICK = 0.5  # seconds between two looks at what has waited long enough
_TYPES = frozenset(TypeUrl)
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)


class XdsServer:
    """Serves the newest snapshot to every Envoy that connects.

    All methods belong to the thread of the event loop the server was started in. A server is started once.

    Args:
        address: ``unix:`` and the path of the socket. The directory must be the user's alone (mode 0700); the socket
            gets mode 0600. What an earlier server left at the path is replaced.
        clock: Seconds that never go back.

    Attributes:
        on_status: Called in the loop with a node's status whenever it changed: it acknowledged a generation, or
            refused something. Called too when its stream has ended; ``nodes()`` then no longer lists it.
        refusals: How many responses of each type were refused since the start, by any Envoy.
    """

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_status: Callable[[NodeStatus], None] | None = None
        self.refusals: Counter[TypeUrl] = Counter()
        self._path = _read_path(address)
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._statuses: dict[Session, NodeStatus] = {}
        self._news: asyncio.Future[None]  # of the loop, so it exists from the start on
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Open the socket; connections are answered from now on.

        Raises:
            ConfigurationError: The socket cannot be opened.
        """
        if self._path.is_socket():
            self._path.unlink()
        self._news = asyncio.get_running_loop().create_future()
        server = grpc.aio.server(options=_OPTIONS)
        method = grpc.stream_stream_rpc_method_handler(
            self._serve,
            request_deserializer=DeltaDiscoveryRequest.FromString,
            response_serializer=DeltaDiscoveryResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: method})])
        try:
            server.add_insecure_port(f"{_SCHEME}{self._path}")
            self._path.chmod(0o600)
        except (RuntimeError, OSError) as error:
            raise ConfigurationError(f"The socket {self._path} cannot be opened: {error}") from error
        self._server = server
        await server.start()

    async def stop(self) -> None:
        """End every stream and remove the socket. Envoy goes on with what it holds."""
        if self._server is not None:
            await self._server.stop(grace=None)
            self._path.unlink(missing_ok=True)

    def publish(self, snapshot: Snapshot) -> None:
        """Make a snapshot the one to serve. A stream that was slow to take an older one goes on with this one."""
        self._snapshot = snapshot
        if self._server is not None:
            self._news.set_result(None)
            self._news = self._news.get_loop().create_future()

    def nodes(self) -> tuple[NodeStatus, ...]:
        """How far each connected Envoy is, in the order in which they connected."""
        return tuple(self._statuses.values())

    async def _serve(self, _requests: object, context: grpc.aio.ServicerContext) -> None:
        session = Session()
        self._statuses[session] = session.status
        try:
            await self._converse(session, context)
        except Exception:  # noqa: BLE001 - whatever it is, it may not reach the other streams
            _log.exception("The xDS stream of node %r failed and is closed", session.status.node_id)
            context.set_code(grpc.StatusCode.INTERNAL)
        finally:
            self._tell(self._statuses.pop(session))

    async def _converse(self, session: Session, context: grpc.aio.ServicerContext) -> None:
        """Turn what happens on a stream into the session's events, until the client ends it.

        While a slow client takes its time over a response nothing else is made for it, so there is nothing to pile up.
        """
        served: Snapshot | None = None
        reading = asyncio.ensure_future(context.read())
        try:
            while True:
                news = self._news
                if self._snapshot is not None and self._snapshot is not served:
                    served = self._snapshot
                    responses = session.on_snapshot(served, self._clock())
                elif not reading.done():
                    responses = session.on_tick(self._clock())
                elif (request := reading.result()) is grpc.aio.EOF:
                    return
                else:
                    if request.HasField("error_detail") and request.type_url in _TYPES:
                        self.refusals[TypeUrl(request.type_url)] += 1
                    responses = session.on_request(request, self._clock())
                    reading = asyncio.ensure_future(context.read())
                self._note(session)
                for response in responses:
                    await context.write(response)
                await asyncio.wait({reading, news}, timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()

    def _note(self, session: Session) -> None:
        if session.status != self._statuses[session]:
            self._statuses[session] = session.status
            self._tell(session.status)

    def _tell(self, status: NodeStatus) -> None:
        if self.on_status is not None:
            self.on_status(status)


def _read_path(address: str) -> Path:
    """Take the path out of the address, and check what would fail later in a library's words."""
    path = Path(address.removeprefix(_SCHEME))
    if not address.startswith(_SCHEME) or not path.is_absolute():
        raise ConfigurationError(f"The xDS address is {address!r}; it must be '{_SCHEME}' and an absolute path.")
    if len(bytes(path)) > _LONGEST_PATH:
        raise ConfigurationError(
            f"The path of the xDS socket is too long: {path} has {len(bytes(path))} bytes, a socket's path may have "
            f"{_LONGEST_PATH}. Choose a shorter directory."
        )
    return path
