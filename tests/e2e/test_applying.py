"""Configuration as text, applied to a real gateway: what is waited for, and what is told when it takes too long."""

import pytest

import kfambassador as kfa
from kfambassador.kube.kinds import MAPPING
from kfambassador.local.stack import LocalStack
from kfambassador.problems import ObjectKey
from kfambassador.sdk.access import Access
from kfambassador.sdk.applying import Applied, apply_objects, read_objects
from kfambassador.sdk.problem_views import Source, SourceState

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("applying")]


def text(name: str, **more: object) -> str:
    spec = {"hostname": "*", "prefix": f"/{name}/", "service": "127.0.0.1:1", **more}
    written = ", ".join(f"{key}: {value!r}" for key, value in spec.items())
    return f"{{apiVersion: getambassador.io/v3alpha1, kind: Mapping, metadata: {{name: {name}}}, spec: {{{written}}}}}"


@pytest.fixture
def access(gateway: kfa.Gateway) -> Access:
    return gateway._access


def test_what_is_applied_is_served_when_it_returns(gateway: kfa.Gateway, access: Access) -> None:
    [done] = apply_objects(access, read_objects(text("m")))
    assert done.key == ObjectKey("Mapping", "default", "m")
    assert done.source is not None
    assert (done.source.state, done.source.mappings) == (SourceState.SERVING, ("default/m",))
    assert gateway.explain("GET", "/m/x", ask_envoy=True).mappings == ("default/m",)


def test_the_same_again_changes_nothing_and_another_text_changes_it(gateway: kfa.Gateway, access: Access) -> None:
    first, second = (apply_objects(access, read_objects(text("n"))) for _ in range(2))
    assert first == second
    apply_objects(access, read_objects(text("n", prefix="/other/")))
    assert gateway.explain("GET", "/other/x").mappings == ("default/n",)
    assert gateway.explain("GET", "/n/x").winner is None


def test_what_another_gateway_is_meant_for_is_told_and_a_plain_service_is_not_waited_for(access: Access) -> None:
    service = "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}]}}"
    other, plain = apply_objects(access, read_objects(f"{text('o', ambassador_id='other')}\n---\n{service}"))
    assert other.source is not None
    assert [problem.code for problem in other.source.problems] == ["other-gateway"]
    assert plain == Applied(ObjectKey("Service", "default", "s"), None)


def test_a_gateway_that_does_not_look_is_told_of_and_what_was_applied_stays(stack: LocalStack) -> None:
    # One stack's objects, and the read API of another gateway, which never hears of them.
    with (
        LocalStack() as elsewhere,
        kfa.Gateway.at(stack.endpoint, quiet=True) as gateway,
        kfa.Gateway.at(elsewhere.endpoint, quiet=True) as blind,
    ):
        here = gateway._access
        access = Access(client=here.client, reader=blind._access.reader, http=here.http, url=here.url, quiet=True)
        with pytest.raises(
            kfa.NotServed, match="Mapping default/late is applied and stays so, and the gateway has"
        ) as error:
            apply_objects(access, read_objects(text("late")), timeout=0.2)
        assert error.value.stage == "accepted"
        assert access.reader.source(ObjectKey("Mapping", "default", "late")) == Source(state=SourceState.UNKNOWN)
        assert gateway.client.get(MAPPING, "late")["spec"]["prefix"] == "/late/"
