"""Discovery: which groups, versions and kinds are served, in both forms clients ask for. Pure."""

from typing import Final

from kfambassador.local.kube.catalog import Catalog
from kfambassador.local.kube.documents import Document
from kfambassador.local.kube.kinds import Kind

#: The version of Kubernetes whose behaviour is followed.
VERSION: Final = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+kfambassador",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
#: Forms of the aggregated discovery document, the newest first.
AGGREGATED: Final = ("v2", "v2beta1")

#: Questions about the caller's own rights: there is one caller and it may do everything.
REVIEW_GROUP: Final = ("authorization.k8s.io", "v1")
REVIEWS: Final = {
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "selfsubjectrulesreviews": "SelfSubjectRulesReview",
}

_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_STATUS_VERBS: Final = ("get", "patch", "update")


def list_core() -> Document:
    """The answer under ``/api``."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [],
    }


def list_groups(catalog: Catalog) -> Document:
    """The answer under ``/apis``."""
    groups = [describe_group(catalog, group) for group in _versions(catalog) if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def describe_group(catalog: Catalog, group: str) -> Document:
    """The answer under ``/apis/GROUP``."""
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in _versions(catalog)[group]]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": group,
        "versions": versions,
        "preferredVersion": versions[0],
    }


def _versions(catalog: Catalog) -> dict[str, list[str]]:
    group, version = REVIEW_GROUP
    return catalog.versions() | {group: [version]}


def is_served(catalog: Catalog, group: str, version: str = "") -> bool:
    """Whether a group, or one version of it, is served."""
    versions = _versions(catalog).get(group, [])
    return version in versions if version else bool(versions)


def list_resources(catalog: Catalog, group: str, version: str) -> Document:
    """The answer under ``/api/v1`` and ``/apis/GROUP/VERSION``."""
    kinds = sorted(catalog.kinds_of(group, version), key=lambda kind: kind.plural)
    resources = [entry for kind in kinds for entry in _describe(kind)]
    if (group, version) == REVIEW_GROUP:
        resources += [
            {"name": plural, "singularName": "", "namespaced": False, "kind": kind, "verbs": ["create"]}
            for plural, kind in REVIEWS.items()
        ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": resources,
    }


def _describe(kind: Kind) -> list[Document]:
    entry: Document = {
        "name": kind.plural,
        "singularName": kind.singular or kind.name.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(_VERBS),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
    }
    entry = {field: value for field, value in entry.items() if value != []}
    if not kind.has_status:
        return [entry]
    below = {"name": f"{kind.plural}/status", "singularName": "", "namespaced": kind.namespaced, "kind": kind.name}
    return [entry, below | {"verbs": list(_STATUS_VERBS)}]


def aggregate(catalog: Catalog, *, core: bool, form: str) -> Document:
    """The aggregated discovery document.

    Args:
        catalog: The kinds.
        core: Whether of the core group (``/api``) or of all others (``/apis``).
        form: Its version, one of :data:`AGGREGATED`.
    """
    groups = [(group, versions) for group, versions in _versions(catalog).items() if (group == "") == core]
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {
                    "version": version,
                    "resources": _aggregate_resources(catalog, group, version),
                    "freshness": "Current",
                }
                for version in versions
            ],
        }
        for group, versions in groups
    ]
    version = f"apidiscovery.k8s.io/{form}"
    return {"kind": "APIGroupDiscoveryList", "apiVersion": version, "metadata": {}, "items": items}


def _aggregate_resources(catalog: Catalog, group: str, version: str) -> list[Document]:
    listed = list_resources(catalog, group, version)["resources"]
    below = {entry["name"].partition("/")[0]: entry for entry in listed if "/" in entry["name"]}
    found: list[Document] = []
    for entry in listed:
        if "/" in entry["name"]:
            continue
        resource = {
            "resource": entry["name"],
            "responseKind": {"group": group, "version": version, "kind": entry["kind"]},
            "scope": "Namespaced" if entry["namespaced"] else "Cluster",
            "singularResource": entry["singularName"],
            "verbs": entry["verbs"],
            "shortNames": entry.get("shortNames", []),
            "categories": entry.get("categories", []),
        }
        if entry["name"] in below:
            kind = resource["responseKind"]
            resource["subresources"] = [
                {"subresource": "status", "responseKind": kind, "verbs": below[entry["name"]]["verbs"]}
            ]
        found.append(resource)
    return found
