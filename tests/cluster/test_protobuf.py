"""Protobuf: what kubectl sends arrives as what it prints as JSON, and who reads nothing else is answered in it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from kfambassador.local.kube.schemas.protobuf import read_protobuf
from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import MADE, Object, RawApi, Trusting, config_map
from tests.cluster.servers import Server
from tests.cluster.test_kinds import FOR_ALL, NAMESPACED, new, path_in
from tests.cluster.things import DEFINITIONS, Things

PROTOBUF = "application/vnd.kubernetes.protobuf"

COMMANDS = [
    "namespace NAME",
    "configmap NAME --from-literal=a=b",
    "secret generic NAME --from-literal=a=b --type=example.com/kind",
    "secret docker-registry NAME --docker-username=u --docker-password=p --docker-server=example.com",
    "serviceaccount NAME",
    "service clusterip NAME --tcp=80:8080 --tcp=81:http",
    "service clusterip NAME --clusterip=None",
    "service loadbalancer NAME --tcp=80",
    "service externalname NAME --external-name=example.com",
    "deployment NAME --image=img:1 --image=other --replicas=0",
    "deployment NAME --image=img --port=8080 -- sleep 1",
    "job NAME --image=img -- sleep 1",
    "cronjob NAME --image=img --schedule=*/5 --restart=Never",
    "ingress NAME --class=c --rule=example.com/a=web:80,tls=key --rule=example.com/b*=web:http --annotation=a=b",
    "ingress NAME --default-backend=web:80",
    "poddisruptionbudget NAME --selector=app=x --min-available=0",
    "poddisruptionbudget NAME --selector=app=x --max-unavailable=50%",
    "quota NAME --hard=pods=2,limits.cpu=1 --scopes=BestEffort",
    "priorityclass NAME --value=-5 --global-default=false --description=low --preemption-policy=Never",
    "role NAME --verb=get --resource=pods,deployments.apps --resource-name=x",
    "rolebinding NAME --role=r --user=u --group=g --serviceaccount=a:b",
    "clusterrole NAME --verb=get --non-resource-url=/logs/*",
    "clusterrole NAME --aggregation-rule=a=b",
    "clusterrolebinding NAME --clusterrole=r --user=u",
]


def arrived(sent: Any, found: Any) -> bool:
    """Whether all that was sent is there; what is null or empty need not be."""
    if isinstance(sent, dict) and isinstance(found, dict):
        return all(arrived(value, found.get(name)) for name, value in sent.items() if value not in (None, {}, []))
    if isinstance(sent, list) and isinstance(found, list):
        return len(sent) == len(found) and all(map(arrived, sent, found))
    return bool(sent == found)


@pytest.mark.parametrize("command", COMMANDS)
def test_kubectl_creates_in_protobuf_what_it_prints_as_json(kubectl: Kubectl, namespace: str, command: str) -> None:
    name = f"{namespace}-made"
    arguments = ["create", *command.replace("NAME", name).split(" ")]
    if "schedule" in command:
        arguments[arguments.index("--schedule=*/5")] = "--schedule=*/5 * * * *"
    shown = arguments.index("--") if "--" in arguments else len(arguments)
    printed = kubectl(*arguments[:shown], "--dry-run=client", "-o", "json", *arguments[shown:])
    sent = json.loads(printed)
    kubectl(*arguments)
    kind = sent["kind"].lower()
    found = json.loads(kubectl("get", kind, name, "-o", "json"))
    kubectl("delete", kind, name)
    assert arrived({name: part for name, part in sent.items() if name != "status"}, found), (sent, found)


def test_other_commands_of_kubectl_that_send_protobuf(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=img")
    assert "autoscaled" in kubectl("autoscale", "deployment", "web", "--min=1", "--max=3", "--cpu=50%")
    (metric,) = json.loads(kubectl("get", "hpa", "web", "-o", "json"))["spec"]["metrics"]
    assert metric["resource"]["target"] == {"averageUtilization": 50, "type": "Utilization"}
    assert "exposed" in kubectl("expose", "deployment", "web", "--port=80")
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.selector.app}") == "web"
    assert "created" in kubectl("run", "one", "--image=img", "--labels=a=b", "--env=A=b")
    kubectl("create", "cronjob", "tick", "--image=img", "--schedule=* * * * *")
    assert "created" in kubectl("create", "job", "now", "--from=cronjob/tick")
    assert kubectl("get", "job", "now", "-o", "jsonpath={.metadata.ownerReferences[0].name}") == "tick"


def get(server: Server, path: str, **query: str) -> requests.Response:
    """Ask for what a client reads that reads nothing else."""
    headers = {"Authorization": f"Bearer {server.token}", "Accept": PROTOBUF}
    with requests.Session() as session:
        session.mount("https://", Trusting(server.authority))
        return session.get(server.url + path, headers=headers, params=query, timeout=30)


def tidied(value: Any) -> Any:
    """A value without what protobuf does not tell from nothing."""
    if isinstance(value, dict):
        kept = {name: tidied(child) for name, child in value.items()}
        return {name: child for name, child in kept.items() if child not in (None, "", 0, False, {}, [])}
    return [tidied(child) for child in value] if isinstance(value, list) else value


def read_number(content: bytes) -> tuple[int, bytes]:
    """A number at the beginning, and what follows it."""
    number = 0
    for place, byte in enumerate(content):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, content[place + 1 :]
    raise AssertionError(content)


def split(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that are texts or messages, by their numbers."""
    while content:
        key, content = read_number(content)
        length, rest = read_number(content)
        if key & 7:
            assert key & 7 == 2
            yield key >> 3, rest[:length]
            content = rest[length:]
        else:
            content = rest


