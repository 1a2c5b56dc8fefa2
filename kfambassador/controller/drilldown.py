"""One thing of the overview, looked at closely: a source, a route's group, or a cluster."""

from collections.abc import Mapping as Dict

from kfambassador.controller.overview import Seen, describe_group, describe_source, name_group
from kfambassador.problems import ObjectKey
from kfambassador.routing.describe import Json, describe_cluster, name_mapping
from kfambassador.routing.model import Cluster


def find_cluster(seen: Seen, name: str) -> Cluster | None:
    """Find a cluster by its name, or by what a person calls it: its host and port."""
    found = seen.clusters.get(name)
    return found or next((each for each in seen.clusters.values() if str(each.target) == name), None)


def describe_one_cluster(seen: Seen, cluster: Cluster, counters: Dict[str, int]) -> dict[str, Json]:
    """Describe a cluster: how it fares, and which routes lead to it.

    Args:
        seen: What there is.
        cluster: Which of its clusters.
        counters: What Envoy counts of it.
    """
    leading = [route for route in seen.routes if any(split.cluster == cluster.name for split in route.splits)]
    return {
        "cluster": describe_cluster(cluster),
        "statistics": {} if cluster.name in seen.shared else {**counters},
        **seen.tell_traffic(cluster.name, counters),
        "groups": [name_group(route) for route in leading],
        "mappings": [*sorted({name_mapping(split) for route in leading for split in route.splits})],
    }


def describe_one(seen: Seen, name: str) -> dict[str, Json] | None:
    """Describe a group by its name, or a source by its kind, namespace and name; None when there is no such thing."""
    route = seen.groups.get(name)
    if route is not None:
        return describe_group(seen, route)
    key = next((key for key in seen.work.resources.sources if name in _spell(key)), None)
    return None if key is None else _describe_one_source(seen, key)


def _spell(key: ObjectKey) -> tuple[str, ...]:
    """The ways a source is called: as we do, as addresses do, and as Ambassador did."""
    kind, namespace, name = key
    return str(key), f"{kind}/{namespace}/{name}", f"{namespace}/{name}", f"{name}.{namespace}"


def _describe_one_source(seen: Seen, key: ObjectKey) -> dict[str, Json]:
    written: list[Json] = [
        {"mapping": f"{each.namespace}/{each.mapping.name}", **each.mapping.model_dump(mode="json", exclude_unset=True)}
        for each in seen.work.resources.mappings
        if each.origin.object == key
    ]
    routes = [route for route in seen.routes if any(split.origin.object == key for split in route.splits)]
    clusters = {split.cluster for route in routes for split in route.splits if split.origin.object == key}
    return {
        **describe_source(seen.work.source(key, served=seen.served)),
        "written": written,
        "routes": [describe_group(seen, route) for route in routes],
        "clusters": [describe_cluster(seen.clusters[name]) for name in sorted(clusters) if name],
    }
