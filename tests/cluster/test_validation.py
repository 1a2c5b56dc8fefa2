"""Validation: what a cluster refuses of each kind, and in which words."""

import base64

import pytest

from tests.cluster.raw_api import Object, RawApi, config_map

CORE = "/api/v1/namespaces/{}"
ENCODED = base64.b64encode(b"x").decode()


def secret(**fields: object) -> Object:
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}


def lease(**spec: object) -> Object:
    """A Lease."""
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": spec}


def endpoint_slice(*addresses: str, sort: str = "IPv4", **port: object) -> Object:
    """An EndpointSlice of one endpoint and one port."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "e"},
        "addressType": sort,
        "endpoints": [{"addresses": [*addresses]}],
        "ports": [{"port": 80} | port],
    }


def endpoints(address: str, port: int) -> Object:
    """Endpoints of one address and one port."""
    subset = {"addresses": [{"ip": address}], "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "e"}, "subsets": [subset]}


def ingress(**path: object) -> Object:
    """An Ingress of one path."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend} | path]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "i"},
        "spec": {"rules": [rule]},
    }


def event(namespace: str, **fields: object) -> Object:
    """An Event of a Pod in a namespace."""
    involved = {"kind": "Pod", "name": "p", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": involved, **fields}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"data": {"a b": "x"}}, 'data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric'),
        ({"data": {"..": "x"}}, "data[..]: Invalid value: \"..\": must not be '..'"),
        ({"data": {"..a": "x"}}, "data[..a]: Invalid value: \"..a\": must not start with '..'"),
        ({"data": {"k" * 254: "x"}}, "must be no more than 253 characters"),
        ({"data": {"a": "x"}, "binaryData": {"a": ENCODED}}, "duplicate of key present in"),
        ({"data": {"a": "x" * (1024 * 1024 + 1)}}, "Too long: may not be more than 1048576 bytes"),
    ],
)
def test_a_config_map_that_breaks_the_rules_is_refused(
    api: RawApi, config_maps: str, data: Object, message: str
) -> None:
    answer = api.create(config_maps, config_map("c") | data)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": {"a b": ENCODED}}, "data[a b]: Invalid value"),
        ({"type": "kubernetes.io/tls", "data": {"tls.crt": ENCODED}}, "data[tls.key]: Required value"),
        ({"type": "kubernetes.io/dockerconfigjson"}, "data[.dockerconfigjson]: Required value"),
        ({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "canary"}}, "redacted"),
        ({"type": "kubernetes.io/ssh-auth"}, "ssh-privatekey"),
        ({"type": "kubernetes.io/basic-auth"}, "username"),
        (
            {"type": "kubernetes.io/service-account-token"},
            "metadata.annotations[kubernetes.io/service-account.name]: Required value",
        ),
        ({"stringData": {"a": "canary" * 200_000}}, "data: Too long: may not be more than 1048576 bytes"),
    ],
)
def test_a_secret_that_breaks_the_rules_is_refused(api: RawApi, namespace: str, fields: Object, message: str) -> None:
    answer = api.create(f"{CORE.format(namespace)}/secrets", secret(**fields))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message
    assert "canary" not in answer.message


