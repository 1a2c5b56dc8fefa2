"""The built-in kinds: what there is of each, and what kubectl shows of it."""

import gc
import json
import re
from typing import Any

import pytest
from kubernetes import client, config

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import Object, RawApi

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
POD: Object = {"containers": [{"name": "main", "image": "img:1"}]}
TEMPLATE: Object = {"metadata": {"labels": {"app": "x"}}, "spec": POD}
SELECTOR: Object = {"matchLabels": {"app": "x"}}
METRIC: Object = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
}
TARGET: Object = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
WEBHOOK: Object = {
    "name": "hook.example.com",
    "clientConfig": {"service": {"namespace": "default", "name": "hook"}},
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}
RULE: Object = {
    "apiGroups": ["things.example.com"],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["things"],
}

# The path, the kind, what an object has beside its metadata, and the short name.
NAMESPACED: list[tuple[str, str, Object, str]] = [
    ("api/v1/pods", "Pod", {"spec": POD}, "po"),
    ("api/v1/podtemplates", "PodTemplate", {"template": TEMPLATE}, "podtemplates"),
    (
        "api/v1/replicationcontrollers",
        "ReplicationController",
        {"spec": {"selector": {"app": "x"}, "template": TEMPLATE}},
        "rc",
    ),
    (
        "api/v1/persistentvolumeclaims",
        "PersistentVolumeClaim",
        {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        "pvc",
    ),
    ("api/v1/resourcequotas", "ResourceQuota", {"spec": {"hard": {"pods": "2"}}}, "quota"),
    ("api/v1/limitranges", "LimitRange", {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}}, "limits"),
    ("apis/apps/v1/deployments", "Deployment", {"spec": {"selector": SELECTOR, "template": TEMPLATE}}, "deploy"),
    ("apis/apps/v1/replicasets", "ReplicaSet", {"spec": {"selector": SELECTOR, "template": TEMPLATE}}, "rs"),
    (
        "apis/apps/v1/statefulsets",
        "StatefulSet",
        {"spec": {"selector": SELECTOR, "template": TEMPLATE, "serviceName": "s"}},
        "sts",
    ),
    ("apis/apps/v1/daemonsets", "DaemonSet", {"spec": {"selector": SELECTOR, "template": TEMPLATE}}, "ds"),
    (
        "apis/apps/v1/controllerrevisions",
        "ControllerRevision",
        {"revision": 1, "data": {"a": 1}},
        "controllerrevisions",
    ),
    ("apis/batch/v1/jobs", "Job", {"spec": {"template": {"spec": POD | {"restartPolicy": "Never"}}}}, "jobs"),
    (
        "apis/batch/v1/cronjobs",
        "CronJob",
        {
            "spec": {
                "schedule": "* * * * *",
                "jobTemplate": {"spec": {"template": {"spec": POD | {"restartPolicy": "Never"}}}},
            }
        },
        "cj",
    ),
    ("apis/networking.k8s.io/v1/networkpolicies", "NetworkPolicy", {"spec": {"podSelector": SELECTOR}}, "netpol"),
    (
        "apis/policy/v1/poddisruptionbudgets",
        "PodDisruptionBudget",
        {"spec": {"minAvailable": 1, "selector": SELECTOR}},
        "pdb",
    ),
    (
        "apis/autoscaling/v2/horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        {"spec": {"maxReplicas": 3, "scaleTargetRef": TARGET, "metrics": [METRIC]}},
        "hpa",
    ),
    (
        "apis/autoscaling/v1/horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        {"spec": {"maxReplicas": 3, "scaleTargetRef": TARGET}},
        "hpa.v1.autoscaling",
    ),
    (
        "apis/storage.k8s.io/v1/csistoragecapacities",
        "CSIStorageCapacity",
        {"storageClassName": "x", "capacity": "1Gi"},
        "csistoragecapacities",
    ),
]
FOR_ALL: list[tuple[str, str, Object, str]] = [
    ("api/v1/nodes", "Node", {}, "no"),
    (
        "api/v1/persistentvolumes",
        "PersistentVolume",
        {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}},
        "pv",
    ),
    (
        "apis/networking.k8s.io/v1/ingressclasses",
        "IngressClass",
        {"spec": {"controller": "example.com/c"}},
        "ingressclasses",
    ),
    ("apis/scheduling.k8s.io/v1/priorityclasses", "PriorityClass", {"value": 5}, "pc"),
    ("apis/storage.k8s.io/v1/csidrivers", "CSIDriver", {"spec": {}}, "csidrivers"),
    ("apis/node.k8s.io/v1/runtimeclasses", "RuntimeClass", {"handler": "runc"}, "runtimeclasses"),
    (
        "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        {"webhooks": [WEBHOOK]},
        "validatingwebhookconfigurations",
    ),
    (
        "apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        {"webhooks": [WEBHOOK]},
        "mutatingwebhookconfigurations",
    ),
    ("apis/storage.k8s.io/v1/storageclasses", "StorageClass", {"provisioner": "example.com/p"}, "sc"),
    ("apis/storage.k8s.io/v1/csinodes", "CSINode", {"spec": {"drivers": []}}, "csinodes"),
    (
        "apis/storage.k8s.io/v1/volumeattachments",
        "VolumeAttachment",
        {"spec": {"attacher": "example.com", "nodeName": "n", "source": {"persistentVolumeName": "v"}}},
        "volumeattachments",
    ),
    (
        "apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        {"spec": {"matchConstraints": {"resourceRules": [RULE]}, "validations": [{"expression": "true"}]}},
        "validatingadmissionpolicies",
    ),
    (
        "apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        {"spec": {"policyName": "x", "validationActions": ["Warn"]}},
        "validatingadmissionpolicybindings",
    ),
    (
        "apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
        "FlowSchema",
        {"spec": {"priorityLevelConfiguration": {"name": "exempt"}}},
        "flowschemas",
    ),
    (
        "apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        {"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}},
        "prioritylevelconfigurations",
    ),
]


