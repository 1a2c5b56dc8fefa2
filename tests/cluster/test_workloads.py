"""Workloads: what would run pods is kept, and says honestly that nothing here runs it."""

import json

import pytest

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import STRATEGIC_PATCH, Object, RawApi

#: What a status says where nothing runs an object, and what to do.
WORDS = "starts no containers"


def deployment(name: str, **spec: object) -> Object:
    """A Deployment of one container."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "example.com/main:1"}]},
    }
    wanted = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": wanted | spec}


def pod(name: str) -> Object:
    """A Pod of one container."""
    containers = [{"name": "main", "image": "example.com/main:1"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}


def conditions_of(document: Object) -> dict[str, Object]:
    """The conditions of an object by their type."""
    return {each["type"]: each for each in document["status"].get("conditions", ())}


@pytest.mark.embedded
def test_a_deployment_says_that_nothing_runs_it(api: RawApi, deployments: str) -> None:
    created = api.create(deployments, deployment("web", replicas=2)).object
    conditions = conditions_of(created)
    assert created["status"]["observedGeneration"] == created["metadata"]["generation"] == 1
    assert created["status"]["unavailableReplicas"] == 2
    assert (conditions["Available"]["status"], conditions["Progressing"]["status"]) == ("False", "False")
    assert conditions["Progressing"]["reason"] == "ProgressDeadlineExceeded"
    assert WORDS in conditions["Available"]["message"]
    assert conditions["Available"]["lastTransitionTime"] == created["metadata"]["creationTimestamp"]


@pytest.mark.embedded
def test_every_version_of_a_deployment_is_spoken_of(api: RawApi, deployments: str) -> None:
    api.create(deployments, deployment("web"))
    changed = api.patch(f"{deployments}/web", {"spec": {"replicas": 3}}).object
    assert changed["status"]["observedGeneration"] == changed["metadata"]["generation"] == 2
    assert changed["status"]["unavailableReplicas"] == 3
    labelled = api.patch(f"{deployments}/web", {"metadata": {"labels": {"a": "b"}}}).object
    assert labelled["status"] == changed["status"]


@pytest.mark.embedded
def test_a_deployment_of_no_replicas_misses_none(api: RawApi, deployments: str) -> None:
    conditions = conditions_of(api.create(deployments, deployment("web", replicas=0)).object)
    assert {sort: each["status"] for sort, each in conditions.items()} == {"Available": "True", "Progressing": "True"}


def test_a_status_that_somebody_wrote_is_left_alone(api: RawApi, deployments: str) -> None:
    api.create(deployments, deployment("web"))
    ready = {"replicas": 1, "readyReplicas": 1, "observedGeneration": 1, "conditions": [], "unavailableReplicas": None}
    api.patch(f"{deployments}/web/status", {"status": ready})
    changed = api.patch(f"{deployments}/web", {"spec": {"replicas": 3}}).object
    assert changed["metadata"]["generation"] == 2
    assert {field: value for field, value in changed["status"].items() if value} == {
        "replicas": 1, "readyReplicas": 1, "observedGeneration": 1,
    }  # fmt: skip


@pytest.mark.embedded
def test_what_was_said_goes_once_somebody_runs_it(api: RawApi, deployments: str) -> None:
    api.create(deployments, deployment("web"))
    available = {"type": "Available", "status": "True", "reason": "Ours", "message": "runs"}
    status = {"status": {"readyReplicas": 1, "conditions": [available]}}
    stored = api.patch(f"{deployments}/web/status", status, STRATEGIC_PATCH).object
    conditions = conditions_of(stored)
    assert (conditions["Available"]["status"], conditions["Available"]["reason"]) == ("True", "Ours")
    assert "Progressing" not in conditions


@pytest.mark.embedded
def test_a_status_that_was_taken_away_is_written_anew(api: RawApi, deployments: str) -> None:
    first = api.create(deployments, deployment("web")).object
    api.patch(f"{deployments}/web/status", {"status": {"readyReplicas": 1}})
    assert api.patch(f"{deployments}/web/status", {"status": None}).object["status"] == first["status"]


@pytest.mark.embedded
def test_a_pod_says_that_nothing_runs_it(api: RawApi, pods: str) -> None:
    created = api.create(pods, pod("web")).object
    scheduled = conditions_of(created)["PodScheduled"]
    assert created["status"]["phase"] == "Pending"
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    assert WORDS in scheduled["message"]
    running = api.patch(f"{pods}/web/status", {"status": {"phase": "Running", "podIP": "10.0.0.7"}}).object
    assert running["status"]["phase"] == "Running"
    assert "PodScheduled" not in conditions_of(running)


@pytest.mark.embedded
def test_a_rollout_fails_at_once(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=MANIFEST)
    error = kubectl("rollout", "status", "deployment/web", "--timeout=20s", fails=True)
    assert 'deployment "web" exceeded its progress deadline' in error
    shown = kubectl("get", "deployment", "web", "-o", "jsonpath={.status.conditions[*].message}")
    assert WORDS in shown
    kubectl("patch", "deployment", "web", "--patch", '{"spec": {"replicas": 0}}')
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=20s")


def workload(kind: str, **spec: object) -> Object:
    """A workload of one container of another kind."""
    return deployment("web", **spec) | {"kind": kind}


def with_pod(**spec: object) -> Object:
    """What makes a workload's pods say more of themselves."""
    containers = [{"name": "main", "image": "example.com/main:1"}]
    return {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers} | spec}}


