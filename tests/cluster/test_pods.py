"""Pods: what may be asked of one beside the Pod itself, where nothing runs it."""

import pytest

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import Object, RawApi
from tests.cluster.tenants import Tenant
from tests.cluster.test_workloads import pod

#: Why there is neither a log nor a process.
NOTHING = "nothing runs pods on this server"


@pytest.fixture
def web(api: RawApi, namespace: str) -> str:
    """Return the path of a Pod."""
    pods = f"/api/v1/namespaces/{namespace}/pods"
    assert api.create(pods, pod("web") | {"metadata": {"name": "web", "labels": {"app": "web"}}}).code == 201
    return f"{pods}/web"


def eviction(**options: object) -> Object:
    """What asks for a Pod's eviction."""
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}, "deleteOptions": options}


@pytest.mark.parametrize(
    ("method", "subresource"), [("GET", "log"), ("POST", "exec"), ("GET", "attach"), ("PATCH", "ephemeralcontainers")]
)
def test_what_nothing_runs_has_no_log_and_no_process(api: RawApi, web: str, method: str, subresource: str) -> None:
    answer = api.ask(method, f"{web}/{subresource}")
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert NOTHING in answer.message
    absent = api.ask(method, f"{web}s/{subresource}")
    assert (absent.code, absent.message) == (404, 'pods "webs" not found')
    assert api.delete(f"{web}/{subresource}").code == 405


def test_a_container_that_is_not_there_is_named(api: RawApi, web: str) -> None:
    answer = api.get(f"{web}/log", container="other")
    assert (answer.code, answer.message) == (400, "container other is not valid for pod web")


def test_a_pod_is_evicted(api: RawApi, web: str) -> None:
    assert api.create(f"{web}/eviction", eviction(dryRun=["All"])).code == 201
    assert api.get(web).code == 200
    answer = api.create(f"{web}/eviction", eviction())
    assert (answer.code, answer.object["status"]) == (201, "Success")
    assert api.get(web).code == 404
    gone = api.create(f"{web}/eviction", eviction())
    assert (gone.code, gone.message) == (404, 'pods "web" not found')


def test_an_eviction_heeds_preconditions(api: RawApi, web: str) -> None:
    answer = api.create(f"{web}/eviction", eviction(preconditions={"uid": "other"}))
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert api.get(web).code == 200


def test_a_budget_keeps_what_runs(api: RawApi, web: str, namespace: str) -> None:
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    api.create(
        budgets, {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": spec}
    )
    api.patch(f"{web}/status", {"status": {"phase": "Running"}})
    answer = api.create(f"{web}/eviction", eviction())
    assert (answer.code, answer.reason) == (429, "TooManyRequests")
    assert answer.message == "Cannot evict pod as it would violate the pod's disruption budget."
    counts = {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2}
    api.patch(f"{budgets}/b/status", {"status": counts})
    assert api.create(f"{web}/eviction", eviction()).code == 201


def test_a_pod_is_bound_to_one_node(api: RawApi, web: str) -> None:
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "web"},
        "target": {"kind": "Node", "name": "node-a"},
    }
    assert api.create(f"{web}/binding", binding).code == 201
    bound = api.get(web).object
    assert bound["spec"]["nodeName"] == "node-a"
    conditions = {each["type"]: each["status"] for each in bound["status"]["conditions"]}
    assert conditions["PodScheduled"] == "True"
    again = api.create(f"{web}/binding", binding)
    assert (again.code, again.reason) == (409, "Conflict")
    assert 'pod web is already assigned to node "node-a"' in again.message


def test_discovery_tells_of_what_may_be_asked(api: RawApi) -> None:
    listed = {each["name"]: each for each in api.get("/api/v1").object["resources"]}
    assert listed["pods/log"]["verbs"] == ["get"]
    assert (listed["pods/eviction"]["group"], listed["pods/eviction"]["kind"]) == ("policy", "Eviction")
    assert listed["pods/exec"]["verbs"] == ["create", "get"]


def test_a_right_to_pods_is_none_to_their_logs(tenant: Tenant) -> None:
    pods = f"{tenant.path}/pods"
    tenant.admin.create(pods, pod("web"))
    tenant.allow({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]})
    assert tenant.api.get(f"{pods}/web").code == 200
    refused = tenant.api.get(f"{pods}/web/log")
    assert refused.code == 403
    assert 'cannot get resource "pods/log"' in refused.message


def test_kubectl_says_why_there_is_nothing_to_see(kubectl: Kubectl, web: str) -> None:
    assert web.endswith("web")
    assert NOTHING in kubectl("logs", "web", fails=True)
    assert NOTHING in kubectl("exec", "web", "--", "true", fails=True)
