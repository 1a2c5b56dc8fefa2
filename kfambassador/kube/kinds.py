"""The Kubernetes kinds of interest, and where the API keeps each of them.

The paths are known beforehand, so no call ever waits for discovery.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from kfambassador.errors import BadRequest
from kfambassador.names import AMBASSADOR_GROUP


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object in one version of its API.

    Attributes:
        kind: The name in manifests, ``Service``.
        plural: The name in paths, ``services``.
        version: The version of the API, ``v1``.
        group: The group of the API; "" is the core group.
        namespaced: Whether its objects live in namespaces.

    Example:
        >>> SERVICE.path(namespace="kubeflow", name="mnist")
        '/api/v1/namespaces/kubeflow/services/mnist'
        >>> MAPPING.path()
        '/apis/getambassador.io/v3alpha1/mappings'
    """

    kind: str
    plural: str
    version: str
    group: str = ""
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` of manifests: the group and the version, or the version alone in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def is_custom(self) -> bool:
        """Whether the kind exists only where its CustomResourceDefinition is installed.

        Groups without a dot and those below ``k8s.io`` are Kubernetes' own.
        """
        return "." in self.group and not self.group.endswith(".k8s.io")

    def path(self, *, namespace: str | None = None, name: str | None = None) -> str:
        """Return the path of a collection, or of one object when ``name`` is given.

        Args:
            namespace: Where to look; None means all namespaces. Kinds outside namespaces do not care.
            name: The object; None means the collection.

        Raises:
            BadRequest: A name would change the path instead of filling its place in it.
        """
        parts = [f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", _segment(namespace, "namespace")]
        parts.append(self.plural)
        if name is not None:
            parts.append(_segment(name, "name"))
        return "/".join(parts)


def _segment(text: str, what: str) -> str:
    # The HTTP client folds dots away: deleting ".." in a namespace would delete the namespace.
    if text in {"", ".", ".."} or "/" in text:
        raise BadRequest(f"{text!r} cannot be the {what} of a Kubernetes object: give one like 'mnist-v2'.")
    return quote(text, safe="")


NAMESPACE: Final = Kind("Namespace", "namespaces", "v1", namespaced=False)
SERVICE: Final = Kind("Service", "services", "v1")
POD: Final = Kind("Pod", "pods", "v1")
SECRET: Final = Kind("Secret", "secrets", "v1")
CONFIG_MAP: Final = Kind("ConfigMap", "configmaps", "v1")
EVENT: Final = Kind("Event", "events", "v1")
LEASE: Final = Kind("Lease", "leases", "v1", "coordination.k8s.io")
ENDPOINT_SLICE: Final = Kind("EndpointSlice", "endpointslices", "v1", "discovery.k8s.io")
DEPLOYMENT: Final = Kind("Deployment", "deployments", "v1", "apps")
INGRESS: Final = Kind("Ingress", "ingresses", "v1", "networking.k8s.io")
CUSTOM_RESOURCE_DEFINITION: Final = Kind(
    "CustomResourceDefinition", "customresourcedefinitions", "v1", "apiextensions.k8s.io", namespaced=False
)
MAPPING: Final = Kind("Mapping", "mappings", "v3alpha1", AMBASSADOR_GROUP)
#: Questions that are asked by creating them; the answer is what comes back, and nothing is kept.
TOKEN_REVIEW: Final = Kind("TokenReview", "tokenreviews", "v1", "authentication.k8s.io", namespaced=False)
SUBJECT_ACCESS_REVIEW: Final = Kind(
    "SubjectAccessReview", "subjectaccessreviews", "v1", "authorization.k8s.io", namespaced=False
)

#: Newest first: v1 since Kubernetes 1.28, v1beta1 since 1.27, v1alpha1 since 1.26.
SELF_SUBJECT_REVIEWS: Final = tuple(
    Kind("SelfSubjectReview", "selfsubjectreviews", version, "authentication.k8s.io", namespaced=False)
    for version in ("v1", "v1beta1", "v1alpha1")
)

#: What the gateway's owner says for everybody, as custom resources; each is followed in the version it is stored in.
GATEWAY_KINDS: Final = tuple(
    Kind(name, f"{name.lower()}s", "v3alpha1", AMBASSADOR_GROUP)
    for name in (
        "AuthService",
        "ConsulResolver",
        "KubernetesEndpointResolver",
        "KubernetesServiceResolver",
        "Module",
        "TLSContext",
    )
)

#: What a routing table is made of. Ingresses for the annotations some carry; what they say themselves is not acted on.
FOLLOWED: Final = (SERVICE, INGRESS, ENDPOINT_SLICE, MAPPING, *GATEWAY_KINDS, SECRET)

# Versions that are the same objects under another name.
_OLDER_VERSIONS: Final = ("v1", "v2")

#: Every kind whose manifests can be written.
KINDS: Final = (
    NAMESPACE,
    SERVICE,
    POD,
    SECRET,
    CONFIG_MAP,
    EVENT,
    LEASE,
    ENDPOINT_SLICE,
    INGRESS,
    CUSTOM_RESOURCE_DEFINITION,
    TOKEN_REVIEW,
    SUBJECT_ACCESS_REVIEW,
    *SELF_SUBJECT_REVIEWS,
    MAPPING,
    *GATEWAY_KINDS,
    *(replace(kind, version=version) for kind in (MAPPING, *GATEWAY_KINDS) for version in _OLDER_VERSIONS),
)

_BY_NAMES: Final = {(kind.api_version, kind.kind): kind for kind in KINDS}


def find_kind(manifest: Mapping[str, object]) -> Kind:
    """Return the kind that a manifest says it is.

    Raises:
        BadRequest: The manifest does not say, or names a kind that is not in :data:`KINDS`.

    Example:
        >>> find_kind({"apiVersion": "v1", "kind": "Service"}).plural
        'services'
    """
    api_version, kind = manifest.get("apiVersion"), manifest.get("kind")
    found = _BY_NAMES.get((str(api_version), str(kind)))
    if found is None:
        known = ", ".join(f"{kind.api_version} {kind.kind}" for kind in KINDS)
        raise BadRequest(
            f"A manifest has apiVersion {api_version!r} and kind {kind!r}, which is none of those known here: {known}."
        )
    return found
