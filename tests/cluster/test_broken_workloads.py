"""What a cluster refuses of budgets, autoscalers, network policies, containers and schedules, and in which field."""

import pytest

from tests.cluster.raw_api import Object, RawApi
from tests.cluster.test_workloads import pod

SELECTOR: Object = {"matchLabels": {"app": "web"}}


def _create(api: RawApi, namespace: str, path: str, kind: str, spec: Object) -> tuple[int, str]:
    version = path.removeprefix("/apis/")
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": spec}
    plural = {"NetworkPolicy": "networkpolicies"}.get(kind, f"{kind.lower()}s")
    answer = api.create(f"{path}/namespaces/{namespace}/{plural}", document)
    return answer.code, answer.message


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"minAvailable": 1, "maxUnavailable": 1}, "minAvailable and maxUnavailable cannot be both set"),
        ({"minAvailable": "half"}, 'spec.minAvailable: Invalid value: "half": a valid percent string must be'),
        ({"maxUnavailable": "101%"}, 'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'),
        ({"maxUnavailable": -1}, "spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0"),
        (
            {"selector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}},
            'spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
        ),
        ({"unhealthyPodEvictionPolicy": "Never"}, "spec.unhealthyPodEvictionPolicy: Unsupported value"),
    ],
)
def test_a_budget_that_breaks_the_rules_is_refused(api: RawApi, namespace: str, spec: Object, message: str) -> None:
    code, said = _create(api, namespace, "/apis/policy/v1", "PodDisruptionBudget", {"selector": SELECTOR} | spec)
    assert code == 422
    assert message in said


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"maxReplicas": 0}, "spec.maxReplicas: Invalid value: 0: must be greater than 0"),
        ({"minReplicas": 0}, "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"),
        ({"minReplicas": 9}, "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"),
        ({"scaleTargetRef": {"kind": "", "name": "web"}}, "spec.scaleTargetRef.kind: Required value"),
    ],
)
def test_an_autoscaler_that_breaks_the_rules_is_refused(
    api: RawApi, namespace: str, version: str, spec: Object, message: str
) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    asked = {"scaleTargetRef": target, "maxReplicas": 3} | spec
    code, said = _create(api, namespace, f"/apis/autoscaling/{version}", "HorizontalPodAutoscaler", asked)
    assert code == 422
    assert message in said


def _block(cidr: str, *excepted: str) -> Object:
    return {"ingress": [{"from": [{"ipBlock": {"cidr": cidr, "except": [*excepted]}}]}]}


def _ports(**port: object) -> Object:
    return {"egress": [{"ports": [port]}]}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"policyTypes": ["Sideways"]}, 'spec.policyTypes[0]: Unsupported value: "Sideways"'),
        ({"policyTypes": ["Ingress"] * 3}, "may not specify more than two policyTypes"),
        (_block("10.0.0.0"), 'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0"'),
        (_block(""), "spec.ingress[0].from[0].ipBlock.cidr: Required value"),
        (_block("10.0.0.0/8", "10.0.0.0/8"), "ipBlock.except[0]: Invalid value"),
        (_block("10.0.0.0/8", "11.0.0.0/24"), "must be a strict subset of `cidr`"),
        (_block("10.0.0.0/8", "2001:db8::/64"), "must be a strict subset of `cidr`"),
        (_block("10.0.0.0/8", "10"), "spec.ingress[0].from[0].ipBlock.except[0]: Invalid value"),
        ({"ingress": [{"from": [{}]}]}, "spec.ingress[0].from[0]: Required value: must specify a peer"),
        (
            {"ingress": [{"from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
            "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer",
        ),
        (_ports(port=70000), "spec.egress[0].ports[0].port: Invalid value: 70000: must be between 1 and 65535"),
        (_ports(port="-"), 'spec.egress[0].ports[0].port: Invalid value: "-"'),
        (_ports(port=90, endPort=80), "spec.egress[0].ports[0].endPort: Invalid value: 80: must be greater than or"),
        (_ports(port="web", endPort=80), "may not be specified when `port` is non-numeric"),
        (_ports(endPort=80), "may not be specified when `port` is not specified"),
        (_ports(protocol="ICMP"), 'spec.egress[0].ports[0].protocol: Unsupported value: "ICMP"'),
        (
            {"ingress": [{"from": [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}]}]},
            "spec.ingress[0].from[0].namespaceSelector.matchExpressions[0].values: Required value",
        ),
    ],
)
def test_a_network_policy_that_breaks_the_rules_is_refused(
    api: RawApi, namespace: str, spec: Object, message: str
) -> None:
    code, said = _create(api, namespace, "/apis/networking.k8s.io/v1", "NetworkPolicy", {"podSelector": {}} | spec)
    assert code == 422
    assert message in said


