"""What is measured on: mappings as a team of model authors would write them, each with its own prefix."""

from kfambassador.names import CONFIG_ANNOTATION


def mapping_text(number: int, *, service: str, rewrite: str = "/v1/models/model:predict") -> str:
    """One annotation document: a model's mapping, with method, rewrite and timeout."""
    return (
        "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\n"
        f"name: model-{number}\nprefix: {prefix(number)}\nmethod: POST\nrewrite: {rewrite}\n"
        f"timeout_ms: 5000\nservice: {service}\n"
    )


def prefix(number: int) -> str:
    """The prefix of a mapping; some hundred teams share the first segments."""
    return f"/models/team-{number % 100}/model-{number}/"


def annotated_service(number: int, annotation: str, *, version: int | None = None) -> dict[str, object]:
    """A Service that carries configuration, as it is written, or with a version as the API tells it."""
    metadata: dict[str, object] = {
        "name": f"model-{number}",
        "namespace": "default",
        "annotations": {CONFIG_ANNOTATION: annotation},
    }
    if version is not None:
        metadata |= {"resourceVersion": str(version), "creationTimestamp": "2026-01-01T00:00:00Z"}
    spec = {"ports": [{"port": 8501, "protocol": "TCP"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
