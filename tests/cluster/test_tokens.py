"""Tokens of ServiceAccounts: who has one, for how long, and whom it makes of its bearer."""

import base64
import itertools
import json
from datetime import datetime
from pathlib import Path

import pytest

from kfambassador.errors import ConfigurationError
from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import Object, RawApi
from tests.cluster.tenants import AUTHENTICATION, Tenant, rule

pytestmark = pytest.mark.embedded

ISSUER = "https://kubernetes.default.svc.cluster.local"


def request_token(api: RawApi, tenant: Tenant, **spec: object) -> Object:
    answer = api.create(f"{tenant.path}/serviceaccounts/{tenant.account}/token", {"spec": spec})
    assert answer.code == 201, answer.message
    return answer.object


def review(tenant: Tenant, token: str, *audiences: str) -> Object:
    spec = {"token": token, "audiences": list(audiences)}
    answer = tenant.admin.create(f"{AUTHENTICATION}/tokenreviews", {"spec": spec})
    assert answer.code == 201
    status: Object = answer.object["status"]
    return status


def read_claims(token: str) -> Object:
    claims = token.split(".")[1]
    read: Object = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return read


def is_let_in(tenant: Tenant, token: str) -> bool:
    api = RawApi(tenant.server.url, token, tenant.server.authority)
    answer = api.get("/api/v1")
    api.close()
    if answer.code == 401:
        assert answer.object == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Unauthorized",
            "reason": "Unauthorized",
            "code": 401,
        }
    return answer.code == 200


def test_a_token_says_for_whom_and_until_when_it_is(tenant: Tenant) -> None:
    answer = request_token(tenant.admin, tenant, expirationSeconds=7200)
    assert (answer["kind"], answer["apiVersion"]) == ("TokenRequest", "authentication.k8s.io/v1")
    assert answer["spec"] == {"expirationSeconds": 7200, "audiences": [ISSUER]}
    claims = read_claims(answer["status"]["token"])
    assert claims["exp"] - claims["iat"] == 7200
    assert datetime.fromisoformat(answer["status"]["expirationTimestamp"]).timestamp() == claims["exp"]
    assert (claims["sub"], claims["aud"], claims["iss"]) == (tenant.user, [ISSUER], ISSUER)
    assert request_token(tenant.admin, tenant)["spec"]["expirationSeconds"] == 3600


