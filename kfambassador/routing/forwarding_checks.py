"""What is wrong with how a mapping's requests are passed on: tried again, upgraded, limited."""

import re
from collections.abc import Iterator
from typing import Final

from kfambassador.attributes.rate_limits import Label
from kfambassador.attributes.retries import RETRY_ON, RetryPolicy
from kfambassador.problems import Fault, Severity, suggest
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.validation import show
from kfambassador.routing.texts import TOKEN

# The name of a protocol, with its version (RFC 9110, section 7.8).
_PROTOCOL = re.compile(rf"{TOKEN.pattern}(?:/{TOKEN.pattern})?")
_BY_STATUS: Final = "retriable-status-codes"
# Labels whose key Envoy does not let anybody choose.
_FIXED_KEYS: Final = ("source_cluster", "remote_address")


def check_forwarding(mapping: Mapping) -> Iterator[Fault]:
    """Judge how requests are passed on."""
    if mapping.retry_policy is not None:
        yield from _check_retries(mapping.retry_policy)
    if mapping.allow_upgrade:
        yield from _check_upgrades(mapping.allow_upgrade)
    if mapping.labels:
        yield from _check_labels(mapping)
    for number, rule in enumerate(mapping.rate_limits):
        for place, name in enumerate(rule.headers):
            yield from _check_header(name, f"rate_limits[{number}].headers[{place}]")


def _check_retries(policy: RetryPolicy) -> Iterator[Fault]:
    for condition in policy.retry_on:
        if condition not in RETRY_ON:
            near = suggest(condition, RETRY_ON) or f"; take one of {', '.join(sorted(RETRY_ON))}"
            message = f"{show(condition)} is nothing Envoy tries again for{near}"
            yield Fault("bad-retry-on", message, path="retry_policy.retry_on")
    if policy.retriable_status_codes and _BY_STATUS not in policy.retry_on:
        message = f"retriable_status_codes has no effect without {_BY_STATUS} in retry_on"
        yield Fault("no-effect", message, path="retry_policy.retriable_status_codes", severity=Severity.WARNING)
    elif _BY_STATUS in policy.retry_on and not policy.retriable_status_codes:
        message = f"{_BY_STATUS} has no effect without a list of retriable_status_codes"
        yield Fault("no-effect", message, path="retry_policy.retry_on", severity=Severity.WARNING)


def _check_upgrades(protocols: tuple[str, ...]) -> Iterator[Fault]:
    for number, name in enumerate(protocols):
        path = f"allow_upgrade[{number}]"
        if not _PROTOCOL.fullmatch(name):
            yield Fault("bad-upgrade", f"{show(name)} is no protocol; write one such as websocket", path=path)
        elif name.lower() == "connect":
            message = "CONNECT would make the gateway a way to any address of the service; it is not let through"
            yield Fault("bad-upgrade", message, path=path)


def _check_labels(mapping: Mapping) -> Iterator[Fault]:
    for domain, groups in mapping.labels.items():
        for number, group in enumerate(groups):
            for name, labels in group.items():
                path = f"labels.{domain}[{number}].{name}"
                for place, label in enumerate(labels):
                    yield from _check_label(label, f"{path}[{place}]")


def _check_label(label: Label, path: str) -> Iterator[Fault]:
    if label.request_headers is not None:
        yield from _check_header(label.request_headers.header_name, path)
    for name in _FIXED_KEYS:
        given = getattr(label, name)
        if given is not None and given.key not in {None, name}:
            message = f"{name} is always sent by its own name; the key {given.key} has no effect"
            yield Fault("no-effect", message, path=f"{path}.{name}.key", severity=Severity.NOTICE)


def _check_header(name: str, path: str) -> Iterator[Fault]:
    # The path, method and host of a request are headers to Envoy.
    if not TOKEN.fullmatch(name.removeprefix(":")):
        yield Fault("bad-header", f"{show(name)} is no header name", path=path)
