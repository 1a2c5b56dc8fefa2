"""What a person tells a controller: by flags, environment and a file, each setting named and explained once, here.

A flag goes before the environment, that before the file, and that before the default. What Ambassador's own variables
say is heard where ours say nothing.
"""

import os
import socket
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kfambassador.controller.addresses import Address, check_address
from kfambassador.controller.reporting.event_book import CLUSTER_REPEAT, EventPace
from kfambassador.controller.reporting.lease import LeaseSettings
from kfambassador.controller.reporting.settings import ReportSettings
from kfambassador.controller.reviews import ReviewSettings
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.settings_file import read_settings_file
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.errors import ConfigurationError
from kfambassador.kube.selectors import Selector
from kfambassador.names import (
    ADMIN_SOCKET,
    ASKING_SOCKET,
    INSTALL_NAMESPACE,
    READY_ADDRESS,
    RUNTIME_DIRECTORY,
    STATUS_LEASE,
    XDS_SOCKET,
)
from kfambassador.routing.policy import TRUSTED_CA, TenancyPolicy

#: What our variables begin with. A Service called ``kfambassador`` makes Kubernetes set some of its own that begin so
#: (``KFAMBASSADOR_PORT``, ``KFAMBASSADOR_SERVICE_HOST``), so no setting may be called ``port`` or ``service_...``.
PREFIX: Final = "KFAMBASSADOR_"

_RUNTIME: Final = Path(RUNTIME_DIRECTORY)
_POD_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_YES: Final = frozenset({"1", "on", "t", "true", "y", "yes"})


