"""Snapshots in a line, for tests of who serves them: resources are names, and bodies are any bytes."""

from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource


def build_snapshot(
    generation: int, *, clusters: str = "", endpoints: str = "", listeners: str = "", routes: str = ""
) -> Snapshot:
    """Build a snapshot from resources written as ``name`` or ``name@content``, with spaces between them.

    Example:
        >>> sorted(build_snapshot(1, clusters="a b@new").of_type(TypeUrl.CLUSTER))
        ['a', 'b']
    """
    texts = {
        TypeUrl.CLUSTER: clusters,
        TypeUrl.ENDPOINTS: endpoints,
        TypeUrl.LISTENER: listeners,
        TypeUrl.ROUTE_CONFIGURATION: routes,
    }
    return Snapshot({type_url: _resources(text) for type_url, text in texts.items() if text}, generation)


def _resources(text: str) -> dict[str, XdsResource]:
    named = (word.partition("@") for word in text.split())
    return {name: XdsResource.of(name, content.encode()) for name, _, content in named}