@pytest.mark.parametrize(
    ("kind", "field", "rolling"),
    [
        ("Deployment", "strategy", {"maxSurge": "25%", "maxUnavailable": "25%"}),
        ("StatefulSet", "updateStrategy", {"partition": 0}),
        ("DaemonSet", "updateStrategy", {"maxSurge": 0, "maxUnavailable": 1}),
    ],
)
def test_what_nobody_says_is_filled_in(api: RawApi, namespace: str, kind: str, field: str, rolling: Object) -> None:
    images = [{"name": "a", "image": "web"}, {"name": "b", "image": "web:1"}, {"name": "c", "image": "web:latest"}]
    asked = workload(kind, **with_pod(containers=images, volumes=[{"name": "v"}]))
    spec = api.create(f"/apis/apps/v1/namespaces/{namespace}/{kind.lower()}s", asked).object["spec"]
    assert spec[field] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    inside = spec["template"]["spec"]
    assert [each["imagePullPolicy"] for each in inside["containers"]] == ["Always", "IfNotPresent", "Always"]
    assert inside["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert (inside["restartPolicy"], inside["terminationGracePeriodSeconds"]) == ("Always", 30)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"selector": {}}, "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
        ({"selector": None}, "spec.selector: Required value"),
        ({"selector": {"matchLabels": {"app": "x"}}}, "`selector` does not match template `labels`"),
        (
            {"selector": {"matchExpressions": [{"key": "app", "operator": "In"}]}},
            "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In'",
        ),
        (
            {"selector": {"matchExpressions": [{"key": "app", "operator": "Like"}]}},
            'spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
        ),
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ({"minReadySeconds": 700}, "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReady"),
        ({"strategy": {"type": "Blue"}}, 'spec.strategy.type: Unsupported value: "Blue"'),
        (
            {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
            "may not be 0 when `maxSurge` is 0",
        ),
        (with_pod(containers=[]), "spec.template.spec.containers: Required value"),
        (
            with_pod(restartPolicy="Never"),
            'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        ),
        (with_pod(activeDeadlineSeconds=5), "activeDeadlineSeconds in Deployment is not Supported"),
    ],
)
def test_a_deployment_that_breaks_the_rules_is_refused(
    api: RawApi, deployments: str, spec: Object, message: str
) -> None:
    answer = api.create(deployments, deployment("web", **spec))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "DaemonSet"])
