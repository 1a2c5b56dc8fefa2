"""Publishing on a stack by nothing but an annotation."""

from collections.abc import Mapping as Dict

from kfambassador.local.stack import LocalStack
from kfambassador.resources.documents import write_documents
from tests.e2e.gateway import annotate_service, fetch
from tests.e2e.local_gateway import client_of


def publish_mappings(stack: LocalStack, *mappings: Dict[str, object], carrier: str = "models") -> None:
    """Publish mappings, or what has a kind of its own; when this returns they are served."""
    documents = [{"apiVersion": "ambassador/v1", "kind": "Mapping", **mapping} for mapping in mappings]
    with client_of(stack.endpoint) as client:
        version = client.apply(annotate_service(carrier, write_documents(*documents)))["metadata"]["resourceVersion"]
    source = f"/ambassador/v0/sources/Service/default/{carrier}?resource_version={version}&wait=20"
    told = fetch(stack.endpoint.diagnostics_url + source, token=stack.endpoint.diagnostics_token).json()
    assert told["state"] == "serving", told
