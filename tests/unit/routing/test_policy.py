"""The platform owner's choice, as data."""

import pytest

from kfambassador.routing.policy import TenancyPolicy


def test_a_policy_is_strict_unless_it_is_told() -> None:
    policy = TenancyPolicy()
    assert (policy.claims, policy.references, policy.loopback, policy.verify_upstreams) == (True, True, False, True)


def test_nobody_is_the_gateways_owner_by_working_in_the_default_namespace() -> None:
    assert not TenancyPolicy().is_gateways("default")


def test_the_permissive_policy_gives_up_no_more_than_it_must() -> None:
    policy = TenancyPolicy.permissive(gateway_namespace="kubeflow")
    assert (policy.claims, policy.references) == (False, False)
    assert (policy.loopback, policy.verify_upstreams) == (False, True)
    assert policy.is_gateways("kubeflow")
    assert not policy.is_gateways("team")


def test_on_a_laptop_models_run_on_loopback_and_a_conflict_still_shows() -> None:
    policy = TenancyPolicy.laptop()
    assert (policy.loopback, policy.references, policy.claims) == (True, False, True)


@pytest.mark.parametrize(
    ("own", "namespace", "gateways", "home"),
    [
        ("kubeflow", "kubeflow", True, True),
        ("kubeflow", "team", False, False),
        pytest.param(None, "team", True, False, id="where no namespace is the gateway's, none is above the others"),
    ],
)
def test_which_namespace_is_the_gateways(own: str | None, namespace: str, gateways: bool, home: bool) -> None:
    policy = TenancyPolicy(gateway_namespace=own)
    assert (policy.is_gateways(namespace), policy.is_home(namespace)) == (gateways, home)


@pytest.mark.parametrize(
    ("own", "ids", "accepted"),
    [
        ({"default"}, ["default"], True),
        ({"default"}, [], True),
        ({"default"}, ["inner"], False),
        ({"inner"}, ["outer", "inner"], True),
        ({"inner"}, ["default"], False),
        ({"inner"}, [], False),
        ({"inner"}, ["_automatic_"], True),
    ],
)
def test_what_is_meant_for_this_gateway(own: set[str], ids: list[str], accepted: bool) -> None:
    assert TenancyPolicy(gateway_ids=frozenset(own)).accepts(ids) is accepted
