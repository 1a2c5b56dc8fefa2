"""Whether connections to a service are protected, and how."""

from dataclasses import replace

import pytest
import trustme

from kfambassador.problems import Severity
from kfambassador.resources.module import Module
from kfambassador.resources.secret import Secret, SecretKey
from kfambassador.resources.tls_context import TLSContext
from kfambassador.routing.clusters import name_cluster
from kfambassador.routing.gateway import Gateway, SourcedContext
from kfambassador.routing.model import Target, UpstreamTls
from kfambassador.routing.origination import Origination, originate
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import mapping

AUTHORITY = trustme.CA()
CA = AUTHORITY.cert_pem.bytes().decode()
OWN = AUTHORITY.issue_cert("gateway.example")
POLICY = TenancyPolicy(gateway_namespace="gateway", trusted_ca="/trusted.pem")
SECURE = Target("secure.team", 443, tls=True)
CLEAR = Target("secure.team", 80)

SECRETS = (
    Secret(SecretKey("gateway", "authorities"), authorities=CA),
    Secret(SecretKey("gateway", "old"), certificate=CA),
    Secret(SecretKey("gateway", "bad"), authorities="words"),
    Secret(SecretKey("other", "far"), authorities=CA),
    Secret(SecretKey("gateway", "a.b"), authorities=CA),
    Secret(
        SecretKey("gateway", "own"),
        certificate=OWN.cert_chain_pems[0].bytes().decode(),
        private_key=OWN.private_key_pem.bytes().decode(),
    ),
)


def gateway(**options: object) -> Gateway:
    """A gateway with one context, named c."""
    context = TLSContext.model_validate({"name": "c", **options})
    return Gateway(
        POLICY, contexts={"c": SourcedContext(context, "gateway")}, secrets={each.key: each for each in SECRETS}
    )


def read(asked: Gateway, target: Target = CLEAR, **attributes: object) -> Origination:
    return originate(mapping(**{"tls": "c", **attributes}), target, asked)


def protected(asked: Gateway, target: Target = CLEAR, **attributes: object) -> UpstreamTls:
    tls, faults = read(asked, target, **attributes)
    assert not faults
    assert tls is not None
    return tls


@pytest.mark.parametrize("tls", [None, False, ""])
def test_nothing_asks_for_it(tls: object) -> None:
    assert originate(mapping(tls=tls), CLEAR, Gateway(POLICY)) == Origination(None)


@pytest.mark.parametrize(("tls", "target"), [(True, CLEAR), (None, SECURE), (False, SECURE), ("", SECURE)])
def test_the_machines_authorities_are_believed_when_nothing_else_is_said(tls: object, target: Target) -> None:
    found = protected(Gateway(POLICY), target, tls=tls)
    assert found.authorities is not None
    assert (found.authorities.file, found.sni, found.context) == ("/trusted.pem", "secure.team", "")


def test_a_service_goes_by_all_its_names() -> None:
    assert protected(Gateway(POLICY), SECURE, tls=True).verified_names == (
        "secure.team",
        "secure.team.svc",
        "secure.team.svc.cluster.local",
    )
    assert protected(Gateway(POLICY), Target("a.example.org", 443, tls=True), tls=True).verified_names == (
        "a.example.org",
    )


@pytest.mark.parametrize(
    ("host", "canonical"), [("127.0.0.1", "127.0.0.1"), ("fd00::1", "fd00::1"), ("fd00:0:0::1", "fd00::1")]
)
def test_an_address_is_not_asked_for_by_name(host: str, canonical: str) -> None:
    found = protected(Gateway(POLICY), Target(host, 443, tls=True), tls=True)
    assert (found.sni, found.verified_names, found.is_address) == ("", (canonical,), True)


@pytest.mark.parametrize(
    ("host", "sni", "address"),
    [
        ("a.example", "a.example", False),
        ("a.example:8443", "a.example", False),
        ("10.0.0.1:443", "", True),
        ("[fd00::1]:443", "", True),
        ("fd00::1", "", True),
    ],
)
def test_the_host_that_the_service_sees_is_the_one_it_must_be(host: str, sni: str, address: bool) -> None:
    found = protected(Gateway(POLICY), SECURE, tls=True, host_rewrite=host)
    assert (found.sni, found.is_address) == (sni, address)
    assert len(found.verified_names) == 1


def test_the_contexts_name_comes_first() -> None:
    found = protected(gateway(sni="b.example"), host_rewrite="a.example")
    assert (found.sni, found.verified_names) == ("b.example", ("b.example",))


@pytest.mark.parametrize("sni", ["a" * 256, "a\x00"])
def test_a_name_nobody_can_be_asked_for_by(sni: str) -> None:
    assert [fault.code for fault in read(gateway(sni=sni)).faults] == ["bad-server-name"]


@pytest.mark.parametrize(
    ("options", "text"),
    [({"ca_secret": "authorities"}, CA), ({"ca_secret": "old"}, CA), ({"ca_secret": "far.other"}, CA)],
)
def test_authorities_of_a_secret(options: dict[str, object], text: str) -> None:
    authorities = protected(gateway(**options)).authorities
    assert authorities is not None
    assert (authorities.text, authorities.file) == (text, "")


def test_a_dot_in_a_secrets_name() -> None:
    assert protected(gateway(ca_secret="a.b", secret_namespacing=False)).authorities
    assert read(gateway(ca_secret="a.b")).faults[0].code == "no-such-secret"
    module = Module.model_validate({"name": "ambassador", "defaults": {"tls_secret_namespacing": False}})
    plain = gateway(ca_secret="a.b")
    assert protected(replace(plain, module=module)).authorities
    assert read(replace(gateway(ca_secret="a.b", secret_namespacing=True), module=module)).tls is None


