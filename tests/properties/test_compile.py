"""Compiling and translating: whatever was written, in whatever order, with whatever was known before."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.translate import Translator, translate
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.resources.objects import Contribution, join_contributions, read_contribution
from kfambassador.routing.compile import Compiler, compile_routes
from kfambassador.routing.matches import build_match
from kfambassador.routing.model import Route
from kfambassador.routing.order import OrderKey, build_order_key
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.weights import build_shares
from tests.builders import Manifest, document, resource_set, service, slice_, sourced
from tests.properties.mappings import mapping_attributes, mapping_lists

LISTENER = ListenerSettings()


def key(written: SourcedMapping) -> OrderKey:
    return build_order_key(build_match(written.mapping), written.mapping.precedence)


@settings(max_examples=40)
@given(mapping_lists(most=12))
def test_the_order_is_total_and_leaves_nothing_to_arrival(written: list[SourcedMapping]) -> None:
    for one in written:
        for other in written:
            same = (build_match(one.mapping), one.mapping.precedence) == (
                build_match(other.mapping),
                other.mapping.precedence,
            )
            assert (key(one) == key(other)) is same
            assert (key(one) < key(other)) + (key(one) == key(other)) + (key(one) > key(other)) == 1


@settings(max_examples=40)
@given(mapping_lists(most=12).flatmap(lambda written: st.tuples(st.just(written), st.permutations(written))))
def test_the_order_of_input_does_not_matter(both: tuple[list[SourcedMapping], list[SourcedMapping]]) -> None:
    written, shuffled = both
    one, other = (
        compile_routes(resource_set(*written), TenancyPolicy.laptop()),
        compile_routes(resource_set(*shuffled), TenancyPolicy.laptop()),
    )
    assert one == other
    assert translate(one.table, LISTENER) == translate(other.table, LISTENER)


MUTILATIONS: list[dict[str, Any]] = [
    {"prefix": "(", "prefix_regex": True},
    {"service": "m:none"},
    {"service": "ftp://m"},
    {"method": "no method"},
    {"add_request_headers": {"kubeflow-userid": "mallory"}},
    {"headers": {"bad name": "x"}},
]


@settings(max_examples=40)
@given(
    written=mapping_lists(least=1, most=10),
    victim=st.integers(0, 9),
    mutilation=st.sampled_from(MUTILATIONS),
)
def test_a_mutilated_mapping_is_as_good_as_none(
    written: list[SourcedMapping], victim: int, mutilation: dict[str, Any]
) -> None:
    index = victim % len(written)
    intact = written[index]
    bad = replace(intact, mapping=intact.mapping.model_copy(update=mutilation))
    with_bad = compile_routes(resource_set(*written[:index], bad, *written[index + 1 :]), TenancyPolicy.laptop())
    without = compile_routes(resource_set(*written[:index], *written[index + 1 :]), TenancyPolicy.laptop())
    assert with_bad.table == without.table
    assert any(problem.origin == bad.origin for problem in with_bad.problems)


@given(st.lists(st.none() | st.integers(0, 100), min_size=1, max_size=120))
def test_shares_are_a_whole(weights: list[int | None]) -> None:
    shares = build_shares(weights)
    assert sum(shares) == 100
    assert all(0 <= share <= 100 for share in shares)
    if any(weights):
        # Unless it is alone, who was given nothing gets nothing.
        assert all(share == 0 for share, weight in zip(shares, weights, strict=True) if weight == 0 and len(shares) > 1)
    assert len(shares) == 1 or 100 not in weights or sum(filter(None, weights)) > 100 or 100 in shares


@given(st.integers(0, 100), st.integers(0, 100))
def test_one_weight_is_exact_and_the_other_takes_the_rest(weight: int, other: int) -> None:
    assert build_shares([weight, None]) == (weight, 100 - weight)
    if weight + other == 100:
        assert build_shares([weight, other]) == (weight, other)


NAMES = st.sampled_from(["a", "b", "c"])
NAMESPACES = st.sampled_from(["team", "other"])
ADDRESSES = st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1"]), unique=True)
# Where mappings point: mostly at a Service that is there now and then.
TARGETS = st.sampled_from(["a", "b:81", "c.other", "a.team:80", "m", "x.org", "10.0.0.1"])
POLICIES = (
    TenancyPolicy.laptop(),
    TenancyPolicy(gateway_namespace="team"),
    TenancyPolicy.permissive(gateway_namespace="team"),
)

# What somebody says for everybody, by kind: as it should be, otherwise, and at fault.
FOR_EVERYBODY: dict[str, list[dict[str, object]]] = {
    "Module": [
        {"config": {"cluster_request_timeout_ms": 5000}},
        {"config": {"merge_slashes": False, "retry_policy": {"retry_on": "5xx"}}},
        {"config": {"load_balancer": {"policy": "none"}, "colour": "red"}},
    ],
    "AuthService": [{"auth_service": "a"}, {"auth_service": "b:81", "proto": "grpc"}, {}],
    "TLSContext": [{"sni": "x.org"}, {"ca_secret": "a"}, {"min_tls_version": "v9"}],
    "KubernetesEndpointResolver": [{}],
}
EXTRAS: list[dict[str, object]] = [
    *[{}] * 3,
    {"shadow": True},
    {"tls": "a"},
    {"resolver": "a"},
    {"host_redirect": True},
    {"cors": {"origins": "*"}, "method": "POST"},
    {"load_balancer": {"policy": "ring_hash", "source_ip": True}},
]


class EditMachine(RuleBasedStateMachine):
    """A cluster that is edited at random, compiled by one who remembers and by one who never saw it before."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = TenancyPolicy.laptop()
        self.compiler = Compiler(self.policy)
        self.translator = Translator(LISTENER)
        self.contributions: dict[tuple[str, str, str], Contribution] = {}
        self.generation = 0

    @initialize(policy=st.sampled_from(POLICIES))
    def somebodys_rules_hold(self, policy: TenancyPolicy) -> None:
        self.policy, self.compiler = policy, Compiler(policy)

    def _put(self, kind: str, namespace: str, name: str, manifest: Manifest) -> None:
        key = (kind, namespace, name)
        self.contributions[key] = read_contribution(manifest, before=self.contributions.get(key))

    @rule(
        namespace=NAMESPACES,
        name=NAMES,
        written=st.lists(mapping_attributes(), max_size=2),
        ports=st.sampled_from([(80,), (81,), (("http", 80), ("admin", 81)), ()]),
        weight=st.sampled_from([None, 0, 10, 100]),
        extra=st.sampled_from(EXTRAS),
        backend=TARGETS,
        external_name=st.sampled_from(["", "", "", "x.org"]),
    )
    def a_service_is_applied(
        self,
        namespace: str,
        name: str,
        written: list[dict[str, Any]],
        ports: tuple[int | tuple[str, int], ...],
        weight: int | None,
        extra: dict[str, object],
        backend: str,
        external_name: str,
    ) -> None:
        documents = (
            document(f"{name}{number}", **{**attributes, **extra, "service": backend}, weight=weight)
            for number, attributes in enumerate(written)
        )
        applied = service(name, namespace, *documents, ports=ports, external_name=external_name)
        self._put("Service", namespace, name, applied)

    @rule(namespace=NAMESPACES, name=NAMES, ports=st.sampled_from([(80,), (81,)]))
    def a_services_ports_are_changed(self, namespace: str, name: str, ports: tuple[int, ...]) -> None:
        before = self.contributions.get(("Service", namespace, name))
        annotation = before.text if before else ""
        self._put("Service", namespace, name, service(name, namespace, annotation=annotation, ports=ports))

    @rule(namespace=NAMESPACES, name=NAMES, addresses=ADDRESSES, ports=st.sampled_from([(80,), (("http", 8080),)]))
    def a_slice_is_applied(
        self, namespace: str, name: str, addresses: list[str], ports: tuple[int | tuple[str, int], ...]
    ) -> None:
        self._put("EndpointSlice", namespace, name, slice_(name, namespace, *addresses, ports=ports))

    @rule(namespace=NAMESPACES, name=NAMES, said=st.sampled_from([*FOR_EVERYBODY]), which=st.integers(0, 2))
    def somebody_speaks_for_everybody(self, namespace: str, name: str, said: str, which: int) -> None:
        called = "ambassador" if said == "Module" else name
        variants = FOR_EVERYBODY[said]
        metadata = {"name": called, "namespace": namespace}
        resource = {"apiVersion": "getambassador.io/v2", "kind": said, "metadata": metadata}
        self._put(said, namespace, called, {**resource, "spec": variants[which % len(variants)]})

    @rule(
        namespace=NAMESPACES,
        name=st.sampled_from(["a", "b", "c", "ambassador"]),
        kind=st.sampled_from(["Service", "EndpointSlice", *FOR_EVERYBODY]),
    )
    def an_object_is_deleted(self, namespace: str, name: str, kind: str) -> None:
        self.contributions.pop((kind, namespace, name), None)

    @rule()
    def nothing_happens(self) -> None:
        pass

    @invariant()
    def who_remembers_says_what_a_newcomer_says(self) -> None:
        self.generation += 1
        remembered = self.compiler.compile(self._known())
        fresh = compile_routes(self._known(), self.policy)
        assert remembered == fresh
        assert self.translator.translate(remembered.table) == translate(fresh.table, LISTENER)

    @invariant()
    def what_the_table_names_it_has(self) -> None:
        table = compile_routes(self._known(), self.policy).table
        named = {split.cluster for route in table.routes() for split in (*route.splits, *route.shadows)}
        asked = {table.authorization.cluster} if table.authorization else set()
        assert (named - {""}) | asked == {cluster.name for cluster in table.clusters}
        assert all(sum(split.share for split in route.splits) == 100 for route in table.routes())

    @invariant()
    def every_mapping_is_served_or_told_why_not(self) -> None:
        known = self._known()
        compiled = compile_routes(known, self.policy)
        served = {split.origin for route in compiled.table.routes() for split in (*route.splits, *route.shadows)}
        told = {problem.origin for problem in compiled.problems}
        assert {written.origin for written in known.mappings} <= served | told

    def _known(self) -> ResourceSet:
        return join_contributions(self.contributions.values(), generation=self.generation)


EditMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None, derandomize=True)
TestEdits = EditMachine.TestCase


@settings(max_examples=40)
@given(mapping_lists(most=8))
def test_routes_are_sorted_by_the_order(written: list[SourcedMapping]) -> None:
    def order(route: Route) -> OrderKey:
        return build_order_key(route.match, route.precedence)

    routes = compile_routes(resource_set(*written), TenancyPolicy.laptop()).table.routes()
    assert list(routes) == sorted(routes, key=order, reverse=True)


def test_a_mapping_without_a_neighbour_is_served() -> None:
    # The properties above would hold of a compiler that serves nothing.
    assert len(compile_routes(resource_set(sourced()), TenancyPolicy.laptop()).table.routes()) == 1
