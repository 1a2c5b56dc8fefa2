"""Services: addresses, ports and what may be said of them."""

import itertools
import os

import pytest

from tests.cluster.raw_api import Object, RawApi, service

_ports = itertools.count(30100 + os.getpid() % 1000)


def of(**spec: object) -> Object:
    """A Service that says just this, with a port unless it names some."""
    named = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    return named | {"spec": {"ports": [{"port": 80}]} | spec}


def node_ports(document: Object) -> list[int]:
    """The node ports of a Service."""
    return [port.get("nodePort") for port in document["spec"]["ports"]]


def test_every_port_gets_a_node_port_of_its_own(api: RawApi, services: str) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    given = node_ports(api.create(services, of(type="NodePort", ports=ports)).object)
    assert len(set(given)) == 2
    assert all(30000 <= port <= 32767 for port in given)


def test_a_node_port_serves_both_protocols_of_a_port(api: RawApi, services: str) -> None:
    ports = [{"name": "a", "port": 53, "protocol": "TCP"}, {"name": "b", "port": 53, "protocol": "UDP"}]
    given = node_ports(api.create(services, of(type="NodePort", ports=ports)).object)
    assert given[0] == given[1]


def test_a_node_port_is_given_once(api: RawApi, services: str) -> None:
    port = next(_ports)
    wanted = of(type="NodePort", ports=[{"port": 80, "nodePort": port}])
    assert node_ports(api.create(services, wanted).object) == [port]
    refused = api.create(services, wanted | {"metadata": {"name": "other"}})
    assert refused.code == 422
    assert f"spec.ports[0].nodePort: Invalid value: {port}: provided port is already allocated" in refused.message
    api.delete(f"{services}/web")
    assert api.create(services, wanted | {"metadata": {"name": "other"}}).code == 201


def test_a_node_port_stays_with_its_port(api: RawApi, services: str) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    first = node_ports(api.create(services, of(type="NodePort", ports=ports)).object)
    swapped = api.replace(f"{services}/web", of(type="NodePort", ports=ports[::-1])).object
    assert node_ports(swapped) == first[::-1]
    again = api.patch(f"{services}/web", {"metadata": {"labels": {"a": "b"}}}).object
    assert node_ports(again) == first[::-1]


def test_what_a_type_needs_goes_with_it(api: RawApi, services: str) -> None:
    created = api.create(services, of(type="NodePort")).object
    assert created["spec"]["externalTrafficPolicy"] == "Cluster"
    changed = api.patch(f"{services}/web", {"spec": {"type": "ClusterIP"}}).object
    assert "externalTrafficPolicy" not in changed["spec"]
    assert node_ports(changed) == [None]
    assert changed["spec"]["clusterIP"] == created["spec"]["clusterIP"]
    external = api.patch(f"{services}/web", {"spec": {"type": "ExternalName", "externalName": "example.com"}}).object
    gone = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}
    assert not gone & external["spec"].keys()
    back = api.patch(f"{services}/web", {"spec": {"type": "ClusterIP", "externalName": None}}).object
    assert back["spec"]["clusterIPs"] == [back["spec"]["clusterIP"]]


def test_a_load_balancer_may_go_without_node_ports(api: RawApi, services: str) -> None:
    created = api.create(services, of(type="LoadBalancer", allocateLoadBalancerNodePorts=False)).object
    assert node_ports(created) == [None]
    other = of(type="LoadBalancer", externalTrafficPolicy="Local") | {"metadata": {"name": "other"}}
    local = api.create(services, other).object["spec"]
    assert local["allocateLoadBalancerNodePorts"] is True
    assert 30000 <= local["healthCheckNodePort"] <= 32767
    assert local["healthCheckNodePort"] != local["ports"][0]["nodePort"]


def test_affinity_has_a_time(api: RawApi, services: str) -> None:
    created = api.create(services, of(sessionAffinity="ClientIP")).object
    assert created["spec"]["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    back = api.patch(f"{services}/web", {"spec": {"sessionAffinity": "None"}}).object
    assert "sessionAffinityConfig" not in back["spec"]


def test_a_port_leads_to_itself_unless_it_says_where(api: RawApi, services: str) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81, "targetPort": "metrics"}]
    created = api.create(services, of(ports=ports)).object
    assert [port["targetPort"] for port in created["spec"]["ports"]] == [80, "metrics"]


def test_an_address_can_be_asked_for(api: RawApi, services: str) -> None:
    free = api.create(services, of()).object["spec"]["clusterIP"]
    api.delete(f"{services}/web")
    created = api.create(services, of(clusterIP=free)).object["spec"]
    assert (created["clusterIP"], created["clusterIPs"]) == (free, [free])
    taken = api.create(services, of(clusterIP=free) | {"metadata": {"name": "other"}})
    assert taken.code == 422
    assert f"failed to allocate IP {free}: provided IP is already allocated" in taken.message


def test_an_address_stays(api: RawApi, services: str) -> None:
    created = api.create(services, of()).object["spec"]["clusterIP"]
    refused = api.patch(f"{services}/web", {"spec": {"clusterIP": "None"}})
    assert refused.code == 422
    assert 'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set' in refused.message
    emptied = api.patch(f"{services}/web", {"spec": {"clusterIP": "", "clusterIPs": None}})
    assert emptied.object["spec"]["clusterIP"] == created


