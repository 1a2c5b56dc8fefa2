"""One look at a publication: what the gateway says of its carrier, and whether it answers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from kfambassador.errors import ApiError, NotFound
from kfambassador.kube.kinds import NAMESPACE, SERVICE
from kfambassador.kube.objects import is_as_new
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.problems import Problem
from kfambassador.resources.expiry import EXPIRED
from kfambassador.resources.fields import as_object, as_text
from kfambassador.sdk.access import Access
from kfambassador.sdk.problem_views import Source, SourceState
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.publishing.variants import list_answering
from kfambassador.sdk.readiness.proof import CONFLICT, Doubt, build_probes, doubt_unasked, find_doubt
from kfambassador.sdk.readiness.status import ExposureStatus, Phase, build_steps

#: What the controller says of a Service that leads nowhere; the first of these is told.
ENDPOINT_CODES: Final = ("no-such-port", "no-endpoints", "no-such-service")

_UNPROBED: Final = "no request without effect reaches it, so none was sent"


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen.

    Attributes:
        status: How far the publication has come.
        doubt: Why its probe proves nothing; None where it was not sent, or proves.
    """

    status: ExposureStatus
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at one version of one publication.

    Attributes:
        access: The gateway.
        publication: What was published.
        version: The resourceVersion of the object that carries it.
    """

    access: Access
    publication: Publication
    version: str

    def begin(self) -> ExposureStatus:
        """What is known before anybody was asked: it is applied."""
        return self._status(Phase.APPLIED)

    def look(self, *, wait: float, probing: float, is_suspect: bool) -> Iterator[Sight]:
        """Look, and tell what is seen as it is seen; the last is what holds.

        Args:
            wait: Seconds the gateway may take to decide about this version; what it decides is told at once.
            probing: Seconds the model may take to answer.
            is_suspect: Where the gateway knows nothing of the object, ask Kubernetes whether it is still there.

        Raises:
            NoGateway: The read API does not answer.
            ApiError: The Kubernetes API does not answer.
        """
        source = self.access.reader.source(self.publication.carrier, resource_version=self.version, wait=wait)
        status = self._read(source)
        if source.state is SourceState.UNKNOWN and is_suspect:
            gone = self._find_gone()
            status = status if gone is None else gone
        yield Sight(status)
        if status.phase is Phase.PROGRAMMED:
            yield self._probe(source, status, probing)

    def _read(self, source: Source) -> ExposureStatus:
        problems = tuple(problem.as_problem() for problem in source.problems)
        if not is_as_new(source.resource_version, self.version):
            if source.resource_version:
                message = "the gateway holds an older version of it"
                return self._status(Phase.APPLIED, message=message, code="outdated")
            return self._status(Phase.APPLIED, message="the gateway has not seen it", code="unseen")
        expiry = next((problem for problem in problems if problem.code == EXPIRED), None)
        if expiry is not None:
            return self._status(Phase.EXPIRED, message=expiry.message, code=EXPIRED, problems=problems)
        if source.state is SourceState.REJECTED:
            return self._status(Phase.REJECTED, message=_join(problems), code="rejected", problems=problems)
        if source.state is SourceState.SERVING:
            return self._status(Phase.PROGRAMMED, problems=problems)
        message = "an Envoy has not acknowledged it"
        return self._status(Phase.ACCEPTED, message=message, code="unacknowledged", problems=problems)

    def _probe(self, source: Source, status: ExposureStatus, probing: float) -> Sight:
        nowhere = _find_nowhere(source)
        doubt: Doubt | None = None
        is_probed = False
        for probe in build_probes(self.publication):
            is_probed = True
            doubt = find_doubt(self.access, self.publication, probe, timeout=probing)
            if doubt is not None:
                doubt = self._name_variant(doubt)
                break
        if not is_probed:
            doubt = doubt_unasked(self.access, self.publication, nowhere.message if nowhere else "")
        if doubt is None:
            said = {"programmed": self._own_words(), "answering": "" if is_probed else _UNPROBED}
            steps = build_steps(("accepted", "programmed", "endpoints", "answering"), said)
            return Sight(replace(status, phase=Phase.ANSWERING, steps=steps))
        done = ("accepted", "programmed") if nowhere else ("accepted", "programmed", "endpoints")
        said = {
            "programmed": self._own_words(),
            "endpoints": nowhere.message if nowhere else "",
            "answering": doubt.message,
        }
        code = nowhere.code if nowhere else doubt.code
        return Sight(replace(status, steps=build_steps(done, said), message=doubt.message, code=code), doubt)

    def _status(
        self, phase: Phase, *, message: str = "", code: str = "", problems: tuple[Problem, ...] = ()
    ) -> ExposureStatus:
        done = {
            Phase.ACCEPTED: ("accepted",),
            Phase.PROGRAMMED: ("accepted", "programmed"),
            Phase.REJECTED: ("accepted",),
        }.get(phase, ())
        missing = {Phase.APPLIED: "accepted", Phase.ACCEPTED: "programmed", Phase.REJECTED: "programmed"}
        said = {missing.get(phase, "accepted"): message} if message else {}
        return ExposureStatus(
            name=self.publication.name,
            namespace=self.publication.namespace,
            phase=phase,
            steps=build_steps(done, said),
            message=message,
            code=code,
            problems=problems,
        )

    def _name_variant(self, doubt: Doubt) -> Doubt:
        if doubt.code == CONFLICT or len(list_answering(self.publication.variants)) == 1:
            return doubt
        return replace(doubt, message=f"variant {doubt.probe.variant}: {doubt.message}")

    def _own_words(self) -> str:
        return "compiled here; whether Envoy has it is not known" if self.access.reader.is_own else ""

    def _find_gone(self) -> ExposureStatus | None:
        """Ask Kubernetes whether the carrier is there and carries anything; None when it does, or nobody may know."""
        carrier, client = self.publication.carrier, self.access.client
        try:
            found = client.get(SERVICE, carrier.name, namespace=carrier.namespace)
        except NotFound:
            return self._status(Phase.GONE, message=f"{carrier} was deleted{self._blame_namespace()}", code="deleted")
        except ApiError:
            return None
        metadata = as_object(found.get("metadata"))
        if not metadata or as_text(as_object(metadata.get("annotations")).get(CONFIG_ANNOTATION)):
            return None
        message = f"somebody took the annotation {CONFIG_ANNOTATION} off {carrier}: publish it again"
        return self._status(Phase.GONE, message=message, code="deleted")

    def _blame_namespace(self) -> str:
        namespace = self.publication.namespace
        try:
            found = self.access.client.get(NAMESPACE, namespace)
        except NotFound:
            return f" with its namespace {namespace}"
        except ApiError:
            return ""
        deleted = as_object(found.get("metadata")).get("deletionTimestamp")
        return f", because its namespace {namespace} is being deleted" if deleted else ""


def _find_nowhere(source: Source) -> Problem | None:
    """What the gateway says of a Service that leads nowhere, None when it leads somewhere."""
    found = [problem.as_problem() for problem in source.problems if problem.code in ENDPOINT_CODES]
    return min(found, key=lambda problem: ENDPOINT_CODES.index(problem.code), default=None)


def _join(problems: tuple[Problem, ...]) -> str:
    return "; ".join(dict.fromkeys(problem.message for problem in problems))
