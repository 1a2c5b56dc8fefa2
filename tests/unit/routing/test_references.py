"""Where a mapping may point: what is refused to everybody, and what another namespace must allow."""

from dataclasses import replace

import pytest

from kfambassador.names import ALLOWED_NAMESPACES_ANNOTATION
from kfambassador.resources.service import ServiceKey
from kfambassador.routing.model import Target
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.references import Neighbourhood, check_reference, is_forbidden_address
from tests.builders import Manifest, resource_set, service, slice_

HOME = "platform"
STRICT = TenancyPolicy(gateway_namespace=HOME)
LAPTOP = TenancyPolicy.laptop()
PERMISSIVE = TenancyPolicy.permissive(gateway_namespace=HOME)
OWN = replace(
    LAPTOP,
    own_addresses=frozenset(
        {("127.0.0.1", 8877), ("0.0.0.0", 8001), ("::", 8002), ("Admin.example.org.", 80), ("10.1.1.1", 81)}
    ),
)


def granting(name: str, namespace: str, grant: str = "", *addresses: str, external_name: str = "") -> Manifest:
    """A Service that allows namespaces to point at it, and is reached at addresses."""
    manifest = service(name, namespace, external_name=external_name)
    metadata, spec = manifest["metadata"], manifest["spec"]
    assert isinstance(metadata, dict)
    assert isinstance(spec, dict)
    if grant:
        metadata["annotations"] = {ALLOWED_NAMESPACES_ANNOTATION: grant}
    spec["clusterIPs"] = list(addresses) or ["None"]
    return manifest


CLUSTER = (
    service("kubernetes", "default") | {"spec": {"clusterIP": "10.0.0.1"}},
    slice_("kubernetes", "default", "192.168.0.1"),
    granting("model", "team", "", "10.0.0.2", "fd00:1::2"),
    slice_("model", "team", "10.5.0.2"),
    granting("model", "other", "", "10.0.0.3", "fd00:1:0::3"),
    slice_("model", "other", "10.5.0.3", "10.9.9.9"),
    granting("shared", "other", "team , third", "10.0.0.4"),
    granting("public", "other", "*", "10.0.0.5"),
    granting("elsewhere", "other", "third", "10.0.0.6"),
    slice_("node", "team", "10.9.9.9"),
    granting("node", "team"),
    granting("db", HOME),
    granting("out", "team", external_name="models.example.org"),
    granting("metadata", "team", external_name="Metadata.google.internal."),
    granting("local", "team", external_name="localhost"),
    granting("thief", "team", external_name="model.other.svc.cluster.local"),
    granting("friend", "team", external_name="shared.other"),
    granting("bare", "team", external_name="db"),
    granting("api", "team", external_name="kubernetes"),
    granting("first", "team", external_name="second.team"),
    granting("second", "team", external_name="third.team.svc.cluster.local"),
    granting("third", "team", external_name="169.254.169.254"),
    granting("loop", "team", external_name="loop.team"),
    granting("lent", "other", "team", external_name="elsewhere.other"),
)
KNOWN = Neighbourhood(resource_set(*CLUSTER).services, resource_set(*CLUSTER).endpoints)


def check(host: str, namespace: str = "team", *, policy: TenancyPolicy = STRICT, port: int = 80) -> str:
    target = Target(host, port)
    key = target.service_key()
    found = KNOWN.services.get(key) if key else None
    faults = check_reference(target, namespace, service=found, known=KNOWN, policy=policy)
    assert all(fault.path == "service" for fault in faults)
    return faults[0].code if faults else ""


@pytest.mark.parametrize("policy", [STRICT, PERMISSIVE, LAPTOP], ids=["strict", "permissive", "laptop"])
@pytest.mark.parametrize("namespace", ["team", HOME])
@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "::ffff:169.254.169.254",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "224.0.0.1",
        "0.0.0.0",
        "::",
        "255.255.255.255",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "0x7f.1",
        "metadata.google.internal",
        "metadata.google.internal.",
        "169-254-169-254.team.pod.cluster.local",
        "169-254-169-254.team.pod",
        "fd00-ec2--254.team.pod.cluster.local",
        "kubernetes.default",
        "kubernetes.default.",
        "kubernetes.default.svc",
        "kubernetes.default.cluster.local",
        "kubernetes.default.svc.cluster.local",
        "kubernetes.default.svc.cluster.local.",
        "kubernetes.default.svc.corp.example",
        "_https._tcp.kubernetes.default.svc.cluster.local",
        "https.kubernetes.default",
        "10.0.0.1",
        "192.168.0.1",
        "::ffff:10.0.0.1",
        "192-168-0-1.team.pod.cluster.local",
        "metadata.team",
        "metadata.team.svc.cluster.local",
        "third.team",
        "first.team",
    ],
)
def test_what_is_refused_to_everybody(host: str, namespace: str, policy: TenancyPolicy) -> None:
    assert check(host, namespace, policy=policy) == "forbidden-target"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "localhost",
        "localhost.",
        "a.localhost",
        "localhost.localdomain",
        "ip6-loopback",
        "127-0-0-1.team.pod.cluster.local",
        "local.team",
    ],
)
def test_loopback_is_for_laptops(host: str) -> None:
    assert check(host) == check(host, HOME) == check(host, policy=PERMISSIVE) == "forbidden-target"
    assert check(host, policy=LAPTOP) == ""


