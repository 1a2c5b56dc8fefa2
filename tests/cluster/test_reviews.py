"""Reviews: questions about callers and rights, and impersonation, which asks them by doing."""

import pytest
import requests

from tests.cluster.raw_api import Object, RawApi, Trusting
from tests.cluster.tenants import AUTHENTICATION, AUTHORIZATION, Tenant, rule, url_rule

pytestmark = pytest.mark.embedded

SERVICES = {"verb": "list", "resource": "services"}


def ask(api: RawApi, plural: str, spec: Object) -> Object:
    answer = api.create(f"{AUTHORIZATION}/{plural}", {"spec": spec})
    assert answer.code == 201, answer.message
    status: Object = answer.object["status"]
    return status


def impersonate(tenant: Tenant, token: str, path: str, **headers: str) -> requests.Response:
    sent = {f"Impersonate-{name}": value for name, value in headers.items()}
    with requests.Session() as session:
        session.mount("https://", Trusting(tenant.server.authority))
        return session.get(tenant.server.url + path, headers=sent | {"Authorization": f"Bearer {token}"}, timeout=30)


def test_the_administrator_is_known(tenant: Tenant) -> None:
    found = tenant.admin.create(f"{AUTHENTICATION}/selfsubjectreviews", {}).object
    assert (found["kind"], found["apiVersion"]) == ("SelfSubjectReview", "authentication.k8s.io/v1")
    assert found["status"]["userInfo"] == {
        "username": "kubernetes-admin",
        "groups": ["system:masters", "system:authenticated"],
    }
    spec = {"token": tenant.server.token}
    status = tenant.admin.create(f"{AUTHENTICATION}/tokenreviews", {"spec": spec}).object["status"]
    assert (status["authenticated"], status["user"]["username"]) == (True, "kubernetes-admin")


def test_a_wrong_token_is_told_and_not_let_in(tenant: Tenant) -> None:
    status = tenant.admin.create(f"{AUTHENTICATION}/tokenreviews", {"spec": {"token": "no"}}).object["status"]
    assert status == {"user": {}, "error": "invalid bearer token"}
    empty = tenant.admin.create(f"{AUTHENTICATION}/tokenreviews", {"spec": {}})
    assert (empty.code, empty.message) == (400, "token is required for TokenReview in authentication")


def test_reviews_of_others_are_for_those_who_may_ask(tenant: Tenant) -> None:
    for path in (f"{AUTHENTICATION}/tokenreviews", f"{AUTHORIZATION}/subjectaccessreviews"):
        assert tenant.api.create(path, {"spec": {"token": "x"}}).code == 403
    delegated = [
        rule("tokenreviews", "create", group="authentication.k8s.io"),
        rule("subjectaccessreviews", "create", group="authorization.k8s.io"),
    ]
    with tenant.everywhere(*delegated):
        assert tenant.api.create(f"{AUTHENTICATION}/tokenreviews", {"spec": {"token": "x"}}).code == 201
        assert ask(tenant.api, "subjectaccessreviews", {"user": "x", "resourceAttributes": SERVICES}) == {
            "allowed": False
        }


def test_access_is_reviewed_by_name_and_by_group(tenant: Tenant) -> None:
    tenant.bind("ClusterRole", "view")
    inside = {"resourceAttributes": SERVICES | {"namespace": tenant.namespace}}
    status = ask(tenant.admin, "subjectaccessreviews", inside | {"user": tenant.user})
    binding = f'RoleBinding "view-notebook/{tenant.namespace}" of ClusterRole "view"'
    subject = f'ServiceAccount "notebook/{tenant.namespace}"'
    assert status == {"allowed": True, "reason": f"RBAC: allowed by {binding} to {subject}"}
    assert ask(tenant.admin, "subjectaccessreviews", inside | {"user": "x"}) == {"allowed": False}
    masters = inside | {"user": "x", "groups": ["system:masters"]}
    assert ask(tenant.admin, "subjectaccessreviews", masters) == {"allowed": True}
    assert ask(tenant.admin, "subjectaccessreviews", {"user": tenant.user, "resourceAttributes": SERVICES}) == {
        "allowed": False
    }


def test_a_local_review_is_about_its_namespace(tenant: Tenant) -> None:
    tenant.bind("ClusterRole", "view")
    path = f"{AUTHORIZATION}/namespaces/{tenant.namespace}/localsubjectaccessreviews"
    spec: Object = {"user": tenant.user, "resourceAttributes": SERVICES | {"namespace": tenant.namespace}}
    answer = tenant.admin.create(path, {"metadata": {"namespace": tenant.namespace}, "spec": spec})
    assert answer.object["status"]["allowed"] is True
    other = tenant.admin.create(path, {"spec": {"user": "x", "resourceAttributes": SERVICES | {"namespace": "other"}}})
    assert (other.code, "must match metadata.namespace" in other.message) == (422, True)
    assert tenant.admin.create(path, {"spec": {"user": "x", "nonResourceAttributes": {"path": "/"}}}).code == 422
    assert tenant.admin.create(f"{AUTHORIZATION}/localsubjectaccessreviews", {"spec": spec}).code == 405


