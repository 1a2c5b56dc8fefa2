"""The built-in kinds that a cluster's own parts go by. They are kept, and nothing here goes by them."""

from typing import Final

from kfambassador.local.kube.documents.metadata import NameRule
from kfambassador.local.kube.kinds import control_columns as columns
from kfambassador.local.kube.kinds.kind import Kind, Subresource
from kfambassador.local.kube.validation import control

_EXTENSIONS: Final = ("api-extensions",)
_ADMISSION: Final = "admissionregistration.k8s.io"
_FLOW: Final = "flowcontrol.apiserver.k8s.io"
_STORAGE: Final = "storage.k8s.io"

_UNJUDGED: Final = "This API server judges nothing by policies: they are kept and have no effect."
_UNSIGNED: Final = "This API server signs nothing: a request that is approved stays without a certificate."
_UNCOUNTED: Final = "This API server answers all requests alike: priorities are kept and have no effect."
_USELESS: Final = "v1 ComponentStatus is deprecated in v1.19+"

CONTROL: Final = (
    Kind(
        "", "v1", "ComponentStatus", "componentstatuses",
        namespaced=False, short_names=("cs",), whole_table=columns.COMPONENT, verbs=("get", "list"), warning=_USELESS,
    ),
    Kind(
        _ADMISSION, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies",
        namespaced=False, categories=_EXTENSIONS, columns=columns.ADMISSION_POLICY, has_status=True,
        counts_generation=True, warning=_UNJUDGED,
    ),
    Kind(
        _ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings",
        namespaced=False, categories=_EXTENSIONS, columns=columns.ADMISSION_POLICY_BINDING, counts_generation=True,
        warning=_UNJUDGED,
    ),
    Kind(
        "apiregistration.k8s.io", "v1", "APIService", "apiservices",
        namespaced=False, categories=_EXTENSIONS, name_rule=NameRule.PATH, columns=columns.API_SERVICE,
        has_status=True, admit=control.admit_api_service,
    ),
    Kind(
        "certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests",
        namespaced=False, short_names=("csr",), columns=columns.SIGNING_REQUEST, has_status=True,
        admit=control.admit_signing_request, records_author=True, warning=_UNSIGNED,
        subresources=(Subresource("approval", "CertificateSigningRequest", ("get", "patch", "update")),),
    ),
    Kind(
        _FLOW, "v1", "FlowSchema", "flowschemas",
        namespaced=False, columns=columns.FLOW_SCHEMA, has_status=True, counts_generation=True, warning=_UNCOUNTED,
    ),
    Kind(
        _FLOW, "v1", "PriorityLevelConfiguration", "prioritylevelconfigurations",
        namespaced=False, columns=columns.PRIORITY_LEVEL, has_status=True, counts_generation=True, warning=_UNCOUNTED,
    ),
    Kind(_STORAGE, "v1", "CSINode", "csinodes", namespaced=False, columns=columns.CSI_NODE),
    Kind(_STORAGE, "v1", "CSIStorageCapacity", "csistoragecapacities"),
    Kind(
        _STORAGE, "v1", "VolumeAttachment", "volumeattachments",
        namespaced=False, columns=columns.VOLUME_ATTACHMENT, has_status=True,
    ),
)  # fmt: skip
