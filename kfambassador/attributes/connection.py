"""How Envoy connects to the service, and how long it keeps a connection."""

from typing import Annotated, ClassVar

from pydantic import Field

from kfambassador.attributes.base import LONGEST_MS, Attributes, ClusterDraft, Part, Scope

#: What Ambassador waits for a connection when nothing is said.
DEFAULT_CONNECT_TIMEOUT_MS = 3000

#: An hour; no connection is worth waiting for longer.
LONGEST_CONNECT_MS = 3600 * 1000

# What Linux takes; with more no connection would ever stand.
_LONGEST_KEEPALIVE = 32767
_MOST_PROBES = 127

_Seconds = Annotated[int | None, Field(ge=1, le=_LONGEST_KEEPALIVE)]


class Keepalive(Part):
    """When a silent connection is asked whether anybody is still there; the operating system's own ways when absent."""

    idle_time: Annotated[_Seconds, Field(description="Seconds of silence before the first question.")] = None
    time: Annotated[_Seconds, Field(description="The same in the Module's spelling; idle_time beats it.")] = None
    interval: Annotated[_Seconds, Field(description="Seconds between two questions.")] = None
    probes: Annotated[
        int | None,
        Field(ge=1, le=_MOST_PROBES, description="Questions without an answer until the connection is given up."),
    ] = None


class Connection(Attributes, frozen=True):
    """How Envoy connects to the service, and how long it keeps a connection."""

    scope: ClassVar[Scope] = Scope.CLUSTER

    connect_timeout_ms: Annotated[
        int | None,
        Field(
            gt=0, le=LONGEST_CONNECT_MS, description="Milliseconds until a connection stands at most; 3000 when absent."
        ),
    ] = None
    cluster_idle_timeout_ms: Annotated[
        int | None,
        Field(
            ge=0,
            le=LONGEST_MS,
            description="Milliseconds until a connection without requests is closed; an hour when absent, 0 never.",
        ),
    ] = None
    cluster_max_connection_lifetime_ms: Annotated[
        int | None,
        Field(
            gt=0,
            le=LONGEST_MS,
            description="Milliseconds a connection lives; it is closed after the requests on it. For ever when absent.",
        ),
    ] = None
    keepalive: Annotated[
        Keepalive | None,
        Field(description="TCP's keepalive in seconds: {idle_time, interval, probes}; none when absent."),
    ] = None
    grpc: Annotated[
        bool, Field(description="Speak HTTP/2 to the service, as gRPC needs. Which requests match is not changed.")
    ] = False
    tls: Annotated[
        bool | str | None,
        Field(
            description="Speak TLS to the service, and verify its certificate: true, or the name of a TLSContext. "
            "https:// in service does the same."
        ),
    ] = None

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Set the timeouts, the protocol and keepalive. TLS takes more than a mapping says and is set elsewhere."""
        timeout = DEFAULT_CONNECT_TIMEOUT_MS if self.connect_timeout_ms is None else self.connect_timeout_ms
        draft.message.connect_timeout.FromMilliseconds(timeout)
        if self.cluster_idle_timeout_ms is not None:
            draft.http.common_http_protocol_options.idle_timeout.FromMilliseconds(self.cluster_idle_timeout_ms)
        if self.cluster_max_connection_lifetime_ms is not None:
            longest = draft.http.common_http_protocol_options.max_connection_duration
            longest.FromMilliseconds(self.cluster_max_connection_lifetime_ms)
        if self.grpc:
            draft.http.explicit_http_config.http2_protocol_options.SetInParent()
        if self.keepalive is not None:
            _keep_alive(self.keepalive, draft)


def _keep_alive(keepalive: Keepalive, draft: ClusterDraft) -> None:
    options = draft.message.upstream_connection_options.tcp_keepalive
    # Said even when nothing is set: then the operating system's own times hold.
    options.SetInParent()
    idle = keepalive.time if keepalive.idle_time is None else keepalive.idle_time
    if idle is not None:
        options.keepalive_time.value = idle
    if keepalive.interval is not None:
        options.keepalive_interval.value = keepalive.interval
    if keepalive.probes is not None:
        options.keepalive_probes.value = keepalive.probes
