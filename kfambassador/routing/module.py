"""The Module judged once, rather than at every mapping its defaults reach."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from typing import Final

from kfambassador.names import REGEX_MAX_PROGRAM_SIZE
from kfambassador.problems import Fault, Severity, find_field
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module import Module
from kfambassador.resources.module_defaults import DEFAULT_LABEL_DOMAIN
from kfambassador.routing.checks import check_mapping
from kfambassador.routing.clusters import DNS_RESOLVER
from kfambassador.routing.matches import build_match
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.resolvers import Resolver, settle_resolver

# A mapping that is in order, for trying defaults on.
_SAMPLE: Final = Mapping(name="sample", prefix="/", service="sample")


@dataclass(frozen=True, slots=True)
class JudgedModule:
    """A Module without what may not hold.

    Attributes:
        module: The options that hold.
        resolver: Which way endpoints are found where a mapping does not say; None leaves it to each service.
        faults: What is to be told of the others.
    """

    module: Module
    resolver: str | None = None
    faults: tuple[Fault, ...] = ()


def judge_module(module: Module, resolvers: Dict[str, Resolver], policy: TenancyPolicy) -> JudgedModule:
    """Judge a Module's options beyond their types, and leave out those that may not hold.

    Args:
        module: What was written.
        resolvers: The resolvers that the gateway's owner named.
        policy: What the platform's owner allows.
    """
    faults = [*_check_defaults(module), *_check_scripts(module, policy), *_check_log(module), *_check_redirect(module)]
    resolver = None
    if module.resolver is not None:
        resolver, fault = settle_resolver(module.resolver, resolvers, policy)
        faults += [fault] if fault else []
    for fault in faults:
        if fault.severity is Severity.ERROR:
            module = module.without(fault.path)
    faults += [
        *_tell_defaults(module),
        *_tell_hardening(module),
        *_tell_bounds(module),
        *_tell_balancing(module, resolver),
        *_tell_labels(module),
    ]
    return JudgedModule(module, resolver, tuple(replace(fault, path=f"config.{fault.path}") for fault in faults))


def _check_defaults(module: Module) -> Iterator[Fault]:
    """Refuse defaults that would be refused on a mapping; they would take every mapping with them."""
    for name, (value, option) in module.mapping_defaults().items():
        if name not in Mapping.model_fields:
            continue
        sample = _SAMPLE.model_copy(update={name: value})
        refused = [each for each in check_mapping(sample, build_match(sample)) if each.severity is Severity.ERROR]
        for fault in refused:
            end = "" if fault.message.endswith("?") else "."
            message = f"{fault.message}{end} No mapping gets this default"
            yield replace(fault, path=option, message=message)


def _tell_defaults(module: Module) -> Iterator[Fault]:
    """Tell what would be told of every mapping; together, because one default may mend or spoil another."""
    defaults = {name: each for name, each in module.mapping_defaults().items() if name in Mapping.model_fields}
    sample = _SAMPLE.model_copy(update={name: value for name, (value, _) in defaults.items()})
    for fault in check_mapping(sample, build_match(sample), module):
        name = find_field(fault.path)
        if name in defaults:
            yield replace(fault, path=defaults[name][1])


def _check_scripts(module: Module, policy: TenancyPolicy) -> Iterator[Fault]:
    if module.lua_scripts is not None and not policy.lua_scripts:
        message = (
            "a script sees every request and everybody's credentials, and one that Envoy cannot read stops the "
            "gateway; none is run unless the gateway's settings allow it"
        )
        yield Fault("lua-not-allowed", message, path="lua_scripts")


def _check_log(module: Module) -> Iterator[Fault]:
    form, is_json = module.envoy_log_format, module.envoy_log_type in {"json", "typed_json"}
    if form is not None and isinstance(form, dict) != is_json:
        kind, expected = (module.envoy_log_type or "text", "an object of names and texts" if is_json else "text")
        message = f"envoy_log_type is {kind}, and then the format is {expected}; the usual line is written"
        yield Fault("wrong-type", message, path="envoy_log_format")


def _check_redirect(module: Module) -> Iterator[Fault]:
    believed = module.xff_num_trusted_hops > 0 or module.use_remote_address is False
    if module.x_forwarded_proto_redirect and not believed:
        message = (
            "no proxy in front of the gateway is believed about how clients came, so all would be sent to https for "
            "ever; set xff_num_trusted_hops to the number of proxies in front"
        )
        yield Fault("nobody-trusted", message, path="x_forwarded_proto_redirect")


def _tell_hardening(module: Module) -> Iterator[Fault]:
    for option, protection in module.hardening_taken_away().items():
        message = f"a protection is off by this Module's word: {protection}"
        yield Fault("hardening-off", message, path=option, severity=Severity.NOTICE)


def _tell_bounds(module: Module) -> Iterator[Fault]:
    if module.regex_max_size is not None and module.regex_max_size > REGEX_MAX_PROGRAM_SIZE:
        message = (
            f"{module.regex_max_size:,} is more than Envoy is told to take; {REGEX_MAX_PROGRAM_SIZE:,} stays the most"
        )
        yield Fault("out-of-range", message, path="regex_max_size", severity=Severity.NOTICE)


def _tell_balancing(module: Module, resolver: str | None) -> Iterator[Fault]:
    if module.load_balancer is not None and resolver == DNS_RESOLVER:
        message = (
            f"with {DNS_RESOLVER} a service is one address and there is nothing to balance; it holds only for mappings "
            "that name another resolver"
        )
        yield Fault("no-effect", message, path="load_balancer", severity=Severity.WARNING)


def _tell_labels(module: Module) -> Iterator[Fault]:
    asked = module.default_label_domain or DEFAULT_LABEL_DOMAIN
    for other in module.default_labels:
        if other != asked:
            message = f"labels of domain {other} are sent to nobody; the gateway asks about {asked}"
            yield Fault("label-domain", message, path=f"default_labels.{other}", severity=Severity.NOTICE)