@pytest.mark.parametrize(
    ("host", "port", "own"),
    [
        ("127.0.0.1", 8877, True),
        ("::ffff:127.0.0.1", 8877, True),
        ("localhost", 8877, True),
        ("127.0.0.1", 8001, True),
        ("127.3.3.3", 8001, True),
        ("::1", 8001, True),
        ("a.localhost", 8001, True),
        ("127.0.0.1", 8002, True),
        ("admin.example.org", 80, True),
        ("10.1.1.1", 81, True),
        ("::ffff:10.1.1.1", 81, True),
        ("10-1-1-1.team.pod.cluster.local", 81, True),
        ("127.0.0.1", 8878, False),
        ("10.1.1.1", 8877, False),
        ("10.1.1.2", 8001, False),
        ("admin.example.org", 81, False),
    ],
)
def test_our_own_ports_are_never_a_target(host: str, port: int, own: bool) -> None:
    assert check(host, port=port, policy=OWN) == ("forbidden-target" if own else "")


def test_a_service_by_the_name_of_our_own_port_is_no_target_either() -> None:
    policy = replace(STRICT, own_addresses=frozenset({("model.team", 80)}))
    assert check("model.team", policy=policy) == "forbidden-target"
    assert check("model.team", port=81, policy=policy) == ""


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("model.team", id="a Service of the own namespace"),
        pytest.param("absent.team", id="one that is not there"),
        pytest.param("model.team.svc.cluster.local", id="its whole name"),
        pytest.param("pod-0.model.team.svc.cluster.local", id="a pod of it"),
        pytest.param("10.0.0.2", id="its address"),
        pytest.param("10.5.0.2", id="its endpoint"),
        pytest.param("10-5-0-2.team.pod.cluster.local", id="its endpoint by name"),
        pytest.param("10.9.9.9", id="a machine that serves others as well"),
        pytest.param("10-7-7-7.team.pod.cluster.local", id="a pod behind no Service"),
        pytest.param("shared.other", id="granted"),
        pytest.param("pod-0.shared.other.svc", id="a pod of what is granted"),
        pytest.param("10.0.0.4", id="the address of what is granted"),
        pytest.param("public.other", id="granted to all"),
        pytest.param("models.example.org", id="outside"),
        pytest.param("httpbin.org", id="outside, with a name like a Service's"),
        pytest.param("models.eu.other", id="outside, though a namespace is called like its end"),
        pytest.param("8.8.8.8", id="an address outside"),
        pytest.param("model.unknown", id="a namespace that holds no Service"),
        pytest.param("out.team", id="an external name outside"),
        pytest.param("friend.team", id="an external name that is granted"),
        pytest.param("loop.team", id="an external name that is its own"),
    ],
)
def test_where_a_mapping_may_point(host: str) -> None:
    assert check(host) == ""


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("model.other", id="a Service of another namespace"),
        pytest.param("MODEL.other", id="in another case"),
        pytest.param("model.other.svc", id="longer"),
        pytest.param("model.other.svc.cluster.local.", id="its whole name"),
        pytest.param("model.other.svc.corp.example", id="under another domain"),
        pytest.param("absent.other", id="one that is not there"),
        pytest.param("absent.unknown.svc.cluster.local", id="of a namespace that holds no Service"),
        pytest.param("pod-0.model.other.svc.cluster.local", id="a pod of it"),
        pytest.param("10-5-0-3.model.other.svc.cluster.local", id="a pod of it by its address"),
        pytest.param("pod-0.model.other", id="a pod of it, short"),
        pytest.param("_http._tcp.model.other.svc.cluster.local", id="a port of it"),
        pytest.param("10.0.0.3", id="its address"),
        pytest.param("fd00:1::3", id="its other address"),
        pytest.param("10.5.0.3", id="its endpoint"),
        pytest.param("::ffff:10.5.0.3", id="its endpoint, mapped"),
        pytest.param("10-5-0-3.team.pod.cluster.local", id="its endpoint by a name of ours"),
        pytest.param("10-7-7-7.other.pod.cluster.local", id="a pod behind no Service"),
        pytest.param("elsewhere.other", id="granted to somebody else"),
        pytest.param("db.platform", id="a Service of the gateway's namespace"),
        pytest.param("pod-0.db", id="a pod there, by the search list"),
        pytest.param("thief.team", id="an external name"),
        pytest.param("bare.team", id="an external name that means the gateway's namespace"),
        pytest.param("lent.other", id="an external name lent by another"),
    ],
)
def test_what_another_namespace_must_allow(host: str) -> None:
    assert check(host) == "reference-not-granted"
    assert check(host, HOME) == ""
    assert check(host, policy=PERMISSIVE) == ""
    assert check(host, policy=LAPTOP) == ""


