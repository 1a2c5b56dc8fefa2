"""Promoting a canary, taking it back, and taking a model down: each once, however often it is run."""

from typing import NamedTuple

from kfambassador.errors import ConfigurationError, NotFound
from kfambassador.pipelines.steps.running import find_exposure, open_gateway, say
from kfambassador.pipelines.steps.values import check_canary, check_name, read_run
from kfambassador.sdk.exposure import Exposure
from kfambassador.sdk.gateway import Gateway
from kfambassador.sdk.publishing.owners import who_am_i
from kfambassador.sdk.publishing.variants import STABLE
from kfambassador.sdk.traffic.claiming import CanaryTaken, describe


class Settled(NamedTuple):
    """Who takes a model's requests after a step.

    Attributes:
        stable: Where the stable server is; "" where the model is published no more.
    """

    stable: str


class Deleted(NamedTuple):
    """What became of a model.

    Attributes:
        deleted: Whether there was something to take down.
    """

    deleted: bool


def promote(
    name: str,
    service: str,
    *,
    variant: str,
    run: str | None = None,
    namespace: str | None = None,
    target: str | None = None,
) -> Settled:
    """Make the canary at a service the stable server; see ``promote_route`` for what is said.

    Raises:
        NotFound: Nothing is published by that name.
        ConfigurationError: The service is neither the canary nor stable, or another run is shifting it.
    """
    check_canary(variant)
    check_name(name)
    with open_gateway(target) as gateway:
        exposure = gateway.get_exposure(name, namespace=namespace or None)
        found = exposure.find_variant(service)
        if found == STABLE:
            # Done before; but whoever did it may not have waited for the gateway.
            exposure.wait()
            say(f"{service} is the stable server of {name} already")
            return _settle(exposure)
        if found != variant:
            raise ConfigurationError(f"{service} is not promoted, since it is no canary of {name}. {_tell(exposure)}")
        try:
            exposure.claim(service, variant=variant, run=read_run(run)).promote(variant)
        except CanaryTaken as error:
            words = describe(error.found) if error.found else f"{name} has no such canary any more"
            raise ConfigurationError(f"{service} is not promoted: {words}") from error
        return _settle(exposure)


def roll_back(
    name: str,
    service: str | None = None,
    *,
    variant: str,
    run: str | None = None,
    namespace: str | None = None,
    target: str | None = None,
) -> Settled:
    """Take a canary back, and what it was promoted to as well; see ``rollback_route`` for what is said.

    Raises:
        MappingRejected: The service is the stable server, and there is none before it to go back to.
        ConfigurationError: The variant is the stable one.
    """
    check_canary(variant)
    check_name(name)
    with open_gateway(target) as gateway:
        exposure = find_exposure(gateway, name, namespace)
        if exposure is None:
            say(f"{_tell_missing(gateway, name, namespace)}: there is nothing to take back")
            return Settled("")
        if service:
            _take_back(exposure, service, variant)
        else:
            _take_back_own(exposure, variant, run=read_run(run))
        return _settle(exposure)


def _take_back(exposure: Exposure, service: str, variant: str) -> None:
    """Take back what is at a service, whether it is a canary or was promoted, and whoever put it there."""
    found = exposure.find_variant(service)
    if found == STABLE:
        # With a canary under way this would take that back, and leave the promotion.
        if variant in (each.name for each in exposure.variants):
            exposure.rollback(variant)
        exposure.rollback()
    elif found == variant:
        exposure.claim(service, variant=variant).rollback(variant)
    else:
        is_what = f"is called {found}: say variant={found!r}" if found else f"has no part in {exposure.name}'s requests"
        say(f"nothing is taken back, since {service} {is_what}. {_tell(exposure)}")


def _take_back_own(exposure: Exposure, variant: str, *, run: str) -> None:
    """Take the canary back where this run put it there: this may be the end of a run that found it there.

    One that no run put there is a person's. Where this step is not told its run, neither were those that shifted, and
    theirs is known by being shifted yet.
    """
    canary = next((each for each in exposure.variants if each.name == variant), None)
    if canary is None:
        return
    if canary.run == run and (run or canary.shifting):
        exposure.claim(canary.service, variant=variant, run=run).rollback(variant)
        return
    whose = "another run" if canary.run else "no run"
    say(
        f"{exposure.name} keeps its {variant}, which {whose} put there: {describe(canary)}. "
        f"rollback_route(name={exposure.name!r}, service={canary.service!r}) takes it back all the same"
    )


def delete(name: str, *, everybodys: bool = False, namespace: str | None = None, target: str | None = None) -> Deleted:
    """Take a model down; see ``delete_route`` for what is said.

    Raises:
        ConfigurationError: Somebody else has published it, or no name is said.
    """
    check_name(name)
    with open_gateway(target) as gateway:
        exposure = find_exposure(gateway, name, namespace)
        if exposure is None:
            say(f"{_tell_missing(gateway, name, namespace)}: there is nothing to take down")
            return Deleted(deleted=False)
        myself = who_am_i(gateway.client, gateway.place)
        if exposure.owner != myself and not everybodys:
            raise ConfigurationError(
                f"{name} stays published: {exposure.owner or 'somebody else'} has published it in namespace "
                f"{exposure.namespace!r}, and this runs as {myself}. everybodys=True takes it down all the same."
            )
        try:
            gateway.delete_exposure(name, namespace=exposure.namespace)
        except NotFound:
            return Deleted(deleted=False)
        say(f"{name} is taken down")
        return Deleted(deleted=True)


def _tell_missing(gateway: Gateway, name: str, namespace: str | None) -> str:
    """Say where something is not, and what is there: a name or a namespace that was mistaken is seen by it."""
    place = namespace or gateway.namespace
    there = ", ".join(each.name for each in gateway.list_exposures(namespace=place)) or "nothing"
    return f"{name} is not published in namespace {place!r}, where {there} is"


def _settle(exposure: Exposure) -> Settled:
    say(exposure.split())
    return Settled(exposure.variants[0].service)


def _tell(exposure: Exposure) -> str:
    return "; ".join(f"{each.name} is {each.service}" for each in exposure.variants)
