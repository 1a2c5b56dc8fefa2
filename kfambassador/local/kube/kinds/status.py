"""Status: the errors of the Kubernetes API, with its reasons, codes and words."""

from collections.abc import Sequence

from kfambassador.local.kube.documents.document import Document, name_of, namespace_of
from kfambassador.local.kube.documents.faults import FieldFault
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.kinds.ownership import ApplyConflict
from kfambassador.local.kube.schemas.fields import show_path


class StatusError(Exception):
    """A request that is answered by a Status.

    Attributes:
        code: The HTTP code.
        reason: Kubernetes' word for the error.
        details: The kind, the name and the causes, where there are any.
        metadata: What stands in the Status as in a list.
    """

    def __init__(
        self, code: int, reason: str, message: str, details: Document | None = None, *, metadata: Document | None = None
    ) -> None:
        self.code = code
        self.reason = reason
        self.details = details or {}
        self.metadata = metadata or {}
        super().__init__(message)

    def document(self) -> Document:
        """The Status as it is sent."""
        status: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": str(self),
        }
        status |= {"reason": self.reason} if self.reason else {}
        return status | ({"details": self.details} if self.details else {}) | {"code": self.code}


def _named(kind: Kind, name: str, **more: object) -> Document:
    group = {"group": kind.group} if kind.group else {}
    return {"name": name} | group | {"kind": kind.plural} | more


def bad_request(message: str) -> StatusError:
    """The request itself is malformed."""
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    """The token is missing or wrong."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(message: str, details: Document | None = None) -> StatusError:
    """The request is understood and refused."""
    return StatusError(403, "Forbidden", message, details)


def not_admitted(kind: Kind, name: str, because: str) -> StatusError:
    """What is written would do no good as things are."""
    return forbidden(f'{kind.resource} "{name}" is forbidden: {because}', _named(kind, name))


def namespace_terminating(kind: Kind, name: str, namespace: str) -> StatusError:
    """A namespace that is being deleted takes nothing new."""
    because = f"unable to create new content in namespace {namespace} because it is being terminated"
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    return forbidden(f'{kind.resource} "{name}" is forbidden: {because}', _named(kind, name, causes=[cause]))


def not_found(kind: Kind, name: str) -> StatusError:
    """There is no such object."""
    return StatusError(404, "NotFound", f'{kind.resource} "{name}" not found', _named(kind, name))


def no_such_path() -> StatusError:
    """There is nothing under this path."""
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def not_allowed() -> StatusError:
    """The path is right and the method is not."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def no_such_namespace(name: str) -> StatusError:
    """An object cannot be put into a namespace that is not there."""
    return StatusError(404, "NotFound", f'namespaces "{name}" not found', {"name": name, "kind": "namespaces"})


def already_exists(kind: Kind, name: str) -> StatusError:
    """The name is taken."""
    return StatusError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', _named(kind, name))


def conflict(kind: Kind, name: str, because: str) -> StatusError:
    """The object is no longer what the caller thought."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {because}'
    return StatusError(409, "Conflict", message, _named(kind, name))


def modified(kind: Kind, name: str) -> StatusError:
    """Someone else wrote in between."""
    because = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(kind, name, because)


def apply_conflict(error: ApplyConflict) -> StatusError:
    """A server-side apply met fields that others own."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": show_path(path)}
        for owner, path in error.conflicts
    ]
    return StatusError(409, "Conflict", str(error), {"causes": causes})


def too_many_disruptions(budget: str) -> StatusError:
    """A Pod that its budget wants kept for now."""
    cause = {"reason": "DisruptionBudget", "message": f"The disruption budget {budget} allows no disruption now"}
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return StatusError(429, "TooManyRequests", message, {"causes": [cause]})


def gone(message: str, *, rest: str = "") -> StatusError:
    """The version asked for is no longer known; a token lets a list go on all the same."""
    return StatusError(410, "Expired", message, metadata={"continue": rest} if rest else {})


def too_old(asked: int, oldest: int) -> StatusError:
    """A watch cannot begin so far back."""
    return gone(f"too old resource version: {asked} ({oldest})")


def too_large_version(asked: int, current: int) -> StatusError:
    """A list of a version that is yet to come."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return StatusError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})


def invalid_options(kind: str, faults: Sequence[FieldFault]) -> StatusError:
    """The options of a request break their rules; the kind is that of the options, as ``ListOptions``."""
    message = f'{kind}.meta.k8s.io "" is invalid: {_list(faults)}'
    return StatusError(422, "Invalid", message, {"group": "meta.k8s.io", "kind": kind, "causes": _causes(faults)})


def too_large(limit: int) -> StatusError:
    """The body is over the limit, in bytes."""
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def too_long_patch(because: str) -> StatusError:
    """A patch asks for too much at once."""
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: {because}")


def unsupported_media_type(found: str, accepted: Sequence[str]) -> StatusError:
    """The body is in a language the server does not read."""
    message = f"the body of the request was in an unknown format ({found}) - accepted media types include: "
    return StatusError(415, "UnsupportedMediaType", message + ", ".join(accepted))


def not_acceptable(offered: Sequence[str]) -> StatusError:
    """The caller wants an answer in a language that the server does not write."""
    return StatusError(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(offered)}")


def invalid(kind: Kind, name: str, faults: Sequence[FieldFault]) -> StatusError:
    """The object breaks the rules of its kind."""
    group = {"group": kind.group} if kind.group else {}
    details = {"name": name} | group | {"kind": kind.name, "causes": _causes(faults)}
    shown = f"{kind.name}.{kind.group}" if kind.group else kind.name
    return StatusError(422, "Invalid", f'{shown} "{name}" is invalid: {_list(faults)}', details)


def _list(faults: Sequence[FieldFault]) -> str:
    lines = list(dict.fromkeys(str(fault) for fault in faults))
    return lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"


def _causes(faults: Sequence[FieldFault]) -> list[Document]:
    return [{"reason": fault.fault.reason, "message": fault.message, "field": fault.field} for fault in faults]


def untyped(kind: Kind, document: Document, faults: Sequence[str]) -> StatusError:
    """An applied configuration does not fit its kind; a cluster names no reason and calls it a fault of its own."""
    place = f"{namespace_of(document)}/{name_of(document)}; {kind.group}/{kind.version}, Kind={kind.name}"
    listed = faults[0] if len(faults) == 1 else "\n  ".join(["errors:", *faults])
    return StatusError(500, "", f"failed to create typed patch object ({place}): {listed}")


def unprocessable(because: str) -> StatusError:
    """A patch that does not fit the object. A cluster has the first half of these words only, and no details either.

    With details kubectl would print neither half.
    """
    message = f"the server rejected our request due to an error in our request: {because}"
    return StatusError(422, "Invalid", message)


def internal(message: str) -> StatusError:
    """The server itself is in trouble."""
    return StatusError(500, "InternalError", f"Internal error occurred: {message}")


def success(details: Document) -> Document:
    """The Status of a request that left nothing else to say."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def deleted(kind: Kind, name: str, uid: str) -> Document:
    """The Status of a delete."""
    return success(_named(kind, name, uid=uid))