def test_the_type_of_a_secret_stays(api: RawApi, namespace: str) -> None:
    secrets = f"{CORE.format(namespace)}/secrets"
    assert api.create(secrets, secret(type="example.com/key")).object["type"] == "example.com/key"
    refused = api.patch(f"{secrets}/s", {"type": "Opaque"})
    assert refused.code == 422
    assert 'type: Invalid value: "Opaque": field is immutable' in refused.message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (endpoint_slice("nope"), "endpoints[0].addresses[0]: Invalid value"),
        (endpoint_slice("::2"), "endpoints[0].addresses[0]: Invalid value"),
        (endpoint_slice("10.0.0.1", sort="IPv6"), "endpoints[0].addresses[0]: Invalid value"),
        (endpoint_slice("0.0.0.0"), "may not be unspecified (0.0.0.0 or ::)"),
        (endpoint_slice("169.254.1.1"), "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (endpoint_slice("single", sort="FQDN"), "endpoints[0].addresses[0]: Invalid value"),
        (endpoint_slice(), "endpoints[0].addresses: Required value"),
        (endpoint_slice("10.0.0.1", port=99999), "ports[0].port: Invalid value: 99999"),
        (endpoint_slice("10.0.0.1", protocol="ICMP"), 'ports[0].protocol: Unsupported value: "ICMP"'),
        (endpoint_slice("10.0.0.1", name="A_b"), 'ports[0].name: Invalid value: "A_b"'),
    ],
)
def test_an_endpoint_slice_that_breaks_the_rules_is_refused(
    api: RawApi, namespace: str, document: Object, message: str
) -> None:
    answer = api.create(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", document)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


def test_a_slice_has_a_name_for_its_port(api: RawApi, namespace: str) -> None:
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    stored = api.create(slices, endpoint_slice("10.0.0.1")).object
    assert stored["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
    refused = api.patch(f"{slices}/e", {"addressType": "FQDN"})
    assert (refused.code, "field is immutable" in refused.message) == (422, True)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (endpoints("x", 80), "subsets[0].addresses[0].ip: Invalid value"),
        (endpoints("10.0.0.1", 0), "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535"),
        (
            endpoints("10.0.0.1", 80) | {"subsets": [{"ports": [{"port": 80}]}]},
            "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
        ),
    ],
)
def test_endpoints_that_break_the_rules_are_refused(
    api: RawApi, namespace: str, document: Object, message: str
) -> None:
    answer = api.create(f"{CORE.format(namespace)}/endpoints", document)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ({"path": "web"}, 'spec.rules[0].http.paths[0].path: Invalid value: "web": must be an absolute path'),
        ({"path": "/a//b"}, "must not contain '//'"),
        ({"path": "/a/.."}, "cannot end with '/..'"),
        ({"pathType": "Foo"}, 'spec.rules[0].http.paths[0].pathType: Unsupported value: "Foo"'),
        ({"backend": {"service": {"name": "web", "port": {}}}}, "port name or number is required"),
        (
            {"backend": {"service": {"name": "web", "port": {"name": "a", "number": 1}}}},
            "cannot set both port name & port number",
        ),
        ({"backend": {"service": {"name": "Web", "port": {"number": 1}}}}, "backend.service.name: Invalid value"),
        ({"backend": {"service": {"name": "web", "port": {"number": 70000}}}}, "must be between 1 and 65535"),
        ({"backend": {}}, "resource or service backend is required"),
    ],
)
def test_an_ingress_that_breaks_the_rules_is_refused(api: RawApi, namespace: str, path: Object, message: str) -> None:
    answer = api.create(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", ingress(**path))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("10.0.0.1", "must be a DNS name, not an IP address"),
        ("*.*.example.com", "wildcard DNS-1123 subdomain"),
        ("Example.com", "spec.rules[0].host: Invalid value"),
    ],
)
def test_an_ingress_of_a_host_that_is_none_is_refused(api: RawApi, namespace: str, host: str, message: str) -> None:
    document = ingress()
    document["spec"]["rules"][0]["host"] = host
    answer = api.create(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", document)
    assert answer.code == 422
    assert message in answer.message


def test_an_ingress_leads_somewhere(api: RawApi, namespace: str) -> None:
    ingresses = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    answer = api.create(ingresses, ingress() | {"spec": {}})
    assert (answer.code, "either `defaultBackend` or `rules` must be specified" in answer.message) == (422, True)
    assert api.create(ingresses, ingress(path="", pathType="ImplementationSpecific")).code == 201


@pytest.mark.parametrize("field", ["leaseDurationSeconds"])
def test_a_lease_lasts(api: RawApi, namespace: str, field: str) -> None:
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    answer = api.create(leases, lease(**{field: 0}))
    assert answer.code == 422
    assert f"spec.{field}: Invalid value: 0: must be greater than 0" in answer.message


def test_an_event_lies_beside_what_it_tells_of(api: RawApi, namespace: str) -> None:
    events = f"{CORE.format(namespace)}/events"
    answer = api.create(events, event("elsewhere"))
    assert answer.code == 422
    assert 'involvedObject.namespace: Invalid value: "elsewhere": does not match event.namespace' in answer.message
    assert api.create(events, event(namespace)).code == 201


def test_an_event_of_the_new_form_says_who_tells_it(api: RawApi, namespace: str) -> None:
    events, time = f"{CORE.format(namespace)}/events", "2026-01-02T03:04:05.000006Z"
    answer = api.create(events, event(namespace, eventTime=time))
    assert answer.code == 422
    for field in ("reportingController", "reportingInstance", "action", "reason"):
        assert f"{field}: Required value" in answer.message
    told = {"reportingComponent": "example.com/x", "reportingInstance": "x-1", "action": "Run", "reason": "Ran"}
    assert api.create(events, event(namespace, eventTime=time, **told)).code == 201


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("x", 'parsing time "x" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "x" as "2006"'),
        ("2026-01-02T03:04:05Z", 'cannot parse "Z" as ".000000"'),
        ("2026-13-02T03:04:05.000000Z", "month"),
        ("2026-01-02T03:04:05.000000Z!", 'extra text: "!"'),
    ],
)
def test_a_time_that_is_none_is_never_kept(api: RawApi, namespace: str, time: str, words: str) -> None:
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    answer = api.create(leases, lease(renewTime=time))
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message.startswith('Lease in version "v1" cannot be handled as a Lease: ')
    assert words in answer.message
    assert api.create(leases, lease()).code == 201
    assert api.patch(f"{leases}/l", {"spec": {"renewTime": time}}).code == 400
    assert api.apply(f"{leases}/l", lease(renewTime=time), "me").code == 400


def test_times_are_written_in_one_way(api: RawApi, namespace: str) -> None:
    leases, events = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", f"{CORE.format(namespace)}/events"
    stored = api.create(leases, lease(renewTime="2026-01-02T03:04:05.120000+02:00")).object
    assert stored["spec"]["renewTime"] == "2026-01-02T01:04:05.120000Z"
    told = api.create(events, event(namespace, firstTimestamp="2026-01-02T03:04:05.9-01:00")).object
    assert told["firstTimestamp"] == "2026-01-02T04:04:05Z"


def test_a_number_that_is_too_large_is_refused(api: RawApi, namespace: str) -> None:
    answer = api.create(
        f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", lease(leaseDurationSeconds=2**31)
    )
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert "cannot unmarshal number 2147483648 into" in answer.message


def test_a_finalizer_is_named_after_who_handles_it(api: RawApi, config_maps: str) -> None:
    answer = api.create(config_maps, config_map("c", finalizers=["foo"]))
    assert answer.code == 422
    assert (
        'metadata.finalizers[0]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully'
        in answer.message
    )


def test_an_object_has_one_controller(api: RawApi, config_maps: str) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "controller": True}
    owners = [owner | {"uid": "1"}, owner | {"uid": "2", "name": "p"}]
    answer = api.create(config_maps, config_map("c", ownerReferences=owners))
    assert answer.code == 422
    assert "Only one reference can have Controller set to true" in answer.message
    nameless = api.create(config_maps, config_map("c", ownerReferences=[owner | {"uid": "1", "name": ""}]))
    assert nameless.code == 422
    assert "metadata.ownerReferences[0].name" in nameless.message