def test_files_are_taken_as_they_are() -> None:
    found = protected(gateway(cacert_chain_file="/ca", cert_chain_file="/crt", private_key_file="/key"))
    assert found.authorities is not None
    assert found.certificate is not None
    assert (found.authorities.file, found.certificate.chain.file, found.certificate.key.file) == ("/ca", "/crt", "/key")


def test_a_certificate_of_the_gateways_own_is_never_shown() -> None:
    found = protected(gateway(secret="own"))
    assert found.certificate is not None
    assert found.certificate.key.text.startswith("-----BEGIN PRIVATE KEY-----")
    assert "BEGIN" not in repr(found)
    assert "BEGIN" not in repr(SECRETS)


def test_the_owner_may_do_without_verification() -> None:
    careless = Gateway(replace(POLICY, verify_upstreams=False))
    assert protected(careless, tls=True).authorities is None
    asked = replace(gateway(ca_secret="authorities"), policy=careless.policy)
    assert protected(asked).authorities is not None


def test_http_is_overruled_and_that_is_told() -> None:
    for tls in ("c", True):
        found, faults = read(gateway(), CLEAR, tls=tls, service="HTTP://secure")
        assert found is not None
        assert [(fault.code, fault.severity) for fault in faults] == [("tls-anyway", Severity.WARNING)]
    assert faults[0].message == "service says http:// and tls is true; TLS is spoken. Write https:// or leave tls out"


def test_an_unknown_context_refuses_rather_than_leaving_it_in_clear() -> None:
    found, (fault,) = read(gateway(), tls="cc")
    assert found is None
    assert (fault.code, fault.severity) == ("unknown-context", Severity.ERROR)
    assert fault.message == (
        "there is no TLSContext cc of the gateway's, and the mapping is left out rather than served in clear"
        "; did you mean c?"
    )


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"ca_secret": "none"}, "no-such-secret", "ca_secret none of TLSContext c names no Secret that can be read: "),
        ({"secret": "none.far"}, "no-such-secret", "secret none.far of TLSContext c names no Secret that can be read"),
        ({"crl_secret": "none"}, "no-such-secret", "crl_secret none of TLSContext c names no Secret"),
        (
            {"ca_secret": "bad"},
            "bad-secret",
            (
                "Secret gateway/bad of TLSContext c cannot be used: it holds no certificate in PEM that can be read "
                "(ca.crt or tls.crt); the mapping is left out rather than served with less protection"
            ),
        ),
        ({"secret": "bad"}, "bad-secret", "Secret gateway/bad of TLSContext c cannot be used: it holds no certificate"),
        ({"crl_secret": "bad"}, "bad-secret", "Secret gateway/bad of TLSContext c cannot be used: it holds no list"),
        (
            {"cipher_suites": ["NONE"]},
            "bad-context",
            (
                "cipher suite 'NONE' is not one Envoy knows, says TLSContext c; mend the context, until then the "
                "mapping is left out"
            ),
        ),
        ({"ecdh_curves": ["P-255"]}, "bad-context", "curve 'P-255' is not one Envoy knows; did you mean P-256?"),
        ({"alpn_protocols": ["a" * 256]}, "bad-context", "alpn_protocols holds more than 100 names, or one of more "),
        ({"alpn_protocols": ["a"] * 101}, "bad-context", "alpn_protocols holds more than 100 names, or one of more "),
        (
            {"min_tls_version": "v1.3", "max_tls_version": "v1.2"},
            "bad-context",
            "min_tls_version v1.3 is over max_tls_version v1.2, so none is left",
        ),
        ({"cert_chain_file": "/a"}, "bad-context", "cert_chain_file and private_key_file need each other"),
        ({"private_key_file": "/a"}, "bad-context", "cert_chain_file and private_key_file need each other"),
    ],
)
def test_what_envoy_would_refuse_is_refused_here(options: dict[str, object], code: str, message: str) -> None:
    found, (fault,) = read(gateway(**options))
    assert found is None
    assert (fault.code, fault.severity) == (code, Severity.ERROR)
    assert fault.message.startswith(message)


@pytest.mark.parametrize(
    ("offered", "grpc", "expected"),
    [
        ("h2,http/1.1", False, ("http/1.1",)),
        ("h2", False, ()),
        ("", False, ()),
        ("", True, ("h2",)),
        ("http/1.1", True, ("h2",)),
    ],
)
def test_what_is_offered_is_what_is_spoken(offered: str, grpc: bool, expected: tuple[str, ...]) -> None:
    assert protected(gateway(alpn_protocols=offered), grpc=grpc).alpn_protocols == expected


def test_other_options_are_passed_on() -> None:
    found = protected(
        gateway(
            min_tls_version="v1.2", max_tls_version="v1.3", cipher_suites="AES128-SHA", ecdh_curves="prime256v1,P-256"
        )
    )
    assert (found.min_version, found.max_version) == ("v1.2", "v1.3")
    assert (found.cipher_suites, found.ecdh_curves) == (("AES128-SHA",), ("P-256",))


def test_each_way_of_protection_is_a_cluster_of_its_own() -> None:
    ways: list[tuple[Target, dict[str, object]]] = [
        (SECURE, {"tls": None}),
        (SECURE, {"tls": "c"}),
        (SECURE, {"tls": True}),
        (SECURE, {"tls": True, "host_rewrite": "a.example"}),
        (SECURE, {"tls": True, "host_rewrite": "b.example"}),
    ]
    names = [
        name_cluster(target, mapping(**attributes), originate(mapping(**attributes), target, gateway()).tls)
        for target, attributes in ways
    ]
    in_clear = name_cluster(CLEAR, mapping())
    assert len({*names, in_clear}) == len(ways) + 1