def path_in(path: str, namespace: str) -> str:
    root, _, plural = path.rpartition("/")
    return f"/{root}/namespaces/{namespace}/{plural}" if namespace else f"/{path}"


def new(path: str, kind: str, body: Object, name: str = "x") -> Object:
    version = path.rpartition("/")[0].removeprefix("apis/").removeprefix("api/")
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **body}


@pytest.mark.parametrize(("path", "kind", "body", "short"), NAMESPACED, ids=[each[0] for each in NAMESPACED])
def test_a_kind_is_kept_and_shown(
    api: RawApi, kubectl: Kubectl, namespace: str, path: str, kind: str, body: Object, short: str
) -> None:
    where = path_in(path, namespace)
    created = api.create(where, new(path, kind, body), fieldValidation="Strict")
    assert created.code == 201, created.message
    assert api.get(f"{where}/x").object["kind"] == kind
    assert [item["metadata"]["name"] for item in api.get(where).object["items"]] == ["x"]
    header, row = kubectl("get", short, "-o", "wide").splitlines()
    assert header.startswith("NAME")
    assert row.startswith("x")
    assert "x" in kubectl("describe", short, "x")
    assert api.delete(f"{where}/x").code == 200


@pytest.mark.parametrize(("path", "kind", "body", "short"), FOR_ALL, ids=[each[0] for each in FOR_ALL])
def test_a_kind_outside_namespaces_is_kept_and_shown(
    api: RawApi, kubectl: Kubectl, namespace: str, path: str, kind: str, body: Object, short: str
) -> None:
    created = api.create(f"/{path}", new(path, kind, body, namespace), fieldValidation="Strict")
    assert created.code == 201, created.message
    assert any(line.startswith(namespace) for line in kubectl("get", short, "-o", "wide").splitlines())
    assert namespace in kubectl("describe", short, namespace)
    assert api.delete(f"/{path}/{namespace}").code == 200


