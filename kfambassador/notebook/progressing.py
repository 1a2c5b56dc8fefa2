"""How far a publication has come, as plain data. Pure."""

from kfambassador.routing.describe import Json
from kfambassador.sdk.readiness.status import ExposureStatus


def describe_status(status: ExposureStatus) -> dict[str, Json]:
    """Describe how far a publication has come.

    Example:
        >>> from kfambassador.sdk.readiness.status import Phase
        >>> describe_status(ExposureStatus("mnist", "team", Phase.ANSWERING))["phase"]
        'Answering'
    """
    return {
        "namespace": status.namespace,
        "name": status.name,
        "phase": status.phase.value,
        "message": status.message,
        "cause": status.cause,
        "code": status.code,
        "is_failure": status.is_failure,
        "steps": [{"name": step.name, "done": step.done, "message": step.message} for step in status.steps],
    }
