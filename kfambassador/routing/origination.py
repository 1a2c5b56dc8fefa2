"""Whether connections to a service are protected, and how."""

from dataclasses import replace
from ipaddress import ip_address
from typing import NamedTuple

from kfambassador.problems import Fault, Severity, suggest
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.secret import Secret, SecretKey
from kfambassador.resources.validation import show
from kfambassador.routing.certificates import (
    CURVES,
    find_unknown_cipher,
    judge_authorities,
    judge_certificate,
    judge_revoked,
)
from kfambassador.routing.gateway import Gateway, SourcedContext
from kfambassador.routing.model import Certificate, Pem, Target, UpstreamTls
from kfambassador.routing.targets import is_address

# Bytes Envoy takes for a server name and for a protocol's name, and how many of those anybody needs.
_LONGEST_NAME = 255
_MOST = 100
_H2 = "h2"


class Origination(NamedTuple):
    """How connections are protected, None when they are not; and what is to be said about it."""

    tls: UpstreamTls | None
    faults: tuple[Fault, ...] = ()


def originate(mapping: Mapping, target: Target, gateway: Gateway) -> Origination:
    """Say how connections of a mapping to its service are protected.

    In Ambassador an unknown context leaves them in clear, and certificates are not looked at unless a context says so.
    Here the first refuses the mapping, and certificates are verified: against the context's authorities, or else
    those the gateway's machine trusts.
    """
    asked = mapping.tls
    if not asked and not target.tls:
        return Origination(None)
    faults = _check_scheme(mapping)
    if not isinstance(asked, str) or not asked:
        return _protect(mapping, target, gateway, UpstreamTls(), faults)
    known = gateway.contexts.get(asked)
    if known is None:
        message = (
            f"there is no TLSContext {asked} of the gateway's, and the mapping is left out rather than served in clear"
            f"{suggest(asked, gateway.contexts)}"
        )
        return Origination(None, (*faults, Fault("unknown-context", message, path="tls")))
    tls, more = _read_context(known, gateway)
    faults = (*faults, *more)
    return Origination(None, faults) if tls is None else _protect(mapping, target, gateway, tls, faults)


def _check_scheme(mapping: Mapping) -> tuple[Fault, ...]:
    """Tell of ``http://`` where TLS is asked for. TLS is spoken, as Ambassador does with a context."""
    if not mapping.tls or not mapping.service.lower().startswith("http://"):
        return ()
    message = f"service says http:// and tls is {show(mapping.tls)}; TLS is spoken. Write https:// or leave tls out"
    return (Fault("tls-anyway", message, path="tls", severity=Severity.WARNING),)


def _protect(
    mapping: Mapping, target: Target, gateway: Gateway, tls: UpstreamTls, faults: tuple[Fault, ...]
) -> Origination:
    """Say whose certificate is expected: the name that is asked for, or else the name the service goes by."""
    name = tls.sni or _without_port(mapping.host_rewrite or "") or target.host
    if len(name.encode()) > _LONGEST_NAME or not name.isprintable():
        message = f"{show(name)} is no server name to ask for by TLS: it is too long or holds a control character"
        return Origination(None, (*faults, Fault("bad-server-name", message, path="tls")))
    address = is_address(Target(name, target.port))
    trusted = tls.authorities or Pem(file=gateway.policy.trusted_ca)
    protected = replace(
        tls,
        sni="" if address else name,
        verified_names=(str(ip_address(name)),) if address else _find_names(name, target),
        is_address=address,
        authorities=trusted if gateway.policy.verify_upstreams else tls.authorities,
        alpn_protocols=_choose_protocols(mapping, tls),
    )
    return Origination(protected, faults)


