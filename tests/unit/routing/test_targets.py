"""A mapping's service text: which host and port it means, and what is told when it means none."""

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.service import ServiceKey
from kfambassador.routing.model import Target
from kfambassador.routing.targets import is_address, read_target


@pytest.mark.parametrize(
    ("service", "host", "port"),
    [
        ("test", "test.kubeflow", 80),
        ("test:8000", "test.kubeflow", 8000),
        ("test.kubeflow", "test.kubeflow", 80),
        ("test.other:8000", "test.other", 8000),
        ("http://test", "test.kubeflow", 80),
        ("HTTP://test:81", "test.kubeflow", 81),
        ("Test.Other", "test.other", 80),
        ("httpbin.org:80", "httpbin.org", 80),
        ("test.kubeflow.svc.cluster.local:80", "test.kubeflow.svc.cluster.local", 80),
        ("httpbin.org.", "httpbin.org.", 80),
        ("localhost:8501", "localhost", 8501),
        ("10.0.0.1:80", "10.0.0.1", 80),
        ("[::1]:8080", "::1", 8080),
        ("[FD00::1]", "fd00::1", 80),
        ("test_old", "test_old.kubeflow", 80),
        ("test:1", "test.kubeflow", 1),
        ("test:65535", "test.kubeflow", 65535),
        ("test:080", "test.kubeflow", 80),
        ("test/", "test.kubeflow", 80),
    ],
)
def test_a_service_is_understood(service: str, host: str, port: int) -> None:
    read = read_target(service, namespace="kubeflow")
    assert read.target == Target(host, port)
    assert not read.faults


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("test:0", "'0' in 'test:0' is no port; write a number from 1 to 65535"),
        ("test:65536", "'65536' in 'test:65536' is no port; write a number from 1 to 65535"),
        ("test:", "'' in 'test:' is no port; write a number from 1 to 65535"),
        ("test:80a", "'80a' in 'test:80a' is no port; write a number from 1 to 65535"),
        ("test:-1", "'-1' in 'test:-1' is no port; write a number from 1 to 65535"),
        ("test:٨٠", "'٨٠' in 'test:٨٠' is no port; write a number from 1 to 65535"),
        (":80", "':80' has no host"),
        ("http://", "'http://' has no host"),
        ("a b", "'a b' in 'a b' is no host name; write host or host:port"),
        ("-test", "'-test' in '-test' is no host name; write host or host:port"),
        ("$(service).$(ns)", "'$(service).$(ns)' in '$(service).$(ns)' is no host name; write host or host:port"),
        ("test\n", "'test\\n' in 'test\\n' is no host name; write host or host:port"),
        ("[fe80::1%eth0]:80", "'[fe80::1%eth0]' in '[fe80::1%eth0]:80' is no host name; write host or host:port"),
        ("[::1", "'[' in '[::1' is no host name; write host or host:port"),
        ("::1", "'::1' has no host"),
        ("user@test:80", "'user@test' in 'user@test:80' is no host name; write host or host:port"),
        ("ftp://test", "ftp:// is no scheme of a service; write http://, https:// or none"),
    ],
)
def test_a_service_at_fault_is_told_of(service: str, message: str) -> None:
    read = read_target(service, namespace="kubeflow")
    assert read.target is None
    (fault,) = read.faults
    assert (fault.message, fault.severity) == (message, Severity.ERROR)


@pytest.mark.parametrize("service", ["x" * 300, "test:" + "9" * 5000, "a." * 200])
def test_a_service_out_of_all_proportion_is_a_fault(service: str) -> None:
    assert read_target(service, namespace="kubeflow").target is None


@pytest.mark.parametrize("service", ["test/path", "http://test:80/path?x=1", "test?x", "test#x"])
def test_what_comes_after_the_port_is_left_out_and_told_of(service: str) -> None:
    read = read_target(service, namespace="kubeflow")
    assert read.target == Target("test.kubeflow", 80)
    (fault,) = read.faults
    assert (fault.code, fault.severity) == ("service-path", Severity.WARNING)
    assert fault.message.endswith("a service is host and port; set the path with rewrite")


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("test.kubeflow", ServiceKey("kubeflow", "test")),
        ("test.kubeflow.svc", ServiceKey("kubeflow", "test")),
        ("test.kubeflow.svc.cluster.local", ServiceKey("kubeflow", "test")),
        ("test.kubeflow.svc.cluster.local.", ServiceKey("kubeflow", "test")),
        ("www.example.org", None),
        ("10.0.0.1", None),
        ("::1", None),
        ("localhost", None),
    ],
)
def test_a_target_may_be_a_service_of_the_cluster(host: str, key: ServiceKey | None) -> None:
    assert Target(host, 80).service_key() == key


@pytest.mark.parametrize(
    ("host", "expected"),
    [("10.0.0.1", True), ("::1", True), ("fd00::a", True), ("a.1", False), ("localhost", False), ("1.2.3", False)],
)
def test_an_address_needs_no_look_up(host: str, expected: bool) -> None:
    assert is_address(Target(host, 80)) is expected


def test_a_target_reads_like_a_service() -> None:
    assert str(Target("test.kubeflow", 80)) == "test.kubeflow:80"
    assert str(Target("::1", 80)) == "[::1]:80"
