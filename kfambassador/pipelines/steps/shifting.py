"""Shifting traffic to a canary, step by step, as long as it does well."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from kfambassador.errors import ConfigurationError, NotServed, RolledBack
from kfambassador.pipelines.steps.publishing import read_server
from kfambassador.pipelines.steps.reports import show_shifted
from kfambassador.pipelines.steps.running import Log, Stopped, open_gateway, say, write
from kfambassador.pipelines.steps.values import check_canary, check_name, mend_numbers, read_run, read_seconds
from kfambassador.pipelines.steps.wording import tell
from kfambassador.sdk.exposure import Exposure
from kfambassador.sdk.publishing.variants import STABLE
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.traffic.claiming import CanaryTaken, describe
from kfambassador.sdk.traffic.rollout import Guard, Rollout, Step, check_steps

_WHOLE: Final = 100


class Promoted(NamedTuple):
    """How a shift ended.

    Attributes:
        promoted: Whether the canary is the stable server now.
    """

    promoted: bool


@dataclass(frozen=True, slots=True)
class Shifted:
    """What became of a canary.

    Attributes:
        name: The model.
        service: Where the canary is.
        stable: Who was stable before.
        outcome: How it ended, in a few words.
        steps: What happened at each step.
        reason: Why it was taken back; "" when it was not.
        remark: What is to be known of a shift that went well; "" when nothing is.
    """

    name: str
    service: str
    stable: str
    outcome: str
    steps: tuple[Step, ...] = ()
    reason: str = ""
    remark: str = ""

    @property
    def metrics(self) -> dict[str, float]:
        """What is kept as numbers: of all steps together, and the longest p99 in milliseconds."""
        seen = [step.seen for step in self.steps]
        requests, errors = sum(each.requests for each in seen), sum(each.errors for each in seen)
        found: dict[str, float] = {"steps": len(seen), "requests": requests, "errors": errors}
        found["error_rate"] = round(errors / requests, 6) if requests else 0.0
        times = [each.p99_ms for each in seen if each.p99_ms is not None]
        return found | ({"p99_ms": round(max(times), 3)} if times else {})


@dataclass(frozen=True, slots=True)
class Plan:
    """How a canary is to be given its requests.

    Attributes:
        service: Where it is.
        steps: Its shares in percent.
        every: Seconds each is watched for.
        guard: What it must keep to.
        variant: What it is called.
        server: What kind of server it is; None means the same as the model's.
        promote: Whether it becomes the stable server at the end.
        run: Which run shifts it; "" where that is not known.
    """

    service: str
    steps: Sequence[int]
    every: float
    guard: Guard
    variant: str
    server: ModelServer | None
    promote: bool
    run: str = ""


def shift(
    name: str,
    service: str,
    *,
    log: Log,
    report_path: str,
    steps: Sequence[float],
    every: str,
    error_rate: float,
    min_requests: int,
    promote: bool,
    variant: str,
    p99_ms: float | None = None,
    server: str | None = None,
    model: str | None = None,
    run: str | None = None,
    namespace: str | None = None,
    target: str | None = None,
) -> Promoted:
    """Give a canary more and more of the requests; see ``shift_traffic`` for what is said.

    Raises:
        RolledBack: It did not do well; all requests go to the stable server again.
        NotServed: It did not answer, and nobody's request went to it.
        NotFound: Nothing is published by that name.
        ConfigurationError: A step, a time or a limit is none, or another canary or another run is under way.
    """
    check_canary(variant)
    check_name(name)
    seconds = read_seconds(every, name="every") or 0.0
    if promote and not seconds:
        # Judged at once, it would be promoted on the first request or two.
        words = "in no time a canary cannot be watched, so it would be promoted unseen: say how long, such as 60s"
        raise ConfigurationError(f"every: {words}, or promote=False")
    plan = Plan(
        service=service,
        steps=mend_numbers(steps),  # type: ignore[arg-type]  # judged next
        every=seconds,
        guard=Guard(error_rate=error_rate, p99_ms=p99_ms, min_requests=min_requests),
        variant=variant,
        server=read_server(server, model),
        promote=promote,
        run=read_run(run),
    )
    check_steps(plan.steps, plan.every, promote=promote)
    with open_gateway(target) as gateway:
        shifted, error = follow(gateway.get_exposure(name, namespace=namespace or None), plan)
    write(report_path, show_shifted(shifted))
    for metric, value in shifted.metrics.items():
        log(metric, value)
    say(Rollout(variant, shifted.steps) if shifted.steps else shifted.outcome)
    if error is not None:
        raise error
    say(f"{name}: {service} {shifted.outcome}" + (f"; {shifted.remark}" if shifted.remark else ""))
    return Promoted(promote)


def follow(exposure: Exposure, plan: Plan) -> tuple[Shifted, RolledBack | NotServed | Stopped | None]:
    """Shift the traffic; give what became of it, and the error it failed with.

    A canary that an earlier attempt has left goes on from the first step; one that is stable already is done.

    Raises:
        ConfigurationError: There is another canary, or another run is shifting this one; or it was taken away
            meanwhile.
    """
    found, stable = exposure.find_variant(plan.service), exposure.variants[0].service

    def end(outcome: str, steps: tuple[Step, ...] = (), reason: str = "") -> Shifted:
        told = tuple(replace(step, verdict=tell(step.verdict)) for step in steps)
        return Shifted(exposure.name, plan.service, stable, outcome, told, tell(reason))

    if found == STABLE:
        exposure.wait()
        return end("is the stable server already"), None
    ours = exposure.claim(plan.service, variant=plan.variant, server=plan.server, run=plan.run)
    try:
        done = _shift(ours, plan)
    except RolledBack as error:
        return end("was rolled back", error.history.steps, error.history.steps[-1].verdict), error
    except Stopped:
        left = ours.find_variant(plan.service)
        became = f"it is {left} now" if left else "the canary was taken back"
        words = f"{exposure.name}: the step was stopped; {became}"
        return end(f"stopped; {became}", reason="the step was told to end"), Stopped(words)
    except NotServed as error:
        return end("was not served", reason=str(error)), error
    except CanaryTaken as error:
        if error.found is None and ours.find_variant(plan.service) == STABLE:
            # Another attempt of this run has promoted it meanwhile.
            return end("is the stable server already"), None
        raise ConfigurationError(_tell_taken(exposure.name, plan, error)) from error
    done_well = end("was promoted" if plan.promote else f"has {plan.steps[-1]} % of the requests", done.steps)
    return replace(done_well, remark=_remark(plan)), None


def _remark(plan: Plan) -> str:
    """Say which part of the requests a promotion gives to a canary that nobody has watched with so many."""
    last = plan.steps[-1]
    if not plan.promote or last == _WHOLE:
        return ""
    return f"it was watched with up to {last} % of the requests, and went from there to all: end steps with 100"


def _shift(ours: Exposure, plan: Plan) -> Rollout:
    try:
        _tell_apart(ours, plan)
        ours.canary(plan.service, plan.steps[0], variant=plan.variant, server=plan.server)
        done = ours.rollout(plan.steps, plan.every, while_=plan.guard, variant=plan.variant, promote=plan.promote)
        if not plan.promote:
            ours.release()
    except (RolledBack, CanaryTaken):
        raise
    except BaseException:
        # A rollout takes its canary back by itself; but it may have been stopped before there was one. Where somebody
        # else has done so, that is the reason to tell.
        ours.rollback(plan.variant)
        raise
    return done


def _tell_apart(ours: Exposure, plan: Plan) -> None:
    """Make sure that what the canary does will be told from what others do, before it gets anybody's request.

    Raises:
        ConfigurationError: It will not.
        NotServed: It does not answer.
    """
    if ours.find_variant(plan.service) != plan.variant:
        ours.canary(plan.service, 0, variant=plan.variant, server=plan.server)
    if blind := plan.guard.find_blindness(ours.statistics(variant=plan.variant).total):
        raise ConfigurationError(
            f"{plan.service} gets no share of {ours.name}, since {blind}. Give the canary a server of its own; or "
            'publish the other model with attributes={"cluster_tag": "..."}, a word of its own, so that it is counted '
            "for itself."
        )


def _tell_taken(name: str, plan: Plan, error: CanaryTaken) -> str:
    """Say whose canary is left alone, and what to do."""
    found = error.found
    if found is None:
        return (
            f"{plan.service} is no canary of {name} any more: somebody took it back, or promoted it, while this step "
            "gave it its shares. The step has changed nothing since."
        )
    back = f"take it back first: rollback_route(name={name!r}, service={found.service!r})"
    if error.is_same:
        advice = f"Wait for that run. If it has ended, {back}."
    else:
        advice = f"Wait until that is settled, or {back}, or give yours another name with variant=."
    return f"{name} has a canary already, which stays as it is: {describe(found)}. {advice}"