def _without_port(host: str) -> str:
    """Take a port off a host name or address.

    Example:
        >>> _without_port("a.com:8443"), _without_port("[fd00::1]:443"), _without_port("fd00::1")
        ('a.com', 'fd00::1', 'fd00::1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, _, port = host.rpartition(":")
    return name if port.isdigit() and ":" not in name else host


def _find_names(name: str, target: Target) -> tuple[str, ...]:
    """Give the names a certificate may be for: a Service of the cluster goes by several."""
    key = target.service_key()
    if name != target.host or key is None:
        return (name,)
    service = f"{key.name}.{key.namespace}"
    return tuple(dict.fromkeys((name, service, f"{service}.svc", f"{service}.svc.cluster.local")))


def _choose_protocols(mapping: Mapping, tls: UpstreamTls) -> tuple[str, ...]:
    """Offer what is then spoken: a service that takes HTTP/2 up must be spoken to in it."""
    return (_H2,) if mapping.grpc else tuple(each for each in tls.alpn_protocols if each != _H2)


def _read_context(known: SourcedContext, gateway: Gateway) -> tuple[UpstreamTls | None, tuple[Fault, ...]]:
    context = known.context
    faults: list[Fault] = []
    certificate = _find_certificate(known, gateway, faults)
    authorities = _find_authorities(known, gateway, faults)
    revoked = _find_revoked(known, gateway, faults)
    faults += _check_options(known)
    if faults:
        return None, tuple(faults)
    tls = UpstreamTls(
        context=context.name,
        sni=context.sni or "",
        authorities=authorities,
        revoked=revoked,
        certificate=certificate,
        min_version=context.min_tls_version or "",
        max_version=context.max_tls_version or "",
        cipher_suites=context.cipher_suites,
        ecdh_curves=tuple(dict.fromkeys(CURVES[each] for each in context.ecdh_curves)),
        alpn_protocols=context.alpn_protocols,
    )
    return tls, ()


def _check_options(known: SourcedContext) -> list[Fault]:
    context = known.context
    faults: list[Fault] = []
    cipher = find_unknown_cipher(context.cipher_suites)
    if cipher is not None:
        faults.append(_refuse(known, f"cipher suite {show(cipher)} is not one Envoy knows"))
    curve = next((each for each in context.ecdh_curves if each not in CURVES), None)
    if curve is not None:
        faults.append(_refuse(known, f"curve {show(curve)} is not one Envoy knows{suggest(curve, CURVES)}"))
    protocols = context.alpn_protocols
    if len(protocols) > _MOST or any(len(each.encode()) > _LONGEST_NAME for each in protocols):
        reason = f"alpn_protocols holds more than {_MOST} names, or one of more than {_LONGEST_NAME} bytes"
        faults.append(_refuse(known, reason))
    lowest, highest = context.min_tls_version, context.max_tls_version
    if lowest and highest and lowest > highest:
        faults.append(_refuse(known, f"min_tls_version {lowest} is over max_tls_version {highest}, so none is left"))
    return faults


def _refuse(known: SourcedContext, reason: str) -> Fault:
    message = f"{reason}, says TLSContext {known.context.name}; mend the context, until then the mapping is left out"
    return Fault("bad-context", message, path="tls")


def _find_certificate(known: SourcedContext, gateway: Gateway, faults: list[Fault]) -> Certificate | None:
    context = known.context
    if context.secret is not None:
        secret = _find_secret(context.secret, "secret", known, gateway, faults)
        if secret is None:
            return None
        judged = judge_certificate(secret.certificate, secret.private_key)
        if judged.certificate is None:
            faults.append(_refuse_secret(secret, known, f"{judged.reason} (tls.crt and tls.key)"))
        return judged.certificate
    if bool(context.cert_chain_file) is not bool(context.private_key_file):
        faults.append(_refuse(known, "cert_chain_file and private_key_file need each other"))
    elif context.cert_chain_file and context.private_key_file:
        return Certificate(Pem(file=context.cert_chain_file), Pem(file=context.private_key_file))
    return None


def _find_authorities(known: SourcedContext, gateway: Gateway, faults: list[Fault]) -> Pem | None:
    context = known.context
    if context.ca_secret is not None:
        secret = _find_secret(context.ca_secret, "ca_secret", known, gateway, faults)
        if secret is None:
            return None
        # Ambassador reads tls.crt of a ca_secret; people also put authorities into ca.crt.
        judged = judge_authorities(secret.authorities or secret.certificate)
        if judged.pem is None:
            faults.append(_refuse_secret(secret, known, f"{judged.reason} (ca.crt or tls.crt)"))
        return judged.pem
    return Pem(file=context.cacert_chain_file) if context.cacert_chain_file else None


def _find_revoked(known: SourcedContext, gateway: Gateway, faults: list[Fault]) -> Pem | None:
    if known.context.crl_secret is None:
        return None
    secret = _find_secret(known.context.crl_secret, "crl_secret", known, gateway, faults)
    if secret is None:
        return None
    judged = judge_revoked(secret.revoked)
    if judged.pem is None:
        faults.append(_refuse_secret(secret, known, f"{judged.reason} (crl.pem)"))
    return judged.pem


def _refuse_secret(secret: Secret, known: SourcedContext, reason: str) -> Fault:
    where = f"Secret {secret.key.namespace}/{secret.key.name} of TLSContext {known.context.name}"
    message = f"{where} cannot be used: {reason}; the mapping is left out rather than served with less protection"
    return Fault("bad-secret", message, path="tls")


def _find_secret(
    written: str, field: str, known: SourcedContext, gateway: Gateway, faults: list[Fault]
) -> Secret | None:
    """Find a Secret by ``name`` or ``name.namespace`` (Ambassador, "secret_namespacing")."""
    name, namespace = written, known.namespace
    own = known.context.secret_namespacing
    if (gateway.module.secret_namespacing if own is None else own) and "." in written:
        name, _, namespace = written.partition(".")
    secret = gateway.secrets.get(SecretKey(namespace, name))
    if secret is None:
        message = (
            f"{field} {written} of TLSContext {known.context.name} names no Secret that can be read: there is no "
            f"{namespace}/{name}; the mapping is left out rather than served with less protection"
        )
        faults.append(Fault("no-such-secret", message, path="tls"))
    return secret
