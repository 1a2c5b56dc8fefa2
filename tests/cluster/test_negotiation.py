"""In which language answers come, what need not come again, and how the server says that it is well."""

import base64
import hashlib
import sqlite3
from pathlib import Path

import pytest
import requests
import yaml

from kfambassador.local.kube.discovery.probes import run_checks
from kfambassador.local.kube.store.storage import StorageFailure, Store
from tests.cluster.raw_api import RawApi, Trusting, config_map
from tests.cluster.servers import Server

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def ask(server: Server, path: str, *, method: str = "GET", **headers: str) -> requests.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with requests.Session() as session:
        session.mount("https://", Trusting(server.authority))
        sent["Authorization"] = f"Bearer {server.token}"
        return session.request(method, server.url + path, headers=sent, timeout=30, allow_redirects=False)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/vnd.kubernetes.protobuf, application/json", "application/json"),
        ("application/yaml", "application/yaml"),
        ("application/json;q=0.2, application/yaml;q=0.8", "application/yaml"),
        ("application/json, application/yaml", "application/json"),
        ("APPLICATION/YAML", "application/yaml"),
    ],
)
def test_the_caller_chooses_the_language(cluster: Server, accept: str, media: str) -> None:
    answer = ask(cluster, "/api/v1/namespaces/default", Accept=accept)
    assert answer.headers["Content-Type"].partition(";")[0] == media
    assert yaml.safe_load(answer.text)["metadata"]["name"] == "default"


def test_lists_discovery_and_errors_come_in_yaml_too(cluster: Server, api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    for path, kind in ((config_maps, "ConfigMapList"), ("/apis", "APIGroupList"), (f"{config_maps}/no", "Status")):
        answer = ask(cluster, path, Accept="application/yaml")
        assert yaml.safe_load(answer.text)["kind"] == kind
        assert not answer.text.startswith("{")


@pytest.mark.parametrize("accept", ["application/xml", "application/json;q=0"])
@pytest.mark.parametrize("path", ["/api/v1/namespaces", "/api/v1/namespaces/default", "/apis", "/api/v1"])
def test_a_language_nobody_here_writes_is_refused(cluster: Server, path: str, accept: str) -> None:
    answer = ask(cluster, path, Accept=accept)
    assert (answer.status_code, answer.json()["reason"]) == (406, "NotAcceptable")
    accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    assert answer.json()["message"] == f"only the following media types are accepted: {accepted}"


def test_a_watch_is_not_written_in_yaml(cluster: Server) -> None:
    answer = ask(cluster, "/api/v1/namespaces?watch=1&timeoutSeconds=1", Accept="application/yaml")
    assert answer.status_code == 406


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/apis", AGGREGATED), ("/api", AGGREGATED), ("/openapi/v2", "*/*"), ("/openapi/v3", "*/*")],
)
def test_what_a_caller_has_is_not_sent_again(cluster: Server, path: str, accept: str) -> None:
    first = ask(cluster, path, Accept=accept)
    assert first.headers["Vary"] == "Accept"
    tag = first.headers["ETag"]
    again = ask(cluster, path, Accept=accept, If_None_Match=f'"other", {tag}')
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert ask(cluster, path, Accept=accept, If_None_Match='"other"').content == first.content


def test_a_schema_has_an_address_that_changes_with_it(cluster: Server) -> None:
    url = ask(cluster, "/openapi/v3").json()["paths"]["apis/apps/v1"]["serverRelativeURL"]
    present = ask(cluster, url)
    assert present.headers["Cache-Control"] == "public, immutable"
    old = ask(cluster, url.partition("=")[0] + "=OLD")
    assert (old.status_code, old.headers["Location"]) == (301, url)
    assert "Cache-Control" not in ask(cluster, "/openapi/v3/apis/apps/v1").headers


@pytest.mark.parametrize("path", ["/openapi/v3/apis/nope/v1", "/openapi/v3/api", "/openapi/v4"])
def test_a_schema_that_is_none_is_not_found(api: RawApi, path: str) -> None:
    assert (api.get(path).code, api.get(path).reason) == (404, "NotFound")


def test_the_core_group_says_where_it_is(cluster: Server, api: RawApi) -> None:
    address = cluster.url.removeprefix("https://")
    assert api.get("/api").object["serverAddressByClientCIDRs"] == [
        {"clientCIDR": "0.0.0.0/0", "serverAddress": address}
    ]


def test_kinds_say_in_which_version_they_are_stored(api: RawApi) -> None:
    listed = {resource["name"]: resource for resource in api.get("/api/v1").object["resources"]}
    # As every cluster has it: the first bytes of the hash of group, version and kind.
    assert listed["configmaps"]["storageVersionHash"] == "qFsyl6wFWjQ="
    reviews = api.get("/apis/authorization.k8s.io/v1").object["resources"]
    assert not [review for review in reviews if "storageVersionHash" in review]
    deployment = base64.b64encode(hashlib.sha256(b"apps/v1/Deployment").digest()[:8]).decode()
    apps = {resource["name"]: resource for resource in api.get("/apis/apps/v1").object["resources"]}
    assert apps["deployments"]["storageVersionHash"] == deployment


# Probes


@pytest.mark.parametrize("probe", ["healthz", "livez", "readyz"])
def test_probes_tell_check_by_check(cluster: Server, probe: str) -> None:
    assert ask(cluster, f"/{probe}").text == "ok"
    assert ask(cluster, f"/{probe}?verbose").text == f"[+]ping ok\n[+]etcd ok\n{probe} check passed\n"
    excluded = ask(cluster, f"/{probe}?verbose&exclude=etcd").text
    assert excluded == f"[+]ping ok\n[+]etcd excluded: ok\n{probe} check passed\n"
    assert "no matches for 'x'" in ask(cluster, f"/{probe}?verbose&exclude=x").text
    for check in ("ping", "etcd"):
        assert ask(cluster, f"/{probe}/{check}").text == "ok"
    assert ask(cluster, f"/{probe}/absent").status_code == 404


def test_single_checks_need_a_token(cluster: Server) -> None:
    with requests.Session() as session:
        session.mount("https://", Trusting(cluster.authority))
        assert session.get(f"{cluster.url}/livez?verbose", timeout=30).status_code == 200
        assert session.get(f"{cluster.url}/livez/ping", timeout=30).status_code == 401


def test_a_check_that_fails_is_named_and_says_no_more() -> None:
    def fail() -> None:
        raise OSError("a secret of the machine")

    outcome = run_checks({"ping": lambda: None, "etcd": fail}, "/readyz")
    assert outcome == (False, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n")
    assert run_checks({"ping": lambda: None, "etcd": fail}, "/readyz", excluded=["etcd"]) == (True, "ok")


def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    path = tmp_path / "kubernetes.db"
    store = Store(path, indexes={})
    store.check()
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE revision")
    other.close()
    with pytest.raises(StorageFailure, match="the database does not answer"):
        store.check()
    store.close()
