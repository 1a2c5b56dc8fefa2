"""Discovery: which groups, versions and kinds are served, in both forms clients ask for. Pure."""

import base64
import hashlib
from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.kinds.kind import Kind, Subresource
from kfambassador.local.kube.registry.catalog import Catalog

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

_STATUS_VERBS: Final = ("get", "patch", "update")


def list_core(host: str) -> Document:
    """The answer under ``/api``.

    Args:
        host: What the caller knows the server by.
    """
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    }


def list_groups(catalog: Catalog) -> Document:
    """The answer under ``/apis``."""
    groups = [_describe_versions(catalog, group) for group in catalog.versions() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def describe_group(catalog: Catalog, group: str) -> Document:
    """The answer under ``/apis/GROUP``."""
    return {"kind": "APIGroup", "apiVersion": "v1"} | _describe_versions(catalog, group)


def _describe_versions(catalog: Catalog, group: str) -> Document:
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in catalog.versions()[group]]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def is_served(catalog: Catalog, group: str, version: str = "") -> bool:
    """Whether a group, or one version of it, is served."""
    versions = catalog.versions().get(group, [])
    return version in versions if version else bool(versions)


def list_resources(catalog: Catalog, group: str, version: str) -> Document:
    """The answer under ``/api/v1`` and ``/apis/GROUP/VERSION``."""
    kinds = sorted(catalog.kinds_of(group, version), key=lambda kind: kind.plural)
    resources = [entry for kind in kinds for entry in _describe(kind)]
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
        "verbs": list(kind.verbs),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
        "storageVersionHash": _hash_storage(kind),
    }
    entry = {field: value for field, value in entry.items() if value not in ([], "")}
    status = (Subresource("status", kind.name, _STATUS_VERBS),) if kind.has_status else ()
    return [entry, *(_describe_subresource(kind, below) for below in (*status, *kind.subresources))]


def _hash_storage(kind: Kind) -> str:
    """What changes when objects are stored in another version; "" for what is not stored."""
    if kind.is_question:
        return ""
    stored = f"{kind.group}/{kind.stored_version or kind.version}/{kind.name}"
    return base64.b64encode(hashlib.sha256(stored.encode()).digest()[:8]).decode()


def _describe_subresource(kind: Kind, below: Subresource) -> Document:
    name = {"name": f"{kind.plural}/{below.name}", "singularName": "", "namespaced": kind.namespaced}
    origin = {"group": below.group, "version": below.version} if below.version else {}
    return name | origin | {"kind": below.kind, "verbs": list(below.verbs)}


def aggregate(catalog: Catalog, *, core: bool, form: str) -> Document:
    """The aggregated discovery document.

    Args:
        catalog: The kinds.
        core: Whether of the core group (``/api``) or of all others (``/apis``).
        form: Its version, one of :data:`AGGREGATED`.
    """
    groups = [(group, versions) for group, versions in catalog.versions().items() if (group == "") == core]
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
    found: list[Document] = []
    for entry in listed:
        if "/" in entry["name"]:
            continue
        resource: Document = {
            "resource": entry["name"],
            "responseKind": {"group": group, "version": version, "kind": entry["kind"]},
            "scope": "Namespaced" if entry["namespaced"] else "Cluster",
            "singularResource": entry["singularName"],
            "verbs": entry["verbs"],
            "shortNames": entry.get("shortNames", []),
            "categories": entry.get("categories", []),
        }
        below = [each for each in listed if each["name"].startswith(f"{entry['name']}/")]
        if below:
            resource["subresources"] = [
                {
                    "subresource": each["name"].partition("/")[2],
                    "responseKind": {
                        "group": each.get("group", group),
                        "version": each.get("version", version),
                        "kind": each["kind"],
                    },
                    "verbs": each["verbs"],
                }
                for each in below
            ]
        found.append(resource)
    return found