def lay(number: int, content: bytes) -> bytes:
    """A field with its length before it."""
    length = len(content)
    return bytes((number << 3 | 2, length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14)) + content


def read_items(content: bytes, version: str, kind: str) -> list[Object]:
    """The objects of a list."""
    envelope = dict(split(content.removeprefix(b"k8s\x00")))
    assert dict(split(envelope[1])) == {1: version.encode(), 2: f"{kind}List".encode()}
    identity = lay(1, lay(1, version.encode()) + lay(2, kind.encode()))
    items = [item for number, item in split(envelope[2]) if number == 2]
    return [read_protobuf(b"k8s\x00" + identity + lay(2, item)) for item in items]


PLACED = [(*each[:3], True) for each in NAMESPACED] + [(*each[:3], False) for each in FOR_ALL]


@pytest.mark.parametrize(("path", "kind", "body", "is_placed"), PLACED, ids=[each[0] for each in PLACED])
def test_an_object_is_told_in_protobuf(
    cluster: Server, api: RawApi, namespace: str, path: str, kind: str, body: Object, is_placed: bool
) -> None:
    name, group = namespace, path_in(path, namespace if is_placed else "")
    assert api.create(group, new(path, kind, body, name)).code == 201
    answer = get(cluster, f"{group}/{name}")
    whole = api.get(f"{group}/{name}").object
    api.delete(f"{group}/{name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, PROTOBUF)
    assert tidied(read_protobuf(answer.content)) == tidied(whole)


def test_lists_events_and_errors_are_told_in_protobuf(cluster: Server, api: RawApi, config_maps: str) -> None:
    objects = [api.create(config_maps, config_map(name)).object for name in "ab"]
    listed = get(cluster, config_maps, fieldSelector=MADE)
    assert read_items(listed.content, "v1", "ConfigMap") == objects
    missing = get(cluster, f"{config_maps}/none")
    assert missing.status_code == 404
    assert tidied(read_protobuf(missing.content)) == tidied(api.get(f"{config_maps}/none").object)
    version = str(int(objects[0]["metadata"]["resourceVersion"]) - 1)
    watched = get(cluster, config_maps, watch="1", resourceVersion=version, fieldSelector=MADE, timeoutSeconds="1")
    assert watched.headers["Content-Type"].replace("; ", ";") == f"{PROTOBUF};stream=watch"
    rest, seen = watched.content, []
    while rest:
        length = int.from_bytes(rest[:4], "big")
        event, rest = dict(split(rest[4 : 4 + length])), rest[4 + length :]
        seen.append((event[1], read_protobuf(dict(split(event[2]))[1])))
    assert seen == [(b"ADDED", objects[0]), (b"ADDED", objects[1])]


@pytest.mark.parametrize("path", ["/api", "/apis", "/apis/apps", "/apis/apps/v1", "/api/v1"])
def test_what_there_is_is_told_in_protobuf(cluster: Server, api: RawApi, path: str) -> None:
    answer = get(cluster, path)
    assert answer.status_code == 200
    told = read_protobuf(answer.content)
    assert tidied({"apiVersion": "v1"} | told) == tidied({"apiVersion": "v1"} | api.get(path).object)


def test_custom_resources_are_not_told_in_protobuf(cluster: Server, api: RawApi, namespace: str) -> None:
    with Things.lent(api, namespace) as things:
        things.define()
        answer = get(cluster, things.path)
    assert (answer.status_code, answer.json()["reason"]) == (406, "NotAcceptable")
    assert PROTOBUF not in answer.json()["message"]


@pytest.mark.embedded
def test_schemas_are_not_told_in_protobuf_here(cluster: Server) -> None:
    assert get(cluster, DEFINITIONS).status_code == 406