def test_generations_are_counted_where_a_cluster_counts_them(api: RawApi, namespace: str) -> None:
    counted = set()
    for path, kind, body, _ in NAMESPACED:
        created = api.create(path_in(path, namespace), new(path, kind, body, kind.lower() + path.split("/")[2]))
        if created.object["metadata"].get("generation"):
            counted.add(path.rpartition("/")[2])
    assert {"deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs"} <= counted
    assert {"networkpolicies", "poddisruptionbudgets", "replicationcontrollers"} <= counted
    assert not counted & {"persistentvolumeclaims", "resourcequotas", "limitranges", "horizontalpodautoscalers"}


# What follows the name in `kubectl get -o wide`.
COLUMNS = {
    "pods": "READY STATUS RESTARTS AGE IP NODE NOMINATED|NODE READINESS|GATES",
    "replicationcontrollers": "DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR",
    "deployments": "READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR",
    "replicasets": "DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR",
    "statefulsets": "READY AGE CONTAINERS IMAGES",
    "daemonsets": "DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE|SELECTOR AGE CONTAINERS IMAGES SELECTOR",
    "jobs": "STATUS COMPLETIONS DURATION AGE CONTAINERS IMAGES SELECTOR",
    "cronjobs": "SCHEDULE TIMEZONE SUSPEND ACTIVE LAST|SCHEDULE AGE CONTAINERS IMAGES SELECTOR",
    "poddisruptionbudgets": "MIN|AVAILABLE MAX|UNAVAILABLE ALLOWED|DISRUPTIONS AGE",
    "horizontalpodautoscalers": "REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE",
    "persistentvolumeclaims": "STATUS VOLUME CAPACITY ACCESS|MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE VOLUMEMODE",
    "persistentvolumes": (
        "CAPACITY ACCESS|MODES RECLAIM|POLICY STATUS CLAIM STORAGECLASS VOLUMEATTRIBUTESCLASS REASON AGE VOLUMEMODE"
    ),
    "nodes": "STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME",
    "networkpolicies": "POD-SELECTOR AGE",
    "storageclasses": "PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE",
    "priorityclasses": "VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY",
    "ingressclasses": "CONTROLLER PARAMETERS AGE",
    "services": "TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR",
    "ingresses": "CLASS HOSTS ADDRESS PORTS AGE",
    "rolebindings": "ROLE AGE USERS GROUPS SERVICEACCOUNTS",
    "resourcequotas": "REQUEST LIMIT AGE",
    "limitranges": "CREATED|AT",
    "customresourcedefinitions": "CREATED|AT",
}
PLACES = {path.rpartition("/")[2]: path for path, *_ in (*NAMESPACED, *FOR_ALL)} | {
    "services": "api/v1/services",
    "ingresses": "apis/networking.k8s.io/v1/ingresses",
    "rolebindings": "apis/rbac.authorization.k8s.io/v1/rolebindings",
    "customresourcedefinitions": "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
}


@pytest.mark.parametrize(("plural", "wanted"), COLUMNS.items(), ids=COLUMNS)
def test_a_table_has_the_columns_of_a_cluster(api: RawApi, plural: str, wanted: str) -> None:
    described = api.accept(f"/{PLACES[plural]}", TABLE).object["columnDefinitions"]
    assert [column["name"].upper().replace(" ", "|") for column in described] == ["NAME", *wanted.split()]
    assert all(column["description"] for column in described)


def cells(api: RawApi, path: str, name: str) -> dict[str, Any]:
    table = api.accept(f"{path}/{name}", TABLE).object
    names = [column["name"] for column in table["columnDefinitions"]]
    return dict(zip(names, table["rows"][0]["cells"], strict=True))


