"""Well-known strings that more than one room must spell alike.

Nothing here does anything: constants only, each with where it comes from.
"""

from typing import Final

#: The annotation that carries Ambassador configuration (Ambassador, "Configuration by annotation").
CONFIG_ANNOTATION: Final = "getambassador.io/config"

#: The API group of Ambassador's custom resources.
AMBASSADOR_GROUP: Final = "getambassador.io"

#: Who we are to server-side apply; a field manager owns the fields it applied.
FIELD_MANAGER: Final = "kfambassador"

#: Label on everything the SDK creates, so that clean-up finds it and nothing else.
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "kfambassador"

#: Label that holds the name something was published by (Kubernetes, "Recommended labels").
NAME_LABEL: Final = "app.kubernetes.io/name"

#: Label on everything that takes part in an exposure, on other people's annotated Services too: what is selected by.
EXPOSURE_LABEL: Final = "kfambassador/exposure"

#: Annotation that says how a model was published, as JSON, so that another process can take the exposure up again.
EXPOSURE_ANNOTATION: Final = "kfambassador/exposure"

#: Annotation that says who published something.
OWNER_ANNOTATION: Final = "kfambassador/owner"

#: Annotation that says until when configuration is served, in RFC 3339 and UTC: ``2026-11-26T12:00:00Z``.
EXPIRES_ANNOTATION: Final = "kfambassador/expires-at"

#: The header by which one request asks for a variant of a model.
VARIANT_HEADER: Final = "x-model-variant"

#: Labels by which the gateway's Services are found (Kubernetes, "Recommended labels"): one takes requests, the other
#: has the read API's port where that is not the same Service's.
GATEWAY_LABELS: Final = {NAME_LABEL: "kfambassador", "app.kubernetes.io/component": "gateway"}
READ_API_LABELS: Final = {NAME_LABEL: "kfambassador", "app.kubernetes.io/component": "read-api"}

#: The name of the read API's port in a Service.
READ_API_PORT: Final = "diagnostics"

#: Where a gateway is installed when nothing is said.
INSTALL_NAMESPACE: Final = "kfambassador"

#: The ServiceAccount a gateway's controller runs as, and the Lease by which its replicas agree on who writes statuses.
GATEWAY_ACCOUNT: Final = "kfambassador"
STATUS_LEASE: Final = "kfambassador-status"

#: Label that joins an EndpointSlice to its Service (Kubernetes, "EndpointSlices").
SERVICE_NAME_LABEL: Final = "kubernetes.io/service-name"

#: Annotation on a Service: the namespaces whose mappings may point at it besides its own, with commas; * is every one.
ALLOWED_NAMESPACES_ANNOTATION: Final = "kfambassador.io/allowed-namespaces"

#: Prefix of the diagnostics paths (Ambassador, "Diagnostics").
DIAGNOSTICS_PREFIX: Final = "/ambassador/v0"

#: Where a person with no namespace in mind works (Kubernetes).
DEFAULT_NAMESPACE: Final = "default"

#: Headers by which Kubeflow's parts know a user (Kubeflow, "Profiles and Namespaces"). A client's own are never
#: believed, and a mapping may not set them.
IDENTITY_HEADERS: Final = ("kubeflow-userid", "kubeflow-groups")

#: Headers that tell a backend who asks or how it was reached. From a client they are hearsay and taken off.
#: (x-forwarded-for and x-forwarded-proto stay: Envoy itself appends to the one and overwrites the other.)
HEARSAY_HEADERS: Final = (
    *IDENTITY_HEADERS,
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-real-ip",
)

#: Families of such headers. Envoy obeys x-envoy-* (timeouts, retries) where it takes the client for one of its own.
HEARSAY_PREFIXES: Final = ("x-envoy-", "x-original-")

#: Headers whose values are secrets more often than not; nobody is told more of them than their names.
SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}
)

#: The largest program RE2 may compile a regex to. Envoy is told the same number as is checked before it sees a regex.
REGEX_MAX_PROGRAM_SIZE: Final = 1000

#: Where a pod's two containers meet: a directory that both see.
RUNTIME_DIRECTORY: Final = "/run/kfambassador"

#: Where Envoy answers a kubelet's probes and Prometheus, and nothing else.
READY_ADDRESS: Final = "0.0.0.0:8082"  # a kubelet comes from outside of the pod

#: The Unix sockets between Envoy and its controller, in a directory that only their owner may enter.
ADMIN_SOCKET: Final = "admin.sock"
XDS_SOCKET: Final = "xds.sock"
ASKING_SOCKET: Final = "ask.sock"

#: The exit code of a program that Ctrl-C ended, as shells have it.
INTERRUPTED: Final = 130
