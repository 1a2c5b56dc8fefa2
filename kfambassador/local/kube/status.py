"""Status: the errors of the Kubernetes API, with its reasons, codes and words."""

from collections.abc import Sequence

from kfambassador.local.kube.documents import Document
from kfambassador.local.kube.faults import Fault, FieldFault
from kfambassador.local.kube.fields import show_path
from kfambassador.local.kube.kinds import Kind
from kfambassador.local.kube.ownership import ApplyConflict


class StatusError(Exception):
    """A request that is answered by a Status.

    Attributes:
        code: The HTTP code.
        reason: Kubernetes' word for the error.
        details: The kind, the name and the causes, where there are any.
    """

    def __init__(self, code: int, reason: str, message: str, details: Document | None = None) -> None:
        self.code = code
        self.reason = reason
        self.details = details or {}
        super().__init__(message)

    def document(self) -> Document:
        """The Status as it is sent."""
        status: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
        }
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


def gone(message: str) -> StatusError:
    """The version asked for is no longer known."""
    return StatusError(410, "Expired", message)


def too_old(asked: int, oldest: int) -> StatusError:
    """A watch cannot begin so far back."""
    return gone(f"too old resource version: {asked} ({oldest})")


def too_large_version(asked: int, current: int) -> StatusError:
    """A list of a version that is yet to come."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return StatusError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})


def manager_required() -> StatusError:
    """A server-side apply that does not say who applies."""
    fault = FieldFault(Fault.REQUIRED, "fieldManager", "is required for apply patch")
    message = f'PatchOptions.meta.k8s.io "" is invalid: {fault}'
    cause = {"reason": fault.fault.reason, "message": fault.message, "field": fault.field}
    details = {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [cause]}
    return StatusError(422, "Invalid", message, details)


def too_large(limit: int) -> StatusError:
    """The body is over the limit, in bytes."""
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def unsupported_media_type(found: str, accepted: Sequence[str]) -> StatusError:
    """The body is in a language the server does not read."""
    message = f"the body of the request was in an unknown format ({found}) - accepted media types include: "
    return StatusError(415, "UnsupportedMediaType", message + ", ".join(accepted))


def invalid(kind: Kind, name: str, faults: Sequence[FieldFault]) -> StatusError:
    """The object breaks the rules of its kind."""
    lines = [str(fault) for fault in faults]
    listed = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    causes = [{"reason": fault.fault.reason, "message": fault.message, "field": fault.field} for fault in faults]
    group = {"group": kind.group} if kind.group else {}
    details = {"name": name} | group | {"kind": kind.name, "causes": causes}
    shown = f"{kind.name}.{kind.group}" if kind.group else kind.name
    return StatusError(422, "Invalid", f'{shown} "{name}" is invalid: {listed}', details)


def unprocessable(kind: Kind, name: str, because: str) -> StatusError:
    """A patch that does not fit the object."""
    details = {"name": name, "kind": kind.name}
    message = f"the server rejected our request due to an error in our request: {because}"
    return StatusError(422, "Invalid", message, details)


def internal(message: str) -> StatusError:
    """The server itself is in trouble."""
    return StatusError(500, "InternalError", f"Internal error occurred: {message}")


def success(details: Document) -> Document:
    """The Status of a request that left nothing else to say."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def deleted(kind: Kind, name: str, uid: str) -> Document:
    """The Status of a delete."""
    return success(_named(kind, name, uid=uid))
