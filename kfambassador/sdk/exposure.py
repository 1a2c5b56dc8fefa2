"""The handle of a published model: split its traffic, watch it, take it down."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from contextlib import suppress
from types import TracebackType
from typing import Self, Unpack

from kfambassador.errors import ApiError, NotServed
from kfambassador.sdk.access import Access
from kfambassador.sdk.attributes import VariantAttributes
from kfambassador.sdk.faces.states import show_exposure
from kfambassador.sdk.model import Model
from kfambassador.sdk.problem_views import ProblemList
from kfambassador.sdk.publishing.objects import change_publication, list_publications
from kfambassador.sdk.publishing.owners import who_am_i
from kfambassador.sdk.publishing.planning import Plan
from kfambassador.sdk.publishing.publication import Manifest, Publication, keeping
from kfambassador.sdk.publishing.publish import locate_variant
from kfambassador.sdk.publishing.variants import CANARY, SHADOW
from kfambassador.sdk.readiness.status import ExposureStatus, Phase
from kfambassador.sdk.readiness.waiting import (
    build_probe,
    read_status,
    take_down,
    wait_for_status,
    wait_until_answering,
)
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.signatures import spell_out
from kfambassador.sdk.traffic.claiming import Claim
from kfambassador.sdk.traffic.rollout import Check, Rollout, run_rollout
from kfambassador.sdk.traffic.shares import Shares, read_shares
from kfambassador.sdk.traffic.splitting import drop_variant, promote, put_variant, restore_variant, roll_back, weigh
from kfambassador.sdk.traffic.statistics import Statistics


class Exposure(Model):
    """A published model: call it, test it, split its traffic, take it down.

    As a context manager it takes the model down at the end of the block. Made by
    :meth:`~kfambassador.sdk.gateway.Gateway.expose` and :meth:`~kfambassador.sdk.gateway.Gateway.get_exposure`.
    """

    def __init__(self, access: Access, publication: Publication, *, version: str, claim: Claim | None = None) -> None:
        super().__init__(access, publication)
        self._version = version
        self._claim = claim

    @property
    def status(self) -> ExposureStatus:
        """How far it has come, and what is missing."""
        return read_status(self._access, self._publication, self._version)

    # Readiness

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until the model answers through the gateway; see :meth:`~kfambassador.sdk.gateway.Gateway.expose`.

        Args:
            timeout: Seconds; None means 10 on this machine and 300 for a cluster.

        Raises:
            MappingRejected: The gateway left a mapping out.
            NotServed: Time is up; the message says which step is missing and what the likely cause is.
        """
        timeout = self._access.patience if timeout is None else timeout
        wait_until_answering(self._access, self._publication, self._version, timeout=timeout)
        return self

    def wait_for_status(
        self,
        status: Phase | str | set[Phase] = Phase.ANSWERING,
        *,
        timeout: float = 600.0,
        polling_interval: float = 2.0,
        callbacks: Sequence[Callable[[ExposureStatus], None]] = (),
    ) -> ExposureStatus:
        """Wait until it has come this far.

        Args:
            status: A phase, or several of which one is enough.
            timeout: Seconds.
            polling_interval: The longest pause between two looks, in seconds.
            callbacks: Told each new status.

        Raises:
            NotServed: Time is up.
            MappingRejected: The gateway left a mapping out, and that was not waited for.
        """
        return wait_for_status(
            self._access,
            self._publication,
            self._version,
            status,
            timeout=timeout,
            polling_interval=polling_interval,
            callbacks=callbacks,
        )

    def problems(self) -> ProblemList:
        """What the gateway has to say about its mappings."""
        source = self._access.reader.source(self._publication.carrier)
        return ProblemList(problem.as_problem() for problem in source.problems)

    # Traffic

    @spell_out
    def canary(
        self,
        service: str | int | None = None,
        weight: int = 10,
        *,
        variant: str = CANARY,
        server: ModelServer | None = None,
        wait: bool = True,
        **attributes: Unpack[VariantAttributes],
    ) -> Shares:
        """Send a share of the requests to another server of the model.

        Args:
            service: Where it is, as for :meth:`~kfambassador.sdk.gateway.Gateway.expose`; None keeps the canary's and
                changes its share.
            weight: Its share of the requests in percent, exact at 0 and at 100.
            variant: What to call it, where there are several.
            server: What kind of server it is; None means the same.
            wait: Whether to wait until it answers.
            **attributes: What its mappings say besides what all say, such as ``host_rewrite``.

        Returns:
            The effective shares.

        Raises:
            MappingRejected: Something of it is at fault.
            NotServed: A new server did not answer in time; it is taken back, and nobody's request went to it.
        """
        if service is None:
            return self._change(lambda known: Plan(weigh(known, {variant: weight})), wait=wait)
        return self._put(service, weight, variant=variant, server=server, attributes={**attributes}, wait=wait)

    @spell_out
    def shadow(
        self,
        service: str | int | None,
        percent: int = 100,
        *,
        variant: str = SHADOW,
        server: ModelServer | None = None,
        **attributes: Unpack[VariantAttributes],
    ) -> Shares:
        """Send copies of requests to another server, whose answers are thrown away.

        Args:
            service: Where it is; None ends the shadowing.
            percent: How many of the requests are copied.
            variant: What to call it.
            server: What kind of server it is; None means the same.
            **attributes: What its mappings say besides what all say.

        Returns:
            The effective shares.
        """
        if service is None:
            return self._change(lambda known: Plan(drop_variant(known, variant)))
        return self._put(
            service, percent, variant=variant, server=server, attributes={**attributes}, shadow=True, wait=True
        )

    def split(self) -> Shares:
        """The effective shares: who gets how many of the requests, as the gateway serves them now."""
        self._look_again()
        call, reader = build_probe(self._publication), self._access.reader
        if call is not None:
            return read_shares(self._publication, reader.find_winner(call.method, call.target, call.headers).winner)
        # Which request its route takes is not known: the route is found by its mapping.
        own = f"{self.namespace}/{self._publication.mappings[0].name}"
        shared = (route for route in reader.routes() if own in {split.mapping for split in route.receivers})
        return read_shares(self._publication, next(shared, None))

    def find_variant(self, service: str | int) -> str | None:
        """Tell which variant a server is.

        Args:
            service: Where it is, as for :meth:`canary`.

        Returns:
            The variant's name, ``"stable"`` for one; None when the server has no part in the requests.

        Raises:
            MappingRejected: It is no place of a server.
        """
        place = self._locate(service)
        return next((each.name for each in self.variants if each.service == place and not each.shadow), None)

    def claim(
        self,
        service: str | int,
        *,
        variant: str = CANARY,
        server: ModelServer | None = None,
        run: str | None = None,
    ) -> Self:
        """Give a handle that changes the traffic of one canary only, as nobody else does meanwhile.

        Where another canary has the name, or another run is shifting this one, each change is refused. That is judged
        by the very version that is changed, so of two who come at once one is refused.

        Args:
            service: Where the canary is, or will be, as for :meth:`canary`.
            variant: What it is called.
            server: What kind of server it is; None means the same.
            run: Names what is shifting it, such as a pipeline's run, until :meth:`release`; who comes back with the
                same name goes on. None shifts nothing, and is refused for another canary alone.

        Returns:
            The handle. Its changes raise :class:`~kfambassador.errors.Conflict` where the canary is another's.

        Raises:
            MappingRejected: It is no place of a server.
        """
        claim = Claim(variant, self._locate(service, server=server), run)
        return type(self)(self._access, self._publication, version=self._version, claim=claim)

    def release(self) -> None:
        """Say that what is shifting a claimed canary has ended, and another may go on with it; its share stays."""
        self._change(Plan, wait=False, shifting=False)

    def promote(self, variant: str = CANARY) -> Shares:
        """Make a canary the stable server; it takes all requests. :meth:`rollback` goes back.

        Raises:
            MappingRejected: There is no such variant.
            NotServed: It did not answer in time. It has all requests nevertheless, until :meth:`rollback`.
        """
        try:
            return self._change(lambda known: Plan(promote(known, variant)))
        except NotServed as error:
            words = f"{error}\n  all requests go there now; rollback sends them to the server before it again"
            raise NotServed(words, stage=error.stage) from None

    def rollback(self, variant: str | None = None) -> Shares:
        """Send every request to the stable server again; without a canary, back to the one before the last promotion.

        Args:
            variant: Take back this canary alone; nothing is done where it is no more. None takes back all.

        Raises:
            MappingRejected: There is nothing to go back to.
        """
        return self._change(lambda known: Plan(roll_back(known) if variant is None else drop_variant(known, variant)))

    def rollout(
        self,
        steps: Sequence[int] = (5, 25, 50, 100),
        every: float = 60.0,
        *,
        while_: Check | None = None,
        variant: str = CANARY,
        promote: bool = True,
    ) -> Rollout:
        """Give a canary more and more of the requests while it does well; go back by itself when it does not.

        Args:
            steps: The canary's shares in percent, one after the other.
            every: Seconds each share is watched for.
            while_: What "well" means: a :class:`~kfambassador.sdk.traffic.rollout.Guard`, or a function that is given
                what Envoy counted of the canary in the step (a
                :class:`~kfambassador.sdk.traffic.statistics.SplitStatistics`) and returns True, or words that say what
                is wrong. None means a Guard with its usual limits.
            variant: Which variant.
            promote: Whether it becomes the stable server after the last step.

        Returns:
            What happened at each step.

        Raises:
            RolledBack: It did not do well; its reason and steps say how. All requests go to the stable server again.
        """
        return run_rollout(self, steps, every, check=while_, variant=variant, promote=promote)

    def statistics(self, *, variant: str | None = None) -> Statistics:
        """What Envoy counts of its requests, a row for each server.

        Args:
            variant: Of this variant alone, as far as it has a server of its own; None means of all.

        Raises:
            ConfigurationError: There is no such variant.
            NoGateway: The gateway's read API, which asks Envoy, does not answer.
        """
        if variant is not None:
            self._look_again()
            self._know(variant)
        publication = self._publication
        mappings = publication.mappings if variant is None else publication.list_mappings(variant)
        return self._access.reader.statistics([f"{self.namespace}/{mapping.name}" for mapping in mappings])

    # The end

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

    def _repr_html_(self) -> str:
        return show_exposure(
            self.name,
            namespace=self.namespace,
            url=self.url,
            backend=self._publication.backend,
            server=repr(self.server),
            internal_url=self.internal_url,
            # A server that has to be asked what its inputs are called is not asked for a picture.
            curl="" if self.server.wants_metadata else self.curl(),
            owner=self.owner,
            expires_at=self._publication.expires_at,
        )

    def _know(self, variant: str | None) -> None:
        if variant is not None and self._publication.find(variant) is None:
            self._look_again()
        super()._know(variant)

    def _look_again(self) -> None:
        """Take up what others changed of it; what is gone, or cannot be read now, stays as it was known."""
        with suppress(ApiError):
            for found in list_publications(self._access.client, self.namespace, name=self.name):
                self._publication, self._version = found

    def _put(
        self,
        service: str | int,
        weight: int,
        *,
        variant: str,
        server: ModelServer | None,
        attributes: Dict[str, object],
        shadow: bool = False,
        wait: bool = False,
    ) -> Shares:
        with keeping(self._publication):
            found = locate_variant(self._access, self._publication, service, server=server, attributes=attributes)
        fields: dict[str, object] = {"name": variant, "service": found.service, "weight": weight, "shadow": shadow}
        fields |= {"server": server or found.server, "attributes": found.attributes}
        fields["by"] = who_am_i(self._access.client, self._access.place)
        proved = self._prove(fields, found.manifests) if wait and not shadow else None
        if proved is not None and weight == 0:
            return proved
        return self._change(lambda known: Plan(put_variant(known, fields), found.manifests), wait=wait)

    def _prove(self, fields: Dict[str, object], services: tuple[Manifest, ...]) -> Shares | None:
        """Wait until a server that is new answers who asks for it, before it gets a share. None: it is not new.

        Raises:
            NotServed: It does not; all is as it was before.
        """
        name = str(fields["name"])
        before = self._publication.find(name)
        if before is not None and before.service == fields["service"]:
            return None
        with keeping(self._publication):
            # A share that cannot be is told before anybody waits for the server.
            put_variant(self._publication, fields)
        try:
            return self._change(lambda known: Plan(put_variant(known, {**fields, "weight": 0}), services))
        except NotServed as error:
            self._change(lambda known: Plan(restore_variant(known, name, before)), wait=False)
            words = f"{error}\n  {name} was taken back, and nobody's request went to it"
            raise NotServed(words, stage=error.stage) from error

    def _locate(self, service: str | int, *, server: ModelServer | None = None) -> str:
        """Say where a server is as a variant does, of what is published now."""
        self._look_again()
        with keeping(self._publication):
            return locate_variant(self._access, self._publication, service, server=server, attributes={}).service

    def _change(self, change: Callable[[Publication], Plan], *, wait: bool = True, shifting: bool = True) -> Shares:
        """Make one change of the traffic, and return when the gateway serves it."""
        if self._claim is not None:
            change = self._claim.guard(change, shifting=shifting)
        client = self._access.client
        self._publication, self._version = change_publication(client, self.namespace, self.name, change)
        self._claim = self._claim and self._claim.hold(self._publication)
        if wait:
            self.wait()
        return self.split()
