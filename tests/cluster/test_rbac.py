"""Roles against what their subjects may do, as Kubernetes' documentation of RBAC has it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.raw_api import MERGE_PATCH, Object, RawApi, config_map, service
from tests.cluster.tenants import AUTHORIZATION, RBAC, Tenant, rule, url_rule

pytestmark = pytest.mark.embedded

SERVICES = rule("services", "get list")
NAMED = rule("services", "get list watch update create", names=["web"])
ANYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def resource(verb: str, what: str = "services", **more: str) -> Object:
    name, _, subresource = what.partition("/")
    return {"resourceAttributes": {"verb": verb, "resource": name, "subresource": subresource, **more}}


def path(verb: str, where: str) -> Object:
    return {"nonResourceAttributes": {"verb": verb, "path": where}}


RULES: list[tuple[Object, Object, bool]] = [
    (SERVICES, resource("get"), True),
    (SERVICES, resource("list"), True),
    (SERVICES, resource("watch"), False),
    (SERVICES, resource("get", name="web"), True),
    (SERVICES, resource("get", "pods"), False),
    (SERVICES, resource("get", group="apps"), False),
    (SERVICES, resource("get", "services/status"), False),
    (SERVICES, resource("*"), False),
    (rule("services", "*"), resource("escalate"), True),
    (rule("services", "*"), resource("*"), True),
    (rule("*", "get"), resource("get", "pods"), True),
    (rule("*", "get"), resource("get", "pods/log"), True),
    (rule("*", "get"), resource("get", group="apps"), False),
    (rule("services/status", "get"), resource("get", "services/status"), True),
    (rule("services/status", "get"), resource("get"), False),
    (rule("services/*", "get"), resource("get", "services/status"), False),
    (rule("*/status", "get"), resource("get", "services/status"), True),
    (rule("*/status", "get"), resource("get", "services/scale"), False),
    (rule("*/status", "get"), resource("get"), False),
    (rule("deployments", "get", group="apps"), resource("get", "deployments", group="apps"), True),
    (rule("deployments", "get", group="*"), resource("get", "deployments", group="apps"), True),
    (rule("deployments", "get", group="apps"), resource("get", "deployments"), False),
    (NAMED, resource("get", name="web"), True),
    (NAMED, resource("get", name="other"), False),
    (NAMED, resource("list"), False),
    (NAMED, resource("list", name="web"), True),
    (NAMED, resource("create"), False),
    (ANYTHING, resource("delete", "nodes", group="any"), True),
    (ANYTHING, path("get", "/metrics"), False),
    (url_rule("/metrics", "get"), path("get", "/metrics"), True),
    (url_rule("/metrics", "get"), path("post", "/metrics"), False),
    (url_rule("/metrics", "get"), path("get", "/metrics/x"), False),
    (url_rule("/metrics/*", "get"), path("get", "/metrics/x/y"), True),
    (url_rule("/metrics/*", "get"), path("get", "/metrics"), False),
    (url_rule("*", "*"), path("put", "/any"), True),
    (url_rule("*", "*"), resource("get"), False),
]


@pytest.mark.parametrize(("given", "asked", "is_allowed"), RULES)
def test_a_rule_allows_what_it_says(tenant: Tenant, *, given: Object, asked: Object, is_allowed: bool) -> None:
    with tenant.everywhere(given):
        review = {"spec": asked | {"user": tenant.user}}
        answer = tenant.admin.create(f"{AUTHORIZATION}/subjectaccessreviews", review).object
        own = tenant.api.create(f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": asked}).object
    assert answer["status"]["allowed"] is is_allowed
    assert own["status"]["allowed"] is is_allowed
    assert ("reason" in answer["status"]) is is_allowed


@pytest.mark.parametrize(
    ("allowed", "act"),
    [
        ("get", lambda api, at: api.get(f"{at}/web")),
        ("list", lambda api, at: api.get(at)),
        ("watch", lambda api, at: api.ask("GET", f"{at}", watch="true", timeoutSeconds=1, resourceVersion="1" * 9)),
        ("create", lambda api, at: api.create(at, service("fresh"))),
        ("update", lambda api, at: api.replace(f"{at}/web", service("web", labels={"a": "b"}))),
        ("patch", lambda api, at: api.patch(f"{at}/web", {"metadata": {"labels": {"a": "b"}}}, MERGE_PATCH)),
        ("patch", lambda api, at: api.apply(f"{at}/web", service("web"), "me", force="true")),
        ("delete", lambda api, at: api.delete(f"{at}/web")),
        ("deletecollection", lambda api, at: api.delete(at)),
    ],
)
def test_a_request_needs_its_verb_and_no_other(tenant: Tenant, allowed: str, act: Callable[[RawApi, str], Any]) -> None:
    verbs = {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
    at = f"{tenant.path}/services"
    tenant.admin.create(at, service("web"))
    tenant.allow(rule("services", " ".join(sorted(verbs - {allowed}))), name="others")
    refused = act(tenant.api, at)
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert f'cannot {allowed} resource "services" in API group "" in the namespace "{tenant.namespace}"' in (
        refused.message
    )
    tenant.admin.delete(f"{tenant.roles}/rolebindings/others-notebook")
    tenant.allow(rule("services", allowed))
    assert act(tenant.api, at).code in {200, 201}


def test_a_refusal_is_told_as_a_cluster_does(tenant: Tenant) -> None:
    answer = tenant.api.get(f"{tenant.path}/services")
    assert answer.object == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": (
            f'services is forbidden: User "{tenant.user}" cannot list resource "services" in API group "" in the'
            f' namespace "{tenant.namespace}"'
        ),
        "reason": "Forbidden",
        "details": {"kind": "services"},
        "code": 403,
    }
    named = tenant.api.get("/apis/apps/v1/namespaces/x/deployments/web")
    assert named.object["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    assert named.message.startswith('deployments.apps "web" is forbidden: User')
    assert tenant.api.get("/api/v1/services").message.endswith('in API group "" at the cluster scope')
    assert tenant.api.get("/metrics").message == f'forbidden: User "{tenant.user}" cannot get path "/metrics"'
    status = tenant.api.get("/apis/networking.k8s.io/v1/namespaces/x/ingresses/web/status").message
    assert 'cannot get resource "ingresses/status" in API group "networking.k8s.io"' in status


def test_what_is_not_served_is_refused_before_it_is_missed(tenant: Tenant) -> None:
    assert tenant.api.get("/apis/absent.io/v1/namespaces/x/things").code == 403
    assert tenant.admin.get("/apis/absent.io/v1/namespaces/x/things").code == 404


def test_discovery_is_for_everybody_known(tenant: Tenant) -> None:
    for where in ("/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/openapi/v2", "/openapi/v3", "/version"):
        assert tenant.api.get(where).code == 200, where


def test_an_apply_of_what_is_not_there_needs_to_create_too(tenant: Tenant) -> None:
    at = f"{tenant.path}/services/web"
    tenant.allow(rule("services", "patch"))
    refused = tenant.api.apply(at, service("web"), "me")
    assert (refused.code, refused.object["details"]["name"]) == (403, "web")
    assert 'cannot create resource "services"' in refused.message
    assert tenant.admin.get(at).code == 404
    tenant.allow(rule("services", "create", names=["web"]), name="creates")
    assert tenant.api.apply(at, service("web"), "me").code == 201


def test_a_patch_of_what_is_not_there_creates_nothing(tenant: Tenant) -> None:
    tenant.allow(rule("services", "patch"))
    assert tenant.api.patch(f"{tenant.path}/services/web", {}).code == 404


def test_a_role_counts_in_its_namespace_only(tenant: Tenant) -> None:
    tenant.allow(ANYTHING)
    assert tenant.api.create(f"{tenant.path}/configmaps", config_map("a")).code == 201
    assert tenant.api.get(tenant.path).code == 200  # a namespace lies within itself
    assert tenant.api.get("/api/v1/namespaces").code == 403
    assert tenant.api.get("/api/v1/namespaces/default/configmaps").code == 403
    assert tenant.api.get("/api/v1/configmaps").code == 403


def test_a_list_of_one_name_needs_that_name_only(tenant: Tenant) -> None:
    tenant.admin.create(f"{tenant.path}/services", service("web"))
    tenant.admin.create(f"{tenant.path}/services", service("secret"))
    tenant.allow(NAMED)
    listed = tenant.api.get(f"{tenant.path}/services", fieldSelector="metadata.name=web")
    assert [item["metadata"]["name"] for item in listed.object["items"]] == ["web"]
    for selector in ("metadata.name!=web", "metadata.name=secret", ""):
        assert tenant.api.get(f"{tenant.path}/services", fieldSelector=selector).code == 403


def test_a_status_is_written_with_the_right_to_it(tenant: Tenant) -> None:
    at, change = f"{tenant.path}/services/web", {"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}
    tenant.admin.create(f"{tenant.path}/services", service("web"))
    tenant.allow(rule("services", "*"))
    assert tenant.api.patch(f"{at}/status", change).code == 403
    tenant.allow(rule("services/status", "patch"), name="status")
    assert tenant.api.patch(f"{at}/status", change).code == 200


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "Group", "name": "system:serviceaccounts"},
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "Group", "name": "system:serviceaccounts:{namespace}"},
        {"kind": "User", "name": "system:serviceaccount:{namespace}:notebook"},
    ],
)
def test_groups_and_users_are_bound_too(tenant: Tenant, subject: dict[str, str]) -> None:
    named = subject | {"name": subject["name"].format(namespace=tenant.namespace)}
    binding = {"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [named]}
    assert tenant.api.get(f"{tenant.path}/services").code == 403
    created = tenant.admin.create(f"{tenant.roles}/rolebindings", binding)
    assert created.object["subjects"][0]["apiGroup"] == "rbac.authorization.k8s.io"
    assert tenant.api.get(f"{tenant.path}/services").code == 200


def test_an_account_of_the_same_name_elsewhere_has_no_part_in_it(tenant: Tenant) -> None:
    subject = {"kind": "ServiceAccount", "name": tenant.account, "namespace": "default"}
    binding = {
        "metadata": {"name": "theirs"},
        "roleRef": {"kind": "ClusterRole", "name": "view"},
        "subjects": [subject],
    }
    assert tenant.admin.create(f"{tenant.roles}/rolebindings", binding).code == 201
    assert tenant.api.get(f"{tenant.path}/services").code == 403
    assert tenant.bind("ClusterRole", "view").code == 201
    assert tenant.api.get(f"{tenant.path}/services").code == 200


def test_a_role_that_is_not_there_is_told(tenant: Tenant) -> None:
    tenant.bind("ClusterRole", "absent")
    tenant.bind("Role", "gone")
    message = tenant.api.get(f"{tenant.path}/services").message
    absent = 'clusterrole.rbac.authorization.k8s.io "absent" not found'
    assert message.endswith(f': RBAC: [{absent}, role.rbac.authorization.k8s.io "gone" not found]')


DEFAULTS: list[tuple[str, Object, bool]] = [
    ("view", resource("list"), True),
    ("view", resource("watch", "pods"), True),
    ("view", resource("get", "secrets"), False),
    ("view", resource("create"), False),
    ("edit", resource("create"), True),
    ("edit", resource("get", "secrets"), True),
    ("edit", resource("create", "pods/portforward"), True),
    ("edit", resource("create", "serviceaccounts/token"), True),
    ("edit", resource("create", "endpointslices", group="discovery.k8s.io"), False),
    ("edit", resource("create", "roles", group="rbac.authorization.k8s.io"), False),
    ("admin", resource("create", "roles", group="rbac.authorization.k8s.io"), True),
    ("admin", resource("list"), True),
    ("admin", resource("get", "nodes"), False),
    ("cluster-admin", resource("delete", "nodes"), True),
]


@pytest.mark.parametrize(("role", "asked", "is_allowed"), DEFAULTS)
def test_the_roles_every_cluster_has(tenant: Tenant, *, role: str, asked: Object, is_allowed: bool) -> None:
    tenant.bind("ClusterRole", role)
    attributes = asked["resourceAttributes"] | {"namespace": tenant.namespace}
    review = {"spec": {"resourceAttributes": attributes}}
    answer = tenant.api.create(f"{AUTHORIZATION}/selfsubjectaccessreviews", review).object
    assert answer["status"]["allowed"] is is_allowed


def test_roles_gather_others_by_their_labels(tenant: Tenant) -> None:
    name, roles = tenant.namespace, f"{RBAC}/clusterroles"
    part: Object = {"metadata": {"name": f"{name}-part", "labels": {name: "yes"}}, "rules": [SERVICES]}
    expression = {"key": name, "operator": "Exists"}
    selector = {"clusterRoleSelectors": [{"matchExpressions": [expression]}, {"matchLabels": {name: "yes"}}]}
    whole: Object = {"metadata": {"name": name}, "aggregationRule": selector}
    tenant.admin.create(roles, whole)
    tenant.bind("ClusterRole", name)
    assert tenant.api.get(f"{tenant.path}/services").code == 403
    tenant.admin.create(roles, part)
    assert (
        tenant.admin.get(f"{roles}/{name}").object["rules"] == tenant.admin.get(f"{roles}/{name}-part").object["rules"]
    )
    assert tenant.api.get(f"{tenant.path}/services").code == 200
    tenant.admin.delete(f"{roles}/{name}-part")
    assert not tenant.admin.get(f"{roles}/{name}").object["rules"]
    assert tenant.api.get(f"{tenant.path}/services").code == 403
    tenant.admin.delete(f"{roles}/{name}")


def test_mappings_join_the_default_roles_by_a_label(tenant: Tenant) -> None:
    mappings = rule("mappings", "get list", group="getambassador.io")
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    part: Object = {"metadata": {"name": tenant.namespace, "labels": labels}, "rules": [mappings]}
    tenant.admin.create(f"{RBAC}/clusterroles", part)
    tenant.bind("ClusterRole", "admin")
    attributes = {"verb": "list", "group": "getambassador.io", "resource": "mappings", "namespace": tenant.namespace}
    review = {"spec": {"resourceAttributes": attributes}}
    answer = tenant.api.create(f"{AUTHORIZATION}/selfsubjectaccessreviews", review)
    tenant.admin.delete(f"{RBAC}/clusterroles/{tenant.namespace}")
    assert answer.object["status"]["allowed"] is True


def test_nobody_gives_what_they_do_not_have(tenant: Tenant) -> None:
    own = "roles rolebindings"
    tenant.allow(rule(own, "create patch", group="rbac.authorization.k8s.io"), SERVICES)
    secrets: Object = {"metadata": {"name": "more"}, "rules": [SERVICES, rule("secrets services", "get watch")]}
    refused = tenant.api.create(f"{tenant.roles}/roles", secrets)
    assert refused.code == 403
    assert refused.message == (
        f'roles.rbac.authorization.k8s.io "more" is forbidden: user "{tenant.user}" (groups=["system:serviceaccounts"'
        f' "system:serviceaccounts:{tenant.namespace}" "system:authenticated"]) is attempting to grant RBAC permissions'
        ' not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "watch"]}\n'
        '{APIGroups:[""], Resources:["services"], Verbs:["watch"]}'
    )
    assert tenant.api.create(f"{tenant.roles}/roles", {"metadata": {"name": "same"}, "rules": [SERVICES]}).code == 201
    assert tenant.api.patch(f"{tenant.roles}/roles/same", {"rules": secrets["rules"]}).code == 403
    assert tenant.bind("Role", "same", by=tenant.api).code == 201
    assert tenant.bind("ClusterRole", "cluster-admin", by=tenant.api).code == 403
    assert tenant.bind("ClusterRole", "absent", by=tenant.api).code == 404


def test_who_may_bind_and_escalate_gives_anything(tenant: Tenant) -> None:
    group = "rbac.authorization.k8s.io"
    tenant.allow(
        rule("roles rolebindings", "create", group=group),
        rule("roles", "escalate", group=group),
        rule("clusterroles", "bind", group=group, names=["edit"]),
    )
    assert tenant.api.create(f"{tenant.roles}/roles", {"metadata": {"name": "all"}, "rules": [ANYTHING]}).code == 201
    assert tenant.bind("ClusterRole", "edit", by=tenant.api).code == 201
    assert tenant.bind("ClusterRole", "admin", by=tenant.api).code == 403


@pytest.mark.parametrize(
    ("kind", "body", "complaint"),
    [
        ("roles", {"rules": [rule("services", "")]}, "rules[0].verbs: Required value: verbs must contain"),
        ("roles", {"rules": [rule("", "get")]}, "rules[0].resources: Required value: resource rules must supply"),
        ("roles", {"rules": [url_rule("/x", "get")]}, "namespaced rules cannot apply to non-resource URLs"),
        ("rolebindings", {"roleRef": {"kind": "Node", "name": "x"}}, 'roleRef.kind: Unsupported value: "Node"'),
        (
            "rolebindings",
            {"roleRef": {"kind": "Role", "name": "x"}, "subjects": [{"kind": "ServiceAccount", "name": "x"}]},
            "subjects[0].namespace: Required value",
        ),
        (
            "rolebindings",
            {"roleRef": {"kind": "Role", "name": "x"}, "subjects": [{"kind": "Robot", "name": "x"}]},
            'subjects[0].kind: Unsupported value: "Robot"',
        ),
    ],
)
def test_roles_and_bindings_are_checked(tenant: Tenant, kind: str, body: Object, complaint: str) -> None:
    answer = tenant.admin.create(f"{tenant.roles}/{kind}", {"metadata": {"name": "x"}} | body)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert complaint in answer.message


def test_a_binding_stays_with_its_role(tenant: Tenant) -> None:
    tenant.bind("ClusterRole", "view")
    change = {"roleRef": {"kind": "ClusterRole", "name": "edit"}}
    answer = tenant.admin.patch(f"{tenant.roles}/rolebindings/view-notebook", change)
    assert answer.code == 422
    assert "cannot change roleRef" in answer.message
