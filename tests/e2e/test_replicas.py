"""Two replicas of a gateway, real controllers with real Envoys: both serve, and one of them tells the cluster."""

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener

import pytest

from kfambassador.kube.kinds import EVENT, MAPPING
from tests.cluster.raw_api import RawApi
from tests.e2e.gateway import annotate_service, until
from tests.e2e.people import make_person, write_kubeconfig
from tests.e2e.replicas import Replica, Replicas, replicas

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("replicas")]

WRONG = "{apiVersion: ambassador/v1, kind: Mapping, name: wrong, weight: heavy, prefix: /w/, service: x.example.org}"


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_opener = build_opener(_Stay())


def served(replica: Replica, name: str) -> bool:
    """Whether a replica's Envoy has a Mapping's route."""
    try:
        _opener.open(f"{replica.url}/{name}/", timeout=10).close()
    except HTTPError as error:
        with error:
            return error.code == 301
    except OSError:
        return False
    return False


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Replicas, Replica, Replica]]:
    with replicas(tmp_path_factory.mktemp("pair")) as cluster:
        first, second = cluster.add("a"), cluster.add("b")
        until(lambda: first.is_ready() and second.is_ready(), timeout=60)
        yield cluster, first, second


def sort_out(cluster: Replicas, first: Replica, second: Replica) -> tuple[Replica, Replica]:
    """Say who leads and who does not."""
    return (first, second) if cluster.await_leader("a", "b") == "a" else (second, first)


def test_a_leader_that_is_killed_is_followed_after_its_lease_and_both_envoys_serve_all_along(
    pair: tuple[Replicas, Replica, Replica],
) -> None:
    cluster, *both = pair
    leader, other = sort_out(cluster, *both)
    cluster.apply_mapping("early")
    cluster.client.apply(annotate_service("wrong", WRONG))
    cluster.await_status("early")
    until(lambda: len(cluster.client.list(EVENT).items) == 1)
    written = [cluster.client.get(MAPPING, "early"), *cluster.client.list(EVENT).items]
    until(lambda: served(leader, "early") and served(other, "early"))
    before = cluster.lease()["leaseTransitions"]
    leader.kill()
    cluster.apply_mapping("late")
    # The other serves what is new before it may write anything about it.
    until(lambda: served(other, "late"))
    assert served(leader, "early")
    assert served(other, "early")
    cluster.await_status("late")
    assert cluster.leader() == other.name
    assert cluster.lease()["leaseTransitions"] > before
    assert served(leader, "early")
    # Who takes over writes nothing that is written already, neither the status nor the Event.
    assert [cluster.client.get(MAPPING, "early"), *cluster.client.list(EVENT).items] == written
    leader.start()
    until(leader.is_ready, timeout=60)
    until(lambda: served(leader, "late"))
    cluster.apply_mapping("later")
    cluster.await_status("later")


def test_a_leader_that_freezes_is_deposed_and_writes_nothing_when_it_thaws(
    pair: tuple[Replicas, Replica, Replica],
) -> None:
    cluster, *both = pair
    leader, other = sort_out(cluster, *both)
    cluster.apply_mapping("seen")
    cluster.await_status("seen")
    leader.send(signal.SIGSTOP)
    cluster.await_leader(other.name)
    cluster.apply_mapping("seen", prefix="/seen/[", prefix_regex=True)
    told = cluster.await_status("seen", "Inactive")
    leader.send(signal.SIGCONT)
    # It reads of all that on its own, and of one thing more.
    cluster.apply_mapping("more")
    until(lambda: served(leader, "more"))
    cluster.await_status("more")
    assert cluster.status("seen") == told


def test_a_leader_that_is_told_to_end_gives_the_lease_up(pair: tuple[Replicas, Replica, Replica]) -> None:
    cluster, *both = pair
    leader, other = sort_out(cluster, *both)
    other.kill()
    assert leader.end() == 0
    lease = cluster.lease()
    assert "holderIdentity" not in lease
    assert lease["leaseDurationSeconds"] == 1
    other.start()
    leader.start()
    until(lambda: leader.is_ready() and other.is_ready(), timeout=60)
    assert cluster.await_leader("a", "b")


def test_without_the_permission_for_leases_it_serves_and_says_which_role_is_missing(tmp_path: Path) -> None:
    with replicas(tmp_path, rbac=True) as cluster:
        api = RawApi(cluster.server.url, cluster.server.token, cluster.server.authority)
        config = lend(api, cluster, tmp_path)
        replica = cluster.add("a", kubeconfig=config)
        until(replica.is_ready, timeout=60)
        cluster.apply_mapping("served")
        until(lambda: served(replica, "served"))
        until(lambda: "lease-forbidden" in replica.ask("problems").body)
        said = replica.ask("problems").body
        assert "no status and no Event is written" in said
        assert (
            "kubectl create rolebinding kfambassador-controller-kfambassador --namespace kfambassador "
            "--role kfambassador-controller --serviceaccount kfambassador:kfambassador" in said
        )
        assert cluster.status("served") == {}
        api.close()


def lend(api: RawApi, cluster: Replicas, directory: Path) -> Path:
    """An account that may read everything, and nothing of Leases; its kubeconfig."""
    token = make_person(api, "kfambassador", namespace="kfambassador")
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rule = {"apiGroups": ["", "networking.k8s.io", "discovery.k8s.io", "getambassador.io"], "resources": ["*"]}
    role = {"metadata": {"name": "reader"}, "rules": [rule | {"verbs": ["list", "watch", "patch", "create"]}]}
    assert api.create(f"{rbac}/clusterroles", role).code == 201
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"}
    subject = {"kind": "ServiceAccount", "name": "kfambassador", "namespace": "kfambassador"}
    binding = {"metadata": {"name": "reader"}, "roleRef": reference, "subjects": [subject]}
    assert api.create(f"{rbac}/clusterrolebindings", binding).code == 201
    server = cluster.server
    return write_kubeconfig(
        directory / "lent", url=server.url, token=token, authority=server.authority, namespace="default"
    )


def test_a_gateway_that_is_alone_writes_without_a_lease(tmp_path: Path) -> None:
    with replicas(tmp_path) as cluster:
        replica = cluster.add("a", "--no-lease")
        until(replica.is_ready, timeout=60)
        cluster.apply_mapping("alone")
        cluster.await_status("alone")
        assert cluster.lease() == {}