def test_the_table_of_pods_tells_how_they_are(api: RawApi, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    api.create(pods, new("api/v1/pods", "Pod", {"spec": POD | {"nodeName": "n1"}}))
    waiting: Object = {
        "name": "main",
        "ready": False,
        "restartCount": 2,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    }
    status: Object = {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": [waiting]}
    api.patch(f"{pods}/x/status", {"status": status})
    shown = cells(api, pods, "x")
    assert [shown[name] for name in ("Ready", "Status", "Restarts", "IP", "Node", "Nominated Node")] == [
        *("0/1", "CrashLoopBackOff", "2", "10.0.0.1", "n1", "<none>")
    ]
    ready = waiting | {"ready": True, "state": {"running": {}}}
    api.patch(f"{pods}/x/status", {"status": {"containerStatuses": [ready]}})
    assert [cells(api, pods, "x")[name] for name in ("Ready", "Status")] == ["1/1", "Running"]


def test_the_table_of_nodes_tells_of_roles_and_readiness(api: RawApi, namespace: str) -> None:
    node: Object = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": namespace},
        "spec": {"unschedulable": True},
    }
    node["metadata"] |= {"labels": {"node-role.kubernetes.io/worker": ""}}
    api.create("/api/v1/nodes", node)
    status: Object = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}],
        "nodeInfo": {"kubeletVersion": "v1.33.0"},
    }
    assert api.patch(f"/api/v1/nodes/{namespace}/status", {"status": status}).code == 200
    shown = cells(api, "/api/v1/nodes", namespace)
    assert [shown[name] for name in ("Status", "Roles", "Version", "Internal-IP", "External-IP")] == [
        *("Ready,SchedulingDisabled", "worker", "v1.33.0", "192.0.2.1", "<none>")
    ]
    api.delete(f"/api/v1/nodes/{namespace}")


def test_other_tables_tell_what_a_cluster_tells(api: RawApi, namespace: str) -> None:
    made = {
        path: api.create(path_in(path, namespace), new(path, kind, body)).code for path, kind, body, _ in NAMESPACED
    }
    assert set(made.values()) <= {201, 409}

    def shown(path: str) -> dict[str, Any]:
        return cells(api, path_in(path, namespace), "x")

    deployment = shown("apis/apps/v1/deployments")
    assert [deployment[name] for name in ("Ready", "Containers", "Images", "Selector")] == [
        "0/1",
        "main",
        "img:1",
        "app=x",
    ]
    assert shown("apis/autoscaling/v2/horizontalpodautoscalers")["Targets"] == "cpu: <unknown>/50%"
    assert shown("apis/autoscaling/v2/horizontalpodautoscalers")["Reference"] == "Deployment/d"
    assert shown("apis/batch/v1/cronjobs")["Last Schedule"] == "<none>"
    assert shown("apis/batch/v1/jobs")["Completions"] == "0/1"
    assert shown("apis/policy/v1/poddisruptionbudgets")["Max Unavailable"] == "N/A"
    assert shown("apis/networking.k8s.io/v1/networkpolicies")["Pod-Selector"] == "app=x"


def test_the_columns_of_a_definition_are_all_there_are(api: RawApi, namespace: str) -> None:
    group = f"{namespace}.example.com"
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    column = {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}

    def define(plural: str, columns: list[Object]) -> None:
        names = {"plural": plural, "kind": plural.title(), "singular": plural}
        version: Object = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        spec: Object = {"group": group, "scope": "Namespaced", "names": names}
        spec |= {"versions": [version | {"additionalPrinterColumns": columns}]}
        body: Object = {"spec": spec, "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        assert api.create(path, body | {"metadata": {"name": f"{plural}.{group}"}}).code == 201

    define("named", [column])
    define("plain", [])
    for plural, wanted in (("named", ["Name", "Size"]), ("plain", ["Name", "Age"])):
        table = api.accept(f"/apis/{group}/v1/{plural}", TABLE).object
        assert [each["name"] for each in table["columnDefinitions"]] == wanted
        api.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}")


