"""A 403 says which permission is missing, and who can be given it how."""

import pytest

from kfambassador.errors import ApiError, Forbidden
from kfambassador.kube.kinds import POD, SERVICE, Kind
from kfambassador.kube.permissions import CONTROLLER_ROLES, ROLES, Denial, advise
from kfambassador.kube.refusals import Request, explain_status

SERVER = "http://127.0.0.1:8001"


def refuse(message: str, *, kind: Kind = SERVICE) -> ApiError:
    return explain_status(
        Request(SERVER, "patch", kind, namespace="team", name="mnist"), {"message": message, "code": 403}
    )


def test_the_permission_the_role_and_the_command_are_named() -> None:
    error = refuse(
        'services "mnist" is forbidden: User "ann@example.org" cannot patch resource "services" in API group "" in the '
        'namespace "team"'
    )
    assert isinstance(error, Forbidden)
    assert str(error).endswith(
        "Missing is the permission to patch services in namespace 'team'. ClusterRole kfambassador-publisher has it; "
        "who administers the cluster gives it with: kubectl create rolebinding kfambassador-publisher-ann "
        "--namespace team --clusterrole kfambassador-publisher --user ann@example.org"
    )


def test_a_service_account_is_bound_as_one() -> None:
    error = refuse(
        'mappings.getambassador.io is forbidden: User "system:serviceaccount:team:default-editor" cannot list resource '
        '"mappings" in API group "getambassador.io" in the namespace "team"'
    )
    assert "list mappings.getambassador.io in namespace 'team'" in str(error)
    assert str(error).endswith("--clusterrole kfambassador-publisher --serviceaccount team:default-editor")


def test_the_tunnels_role_is_the_gateways_own() -> None:
    error = refuse(
        'pods "gateway-0" is forbidden: User "ann" cannot get resource "pods/portforward" in API group "" in the '
        'namespace "kfambassador"',
        kind=POD,
    )
    assert "Role kfambassador-tunneller has it" in str(error)
    assert "--namespace kfambassador --role kfambassador-tunneller --user ann" in str(error)


def test_in_the_gateways_namespace_its_own_roles_come_first() -> None:
    here, there = (Denial("ann", "list", "services", "", namespace) for namespace in ("kfambassador", "team"))
    assert "--role kfambassador-caller" in advise(here)
    assert "--clusterrole kfambassador-publisher" in advise(there)
    assert "--namespace team --role kfambassador-caller" in advise(there, at_gateway=True)


def test_nobody_needs_a_permission_in_all_namespaces() -> None:
    error = refuse(
        'services is forbidden: User "ann" cannot list resource "services" in API group "" at the cluster scope'
    )
    assert "list services in all namespaces" in str(error)
    assert "say which one is meant" in str(error)


def test_what_none_of_our_roles_has_is_the_administrators() -> None:
    error = refuse('User "ann" cannot list resource "secrets" in API group "" in the namespace "team"')
    assert str(error).endswith("None of kfambassador's roles has it: ask the cluster's administrator.")


@pytest.mark.parametrize("words", ["exceeded quota: services=5", 'admission webhook "x" denied the request: no'])
def test_what_is_no_missing_permission_is_not_told_as_one(words: str) -> None:
    assert str(refuse(words)).endswith(words)


def test_a_users_name_cannot_smuggle_words_into_the_command() -> None:
    error = refuse('User "a; rm -rf ~" cannot list resource "services" in API group "" in the namespace "team"')
    assert str(error).endswith("--user 'a; rm -rf ~'")


def test_no_role_reads_secrets_or_grants_anything() -> None:
    touched = {(rule.group, resource) for role in ROLES for rule in role.rules for resource in rule.resources}
    assert not {resource for _, resource in touched} & {"secrets", "*", "roles", "rolebindings"}
    assert not any("*" in rule.verbs for role in ROLES for rule in role.rules)


ACCOUNT = "system:serviceaccount:kfambassador:kfambassador"


@pytest.mark.parametrize(
    ("denial", "command"),
    [
        (
            Denial(ACCOUNT, "watch", "services", "", ""),
            (
                "kubectl create clusterrolebinding kfambassador-controller-kfambassador --clusterrole "
                "kfambassador-controller --serviceaccount kfambassador:kfambassador"
            ),
        ),
        (
            Denial(ACCOUNT, "list", "services", "", "team"),
            (
                "kubectl create rolebinding kfambassador-controller-kfambassador --namespace team --clusterrole "
                "kfambassador-controller --serviceaccount kfambassador:kfambassador"
            ),
        ),
        (
            Denial(ACCOUNT, "get", "leases", "coordination.k8s.io", "kfambassador"),
            (
                "kubectl create rolebinding kfambassador-controller-kfambassador --namespace kfambassador --role "
                "kfambassador-controller --serviceaccount kfambassador:kfambassador"
            ),
        ),
        (
            Denial(ACCOUNT, "create", "tokenreviews", "authentication.k8s.io", ""),
            (
                "kubectl create clusterrolebinding kfambassador-controller-reviews-kfambassador --clusterrole "
                "kfambassador-controller-reviews --serviceaccount kfambassador:kfambassador"
            ),
        ),
    ],
)
def test_the_controllers_own_account_is_told_of_the_controllers_roles(denial: Denial, command: str) -> None:
    assert advise(denial).endswith(command)


def test_a_person_is_never_told_to_have_the_controllers_roles() -> None:
    for user in ("ann", "system:serviceaccount:team:default-editor"):
        said = advise(Denial(user, "create", "leases", "coordination.k8s.io", "team"))
        assert said.endswith("ask the cluster's administrator.")


def test_the_controller_reads_secrets_of_its_own_namespace_only_and_grants_nothing() -> None:
    for role in CONTROLLER_ROLES:
        resources = {resource for rule in role.rules for resource in rule.resources}
        assert "secrets" not in resources or role.is_the_gateways
        assert not resources & {"*", "pods", "roles", "rolebindings", "clusterroles", "clusterrolebindings"}
        assert not any("*" in rule.verbs for rule in role.rules)