def test_a_network_policy_that_keeps_the_rules_is_taken(api: RawApi, namespace: str) -> None:
    spec = {"podSelector": SELECTOR} | _block("10.0.0.7/8", "10.1.0.0/16") | _ports(port=80, endPort=90)
    assert _create(api, namespace, "/apis/networking.k8s.io/v1", "NetworkPolicy", spec)[0] == 201


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}},
            'resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m',
        ),
        (
            {"resources": {"requests": {"example.com/card": "1"}, "limits": {"example.com/card": "2"}}},
            "must be equal to example.com/card limit of 2",
        ),
        (
            {"resources": {"limits": {"memory": "-1Gi"}}},
            'spec.containers[0].resources.limits[memory]: Invalid value: "-1Gi": must be greater than or equal to 0',
        ),
        (
            {"readinessProbe": {"periodSeconds": 3}},
            "spec.containers[0].readinessProbe: Required value: must specify a handler type",
        ),
        (
            {"livenessProbe": {"exec": {"command": ["true"]}, "tcpSocket": {"port": 80}}},
            "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ),
        ({"livenessProbe": {"exec": {}}}, "spec.containers[0].livenessProbe.exec.command: Required value"),
        ({"startupProbe": {"httpGet": {"port": 0}}}, "spec.containers[0].startupProbe.httpGet.port: Invalid value: 0"),
        (
            {"livenessProbe": {"tcpSocket": {"port": 80}, "successThreshold": 2}},
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            {"readinessProbe": {"grpc": {"port": 80}, "timeoutSeconds": -1}},
            "spec.containers[0].readinessProbe.timeoutSeconds: Invalid value: -1",
        ),
        (
            {"lifecycle": {"preStop": {}}},
            "spec.containers[0].lifecycle.preStop: Required value: must specify a handler",
        ),
    ],
)
def test_a_container_that_breaks_the_rules_is_refused(api: RawApi, pods: str, container: Object, message: str) -> None:
    spec = {"containers": [{"name": "main", "image": "example.com/main:1"} | container]}
    answer = api.create(pods, pod("web") | {"spec": spec})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


@pytest.mark.parametrize(
    ("field", "name", "message"),
    [
        ("serviceAccountName", "me", 'error looking up service account {namespace}/me: serviceaccount "me" not found'),
        ("priorityClassName", "urgent", "no PriorityClass with name urgent was found"),
    ],
)
def test_a_pod_that_goes_by_what_is_not_there_is_refused(
    api: RawApi, namespace: str, pods: str, field: str, name: str, message: str
) -> None:
    asked = pod("web")
    asked["spec"] |= {field: name}
    answer = api.create(pods, asked)
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.message == f'pods "web" is forbidden: {message.format(namespace=namespace)}'


def test_a_pod_that_goes_by_what_is_there_is_taken(api: RawApi, namespace: str, pods: str) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "me"}}
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": namespace}}
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    assert api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", account).code == 201
    assert api.create(classes, priority | {"value": 7}).code == 201
    asked = pod("web")
    asked["spec"] |= {"serviceAccountName": "me", "priorityClassName": namespace}
    created = api.create(pods, asked)
    api.delete(f"{classes}/{namespace}")
    assert created.code == 201
    # Both may go: who is there already stays as it is.
    api.delete(f"/api/v1/namespaces/{namespace}/serviceaccounts/me")
    assert api.patch(f"{pods}/web", {"metadata": {"labels": {"a": "b"}}}).code == 200


def test_a_pod_of_a_systems_priority_needs_no_class(api: RawApi, pods: str) -> None:
    asked = pod("web")
    asked["spec"] |= {"priorityClassName": "system-cluster-critical"}
    assert api.create(pods, asked).code == 201


def _cron_job(schedule: str) -> Object:
    return {"schedule": schedule, "jobTemplate": {"spec": {"template": {"spec": pod("web")["spec"] | RESTART}}}}


RESTART: Object = {"restartPolicy": "Never"}


@pytest.mark.parametrize(
    "schedule",
    [
        *("whenever", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7"),
        *("5-3 * * * *", "*/0 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "@sometimes", "@every day", ", * * * *"),
        "TZ=UTC 0 0 * * *",
    ],
)
def test_a_schedule_that_is_none_is_refused(api: RawApi, namespace: str, schedule: str) -> None:
    code, said = _create(api, namespace, "/apis/batch/v1", "CronJob", _cron_job(schedule))
    assert code == 422
    assert f'spec.schedule: Invalid value: "{schedule}": ' in said


@pytest.mark.parametrize(
    "schedule", ["*/5 0,12 1-15/3 jan-MAR mon-Fri", "0 0 ? * 6", "@daily", "@every 1h30m", "7/10 * * * *"]
)
def test_a_schedule_is_taken(api: RawApi, namespace: str, schedule: str) -> None:
    assert _create(api, namespace, "/apis/batch/v1", "CronJob", _cron_job(schedule))[0] == 201