@pytest.mark.parametrize(
    ("plural", "spec"),
    [
        ("selfsubjectaccessreviews", {}),
        ("selfsubjectaccessreviews", {"resourceAttributes": SERVICES, "nonResourceAttributes": {"path": "/"}}),
        ("subjectaccessreviews", {"user": "x"}),
        ("subjectaccessreviews", {"resourceAttributes": SERVICES}),
    ],
)
def test_half_a_question_is_refused(tenant: Tenant, plural: str, spec: Object) -> None:
    answer = tenant.admin.create(f"{AUTHORIZATION}/{plural}", {"spec": spec})
    assert (answer.code, answer.reason) == (422, "Invalid")


def test_a_question_of_a_wrong_shape_is_refused(tenant: Tenant) -> None:
    answer = tenant.admin.create(f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": "x"}})
    assert answer.code == 400
    other = tenant.admin.create(f"{AUTHORIZATION}/selfsubjectaccessreviews", {"kind": "TokenReview"})
    assert (other.code, "does not match" in other.message) == (400, True)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_question_is_asked_and_never_kept(tenant: Tenant, method: str) -> None:
    assert tenant.admin.ask(method, f"{AUTHENTICATION}/tokenreviews").code == 405
    assert tenant.admin.ask(method, f"{AUTHENTICATION}/tokenreviews/x").code == 405


def test_ones_own_rules_are_listed(tenant: Tenant) -> None:
    tenant.allow(rule("services", "get list", names=["web"]))
    with tenant.everywhere(url_rule("/metrics", "get")):
        status = ask(tenant.api, "selfsubjectrulesreviews", {"namespace": tenant.namespace})
    named = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["services"], "resourceNames": ["web"]}
    assert named in status["resourceRules"]
    assert {"verbs": ["get"], "nonResourceURLs": ["/metrics"]} in status["nonResourceRules"]
    assert status["incomplete"] is False
    tenant.bind("Role", "absent")
    status = ask(tenant.api, "selfsubjectrulesreviews", {"namespace": tenant.namespace})
    assert status["incomplete"] is True
    assert status["evaluationError"] == 'role.rbac.authorization.k8s.io "absent" not found'
    assert tenant.api.create(f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {}}).code == 400


def test_reviews_are_discovered(tenant: Tenant) -> None:
    listed = {
        each["name"]: each
        for path in (AUTHENTICATION, AUTHORIZATION)
        for each in tenant.api.get(path).object["resources"]
    }
    assert listed.keys() == {
        "selfsubjectreviews",
        "tokenreviews",
        "localsubjectaccessreviews",
        "selfsubjectaccessreviews",
        "selfsubjectrulesreviews",
        "subjectaccessreviews",
    }
    assert {tuple(each["verbs"]) for each in listed.values()} == {("create",)}
    core = {each["name"]: each for each in tenant.api.get("/api/v1").object["resources"]}
    assert core["serviceaccounts/token"]["group"] == "authentication.k8s.io"
    assert core["pods/portforward"]["verbs"] == ["create", "get"]


def test_an_administrator_is_taken_for_another(tenant: Tenant) -> None:
    path, token = f"{tenant.path}/services", tenant.server.token
    assert impersonate(tenant, token, path, User=tenant.user).status_code == 403
    tenant.bind("ClusterRole", "view")
    assert impersonate(tenant, token, path, User=tenant.user).status_code == 200
    assert impersonate(tenant, token, path, User="x", Group="system:masters").status_code == 200
    assert impersonate(tenant, token, path, Group="system:masters").status_code == 400


def test_nobody_is_taken_for_another_without_the_right_to_it(tenant: Tenant) -> None:
    path = f"{tenant.path}/services"
    refused = impersonate(tenant, tenant.token, path, User="jane")
    assert refused.status_code == 403
    assert 'cannot impersonate resource "users" in API group "" at the cluster scope' in refused.json()["message"]
    with tenant.everywhere(rule("users", "impersonate", names=["jane"])):
        assert 'User "jane" cannot list' in impersonate(tenant, tenant.token, path, User="jane").json()["message"]
        masters = impersonate(tenant, tenant.token, path, User="jane", Group="system:masters")
        assert 'cannot impersonate resource "groups"' in masters.json()["message"]
        extra = impersonate(tenant, tenant.token, path, User="jane", **{"Extra-Team": "a"})
        assert 'cannot impersonate resource "userextras/team"' in extra.json()["message"]
        uid = impersonate(tenant, tenant.token, path, User="jane", Uid="1")
        assert 'cannot impersonate resource "uids"' in uid.json()["message"]