def _join(value: object) -> object:
    """Take a list for its members with commas, as a file may have it."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    return value


def _spell(value: object) -> object:
    """Take true and false for words: Python counts with them."""
    return str(value).lower() if isinstance(value, bool) else value


def _split(text: str) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, text.split(","))))


def _check_ips(text: str) -> str:
    for each in _split(text):
        ip_address(each)
    return text


def _check_selector(text: str) -> str:
    Selector.read(text)
    return text


_Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
_Names = Annotated[str, BeforeValidator(_join)]
_Whole = Annotated[int, BeforeValidator(_spell)]
_Seconds = Annotated[float, BeforeValidator(_spell)]
_Address = Annotated[str, AfterValidator(check_address)]


def _setting(group: str, description: str, *, default: object, ambassador: str = "", **rules: Any) -> Any:  # noqa: ANN401
    """Describe a setting.

    Args:
        group: The heading under which it is described.
        description: What it does, and in which unit.
        default: Its value when it is said nowhere; a function is asked for it.
        ambassador: The variable by which Ambassador has it.
        rules: What its value must hold.
    """
    given = {"default_factory": default} if callable(default) else {"default": default}
    extra: Any = {"group": group, "ambassador": ambassador}
    return Field(**given, description=description, json_schema_extra=extra, **rules)


_CLUSTER: Final = "The cluster"
_FOLLOWED: Final = "What is followed"
_RULES: Final = "Who may do what"
_ENVOY: Final = "Envoy"
_ASKED: Final = "Where it can be asked"
_WRITTEN: Final = "What it writes to the cluster"
_LOGS: Final = "Logs"


class ControllerOptions(BaseSettings):
    """The settings of ``kfambassador controller``.

    Example:
        >>> options = ControllerOptions(log_level="debug", namespace="team")
        >>> options.log_level, options.followed_namespace, options.http_port
        ('debug', 'team', 8080)
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    config: Path | None = _setting(
        _CLUSTER, "A YAML file with settings by these names. It may not name another.", default=None
    )
    kubeconfig: Path | None = _setting(
        _CLUSTER,
        "The kubeconfig to reach the cluster by. When not given: the pod's service account, or outside of "
        "a pod $KUBECONFIG or ~/.kube/config.",
        default=None,
    )
    context: str | None = _setting(_CLUSTER, "The kubeconfig's context; its current one when not given.", default=None)

    namespace: _Name | None = _setting(
        _FOLLOWED, "The one namespace to follow; all when not given. A Role is then permission enough.", default=None
    )
    single_namespace: bool = _setting(
        _FOLLOWED,
        "Follow the gateway's own namespace only, unless namespace names another.",
        default=False,
        ambassador="AMBASSADOR_SINGLE_NAMESPACE",
    )
    label_selector: Annotated[str, AfterValidator(_check_selector)] = _setting(
        _FOLLOWED,
        "Act only on Mappings, and annotations of Services and Ingresses, with these labels: "
        "team=vision,stage!=test. What speaks for everybody in the gateway's own namespace counts without.",
        default="",
    )
    ambassador_id: _Names = _setting(
        _FOLLOWED,
        "The ids this gateway goes by, with commas: what is meant for others is passed over.",
        default="default",
        ambassador="AMBASSADOR_ID",
    )

    gateway_namespace: _Name | None = _setting(
        _RULES,
        "The gateway's own namespace: Modules, AuthServices and their like count in no other, and Secrets "
        f"are read in no other. When not given: the pod's, or outside of a pod {INSTALL_NAMESPACE}.",
        default=None,
        ambassador="AMBASSADOR_NAMESPACE",
    )
    policy: Literal["strict", "permissive"] = _setting(
        _RULES,
        "strict: the namespace that first claimed a path owns it, and another namespace's Service must "
        "allow a mapping to point at it. permissive: as in Ambassador, neither.",
        default="strict",
    )
    lua_scripts: bool = _setting(_RULES, "Let a Module have Envoy run a script on every request.", default=False)
    header_operators: _Names = _setting(
        _RULES,
        "Envoy's operators that are expanded in headers mappings add, with commas: PROTOCOL,RESPONSE_CODE.",
        default="",
    )

    pod_ips: Annotated[_Names, AfterValidator(_check_ips)] = _setting(
        _RULES,
        "The pod's own IP addresses, with commas, as status.podIPs of the downward API gives them: no mapping may "
        "point at its ports for probes and measurements.",
        default="",
    )

    http_address: str = _setting(
        _ENVOY,
        "The IP address Envoy's listener binds.",
        default="0.0.0.0",  # noqa: S104 - the gateway is there to be reached
    )
    http_port: _Whole = _setting(_ENVOY, "The port of Envoy's listener.", default=8080, ge=1, le=65535)
    ready_address: _Address = _setting(
        _ENVOY, "Where Envoy answers its own probes, as kfambassador envoy is told.", default=READY_ADDRESS
    )
    trusted_ca: str = _setting(
        _ENVOY,
        "The file on Envoy's machine with the authorities it believes where nobody names others.",
        default=TRUSTED_CA,
    )
    xds_socket: Path = _setting(
        _ENVOY,
        "The Unix socket to make, by which Envoy asks what to serve. Its directory must be the gateway's alone.",
        default=_RUNTIME / XDS_SOCKET,
    )
    admin_socket: Path = _setting(
        _ENVOY,
        "The Unix socket of Envoy's admin, asked whether Envoy is live and what it counts.",
        default=_RUNTIME / ADMIN_SOCKET,
    )
    state_dir: Path = _setting(
        _ENVOY,
        "The directory that keeps what Envoy last acknowledged, to be served when the cluster cannot be "
        "read at the next start. It holds private keys, in a file that only the controller's user may read.",
        default=Path("/var/lib/kfambassador"),
    )
    linger: _Seconds = _setting(
        _ENVOY,
        "Seconds for which Envoy is still told what changes after the controller was told to end; it ends "
        "earlier when no Envoy is connected. Give it Envoy's drain time where both end together.",
        default=0,
        ge=0,
    )

    health_address: _Address = _setting(
        _ASKED, "Where /healthz, /readyz and /metrics are answered, and nothing else.", default="0.0.0.0:8081"
    )
    diagnostics_address: _Address = _setting(
        _ASKED,
        "Where the read API and the diagnostics page are. Anything but loopback needs diagnostics_reviews.",
        default="127.0.0.1:8877",
    )
    diagnostics_reviews: bool = _setting(
        _ASKED,
        "Have the cluster review the bearer tokens of whoever asks the read API, so that tenants see what is theirs.",
        default=False,
    )

    update_mapping_status: bool = _setting(_WRITTEN, "Write what became of each Mapping into its status.", default=True)
    events: bool = _setting(_WRITTEN, "Tell problems of annotations as Events of their objects.", default=True)
    lease: bool = _setting(
        _WRITTEN,
        "Agree with other replicas, by a Lease, on which of them writes. Without it this one always does: for a "
        "gateway that is a single replica for good.",
        default=True,
    )
    lease_name: _Name = _setting(
        _WRITTEN, "The Lease by which replicas agree on which of them writes.", default=STATUS_LEASE
    )
    lease_namespace: _Name | None = _setting(
        _WRITTEN, "Where that Lease is; the gateway's own namespace when not given.", default=None
    )
    lease_duration: _Whole = _setting(
        _WRITTEN, "Seconds after which a Lease that is not renewed may be taken by another replica.", default=15, ge=1
    )
    identity: str = _setting(
        _WRITTEN,
        "What this replica is called in the Lease and in Events; the name of the machine, which is the "
        "pod's, when not given.",
        default=socket.gethostname,
    )

    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        _LOGS, "The least important lines that are written.", default="info"
    )
    log_format: Literal["json", "text"] = _setting(
        _LOGS, "json: one object a line, for programs. text: for people.", default="json"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Name where settings come from, what goes before others first; see :mod:`pydantic_settings`."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _AmbassadorVariables(settings_cls), _File(settings_cls)

    def settings(self) -> ControllerSettings:
        """Say it in the controller's own terms.

        Raises:
            ConfigurationError: Settings do not go together.
        """
        diagnostics, directory = Address.read(self.diagnostics_address), self.xds_socket.parent
        return ControllerSettings(
            xds_socket=self.xds_socket,
            admin_socket=self.admin_socket,
            listener=ListenerSettings(
                address=self.http_address, port=self.http_port, asking_socket=directory / ASKING_SOCKET
            ),
            policy=self._choose_policy(),
            namespace=self.followed_namespace,
            selector=Selector.read(self.label_selector),
            state_dir=self.state_dir,
            health=Address.read(self.health_address),
            diagnostics_host=diagnostics.host,
            diagnostics_port=diagnostics.port,
            reviews=ReviewSettings() if self.diagnostics_reviews else None,
            reporting=ReportSettings(
                statuses=self.update_mapping_status,
                events=self.events,
                lease=self._choose_lease(),
                identity=self.identity,
                event_pace=EventPace(repeat=CLUSTER_REPEAT),
            ),
        )

    def _choose_lease(self) -> LeaseSettings | None:
        namespace = self.lease_namespace or self.own_namespace
        return LeaseSettings(self.lease_name, namespace, float(self.lease_duration)) if self.lease else None

    def _choose_policy(self) -> TenancyPolicy:
        kind = TenancyPolicy if self.policy == "strict" else TenancyPolicy.permissive
        return replace(
            kind(gateway_namespace=self.own_namespace),
            gateway_ids=_split(self.ambassador_id),
            trusted_ca=self.trusted_ca,
            lua_scripts=self.lua_scripts,
            header_operators=_split(self.header_operators),
            own_addresses=frozenset((ip, port) for ip in _split(self.pod_ips) for port in self._list_own_ports()),
        )

    def _list_own_ports(self) -> tuple[int, ...]:
        addresses = (self.health_address, self.diagnostics_address, self.ready_address)
        return tuple(Address.read(address).port for address in addresses)

    @property
    def own_namespace(self) -> str:
        """The gateway's own namespace."""
        return self.gateway_namespace or find_pod_namespace() or INSTALL_NAMESPACE

    @property
    def followed_namespace(self) -> str | None:
        """The one namespace to follow; None is all."""
        return self.namespace or (self.own_namespace if self.single_namespace else None)


def find_pod_namespace(file: Path = _POD_NAMESPACE) -> str:
    """Give the namespace of the pod this runs in; "" where it is none."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def tell_about(field: FieldInfo) -> dict[str, str]:
    """Give the ``group`` of a setting, the heading it is described under, and its variable in ``ambassador`` or ""."""
    extra = field.json_schema_extra
    return {name: str(value) for name, value in extra.items()} if isinstance(extra, dict) else {}


class _AmbassadorVariables(PydanticBaseSettingsSource):
    """What Ambassador's own variables say."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = tell_about(field)["ambassador"]
        value = os.environ.get(variable, "") if variable else ""
        if field_name == "single_namespace" and value:
            # Any text at all says yes to Ambassador; whoever writes "false" means no.
            if value.lower() not in _YES:
                raise ConfigurationError(
                    f"{variable} is {value!r}, which Ambassador takes for yes, as any text. Write true, or unset it."
                )
            return True, field_name, False
        return value or None, field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        # Where ours say something, theirs need not make sense.
        found = {name: self.get_field_value(field, name)[0] for name, field in fields if name not in self.current_state}
        return {name: value for name, value in found.items() if value is not None}


class _File(PydanticBaseSettingsSource):
    """What the file says that ``config`` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        return self._read().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._read()

    def _read(self) -> dict[str, Any]:
        named = self.current_state.get("config")
        if named is None:
            return {}
        known = [name for name in self.settings_cls.model_fields if name != "config"]
        return read_settings_file(Path(str(named)), known)