def test_its_bearer_is_the_service_account(tenant: Tenant) -> None:
    account = tenant.admin.get(f"{tenant.path}/serviceaccounts/{tenant.account}").object["metadata"]
    found = tenant.api.create(f"{AUTHENTICATION}/selfsubjectreviews", {}).object["status"]["userInfo"]
    assert found["username"] == tenant.user
    assert found["uid"] == account["uid"]
    assert found["groups"] == [
        "system:serviceaccounts",
        f"system:serviceaccounts:{tenant.namespace}",
        "system:authenticated",
    ]
    assert found["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("JTI=")


def test_a_token_ends_when_its_time_is_over(tenant: Tenant) -> None:
    token = request_token(tenant.admin, tenant, expirationSeconds=1)["status"]["token"]
    next(attempt for attempt in itertools.count() if not is_let_in(tenant, token))
    status = review(tenant, token)
    assert "authenticated" not in status
    assert status["error"] == "[invalid bearer token, service account token has expired]"


def test_a_token_ends_with_its_account(tenant: Tenant) -> None:
    accounts = f"{tenant.path}/serviceaccounts"
    assert is_let_in(tenant, tenant.token)
    tenant.admin.delete(f"{accounts}/{tenant.account}")
    assert not is_let_in(tenant, tenant.token)
    assert review(tenant, tenant.token)["error"] == '[invalid bearer token, serviceaccounts "notebook" not found]'
    tenant.admin.create(accounts, {"metadata": {"name": tenant.account}})
    assert not is_let_in(tenant, tenant.token)
    assert "does not match claim" in review(tenant, tenant.token)["error"]


@pytest.mark.parametrize(("kind", "plural"), [("Pod", "pods"), ("Secret", "secrets")])
def test_a_token_ends_with_what_it_is_bound_to(tenant: Tenant, kind: str, plural: str) -> None:
    spec = {"containers": [{"name": "main", "image": "example.com/main:1"}]}
    body: Object = {"metadata": {"name": "bound"}} | ({"spec": spec} if kind == "Pod" else {})
    uid = tenant.admin.create(f"{tenant.path}/{plural}", body).object["metadata"]["uid"]
    reference = {"kind": kind, "apiVersion": "v1", "name": "bound"}
    token = request_token(tenant.admin, tenant, boundObjectRef=reference)["status"]["token"]
    extra = review(tenant, token)["user"]["extra"]
    assert (extra.get("authentication.kubernetes.io/pod-uid") == [uid]) is (kind == "Pod")
    tenant.admin.delete(f"{tenant.path}/{plural}/bound")
    assert not is_let_in(tenant, token)
    assert review(tenant, token)["error"] == "[invalid bearer token, service account token has been invalidated]"


def test_a_token_for_others_does_not_open_the_api(tenant: Tenant) -> None:
    token = request_token(tenant.admin, tenant, audiences=["registry", "vault"])["status"]["token"]
    assert not is_let_in(tenant, token)
    assert review(tenant, token, "vault", "other")["audiences"] == ["vault"]
    assert "is invalid for the target audiences" in review(tenant, token)["error"]
    assert "is invalid for the target audiences" in review(tenant, tenant.server.token, "vault")["error"]


def test_a_token_that_was_tampered_with_is_nobodys(tenant: Tenant) -> None:
    head, claims, signature = tenant.token.split(".")
    for forged in (f"{head}.{claims}.{signature[:-2]}AA", f"{head}.{claims[:-2]}AA.{signature}", f"{head}.{claims}."):
        assert not is_let_in(tenant, forged)
        assert review(tenant, forged)["error"] == "invalid bearer token"
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
    assert not is_let_in(tenant, f"{none}.{claims}.")


def test_another_servers_token_is_nobodys(tenant: Tenant) -> None:
    with KubeServer() as other:
        api = RawApi(other.url, tenant.token, other.authority)
        assert api.get("/api").code == 401
        api.close()


@pytest.mark.parametrize(
    ("seconds", "complaint"),
    [
        (599, "may not specify a duration less than 10 minutes"),
        ((1 << 32) + 1, "may not specify a duration larger than 2^32 seconds"),
    ],
)
def test_a_cluster_has_a_shortest_and_a_longest_token(
    api: RawApi, namespace: str, seconds: int, complaint: str
) -> None:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    api.create(accounts, {"metadata": {"name": "x"}})
    answer = api.create(f"{accounts}/x/token", {"spec": {"expirationSeconds": seconds}})
    assert answer.code == 422
    assert answer.message == (
        'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: '
        f"{seconds}: {complaint}"
    )
    assert api.create(f"{accounts}/x/token", {"spec": {"expirationSeconds": 600}}).code == 201


@pytest.mark.parametrize(
    ("reference", "code", "complaint"),
    [
        ({"kind": "Pod", "name": "absent"}, 404, 'pods "absent" not found'),
        ({"kind": "ConfigMap", "name": "x"}, 400, "cannot bind token for serviceaccount to object of type"),
        ({"kind": "Pod", "name": "there", "uid": "other"}, 409, "does not match the UID in record"),
    ],
)
def test_a_token_is_bound_to_what_is_there(tenant: Tenant, reference: Object, code: int, complaint: str) -> None:
    spec = {"containers": [{"name": "main", "image": "example.com/main:1"}]}
    tenant.admin.create(f"{tenant.path}/pods", {"metadata": {"name": "there"}, "spec": spec})
    path = f"{tenant.path}/serviceaccounts/{tenant.account}/token"
    answer = tenant.admin.create(path, {"spec": {"boundObjectRef": reference}})
    assert answer.code == code
    assert complaint in answer.message


def test_a_token_of_nobody_is_not_given(tenant: Tenant) -> None:
    answer = tenant.admin.create(f"{tenant.path}/serviceaccounts/absent/token", {})
    assert (answer.code, answer.message) == (404, 'serviceaccounts "absent" not found')
    assert tenant.admin.get(f"{tenant.path}/serviceaccounts/{tenant.account}/token").code == 405


def test_a_token_is_given_to_those_who_may_create_it(tenant: Tenant) -> None:
    path = f"{tenant.path}/serviceaccounts/{tenant.account}/token"
    refused = tenant.api.create(path, {})
    assert refused.code == 403
    assert 'cannot create resource "serviceaccounts/token" in API group ""' in refused.message
    tenant.allow(rule("serviceaccounts/token", "create", names=[tenant.account]))
    assert tenant.api.create(path, {}).code == 201


def test_tokens_outlive_a_restart(tmp_path: Path) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    with KubeServer(state=tmp_path) as server:
        admin = RawApi(server.url, server.token, server.authority)
        admin.create(accounts, {"metadata": {"name": "x"}})
        token = admin.create(f"{accounts}/x/token", {}).object["status"]["token"]
        admin.close()
    with KubeServer(state=tmp_path) as server:
        api = RawApi(server.url, token, server.authority)
        assert api.get("/api").code == 200
        api.close()


def test_a_key_that_was_cut_short_is_told(tmp_path: Path) -> None:
    (tmp_path / "kubernetes.key").write_bytes(b"short")
    with pytest.raises(ConfigurationError, match=r"The key .*kubernetes.key has 5 bytes and not 32. Remove it"):
        KubeServer(state=tmp_path).start()


def test_without_roles_whoever_is_known_may_do_everything(api: RawApi, namespace: str) -> None:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    api.create(accounts, {"metadata": {"name": "x"}})
    token = api.create(f"{accounts}/x/token", {}).object["status"]["token"]
    bearer = RawApi(api.url, token, api.authority)
    assert bearer.get("/api/v1/secrets").code == 200
    assert bearer.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {}).code == 422
    bearer.close()
