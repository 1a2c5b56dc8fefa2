"""What the tests of the diagnostics page look at: a gateway with good, failing, wrong, conflicting and nasty routes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from kfambassador.resources.documents import write_documents
from tests.backends import EchoServer
from tests.e2e.gateway import Parts, running_gateway

#: A page that took these for markup would run them.
MARKUP = "<img/src=x/onerror=window.hacked=1>"
QUOTES = "\"'><script>window.hacked=1</script>"

#: Nobody is shown this.
CANARY = "tweety-S3cret-0123456789"

_SECRETS = f"""
---
apiVersion: ambassador/v1
kind: Mapping
name: keyed
prefix: /keyed/
service: 127.0.0.1:1
add_request_headers:
  authorization: Bearer {CANARY}
  x-any:
    value: {CANARY}
    append: false
headers:
  x-api-key: {CANARY}
query_parameters:
  access_token: {CANARY}
# password: {CANARY}
---
apiVersion: ambassador/v1
kind: Mapping
name: unkeyed
prefix: /unkeyed/
service: https://ana:{CANARY}@127.0.0.1:1
add_request_headers:
  x-token: [{CANARY}]
---
apiVersion: ambassador/v1
kind: AuthService
name: guard
auth_service: "127.0.0.1:1"
ambassador_id: [other]
add_auth_headers: {{x-secret: {CANARY}}}
---
apiVersion: ambassador/v1
add_request_headers: {{x-token: {CANARY}
"""


@dataclass(frozen=True)
class Scene:
    """What there is.

    Attributes:
        gateway: The gateway.
        good: Where something answers with success.
        bad: Where something answers with 503.
    """

    gateway: Parts
    good: str
    bad: str

    @property
    def url(self) -> str:
        """Where the page is."""
        return self.gateway.controller.diagnostics_url

    def annotate(self, name: str, *documents: dict[str, object]) -> None:
        """Apply a Service with mappings; what becomes of them is decided when this returns."""
        told = ({"apiVersion": "ambassador/v1", "kind": "Mapping", **document} for document in documents)
        self.apply(name, write_documents(*told))

    def apply(self, name: str, annotation: str) -> None:
        """Apply a Service with an annotation; what becomes of it is decided when this returns."""
        self.gateway.source(name, version=self.gateway.apply_service(name, annotation))


@contextmanager
def played() -> Iterator[Scene]:
    """Start a gateway, publish everything on it, and use some of it."""
    with ExitStack() as stack:
        good, bad = (stack.enter_context(EchoServer(name, status=status)) for name, status in (("g", 200), ("b", 503)))
        gateway = stack.enter_context(running_gateway())
        scene = Scene(gateway, f"127.0.0.1:{good.port}", f"127.0.0.1:{bad.port}")
        _publish(scene)
        _use(gateway)
        yield scene


def _publish(scene: Scene) -> None:
    model: dict[str, object] = {"prefix": "/models/mnist/", "method": "POST", "rewrite": "/v1/models/mnist:predict"}
    scene.annotate(
        "mnist",
        {"name": "mnist", **model, "service": scene.good, "weight": 80, "timeout_ms": 30_000},
        {"name": "mnist-canary", **model, "service": scene.bad, "weight": 20},
    )
    scene.annotate(
        "tools",
        {"name": "echo", "prefix": "/echo/", "service": scene.good, "cluster_tag": "echo"},
        {"name": "typo", "prefix": "/typo/", "service": scene.good, "cluster_tag": "typo", "timeout": 500},
        {"name": "wrong", "prefix": "/wrong/", "service": scene.good, "cors": {"origins": 5}},
        {"name": "team", "prefix": "/team/", "service": scene.good, "headers": {"x-team": "a"}, "cluster_tag": "team"},
        {"name": "old", "prefix": "/old/", "service": "https://new.example", "host_redirect": True},
    )
    scene.annotate("down", {"name": "down", "prefix": "/down/", "service": scene.bad, "host": "models.example"})
    scene.annotate("twin", {"name": "echo", "prefix": "/again/", "service": scene.good})
    scene.annotate(
        "nasty",
        {"name": MARKUP, "prefix": f"/nasty/{MARKUP}/", "service": scene.good, "cluster_tag": "n"},
        {"name": "quotes", "prefix": f"/quotes/{QUOTES}", "service": scene.good, f"<b>{QUOTES}": 1},
    )
    scene.apply("keyed", _SECRETS)
    scene.apply("broken", "kind: Mapping\nname: [broken\n")


def _use(gateway: Parts) -> None:
    for _ in range(60):
        gateway.request("/echo/")
    # So many that the worse server of the split has seen some.
    for _ in range(150):
        gateway.request("/models/mnist/", method="POST", body=b"{}")
