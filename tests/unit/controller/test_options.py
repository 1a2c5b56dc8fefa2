"""The settings of a controller: where they are said, what goes before what, and what is wrong with them in words."""

from pathlib import Path

import pytest

from kfambassador.controller import options as module
from kfambassador.controller.addresses import Address
from kfambassador.controller.loading import load_options, name_flag, name_variable
from kfambassador.controller.options import ControllerOptions
from kfambassador.errors import ConfigurationError
from kfambassador.routing.references import is_forbidden_address

NO_NAME = "is no name of a Kubernetes object: small letters, digits and dashes, 63 at most"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, field in ControllerOptions.model_fields.items():
        monkeypatch.delenv(name_variable(name), raising=False)
        monkeypatch.delenv(module.tell_about(field)["ambassador"] or "_", raising=False)


def write(folder: Path, text: str) -> str:
    file = folder / "settings.yaml"
    file.write_text(text)
    return str(file)


def refusal(flags: dict[str, object]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_options(flags)
    return str(caught.value)


def test_a_flag_goes_before_the_environment_that_before_the_file_and_that_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "http_port: 1\nlog_level: error\nlog_format: text\n")
    monkeypatch.setenv("KFAMBASSADOR_CONFIG", file)
    monkeypatch.setenv("KFAMBASSADOR_HTTP_PORT", "2")
    monkeypatch.setenv("KFAMBASSADOR_LOG_LEVEL", "warning")
    options = load_options({"http_port": "3"})
    assert (options.http_port, options.log_level, options.log_format, options.lease_duration) == (
        3, "warning", "text", 15,
    )  # fmt: skip


def test_the_file_that_a_flag_names_goes_before_the_one_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFAMBASSADOR_CONFIG", str(tmp_path / "nothing"))
    assert load_options({"config": write(tmp_path, "http_port: 7\n")}).http_port == 7


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFAMBASSADOR_NAMESPACE", "")
    assert load_options({}).namespace is None


def test_what_kubernetes_sets_for_a_service_of_our_name_is_none_of_our_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PORT", "PORT_80_TCP", "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP"):
        monkeypatch.setenv(f"KFAMBASSADOR_{name}", "tcp://10.0.0.1:80")
    assert load_options({}) == load_options({})
    names = ControllerOptions.model_fields
    assert [name for name in names if name == "port" or name.startswith(("port_", "service_"))] == []


def test_every_setting_is_explained_and_has_one_flag() -> None:
    fields = ControllerOptions.model_fields
    assert [name for name, field in fields.items() if not (field.description or "").endswith(".")] == []
    assert len({name_flag(name) for name in fields}) == len(fields)


def test_every_value_at_fault_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, "namespace: 7\nlease_duration: soon\n")
    monkeypatch.setenv("KFAMBASSADOR_HTTP_PORT", "70000")
    monkeypatch.setenv("AMBASSADOR_NAMESPACE", "Not_A_Name")
    told = refusal({"config": file, "log_format": "yaml", "health_address": "8081", "label_selector": "a;b"})
    assert sorted(told.splitlines()) == [
        "--health-address: '8081' is no address and port: write it as in 127.0.0.1:8081, or [::1]:8081 in IPv6",
        "--label-selector: 'a;b' is no label selector; write it as in team=vision,stage!=test",
        "--log-format: expected 'json' or 'text', got 'yaml'",
        f"{file}, lease_duration: expected a whole number, got 'soon'",
        f"{file}, namespace: expected text; put it in quotes, got 7",
        f"AMBASSADOR_NAMESPACE: 'Not_A_Name' {NO_NAME}",
        "KFAMBASSADOR_HTTP_PORT: expected at most 65535, got '70000'",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("log_levl: info", "there is no setting log_levl; did you mean log_level?"),
        ("Log_Level: info", "there is no setting Log_Level; did you mean log_level?"),
        ("config: other.yaml", "there is no setting config"),
        ("- log_level", "holds no settings: write one a line, as in log_level: info."),
        ("a: 1\n---\nb: 2", "holds 2 documents; settings are one."),
        ("a: b: c", "cannot be read: not YAML at line 1"),
        ("log_level: on", "log_level: expected 'debug', 'info', 'warning' or 'error', got true"),
        ("http_port: on", "http_port: expected a whole number, got 'true'"),
        ("linger: true", "linger: expected a number of seconds, got 'true'"),
    ],
)
def test_a_file_that_is_at_fault_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = write(tmp_path, text)
    words = refusal({"config": file})
    assert file in words
    assert told in words


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal({"config": str(tmp_path / "no.yaml")}) == (
        f"The settings in {tmp_path / 'no.yaml'} cannot be read: No such file or directory."
    )


