"""Server-side apply of what does not fit its kind: nobody could own it, so a cluster refuses it before all else."""

import pytest

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import Object, RawApi, config_map, service
from tests.cluster.things import Things


def deployment(container: Object) -> Object:
    """A Deployment with one container."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "x"} | container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"ports": "http"}, ".spec.ports: expected list, got &{http}"),
        ({"ports": {"port": 80}}, ".spec.ports: expected list, got &{map[port:80]}"),
        ({"selector": ["app"]}, ".spec.selector: expected map, got &{[app]}"),
        ({"type": 1}, ".spec.type: expected string, got &value.valueUnstructured{Value:1}"),
        (
            {"type": ["a", None]},
            '.spec.type: expected string, got &value.valueUnstructured{Value:[]interface {}{"a", interface {}(nil)}}',
        ),
        (
            {"ports": [{"port": "80"}]},
            '.spec.ports[port="80",protocol="TCP"].port: expected numeric (int or float), got string',
        ),
        ({"publishNotReadyAddresses": "yes"}, ".spec.publishNotReadyAddresses: expected boolean, got &{yes}"),
        (
            {"ports": [{"port": 80, "tragetPort": 1}]},
            '.spec.ports[port=80,protocol="TCP"].tragetPort: field not declared in schema',
        ),
        ({"ports": [{"port": 80}, {"port": 80}]}, '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]'),
        ({"ports": [80]}, ".spec.ports: element 0: associative list with keys may not have non-map elements"),
    ],
)
def test_a_wrong_type_cannot_be_applied(api: RawApi, namespace: str, services: str, spec: Object, why: str) -> None:
    body = service("a", namespace=namespace) | {"spec": spec}
    answer = api.apply(f"{services}/a", body, "me")
    assert answer.message == f"failed to create typed patch object ({namespace}/a; /v1, Kind=Service): {why}"
    assert answer.code == 500
    assert api.get(f"{services}/a").code == 404


def test_all_that_does_not_fit_is_told(api: RawApi, services: str) -> None:
    body = service("a") | {"spec": {"type": 1, "ports": {}}}
    answer = api.apply(f"{services}/a", body, "me")
    assert "): errors:\n  .spec." in answer.message
    assert answer.message.count("\n") == 2


def test_a_number_is_no_annotation(api: RawApi, config_maps: str) -> None:
    answer = api.apply(f"{config_maps}/a", config_map("a", annotations={"since": 1775066426}), "me")
    why = ".metadata.annotations.since: expected string, got &value.valueUnstructured{Value:1775066426}"
    assert answer.message.endswith(why)


def test_a_variable_is_applied_once(api: RawApi, deployments: str) -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    answer = api.apply(f"{deployments}/a", deployment({"env": twice}), "me")
    why = '.spec.template.spec.containers[name="web"].env: duplicate entries for key [name="A"]'
    assert answer.message.endswith(why)
    assert api.create(deployments, deployment({"env": twice})).code == 201


def test_a_port_without_its_number_is_nameless(api: RawApi, deployments: str) -> None:
    applied = api.apply(f"{deployments}/a", deployment({"volumeMounts": [{"name": "x"}]}), "me")
    why = 'element 0: associative list with keys has an element that omits all key fields ["mountPath"]'
    assert why in applied.message


def test_quantities_and_ports_may_be_numbers_or_texts(api: RawApi, deployments: str) -> None:
    limits = {"limits": {"cpu": 1, "memory": "1Gi"}}
    assert api.apply(f"{deployments}/a", deployment({"resources": limits}), "me").code == 201
    wrong = api.apply(f"{deployments}/a", deployment({"resources": {"limits": {"cpu": {}}}}), "me")
    assert "expected any scalar, got &{map[]}" in wrong.message


def test_a_custom_resource_of_a_wrong_type_cannot_be_applied(api: RawApi, namespace: str) -> None:
    with Things.lent(api, namespace) as things:
        size = {"type": "integer"}
        things.define({"type": "object", "properties": {"size": size, "any": {"x-kubernetes-int-or-string": True}}})
        answer = api.apply(f"{things.path}/a", things.thing(size="big", any=[]), "me")
        assert answer.code == 500
        assert ".spec.size: expected numeric (int or float), got string" in answer.message
        assert ".spec.any: expected any scalar, got &{[]}" in answer.message
        assert api.apply(f"{things.path}/a", things.thing(size=1, any="1%"), "me").code == 201


def test_kubectl_says_what_does_not_fit(kubectl: Kubectl) -> None:
    body = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"debug": true}}'
    said = kubectl("apply", "--server-side", "--validate=ignore", "-f", "-", given=body, fails=True)
    assert ".data.debug: expected string, got &value.valueUnstructured{Value:true}" in said