def test_a_service_of_no_pods_and_no_address_may_have_both_families(api: RawApi, services: str) -> None:
    spec = api.create(services, of(clusterIP="None")).object["spec"]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")
    other = of(clusterIP="None", selector={"app": "web"}) | {"metadata": {"name": "other"}}
    spec = api.create(services, other).object["spec"]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


def test_a_dry_run_gives_nothing_away(api: RawApi, services: str) -> None:
    port = next(_ports)
    wanted = of(type="NodePort", ports=[{"port": 80, "nodePort": port}])
    assert api.create(services, wanted, dryRun="All").code == 201
    assert api.create(services, wanted).code == 201


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]},
            "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid",
        ),
        (
            {"ports": [{"port": 80, "nodePort": 30001}]},
            "spec.ports[0].nodePort: Forbidden: may not be used when `type`",
        ),
        (
            {"type": "NodePort", "ports": [{"name": x, "port": ord(x), "nodePort": 30005} for x in "ab"]},
            "spec.ports[1].nodePort: Duplicate value: 30005",
        ),
        ({"type": "NodePort", "clusterIP": "None"}, "may not be set to 'None' for NodePort services"),
        ({"clusterIP": "192.168.1.1"}, "failed to allocate IP 192.168.1.1: the provided IP"),
        ({"clusterIP": "fd00::1"}, "IPv6 is not configured on this cluster"),
        ({"clusterIP": "10.96.3.3", "clusterIPs": ["10.96.3.4"]}, "first value must match `clusterIP`"),
        ({"clusterIPs": ["10.96.3.4"]}, "must be empty when `clusterIP` is not specified"),
        ({"ipFamilies": ["IPv6"]}, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'),
        ({"ipFamilies": ["IPv5"]}, 'spec.ipFamilies[0]: Unsupported value: "IPv5"'),
        ({"ipFamilyPolicy": "RequireDualStack"}, "this cluster is not configured for dual-stack services"),
        ({"ipFamilyPolicy": "Both"}, 'spec.ipFamilyPolicy: Unsupported value: "Both": supported values'),
        ({"internalTrafficPolicy": "Near"}, 'spec.internalTrafficPolicy: Unsupported value: "Near"'),
        (
            {"type": "NodePort", "externalTrafficPolicy": "Near"},
            'spec.externalTrafficPolicy: Unsupported value: "Near"',
        ),
        ({"externalTrafficPolicy": "Local"}, "may only be set for externally-accessible services"),
        ({"sessionAffinity": "Cookie"}, 'spec.sessionAffinity: Unsupported value: "Cookie"'),
        (
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}},
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0",
        ),
        ({"ports": [{"port": 80, "targetPort": "Bad_Name!"}]}, "must contain only alpha-numeric characters"),
        ({"ports": [{"port": 80, "targetPort": "a" * 16}]}, "must be no more than 15 characters"),
        ({"ports": [{"port": 80, "targetPort": "123"}]}, "must contain at least one letter"),
        ({"ports": [{"port": 80, "targetPort": "a--b"}]}, "must not contain consecutive hyphens"),
        ({"ports": [{"port": 80, "targetPort": "a-"}]}, "must not begin or end with a hyphen"),
        ({"ports": [{"port": 80, "appProtocol": "a b"}]}, "spec.ports[0].appProtocol: Invalid value"),
        ({"selector": {"app": "a b"}}, 'spec.selector: Invalid value: "a b"'),
        ({"externalIPs": ["nope"]}, 'spec.externalIPs[0]: Invalid value: "nope": must be a valid IP address'),
        ({"externalIPs": ["127.0.0.1"]}, "spec.externalIPs[0]: Invalid value"),
        ({"type": "ExternalName", "externalName": "a.b", "clusterIP": "10.96.0.9"}, "may not be set for ExternalName"),
        ({"loadBalancerClass": "a/b"}, "spec.loadBalancerClass: Forbidden: may only be used when `type`"),
        ({"allocateLoadBalancerNodePorts": True}, "spec.allocateLoadBalancerNodePorts: Forbidden"),
    ],
)
def test_what_makes_no_sense_is_refused(api: RawApi, services: str, spec: Object, message: str) -> None:
    answer = api.create(services, of(**spec))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


def test_the_class_of_a_load_balancer_stays(api: RawApi, services: str) -> None:
    api.create(services, of(type="LoadBalancer", loadBalancerClass="example.com/a"))
    refused = api.patch(f"{services}/web", {"spec": {"loadBalancerClass": "example.com/b"}})
    assert refused.code == 422
    assert "spec.loadBalancerClass" in refused.message
    assert "may not change once set" in refused.message


def test_a_replacement_that_names_nothing_given_changes_nothing(api: RawApi, services: str) -> None:
    first = api.create(services, service("web") | {"spec": {"type": "NodePort", "ports": [{"port": 80}]}}).object
    second = api.replace(f"{services}/web", of(type="NodePort")).object
    assert second["spec"] == first["spec"]
