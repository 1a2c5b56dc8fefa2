"""Where a model server is, in every way a person says it."""

import pytest

from kfambassador.sdk.publishing.backends import Backend, read_backend, write_service


@pytest.mark.parametrize(
    ("service", "backend"),
    [
        (8501, Backend("127.0.0.1", 8501, is_here=True)),
        ("8501", Backend("127.0.0.1", 8501, is_here=True)),
        ("127.0.0.1:8501", Backend("127.0.0.1", 8501, is_here=True)),
        ("http://localhost:8501/", Backend("127.0.0.1", 8501, is_here=True)),
        ("localhost", Backend("127.0.0.1", None, is_here=True)),
        ("127.1.2.3:80", Backend("127.1.2.3", 80, is_here=True)),
        ("[::1]:8501", Backend("::1", 8501, is_here=True)),
        ("https://localhost:8501", Backend("localhost", 8501, is_here=True, tls=True)),
        ("https://127.0.0.1", Backend("127.0.0.1", 443, is_here=True, tls=True)),
        ("mnist", Backend("mnist.team", None)),
        ("mnist:8501", Backend("mnist.team", 8501)),
        ("mnist.prod:80", Backend("mnist.prod", 80)),
        ("httpbin.org:80", Backend("httpbin.org", 80)),
        ("10.1.2.3:8501", Backend("10.1.2.3", 8501)),
        ("https://models.example.org", Backend("models.example.org", 443, tls=True)),
        (None, Backend("model.team", None)),
    ],
)
def test_reads(service: str | int | None, backend: Backend) -> None:
    assert read_backend(service, name="model", namespace="team") == (backend, ())


@pytest.mark.parametrize(
    ("service", "backend"),
    [
        (8501, Backend("localhost", 8501, is_here=True)),
        ("127.0.0.1:8501", Backend("127.0.0.1", 8501, is_here=True)),
        ("localhost:8501", Backend("localhost", 8501, is_here=True)),
        ("mnist:8501", Backend("mnist.team", 8501)),
    ],
)
def test_what_goes_by_its_name_keeps_it(service: str | int, backend: Backend) -> None:
    assert read_backend(service, name="model", namespace="team", by_name=True) == (backend, ())


@pytest.mark.parametrize("service", ["http://127.0.0.1:8501/api", "127.0.0.1:8501/api", "127.0.0.1:08501"])
def test_a_port_that_is_written_counts_whatever_follows_it(service: str) -> None:
    backend, _ = read_backend(service, name="model", namespace="team")
    assert backend == Backend("127.0.0.1", 8501, is_here=True)


@pytest.mark.parametrize("service", ["mnist:99999", 0, -1, 70000, "mnist:port", "", "ftp://x", "a b"])
def test_refuses(service: str | int) -> None:
    backend, faults = read_backend(service, name="model", namespace="team")
    assert backend is None
    assert faults[0].path == "service"


@pytest.mark.parametrize(
    ("backend", "text"),
    [
        (Backend("mnist.team", None), "mnist.team:8501"),
        (Backend("mnist.team", 80), "mnist.team:80"),
        (Backend("mnist.team", 443, tls=True), "https://mnist.team:443"),
        (Backend("fd00::1", 80), "[fd00::1]:80"),
    ],
)
def test_writes(backend: Backend, text: str) -> None:
    assert write_service(backend, port=8501) == text
    assert str(backend) == (text if backend.port else text.removesuffix(":8501"))