def test_events_of_both_groups_are_the_same(api: RawApi, namespace: str) -> None:
    core, newer = (f"{root}/namespaces/{namespace}/events" for root in ("/api/v1", "/apis/events.k8s.io/v1"))
    involved = {"kind": "Pod", "name": "p", "namespace": namespace, "apiVersion": "v1"}
    event: Object = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "old"}, "involvedObject": involved}
    event |= {"reason": "Started", "message": "it runs", "type": "Normal", "source": {"component": "me"}, "count": 2}
    assert api.create(core, event).code == 201
    seen = api.get(f"{newer}/old").object
    assert (seen["apiVersion"], seen["note"], seen["regarding"]["name"]) == ("events.k8s.io/v1", "it runs", "p")
    assert (seen["deprecatedSource"], seen["deprecatedCount"]) == ({"component": "me"}, 2)
    fresh: Object = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "new"},
        "regarding": involved,
        "note": "again",
        "reason": "Started",
        "type": "Normal",
        "action": "Start",
        "reportingController": "example.com/me",
        "reportingInstance": "me-1",
        "eventTime": "2026-01-01T00:00:00.000000Z",
    }
    assert api.create(newer, fresh).code == 201
    old = api.get(f"{core}/new").object
    assert (old["apiVersion"], old["message"], old["reportingComponent"]) == ("v1", "again", "example.com/me")
    assert {each["metadata"]["name"] for each in api.get(newer).object["items"]} == {"old", "new"}
    assert all("note" in each and "message" not in each for each in api.get(newer).object["items"])
    with api.watch(newer, resourceVersion=0) as changes:
        assert next(changes)["object"]["note"] in {"it runs", "again"}
    assert api.patch(f"{newer}/new", {"note": "changed"}).object["note"] == "changed"
    assert api.get(f"{core}/new").object["message"] == "changed"
    assert api.delete(f"{newer}/old").code == 200
    assert api.get(f"{core}/old").code == 404


def test_kubectl_shows_events(api: RawApi, kubectl: Kubectl, namespace: str) -> None:
    involved = {"kind": "Pod", "name": "p", "namespace": namespace}
    event: Object = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": involved}
    event |= {"reason": "Started", "message": "it runs", "type": "Normal", "reportingComponent": "me"}
    assert api.create(f"/api/v1/namespaces/{namespace}/events", event).code == 201
    assert "it runs" in kubectl("events")
    header, row = kubectl("get", "events", "-o", "wide").splitlines()
    assert " ".join(header.split()) == "LAST SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME"
    assert {"pod/p", "me", "e"} <= set(row.split())
    assert "it runs" in kubectl("get", "events.events.k8s.io")


def test_autoscalers_of_both_versions_are_the_same(api: RawApi, namespace: str) -> None:
    first, second = (
        f"/apis/autoscaling/{version}/namespaces/{namespace}/horizontalpodautoscalers" for version in ("v1", "v2")
    )
    path = "apis/autoscaling/v1/horizontalpodautoscalers"
    spec = {"maxReplicas": 3, "scaleTargetRef": TARGET, "targetCPUUtilizationPercentage": 70}
    assert api.create(first, new(path, "HorizontalPodAutoscaler", {"spec": spec})).code == 201
    (metric,) = api.get(f"{second}/x").object["spec"]["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    memory = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Value", "value": "1Gi"}}}
    assert api.patch(f"{second}/x", {"spec": {"metrics": [metric, memory]}}).code == 200
    seen = api.get(f"{first}/x").object
    assert seen["spec"]["targetCPUUtilizationPercentage"] == 70
    assert json.loads(seen["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"]) == [memory]
    assert "metrics" not in seen["spec"]
    assert api.patch(f"{first}/x", {"spec": {"targetCPUUtilizationPercentage": 60}}).code == 200
    percents = [each["resource"]["target"].get("averageUtilization") for each in metrics_of(api, f"{second}/x")]
    assert percents == [60, None]
    assert "annotations" not in api.get(f"{second}/x").object["metadata"]