@pytest.mark.parametrize(
    "host",
    ["kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.corp.example", "x.kubernetes.default"],
)
def test_the_api_server_is_known_by_its_name_where_its_service_is_not(host: str) -> None:
    nobody = Neighbourhood({}, {})
    (fault,) = check_reference(Target(host, 443), HOME, service=None, known=nobody, policy=STRICT)
    assert fault.code == "forbidden-target"


def test_a_name_that_could_be_the_api_server_from_where_envoy_runs_is_the_api_server() -> None:
    assert check("api.team", policy=TenancyPolicy(gateway_namespace="default")) == "forbidden-target"


def test_without_a_namespace_of_the_gateway_nobody_may_refer_anywhere() -> None:
    policy = TenancyPolicy(gateway_namespace=None)
    assert check("model.other", policy=policy) == "reference-not-granted"
    assert check("pod-0.db", policy=policy) == ""


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (
            "elsewhere.other",
            (
                "'elsewhere.other:80' is Service other/elsewhere, which does not allow namespace team to point at it; "
                "its owner can set the annotation kfambassador.io/allowed-namespaces: team,third on that Service"
            ),
        ),
        (
            "absent.other",
            (
                "'absent.other:80' is of namespace other, where no Service absent allows namespace team to point "
                "there; name one that has the annotation kfambassador.io/allowed-namespaces: team"
            ),
        ),
        (
            "thief.team",
            (
                "'model.other.svc.cluster.local', the external name of Service team/thief, is Service other/model, "
                "which does not allow namespace team to point at it; its owner can set the annotation "
                "kfambassador.io/allowed-namespaces: team on that Service"
            ),
        ),
        (
            "169.254.169.254",
            (
                "'169.254.169.254:80' is link-local, where clouds serve the machine's metadata and credentials; no "
                "mapping may point there, so name another service"
            ),
        ),
    ],
)
def test_a_refusal_says_what_it_is_and_what_to_do(host: str, expected: str) -> None:
    target = Target(host, 80)
    key = target.service_key() or ServiceKey("", "")
    (fault,) = check_reference(target, "team", service=KNOWN.services.get(key), known=KNOWN, policy=STRICT)
    assert fault.message == expected


@pytest.mark.parametrize(
    ("address", "policy", "port", "forbidden"),
    [
        ("10.0.0.1", STRICT, None, False),
        ("fd00::1", STRICT, None, False),
        ("169.254.169.254", STRICT, None, True),
        ("::ffff:169.254.169.254", LAPTOP, None, True),
        ("0.0.0.0", LAPTOP, None, True),
        ("127.0.0.1", STRICT, None, True),
        ("::1", PERMISSIVE, None, True),
        ("127.0.0.1", LAPTOP, None, False),
        ("127.0.0.1", OWN, 8877, True),
        ("127.0.0.1", OWN, 8878, False),
        ("127.0.0.1", OWN, None, False),
        ("model.example.org", LAPTOP, None, True),
        ("010.0.0.1", LAPTOP, None, True),
        ("", LAPTOP, None, True),
    ],
)
def test_an_endpoint_somebody_wrote_by_hand(
    address: str, policy: TenancyPolicy, port: int | None, forbidden: bool
) -> None:
    assert is_forbidden_address(address, policy, port=port) is forbidden
