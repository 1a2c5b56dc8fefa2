"""By which name somebody publishes, and what is said of whose an object is."""

import base64
import getpass
import json
from pathlib import Path

import pytest

from kfambassador.errors import Unavailable
from kfambassador.kube.client import KubeClient
from kfambassador.local.kube.server import KubeServer
from kfambassador.sdk.publishing import owners
from kfambassador.sdk.publishing.owners import find_user, is_owner, owner_of, read_subject, who_am_i
from kfambassador.sdk.targets import InCluster, Kubeconfig, Local
from tests.unit.kube.scripted_api import TOKEN, answer, refusal, scripted_api

NOTEBOOK = "system:serviceaccount:alice:default-editor"

CONFIG = """
current-context: kind
contexts:
- {name: kind, context: {user: alice, cluster: kind}}
- {name: prod, context: {user: bob, cluster: prod}}
users: [{name: alice, user: {token: canary-token}}]
"""


def review(username: str) -> dict[str, object]:
    return {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": username}}}


def test_the_embedded_api_says_whom_it_takes_us_for() -> None:
    with (
        KubeServer() as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
    ):
        name = who_am_i(client, Kubeconfig())
    assert name
    assert name != getpass.getuser()


def test_on_a_laptop_it_is_the_user_of_the_machine() -> None:
    with scripted_api() as api, KubeClient.connect(api.url, token=TOKEN) as client:
        assert who_am_i(client, Local()) == getpass.getuser()
        assert not api.requests()


def test_a_cluster_is_asked_once() -> None:
    with scripted_api(answer(review(NOTEBOOK), status=201)) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        assert [who_am_i(client, InCluster()) for _ in range(3)] == [NOTEBOOK] * 3
        (asked,) = api.requests()
    assert asked.path == "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def test_an_older_cluster_is_asked_in_older_words() -> None:
    script = [refusal(404, "NotFound"), refusal(404, "NotFound"), answer(review("alice"), status=201)]
    with scripted_api(*script) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        assert who_am_i(client, Kubeconfig()) == "alice"
        assert [request.path.split("/")[3] for request in api.requests()] == ["v1", "v1beta1", "v1alpha1"]


def test_where_a_cluster_does_not_say_the_kubeconfig_does(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(CONFIG)
    with (
        scripted_api(refusal(403, "Forbidden")) as api,
        KubeClient.connect(api.url, token=TOKEN) as client,
    ):
        assert who_am_i(client, Kubeconfig(context="prod", path=tmp_path / "config")) == "bob"


def test_where_nothing_says_it_is_the_user_of_the_machine(tmp_path: Path) -> None:
    with scripted_api(refusal(403, "Forbidden")) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        assert who_am_i(client, Kubeconfig(path=tmp_path / "none")) == getpass.getuser()


def test_in_a_pod_the_token_says_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = base64.urlsafe_b64encode(json.dumps({"sub": NOTEBOOK}).encode()).decode().rstrip("=")
    (tmp_path / "token").write_text(f"header.{body}.signature")
    monkeypatch.setattr(owners, "_POD_TOKEN", tmp_path / "token")
    with scripted_api(refusal(403, "Forbidden")) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        assert who_am_i(client, InCluster()) == NOTEBOOK


def test_a_cluster_that_is_away_is_no_answer() -> None:
    with scripted_api(refusal(503, "ServiceUnavailable"), answer(review("alice"), status=201)) as api:
        client = KubeClient.connect(api.url, token=TOKEN)
        with client, pytest.raises(Unavailable):
            who_am_i(client, InCluster())
        with KubeClient.connect(api.url, token=TOKEN) as again:
            assert who_am_i(again, InCluster()) == "alice"


@pytest.mark.parametrize("token", ["", "words", "a.b", "a.!!.c", "a.W10.c", "a.e30.c"])
def test_what_is_no_token_is_nobodys(token: str) -> None:
    assert read_subject(token) == ""


def test_of_several_kubeconfigs_the_first_that_says_counts() -> None:
    later = "current-context: prod\ncontexts: [{name: kind, context: {user: carol}}]"
    assert find_user(["a: [", "", CONFIG, later], context=None) == "alice"
    assert find_user([later, CONFIG], context=None) == "bob"
    assert find_user(["contexts: 3"], context=None) == ""


def describe(**metadata: object) -> str:
    return owner_of({"metadata": metadata})


OURS = {"app.kubernetes.io/managed-by": "kfambassador"}


def test_it_is_said_whose_an_object_is() -> None:
    alice = {"kfambassador/owner": "alice"}
    named = {**OURS, "kfambassador/exposure": "mnist"}
    assert describe(labels=named, annotations=alice) == "it belongs to 'mnist', published by alice"
    assert describe(labels=named) == "it belongs to 'mnist', published from Python or the command line"
    assert describe(annotations=alice) == "it was published by alice"
    assert describe(labels={"app.kubernetes.io/managed-by": "Helm"}) == "it is managed by Helm"
    assert describe(ownerReferences=[{"kind": "Notebook", "name": "n"}]) == "it belongs to Notebook n"
    assert describe(managedFields=[{"manager": "kubectl"}]) == "kubectl wrote it"
    assert describe() == "it is somebody else's"


def test_the_same_owner_is_known_by_name() -> None:
    manifest = {"metadata": {"annotations": {"kfambassador/owner": "alice"}}}
    assert is_owner(manifest, "alice")
    assert not is_owner(manifest, "bob")
    assert not is_owner({}, "")
