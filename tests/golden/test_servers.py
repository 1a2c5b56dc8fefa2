"""Each model server's mappings are what they were; what is made of them stands beside it, as for every golden case.

``make golden`` rewrites them, and what is made of them the next time.
"""

import pytest

from kfambassador.resources.documents import write_documents
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.tfserving import TFServing
from tests.golden.cases import FOLDER, INPUT
from tests.unit.sdk.servers.published import SERVERS

#: One case each; the last is Kubeflow's own annotation.
CASES: dict[str, ModelServer] = {**SERVERS, "tfserving-legacy": TFServing(legacy=True)}


@pytest.mark.parametrize("kind", CASES)
def test_its_mappings_are_what_they_were(kind: str, request: pytest.FixtureRequest) -> None:
    path = FOLDER / "servers" / f"{kind}{INPUT}"
    text = write_mappings(CASES[kind])
    if request.config.getoption("rewrite_golden", default=False):
        path.write_text(text)
    assert (path.read_text() if path.exists() else "") == text, f"{path.name}: make golden rewrites it"


def test_every_case_has_its_server() -> None:
    assert {path.name.removesuffix(INPUT) for path in (FOLDER / "servers").glob(f"*{INPUT}")} == set(CASES)


def write_mappings(server: ModelServer) -> str:
    """The mappings of a model by the name of mnist, at a service of that name."""
    documents = [
        {
            "apiVersion": server.api_version,
            "kind": "Mapping",
            "name": route.name,
            **route.attributes,
            "service": f"mnist:{route.port or server.port}",
        }
        for route in server.routes("mnist", server.base("mnist"))
    ]
    written = write_documents(*documents).removeprefix("---\n")
    return f"# {server!r}\n{written}"
