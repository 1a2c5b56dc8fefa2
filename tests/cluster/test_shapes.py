"""The shapes of workloads: unknown fields, defaults, quantities, and how their lists merge."""

import json
from typing import Any

import pytest

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import STRATEGIC_PATCH, Object, RawApi

DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "img:1", "ports": [{"containerPort": 80}]}]},
        },
    },
}


def deployment(**pod: Any) -> Object:
    """A Deployment with more in the specification of its pods."""
    document: Object = json.loads(json.dumps(DEPLOYMENT))
    document["spec"]["template"]["spec"] |= pod
    return document


def job(**spec: Any) -> Object:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "img"}]}}
    head = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}}
    return head | {"spec": {"template": template} | spec}


def pod_of(answer: Object) -> Object:
    """The specification of the pods of a workload."""
    spec: Object = answer["spec"]["template"]["spec"]
    return spec


def test_unknown_fields_are_named_wherever_they_are(api: RawApi, deployments: str) -> None:
    odd = deployment(bogus=1, containers=[{"name": "main", "image": "img", "imagePolicy": "Always"}])
    odd["spec"]["replica"] = 2
    answer = api.create(deployments, odd, fieldValidation="Strict")
    assert answer.code == 400
    for field in ("spec.replica", "spec.template.spec.bogus", "spec.template.spec.containers[0].imagePolicy"):
        assert f'unknown field "{field}"' in answer.message
    warned = api.create(deployments, odd, fieldValidation="Warn")
    assert warned.code == 201
    assert 'unknown field \\"spec.template.spec.bogus\\"' in warned.headers["Warning"]
    assert "bogus" not in pod_of(warned.object)
    assert "imagePolicy" not in pod_of(warned.object)["containers"][0]


@pytest.mark.parametrize(
    ("pod", "missing"),
    [
        ({"containers": [{"image": "img"}]}, "spec.containers[0].name"),
        ({}, "spec.containers"),
        ({"containers": []}, "spec.containers"),
        ({"containers": [{"name": "", "image": "img"}]}, "spec.containers[0].name"),
        ({"containers": [{"name": "a", "ports": [{}]}]}, "spec.containers[0].ports[0].containerPort"),
        (
            {"containers": [{"name": "a", "volumeMounts": [{"name": "v"}]}]},
            "spec.containers[0].volumeMounts[0].mountPath",
        ),
    ],
)
def test_what_must_be_there_is_asked_for(api: RawApi, pods: str, pod: Object, missing: str) -> None:
    answer = api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod})
    assert answer.code == 422
    assert f"{missing}: Required value" in answer.message


@pytest.mark.parametrize(
    ("pod", "twin"),
    [
        (
            {"containers": [{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]},
            'containers[1].name: Duplicate value: "a"',
        ),
        (
            {"containers": [{"name": "a", "image": "i"}], "volumes": [{"name": "v"}, {"name": "v"}]},
            'volumes[1].name: Duplicate value: "v"',
        ),
    ],
)
def test_twins_are_refused(api: RawApi, pods: str, pod: Object, twin: str) -> None:
    answer = api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod})
    assert answer.code == 422
    assert f"spec.{twin}" in answer.message


def test_twins_are_taken_where_a_cluster_takes_them(api: RawApi, pods: str) -> None:
    container = {
        "name": "a",
        "image": "img",
        "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
        "ports": [{"containerPort": 80}, {"containerPort": 80}],
    }
    spec = {"containers": [container], "imagePullSecrets": [{"name": "s"}, {"name": "s"}]}
    created = api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    assert created.code == 201, created.message
    assert len(created.object["spec"]["containers"][0]["env"]) == 2


def test_a_value_of_a_wrong_type_is_refused(api: RawApi, deployments: str) -> None:
    for odd in (
        deployment(terminationGracePeriodSeconds="30"),
        deployment(containers=[{"name": "main", "image": 1}]),
        deployment(containers=[{"name": "main", "image": "i", "resources": {"limits": {"cpu": "much"}}}]),
    ):
        answer = api.create(deployments, odd)
        assert (answer.code, answer.reason) == (400, "BadRequest")
    assert "quantities must match the regular expression" in answer.message