def test_an_empty_file_says_nothing_and_null_stands_for_a_setting_that_is_not_said(tmp_path: Path) -> None:
    assert load_options({"config": write(tmp_path, "\n")}).http_port == 8080
    assert load_options({"config": write(tmp_path, "http_port:\n")}).http_port == 8080


def test_names_may_be_a_list_in_a_file(tmp_path: Path) -> None:
    options = load_options({"config": write(tmp_path, "ambassador_id: [inner, outer]\n")})
    assert options.settings().policy.gateway_ids == {"inner", "outer"}


class TestAmbassadorsVariables:
    def test_they_are_heard_where_ours_say_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AMBASSADOR_ID", "inner")
        monkeypatch.setenv("AMBASSADOR_NAMESPACE", "gateways")
        policy = load_options({}).settings().policy
        assert policy.gateway_ids == {"inner"}
        assert policy.gateway_namespace == "gateways"

    def test_ours_go_before_them_and_they_before_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AMBASSADOR_ID", "theirs")
        monkeypatch.setenv("KFAMBASSADOR_AMBASSADOR_ID", "ours")
        monkeypatch.setenv("AMBASSADOR_NAMESPACE", "gateways")
        options = load_options({"config": write(tmp_path, "gateway_namespace: file\n")})
        assert (options.ambassador_id, options.gateway_namespace) == ("ours", "gateways")

    def test_a_single_namespace_is_the_gateways_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AMBASSADOR_SINGLE_NAMESPACE", "yes")
        monkeypatch.setenv("AMBASSADOR_NAMESPACE", "gateways")
        assert load_options({}).settings().namespace == "gateways"
        assert load_options({"gateway_namespace": "other"}).settings().namespace == "other"
        assert load_options({"namespace": "team"}).settings().namespace == "team"

    def test_a_word_that_means_no_to_people_and_yes_to_ambassador_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AMBASSADOR_SINGLE_NAMESPACE", "false")
        assert "is 'false', which Ambassador takes for yes" in refusal({})
        monkeypatch.setenv("KFAMBASSADOR_SINGLE_NAMESPACE", "false")
        assert load_options({}).settings().namespace is None


def test_in_a_pod_the_gateways_own_namespace_is_the_pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "namespace"
    assert module.find_pod_namespace(file) == ""
    file.write_text("models\n")
    assert module.find_pod_namespace(file) == "models"
    monkeypatch.setattr(module, "find_pod_namespace", lambda: "models")
    assert load_options({}).own_namespace == "models"


def test_a_read_api_that_others_reach_needs_reviews() -> None:
    options = load_options({"diagnostics_address": "0.0.0.0:8877"})
    with pytest.raises(ConfigurationError, match="nobody guards the read API"):
        options.settings()
    options = load_options({"diagnostics_address": "[::]:0", "diagnostics_reviews": "true"})
    settings = options.settings()
    assert (settings.diagnostics_host, settings.diagnostics_port, settings.reviews is not None) == ("::", 0, True)
    assert settings.health == Address("0.0.0.0", 8081)


def test_a_permissive_gateway_lets_everybody_refer_and_stays_closed_to_loopback() -> None:
    policy = load_options({"policy": "permissive", "header_operators": "PROTOCOL, RESPONSE_CODE"}).settings().policy
    assert (policy.claims, policy.references, policy.loopback) == (False, False, False)
    assert policy.header_operators == {"PROTOCOL", "RESPONSE_CODE"}


def test_no_mapping_may_point_at_the_ports_by_which_the_gateway_itself_is_asked() -> None:
    options = load_options({"pod_ips": "10.0.0.7,fd00::7", "health_address": "0.0.0.0:9000"})
    policy = options.settings().policy
    ports = {9000, 8877, 8082}
    assert policy.own_addresses == {(ip, port) for ip in ("10.0.0.7", "fd00::7") for port in ports}
    assert is_forbidden_address("10.0.0.7", policy, port=9000)
    assert is_forbidden_address("fd00:0::7", policy, port=8082)
    assert not is_forbidden_address("10.0.0.7", policy, port=8080)
    assert refusal({"pod_ips": "10.0.0"}) == "--pod-ips: '10.0.0' does not appear to be an IPv4 or IPv6 address"
