"""The kinds a cluster's own parts go by: requests for certificates, API services, component statuses."""

import base64
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import Object, RawApi

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"

#: What every cluster of 1.30 and newer has, but for ``bindings``: its plural names by group and version.
RESOURCES = {
    "v1": """componentstatuses configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims
        persistentvolumes pods podtemplates replicationcontrollers resourcequotas secrets serviceaccounts services""",
    "admissionregistration.k8s.io/v1": """mutatingwebhookconfigurations validatingadmissionpolicies
        validatingadmissionpolicybindings validatingwebhookconfigurations""",
    "apiextensions.k8s.io/v1": "customresourcedefinitions",
    "apiregistration.k8s.io/v1": "apiservices",
    "apps/v1": "controllerrevisions daemonsets deployments replicasets statefulsets",
    "authentication.k8s.io/v1": "selfsubjectreviews tokenreviews",
    "authorization.k8s.io/v1": """localsubjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews
        subjectaccessreviews""",
    "autoscaling/v2": "horizontalpodautoscalers",
    "batch/v1": "cronjobs jobs",
    "certificates.k8s.io/v1": "certificatesigningrequests",
    "coordination.k8s.io/v1": "leases",
    "discovery.k8s.io/v1": "endpointslices",
    "events.k8s.io/v1": "events",
    "flowcontrol.apiserver.k8s.io/v1": "flowschemas prioritylevelconfigurations",
    "networking.k8s.io/v1": "ingressclasses ingresses networkpolicies",
    "node.k8s.io/v1": "runtimeclasses",
    "policy/v1": "poddisruptionbudgets",
    "rbac.authorization.k8s.io/v1": "clusterrolebindings clusterroles rolebindings roles",
    "scheduling.k8s.io/v1": "priorityclasses",
    "storage.k8s.io/v1": "csidrivers csinodes csistoragecapacities storageclasses volumeattachments",
}


def signing_request(name: str, **spec: object) -> Object:
    """A request for a certificate."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "jane")])
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    asked = {
        "request": base64.b64encode(request.public_bytes(Encoding.PEM)).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": asked | spec,
    }


def api_service(version: str, group: str, **spec: object) -> Object:
    """Says who serves a version of a group."""
    ranks = {"groupPriorityMinimum": 100, "versionPriority": 10}
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{version}.{group}"},
        "spec": {"group": group, "version": version, **ranks, **spec},
    }


@pytest.fixture
def name(api: RawApi, namespace: str) -> Iterator[str]:
    """Return a name of one's own for a request; what has it goes at the end."""
    yield namespace
    api.delete(f"{REQUESTS}/{namespace}")


@pytest.fixture
def group(api: RawApi, namespace: str) -> Iterator[str]:
    """Return a group of one's own; who serves it goes at the end."""
    yield f"{namespace}.example.com"
    api.delete(f"{SERVICES}/v1.{namespace}.example.com")


def test_there_is_what_every_cluster_has(kubectl: Kubectl) -> None:
    found: dict[str, set[str]] = {}
    for line in kubectl("api-resources", "--no-headers").splitlines():
        plural, *_, version, _namespaced, _kind = line.split()
        found.setdefault(version, set()).add(plural)
    assert {version: set(plurals.split()) - found.get(version, set()) for version, plurals in RESOURCES.items()} == {
        version: set() for version in RESOURCES
    }


def test_a_request_for_a_certificate_is_approved(api: RawApi, name: str, kubectl: Kubectl) -> None:
    created = api.create(REQUESTS, signing_request(name, username="somebody-else", expirationSeconds=86400))
    assert created.code == 201, created.message
    assert created.object["spec"]["username"] not in {"", "somebody-else"}
    assert "Pending" in kubectl("get", "csr", name)
    kubectl("certificate", "approve", name)
    shown = kubectl("get", "csr", name)
    assert "Approved" in shown
    assert {"1d", "24h"} & {*shown.split()}
    assert "Common Name:    jane" in kubectl("describe", "csr", name)


def test_an_approval_changes_nothing_else(api: RawApi, name: str) -> None:
    first = api.create(REQUESTS, signing_request(name)).object
    approved = {"type": "Approved", "status": "True", "reason": "Test", "message": "yes"}
    changed = first | {"status": {"conditions": [approved]}, "spec": first["spec"] | {"usages": ["any"]}}
    path = f"{REQUESTS}/{name}"
    assert "conditions" not in (api.replace(path, changed).object.get("status") or {})
    found = api.get(path).object
    answer = api.replace(f"{path}/approval", found | {"status": {"conditions": [approved]}})
    assert answer.code == 200, answer.message
    assert [each["type"] for each in answer.object["status"]["conditions"]] == ["Approved"]
    assert answer.object["spec"] == first["spec"]
    assert api.get(REQUESTS, fieldSelector="spec.signerName=nobody.example.com/x").object["items"] == []


@pytest.mark.parametrize(
    ("spec", "field", "why"),
    [
        ({"request": base64.b64encode(b"no request").decode()}, "spec.request", "must be CERTIFICATE REQUEST"),
        ({"usages": []}, "spec.usages", "Required value"),
        ({"signerName": "me"}, "spec.signerName", "must be a fully qualified domain and path of the form"),
        ({"expirationSeconds": 5}, "spec.expirationSeconds", "may not specify a duration less than 600 seconds"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(api: RawApi, name: str, spec: Object, field: str, why: str) -> None:
    answer = api.create(REQUESTS, signing_request(name, **spec))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert f"{field}: " in answer.message
    assert why in answer.message


def test_who_serves_a_version_is_told(api: RawApi, group: str, kubectl: Kubectl) -> None:
    service = {"namespace": "kube-system", "name": "nobody"}
    created = api.create(SERVICES, api_service("v1", group, service=service, insecureSkipTLSVerify=True))
    assert created.code == 201, created.message
    assert created.object["spec"]["service"]["port"] == 443
    shown = kubectl("get", "apiservice", f"v1.{group}")
    assert "kube-system/nobody" in shown


@pytest.mark.embedded
def test_an_api_service_says_that_nobody_else_is_asked(api: RawApi, group: str) -> None:
    service = {"namespace": "kube-system", "name": "nobody"}
    [condition] = api.create(SERVICES, api_service("v1", group, service=service)).object["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Available", "False")
    assert "forwards no requests" in condition["message"]


def test_an_api_service_of_the_server_itself_is_available(api: RawApi, group: str) -> None:
    [condition] = api.create(SERVICES, api_service("v1", group)).object["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Available", "True", "Local")


def test_an_api_service_is_called_what_it_serves(api: RawApi, group: str) -> None:
    misnamed = api_service("v1", group) | {"metadata": {"name": f"v2.{group}"}}
    answer = api.create(SERVICES, misnamed)
    assert answer.code == 422
    assert f'must be `spec.version+"."+spec.group`: "v1.{group}"' in answer.message
    ranks = api.create(SERVICES, api_service("v1", group, groupPriorityMinimum=30000))
    assert "spec.groupPriorityMinimum: Invalid value: 30000: must be positive and less than 20000" in ranks.message


def test_component_statuses_can_only_be_looked_at(api: RawApi) -> None:
    path = "/api/v1/componentstatuses"
    listed = api.get(path)
    assert (listed.code, listed.object["kind"]) == (200, "ComponentStatusList")
    assert "deprecated" in listed.headers["Warning"]
    body = {"apiVersion": "v1", "kind": "ComponentStatus", "metadata": {"name": "x"}}
    assert api.create(path, body).code == 405
