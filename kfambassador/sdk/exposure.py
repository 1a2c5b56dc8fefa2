"""The handle of a published model."""

from collections.abc import Mapping as Dict
from types import TracebackType
from typing import Self

from kfambassador.errors import RouteFailed
from kfambassador.problems import Problem
from kfambassador.resources.mapping import Mapping
from kfambassador.sdk.calls import Call, Prediction, RouteTest, build_call, find_gateways_words, tell_denial
from kfambassador.sdk.http import Answer
from kfambassador.sdk.publication import Publication
from kfambassador.sdk.waiting import Access, take_down, wait_until_answering


class Exposure:
    """A published model: call it, test it, take it down.

    As a context manager it takes the model down at the end of the block. Made by
    :meth:`~kfambassador.sdk.gateway.Gateway.expose` and :meth:`~kfambassador.sdk.gateway.Gateway.get`.
    """

    def __init__(self, access: Access, publication: Publication, *, version: str) -> None:
        self._access = access
        self._publication = publication
        self._version = version

    @property
    def name(self) -> str:
        """The name it is published by."""
        return self._publication.name

    @property
    def namespace(self) -> str:
        """The namespace it is published in."""
        return self._publication.namespace

    @property
    def url(self) -> str:
        """Its public address."""
        return f"{self._access.url}{self._publication.base}"

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """Its mappings; the first is named for all."""
        return self._publication.mappings

    def predict(
        self, instances: object, *, headers: Dict[str, str] | None = None, timeout: float = 330.0
    ) -> Prediction:
        """Ask the model for predictions.

        Args:
            instances: One input for each prediction wanted: a list, or an array of numpy and its like.
            headers: Request headers.
            timeout: Seconds without a byte after which it is given up. Envoy's own limit is the mapping's
                ``timeout_ms``.

        Raises:
            RouteFailed: The answer is no success, or holds no predictions.
        """
        server = self._publication.server
        call = self._call("POST", server.predict_path(self._publication.base), server.write_request(instances), headers)
        answer = call.send(self._access.http, self._access.url, timeout=timeout)
        if not answer.is_success:
            raise _explain_failure(answer, self.mappings[0])
        raw = answer.json()
        values = server.read_predictions(raw)
        if values is None:
            message = f"{answer.url} answered {answer.status} without predictions: {answer.text}"
            raise RouteFailed(message, status=answer.status)
        return Prediction(values, raw, answer.latency_ms)

    def test(
        self,
        body: object = None,
        *,
        method: str | None = None,
        path: str | None = None,
        headers: Dict[str, str] | None = None,
        expect: int = 200,
    ) -> RouteTest:
        """Send one request through the gateway and tell what became of it; a wrong status raises nothing.

        Args:
            body: Sent as JSON; None sends none.
            method: The method; GET without a body and POST with one.
            path: The path; None means where predictions are asked for, or without a body where the server is probed.
            headers: Request headers.
            expect: The status that counts as passed.

        Raises:
            RouteFailed: There was no answer at all.
        """
        server, base = self._publication.server, self._publication.base
        usual = server.probe_path(base) if body is None else server.predict_path(base)
        call = self._call(method or ("GET" if body is None else "POST"), path or usual, body, headers)
        answer = call.send(self._access.http, self._access.url)
        won = self._access.reader.explain(call.method, call.target, call.headers)
        return RouteTest(
            path=call.target,
            answer=answer,
            expected=expect,
            mapping=", ".join(won.mappings),
            upstream_path=", ".join(dict.fromkeys(won.upstream_paths.values())),
        )

    def wait(self, timeout: float = 10.0) -> Self:
        """Wait until the model answers through the gateway; see :meth:`~kfambassador.sdk.gateway.Gateway.expose`.

        Args:
            timeout: Seconds.

        Raises:
            MappingRejected: The gateway left a mapping out.
            NotServed: Time is up; the message says which step is missing and what the likely cause is.
        """
        wait_until_answering(self._access, self._publication, self._version, timeout=timeout)
        return self

    def problems(self) -> tuple[Problem, ...]:
        """What the gateway has to say about its mappings."""
        source = self._access.reader.source(self._publication.carrier)
        return tuple(problem.as_problem() for problem in source.problems)

    def curl(self) -> str:
        """A line for a shell that asks for a prediction, or for whatever a server without predictions has there."""
        server, mapping = self._publication.server, self.mappings[0]
        method = mapping.method if mapping.method and not mapping.method_regex else "GET"
        path = server.predict_path(self._publication.base)
        if server.sample is None:
            return self._call(method, path, None, None).curl(self._access.url)
        return self._call("POST", path, server.write_request(server.sample), None).curl(self._access.url)

    def delete(self, *, wait: float = 5.0) -> None:
        """Take the model down, and return when its routes are gone; does nothing when it is down already.

        Args:
            wait: Seconds to wait for the routes to go; 0 returns at once.
        """
        take_down(self._access, self.namespace, self.name, timeout=wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delete()

    def __repr__(self) -> str:
        return f"<Exposure {self.name} at {self.url} → {self._publication.backend}>"

    def _call(self, method: str, path: str, body: object, headers: Dict[str, str] | None) -> Call:
        return build_call(self.mappings[0], method, path, body=body, headers=headers)


def _explain_failure(answer: Answer, mapping: Mapping) -> RouteFailed:
    words = find_gateways_words(answer, mapping) or tell_denial(answer)
    said = f"{words} ({answer.text})" if words and answer.text else words or answer.text or "nothing more"
    return RouteFailed(f"{answer.method} {answer.url} answered {answer.status}: {said}", status=answer.status)