def test_a_selector_stays(api: RawApi, namespace: str, kind: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/{kind.lower()}s"
    api.create(path, workload(kind))
    change = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}}}
    answer = api.patch(f"{path}/web", {"spec": change})
    assert answer.code == 422
    assert "spec.selector: Invalid value" in answer.message
    assert "field is immutable" in answer.message


def test_little_of_a_stateful_set_may_change(api: RawApi, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    api.create(path, workload("StatefulSet", serviceName="web"))
    answer = api.patch(f"{path}/web", {"spec": {"serviceName": "other"}})
    assert answer.code == 422
    assert "spec: Forbidden: updates to statefulset spec for fields other than 'replicas'" in answer.message
    assert api.patch(f"{path}/web", {"spec": {"replicas": 3}}).code == 200


def test_a_job_knows_its_pods(api: RawApi, namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    asked = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}}
    refused = api.create(path, asked | {"spec": with_pod()})
    assert refused.code == 422
    assert "spec.template.spec.restartPolicy" in refused.message
    job = api.create(path, asked | {"spec": with_pod(restartPolicy="Never")}).object
    spec, uid = job["spec"], job["metadata"]["uid"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (1, 1, 6)
    assert spec["selector"]["matchLabels"] == {"batch.kubernetes.io/controller-uid": uid}
    assert spec["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "j"
    changed = api.patch(f"{path}/j", {"spec": with_pod(restartPolicy="OnFailure")})
    assert (changed.code, "spec.template: Invalid value" in changed.message) == (422, True)
    assert api.patch(f"{path}/j", {"spec": {"parallelism": 2}}).code == 200


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"containers": []}, "spec.containers: Required value"),
        ({"containers": [{"name": "a"}]}, "spec.containers[0].image: Required value"),
        ({"containers": [{"name": "A", "image": "x"}]}, 'spec.containers[0].name: Invalid value: "A"'),
        ({"containers": [{"name": "a", "image": "x"}] * 2}, "Duplicate value"),
        (
            {"containers": [{"name": "a", "image": "x", "ports": [{"containerPort": 70000}]}]},
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000",
        ),
        (
            {"containers": [{"name": "a", "image": "x", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]},
            'spec.containers[0].volumeMounts[0].name: Not found: "v"',
        ),
        (
            {"containers": [{"name": "a", "image": "x", "imagePullPolicy": "Rarely"}]},
            'spec.containers[0].imagePullPolicy: Unsupported value: "Rarely"',
        ),
        ({"restartPolicy": "Sometimes"}, 'spec.restartPolicy: Unsupported value: "Sometimes"'),
        ({"nodeSelector": {"a b": "c"}}, "spec.nodeSelector: Invalid value"),
    ],
)
def test_a_pod_that_breaks_the_rules_is_refused(api: RawApi, pods: str, spec: Object, message: str) -> None:
    whole = pod("web")
    answer = api.create(pods, whole | {"spec": whole["spec"] | spec})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


def test_little_of_a_pod_may_change(api: RawApi, pods: str) -> None:
    api.create(pods, pod("web"))
    for change in ({"dnsPolicy": "Default"}, {"containers": [{"name": "main", "image": "x", "command": ["run"]}]}):
        answer = api.patch(f"{pods}/web", {"spec": change}, STRATEGIC_PATCH)
        assert answer.code == 422
        assert "spec: Forbidden: pod updates may not change fields other than" in answer.message
    more = api.patch(f"{pods}/web", {"spec": {"containers": [{"name": "b", "image": "x"}]}}, STRATEGIC_PATCH)
    assert "spec.containers: Forbidden: pod updates may not add or remove containers" in more.message
    renewed = {"spec": {"containers": [{"name": "main", "image": "example.com/main:2"}], "activeDeadlineSeconds": 9}}
    assert api.patch(f"{pods}/web", renewed, STRATEGIC_PATCH).object["spec"]["activeDeadlineSeconds"] == 9
    assert api.patch(f"{pods}/web", {"metadata": {"labels": {"a": "b"}}}).code == 200


MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "example.com/main:1"}]}
"""


def events_of(api: RawApi, place: str, **about: str) -> list[Object]:
    """The Events about an object."""
    selector = ",".join(f"involvedObject.{field}={value}" for field, value in about.items())
    items: list[Object] = api.get(f"/api/v1/namespaces/{place}/events", fieldSelector=selector).object["items"]
    return items


@pytest.mark.embedded
def test_an_event_says_that_nothing_runs_it(
    api: RawApi, namespace: str, deployments: str, pods: str, kubectl: Kubectl
) -> None:
    uid = api.create(deployments, deployment("web")).object["metadata"]["uid"]
    for replicas in (2, 3):
        api.patch(f"{deployments}/web", {"spec": {"replicas": replicas}})
    [event] = events_of(api, namespace, uid=uid, name="web", kind="Deployment", namespace=namespace)
    assert (event["type"], event["reason"], event["count"]) == ("Warning", "NothingRunsIt", 1)
    assert WORDS in event["message"]
    assert "Warning  NothingRunsIt" in kubectl("describe", "deployment", "web")
    api.create(pods, pod("web"))
    assert [event["reason"] for event in events_of(api, namespace, kind="Pod")] == ["FailedScheduling"]


@pytest.mark.embedded
def test_the_event_goes_with_what_it_says(api: RawApi, namespace: str, deployments: str) -> None:
    api.create(deployments, deployment("web", replicas=0))
    assert events_of(api, namespace, name="web") == []
    api.patch(f"{deployments}/web", {"spec": {"replicas": 1}})
    assert len(events_of(api, namespace, name="web")) == 1
    api.patch(f"{deployments}/web/status", {"status": {"readyReplicas": 1, "conditions": []}})
    assert events_of(api, namespace, name="web") == []  # somebody runs it after all
    api.create(deployments, deployment("other"))
    assert len(events_of(api, namespace, name="other")) == 1
    api.delete(f"{deployments}/other")
    assert events_of(api, namespace, name="other") == []


def test_a_rollout_of_nothing_is_over(kubectl: Kubectl) -> None:
    """As on a cluster without nodes; on one that has some, it is over once there is nothing to wait for."""
    none = workload("StatefulSet", replicas=0, serviceName="web")
    kubectl("apply", "-f", "-", given=json.dumps(none))
    assert "roll out complete" in kubectl("rollout", "status", "statefulset/web", "--timeout=20s")
    nowhere = with_pod(nodeSelector={"example.com/none": "such"})
    daemons = workload("DaemonSet", **nowhere)
    kubectl("apply", "-f", "-", given=json.dumps(daemons))
    assert "successfully rolled out" in kubectl("rollout", "status", "daemonset/web", "--timeout=20s")


def test_the_pods_of_a_stateful_set_mount_what_it_claims(api: RawApi, namespace: str) -> None:
    mounted = {"name": "main", "image": "x", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    wanted = with_pod(containers=[mounted]) | {"serviceName": "web", "volumeClaimTemplates": [claim]}
    answer = api.create(path, workload("StatefulSet", replicas=0, **wanted))
    assert answer.code == 201, answer.message


@pytest.mark.embedded
def test_a_job_that_nothing_runs_has_failed_unless_it_waits(api: RawApi, namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    template = with_pod(restartPolicy="Never")["template"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"template": template}}
    failed = conditions_of(api.create(path, job).object)["Failed"]
    assert (failed["status"], failed["reason"]) == ("True", "NothingRunsIt")
    waiting = job | {"metadata": {"name": "b"}, "spec": {"template": template, "suspend": True}}
    assert "Failed" not in conditions_of(api.create(path, waiting).object)
    assert "Failed" in conditions_of(api.patch(f"{path}/b", {"spec": {"suspend": False}}).object)