def metrics_of(api: RawApi, path: str) -> list[Object]:
    metrics: list[Object] = api.get(path).object["spec"]["metrics"]
    return metrics


@pytest.mark.embedded
def test_webhooks_are_kept_and_said_to_be_without_effect(api: RawApi, namespace: str) -> None:
    path = "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    created = api.create(f"/{path}", new(path, "ValidatingWebhookConfiguration", {"webhooks": [WEBHOOK]}, namespace))
    assert "have no effect" in created.headers["Warning"]
    (webhook,) = created.object["webhooks"]
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"], webhook["clientConfig"]["service"]["port"]) == (
        *("Fail", 10, 443),
    )
    api.delete(f"/{path}/{namespace}")


APIS = (
    *(client.CoreV1Api, client.AppsV1Api, client.BatchV1Api, client.NetworkingV1Api, client.PolicyV1Api),
    *(client.AutoscalingV1Api, client.AutoscalingV2Api, client.SchedulingV1Api, client.StorageV1Api),
    *(client.NodeV1Api, client.AdmissionregistrationV1Api, client.FlowcontrolApiserverV1Api),
)


def test_the_typed_client_reads_every_kind(api: RawApi, kubectl_environment: dict[str, str], namespace: str) -> None:
    for path, kind, body, _ in NAMESPACED:
        api.create(path_in(path, namespace), new(path, kind, body))
    for path, kind, body, _ in FOR_ALL:
        api.create(f"/{path}", new(path, kind, body, namespace))
    read = set()
    with config.new_client_from_config(kubectl_environment["KUBECONFIG"]) as connected:
        for each in APIS:
            typed = each(connected)
            for path, kind, *_ in (*NAMESPACED, *FOR_ALL):
                words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
                if method := getattr(typed, f"list_namespaced_{words}", None):
                    read |= {path for item in method(namespace).items if item.metadata.name == "x"}
                elif method := getattr(typed, f"list_{words}", None):
                    read |= {path for item in method().items if item.metadata.name == namespace}
        connected.rest_client.pool_manager.clear()
    gc.collect()
    for path, *_ in FOR_ALL:
        api.delete(f"/{path}/{namespace}")
    assert read == {path for path, *_ in (*NAMESPACED, *FOR_ALL)}


def test_kubectl_works_with_the_new_kinds(kubectl: Kubectl, namespace: str) -> None:
    listed = kubectl("api-resources")
    assert {"replicasets", "statefulsets", "nodes", "cronjobs", "networkpolicies"} <= {
        line.split()[0] for line in listed.splitlines()
    }
    kubectl("create", "clusterrole", namespace, "--verb=get", "--resource=nodes")
    kubectl("delete", "clusterrole", namespace)
    assert kubectl("get", "nodes") == ""
    assert kubectl("get", "all") == ""


def test_kubectl_apply_prunes_what_is_no_longer_there(kubectl: Kubectl) -> None:
    both = """
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {set: x}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, labels: {set: x}}}
"""
    kubectl("apply", "-f", "-", given=both)
    done = kubectl("apply", "--prune", "-l", "set=x", "-f", "-", given=both.partition("---")[0])
    assert "configmap/b pruned" in done


def test_kubectl_manages_nodes(api: RawApi, kubectl: Kubectl, namespace: str) -> None:
    api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": namespace}})
    assert "cordoned" in kubectl("cordon", namespace)
    assert "SchedulingDisabled" in kubectl("get", "node", namespace)
    assert "uncordoned" in kubectl("uncordon", namespace)
    assert "tainted" in kubectl("taint", "node", namespace, "a=b:NoSchedule")
    assert kubectl("get", "node", namespace, "-o", "jsonpath={.spec.taints[0].value}") == "b"
    kubectl("delete", "node", namespace)
    assert '"kind": "NodeList"' in kubectl("cluster-info", "dump", "--namespaces", namespace)