def test_a_deployment_has_the_defaults_of_a_cluster(api: RawApi, deployments: str) -> None:
    created = api.create(deployments, DEPLOYMENT).object
    spec = created["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    pod = dict(pod_of(created))
    (container,) = pod.pop("containers")
    assert pod == {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    assert container == {
        "name": "main",
        "image": "img:1",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


def test_what_is_said_is_not_replaced_by_a_default(api: RawApi, deployments: str) -> None:
    said = deployment(dnsPolicy="Default", terminationGracePeriodSeconds=0, serviceAccountName="me")
    said["spec"] |= {"replicas": 0, "strategy": {"type": "Recreate"}}
    created = api.create(deployments, said).object
    assert created["spec"]["replicas"] == 0
    assert created["spec"]["strategy"] == {"type": "Recreate"}
    pod = pod_of(created)
    assert (pod["dnsPolicy"], pod["terminationGracePeriodSeconds"]) == ("Default", 0)
    assert (pod["serviceAccountName"], pod["serviceAccount"]) == ("me", "me")


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("img", "Always"),
        ("img:latest", "Always"),
        ("img:1", "IfNotPresent"),
        ("example.com:5000/img", "Always"),
        ("example.com:5000/img:2", "IfNotPresent"),
        (f"img@sha256:{'0' * 64}", "IfNotPresent"),
    ],
)
def test_how_an_image_is_pulled_follows_its_tag(api: RawApi, pods: str, image: str, policy: str) -> None:
    spec = {"containers": [{"name": "a", "image": image}], "initContainers": [{"name": "b", "image": image}]}
    created = api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}).object
    assert created["spec"]["containers"][0]["imagePullPolicy"] == policy
    assert created["spec"]["initContainers"][0]["imagePullPolicy"] == policy


def test_parts_of_a_pod_have_their_defaults(api: RawApi, pods: str) -> None:
    container = {
        "name": "a",
        "image": "img:1",
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "livenessProbe": {"httpGet": {"port": 80}},
        "resources": {"limits": {"cpu": 1}},
    }
    volumes = [{"name": "v"}, {"name": "s", "secret": {"secretName": "x"}}, {"name": "h", "hostPath": {"path": "/x"}}]
    spec = {"containers": [container], "volumes": volumes}
    created = api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}).object[
        "spec"
    ]
    (filled,) = created["containers"]
    assert filled["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    probe = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    assert filled["livenessProbe"] == probe | {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}}
    assert filled["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
    assert created["volumes"] == [
        {"name": "v", "emptyDir": {}},
        {"name": "s", "secret": {"secretName": "x", "defaultMode": 420}},
        {"name": "h", "hostPath": {"path": "/x", "type": ""}},
    ]
    assert (created["enableServiceLinks"], created["serviceAccountName"], created["serviceAccount"]) == (
        *(True, "default", "default"),
    )


def test_a_pod_bears_with_a_node_for_a_while(api: RawApi, pods: str) -> None:
    own = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 5}
    spec = {"containers": [{"name": "a", "image": "i"}], "tolerations": [own]}
    created = api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}).object[
        "spec"
    ]
    patience = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    assert created["tolerations"] == [own, {"key": "node.kubernetes.io/not-ready"} | patience]
    assert (created["priority"], created["preemptionPolicy"]) == (0, "PreemptLowerPriority")


def test_other_workloads_have_the_defaults_of_a_cluster(api: RawApi, namespace: str) -> None:
    apps = f"/apis/apps/v1/namespaces/{namespace}"
    stateful = DEPLOYMENT | {"kind": "StatefulSet"}
    stateful = stateful | {
        "spec": stateful["spec"] | {"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {}}]}
    }
    spec = api.create(f"{apps}/statefulsets", stateful).object["spec"]
    assert spec["podManagementPolicy"] == "OrderedReady"
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    (claim,) = spec["volumeClaimTemplates"]
    assert (claim["kind"], claim["spec"]["volumeMode"], claim["status"]["phase"]) == (
        *("PersistentVolumeClaim", "Filesystem", "Pending"),
    )
    spec = api.create(f"{apps}/daemonsets", DEPLOYMENT | {"kind": "DaemonSet"}).object["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    created = api.create(f"{apps}/replicasets", DEPLOYMENT | {"kind": "ReplicaSet"}).object
    assert created["metadata"]["labels"] == {"app": "web"}
    controller = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "rc"}}
    controller |= {"spec": {"template": DEPLOYMENT["spec"]["template"]}}
    created = api.create(f"/api/v1/namespaces/{namespace}/replicationcontrollers", controller).object
    assert created["spec"]["selector"] == {"app": "web"}


def test_a_job_counts_its_own_pods(api: RawApi, namespace: str) -> None:
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    created = api.create(jobs, job()).object
    spec, uid = created["spec"], created["metadata"]["uid"]
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (1, 1, 6)
    assert (spec["completionMode"], spec["suspend"]) == ("NonIndexed", False)
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    labels = spec["template"]["metadata"]["labels"]
    assert labels == {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": "once",
        "controller-uid": uid,
        "job-name": "once",
    }
    assert api.patch(f"{jobs}/once", {"spec": {"suspend": True}}).object["spec"]["selector"] == spec["selector"]
    parallel = job(parallelism=3) | {"metadata": {"name": "many"}}
    assert "completions" not in api.create(jobs, parallel).object["spec"]


