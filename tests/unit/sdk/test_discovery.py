"""From a Service to the gateway's address: the table of what Services look like, and what is said when none fits."""

from typing import Any

import pytest

from kfambassador.sdk.reaching.discovery import FoundGateway

Ports = list[dict[str, Any]]


def gateway(*ports: dict[str, Any], ingress: list[dict[str, Any]] | None = None) -> FoundGateway:
    metadata = {"name": "gateway", "namespace": "kf"}
    status = {"loadBalancer": {"ingress": ingress}} if ingress is not None else {}
    return FoundGateway({"metadata": metadata, "spec": {"ports": list(ports)}, "status": status}, is_named=True)


HTTP = {"name": "http", "port": 80}
HTTPS = {"name": "https", "port": 443}
READ_API = {"name": "diagnostics", "port": 8877}


@pytest.mark.parametrize(
    ("ports", "ingress", "external"),
    [
        ([HTTP], [{"ip": "192.0.2.1"}], "http://192.0.2.1"),
        ([HTTP], [{"hostname": "models.example.org"}], "http://models.example.org"),
        ([HTTP], [{"hostname": "models.example.org", "ip": "192.0.2.1"}], "http://models.example.org"),
        ([HTTP], [{"ip": "2001:db8::1"}], "http://[2001:db8::1]"),
        ([{"name": "web", "port": 8080}], [{"ip": "192.0.2.1"}], "http://192.0.2.1:8080"),
        ([HTTP, HTTPS], [{"ip": "192.0.2.1"}], "https://192.0.2.1"),
        ([{"name": "https-web", "port": 8443}], [{"ip": "192.0.2.1"}], "https://192.0.2.1:8443"),
        ([{"name": "web", "port": 443, "appProtocol": "https"}], [{"ip": "192.0.2.1"}], "https://192.0.2.1"),
        ([{"name": "https", "port": 443, "appProtocol": "http"}], [{"ip": "192.0.2.1"}], "http://192.0.2.1:443"),
        ([{"port": 80}], [{"ip": "192.0.2.1"}], "http://192.0.2.1"),
        ([READ_API, HTTP], [{"ip": "192.0.2.1"}], "http://192.0.2.1"),
        ([{"name": "quic", "port": 443, "protocol": "UDP"}, HTTP], [{"ip": "192.0.2.1"}], "http://192.0.2.1"),
        ([HTTP], [], ""),
        ([HTTP], None, ""),
        ([HTTP], [{}], ""),
    ],
)
def test_outside(ports: Ports, ingress: list[dict[str, Any]] | None, external: str) -> None:
    port = gateway(*ports, ingress=ingress).choose_port(outside=True)
    assert port is not None
    assert port.external_url == external


@pytest.mark.parametrize(
    ("ports", "internal"),
    [
        ([HTTP], "http://gateway.kf"),
        ([HTTPS, HTTP], "http://gateway.kf"),
        ([HTTPS], "https://gateway.kf"),
        ([READ_API, {"name": "web", "port": 8080}], "http://gateway.kf:8080"),
    ],
)
def test_inside(ports: Ports, internal: str) -> None:
    port = gateway(*ports).choose_port(outside=False)
    assert port is not None
    assert port.internal_url == internal


@pytest.mark.parametrize("ports", [[], [READ_API], [{"name": "quic", "port": 443, "protocol": "UDP"}]])
def test_a_service_without_a_port_for_requests(ports: Ports) -> None:
    assert gateway(*ports).choose_port(outside=True) is None