def test_policies_have_the_defaults_of_a_cluster(api: RawApi, namespace: str) -> None:
    policies = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    created = api.create(policies, head | {"metadata": {"name": "a"}, "spec": {"ingress": [{"ports": [{"port": 80}]}]}})
    assert created.object["spec"]["policyTypes"] == ["Ingress"]
    assert created.object["spec"]["podSelector"] == {}
    assert created.object["spec"]["ingress"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
    created = api.create(policies, head | {"metadata": {"name": "b"}, "spec": {"egress": [{}]}})
    assert created.object["spec"]["policyTypes"] == ["Ingress", "Egress"]
    limits = f"/api/v1/namespaces/{namespace}/limitranges"
    item = {"type": "Container", "max": {"cpu": "1"}}
    body = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": [item]}}
    assert api.create(limits, body).object["spec"]["limits"] == [
        item | {"default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}}
    ]


def test_quantities_are_written_in_one_form(api: RawApi, deployments: str) -> None:
    limits = {"cpu": 0.5, "memory": "1024Mi", "example.com/gpu": 2, "ephemeral-storage": "2000M"}
    body = deployment(containers=[{"name": "main", "image": "img", "resources": {"limits": limits}}])
    created = api.create(deployments, body).object
    written = {"cpu": "500m", "memory": "1Gi", "example.com/gpu": "2", "ephemeral-storage": "2G"}
    assert pod_of(created)["containers"][0]["resources"]["limits"] == written
    applied = api.apply(f"{deployments}/web", body, "me", force=True)
    again = api.apply(f"{deployments}/web", body, "me")
    assert (applied.code, again.code) == (200, 200)
    assert applied.version == again.version
    other = api.apply(f"{deployments}/web", body, "you")
    assert other.code == 200, other.message


def names(items: list[Object], key: str = "name") -> list[Any]:
    return sorted(item[key] for item in items)


@pytest.mark.parametrize(
    ("field", "key", "first", "second"),
    [
        ("imagePullSecrets", "name", {"name": "a"}, {"name": "b"}),
        ("hostAliases", "ip", {"ip": "10.0.0.1", "hostnames": ["a"]}, {"ip": "10.0.0.2", "hostnames": ["b"]}),
        ("volumes", "name", {"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}),
        ("initContainers", "name", {"name": "a", "image": "i"}, {"name": "b", "image": "i"}),
        (
            "topologySpreadConstraints",
            "topologyKey",
            {"topologyKey": "a", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"},
            {"topologyKey": "b", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"},
        ),
        ("schedulingGates", "name", {"name": "example.com/a"}, {"name": "example.com/b"}),
        ("resourceClaims", "name", {"name": "a", "resourceClaimName": "x"}, {"name": "b", "resourceClaimName": "y"}),
    ],
)
def test_lists_of_a_pod_merge_by_their_keys(
    api: RawApi, deployments: str, field: str, key: str, first: Object, second: Object
) -> None:
    api.create(deployments, deployment(**{field: [first]}))
    patch = {"spec": {"template": {"spec": {field: [second]}}}}
    merged = api.patch(f"{deployments}/web", patch, STRATEGIC_PATCH)
    assert names(pod_of(merged.object)[field], key) == [first[key], second[key]]
    api.delete(f"{deployments}/web")
    assert api.apply(f"{deployments}/web", deployment(**{field: [first]}), "me").code == 201
    half = {"apiVersion": "apps/v1", "kind": "Deployment"} | patch
    shared = api.apply(f"{deployments}/web", half, "you")
    assert shared.code == 200, shared.message
    assert names(pod_of(shared.object)[field], key) == [first[key], second[key]]


def test_lists_of_a_container_merge_by_their_keys(api: RawApi, deployments: str) -> None:
    mount = {"name": "v", "mountPath": "/a"}
    container = {
        "name": "main",
        "image": "i",
        "env": [{"name": "A", "value": "1"}],
        "volumeMounts": [mount],
        "args": ["x"],
    }
    body = deployment(containers=[container | {"envFrom": [{"prefix": "a"}]}], volumes=[{"name": "v"}])
    assert api.create(deployments, body).code == 201
    more = {
        "name": "main",
        "env": [{"name": "B", "value": "2"}],
        "volumeMounts": [{"name": "v", "mountPath": "/b"}],
        "ports": [{"containerPort": 1}],
        "args": ["y"],
        "envFrom": [{"prefix": "b"}],
    }
    patched = api.patch(f"{deployments}/web", {"spec": {"template": {"spec": {"containers": [more]}}}}, STRATEGIC_PATCH)
    (merged,) = pod_of(patched.object)["containers"]
    assert names(merged["env"]) == ["A", "B"]
    assert names(merged["volumeMounts"], "mountPath") == ["/a", "/b"]
    assert merged["args"] == ["y"]
    assert merged["envFrom"] == [{"prefix": "b"}]


def test_a_port_is_owned_by_its_number_and_protocol(api: RawApi, deployments: str) -> None:
    applied = api.apply(f"{deployments}/web", DEPLOYMENT, "me")
    (entry,) = applied.object["metadata"]["managedFields"]
    containers = entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    ports = containers['k:{"name":"main"}']["f:ports"]
    assert list(ports) == ['k:{"containerPort":80,"protocol":"TCP"}']
    other = deployment(containers=[{"name": "main", "ports": [{"containerPort": 80, "protocol": "UDP"}]}])
    assert api.apply(f"{deployments}/web", other, "you").code == 200
    (container,) = pod_of(api.get(f"{deployments}/web").object)["containers"]
    assert [port["protocol"] for port in container["ports"]] == ["TCP", "UDP"]


def test_a_strategy_keeps_only_what_a_patch_names(api: RawApi, deployments: str) -> None:
    api.create(deployments, DEPLOYMENT)
    change = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert api.patch(f"{deployments}/web", change, STRATEGIC_PATCH).object["spec"]["strategy"] == {"type": "Recreate"}


def test_kubectl_names_a_typing_error_in_a_pod(kubectl: Kubectl) -> None:
    wrong = deployment(containers=[{"name": "main", "image": "i", "resource": {}}])
    error = kubectl("apply", "-f", "-", given=json.dumps(wrong), fails=True)
    assert 'unknown field "spec.template.spec.containers[0].resource"' in error


def test_kubectl_applies_patches_and_shows_a_deployment(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=json.dumps(DEPLOYMENT))
    assert kubectl("apply", "-f", "-", given=json.dumps(DEPLOYMENT)) == "deployment.apps/web unchanged\n"
    kubectl("apply", "-f", "-", given=json.dumps(deployment(imagePullSecrets=[{"name": "a"}])))
    assert "configured" in kubectl("apply", "-f", "-", given=json.dumps(DEPLOYMENT))
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.imagePullSecrets}") == ""
    told = kubectl("describe", "deployment", "web")
    assert "80/TCP" in told
    assert "StrategyType:           RollingUpdate" in told
    assert "25% max unavailable, 25% max surge" in told
    kubectl("set", "image", "deployment/web", "main=img:2")
    kubectl("set", "env", "deployment/web", "A=b")
    kubectl("set", "resources", "deployment/web", "--limits=cpu=200m")
    found = json.loads(kubectl("get", "deploy", "web", "-o", "json"))["spec"]["template"]["spec"]["containers"][0]
    assert (found["image"], found["env"], found["resources"]["limits"]) == (
        *("img:2", [{"name": "A", "value": "b"}], {"cpu": "200m"}),
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("pod.spec.containers.resources", "limits"),
        ("deployment.spec.template.spec.containers.livenessProbe.httpGet", "scheme"),
        ("cronjob.spec.jobTemplate.spec.template.spec.volumes", "emptyDir"),
        ("networkpolicy.spec.ingress", "ports"),
        ("statefulset.spec.updateStrategy", "rollingUpdate"),
        ("hpa.spec.metrics.resource.target", "averageUtilization"),
        ("service.spec.ports.targetPort", "The port of the pods, by number or by name"),
        ("pod.spec.containers", "The containers; at least one."),
        ("event", "Something that happened to an object"),
        ("crd.spec.names", "Abbreviations for kubectl."),
        ("crd.metadata.labels", "Short texts to find the object by."),
    ],
)
def test_kubectl_explains_the_parts_of_workloads(kubectl: Kubectl, asked: str, told: str) -> None:
    assert told in " ".join(kubectl("explain", asked).split())


def test_kubectl_explains_from_the_older_document_too(kubectl: Kubectl) -> None:
    told = kubectl("explain", "pod.spec.containers", "--output=plaintext-openapiv2")
    assert "RESOURCE: containers <[]Object>" in told
    assert "imagePullPolicy" in told
    assert "The image it is started from." in told


def test_kubectl_explains_all_of_a_kind(kubectl: Kubectl) -> None:
    told = kubectl("explain", "deployment", "--recursive")
    assert "terminationGracePeriodSeconds" in told
    assert "<no description>" not in kubectl("explain", "pod")
    assert "<no description>" not in kubectl("explain", "service.spec")
