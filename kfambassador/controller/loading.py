"""Reading the settings from everywhere they may stand; what is wrong with one is told with its place."""

import os
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kfambassador.controller.options import PREFIX, ControllerOptions, tell_about
from kfambassador.errors import ConfigurationError
from kfambassador.problems import suggest
from kfambassador.resources.validation import show


def load_options(flags: Dict[str, object]) -> ControllerOptions:
    """Read the settings from everywhere they may stand.

    Args:
        flags: What was said on the command line, by the names of settings.

    Raises:
        ConfigurationError: A setting is not known or has a value it cannot have. The message names each with its place.

    Example:
        >>> load_options({"http_port": "8000"}).http_port
        8000
        >>> load_options({"log_format": "yaml"})
        Traceback (most recent call last):
        ...
        kfambassador.errors.ConfigurationError: --log-format: expected 'json' or 'text', got 'yaml'
    """
    try:
        return ControllerOptions(**flags)  # type: ignore[arg-type] # the model checks them
    except ValidationError as error:
        details = {str(each["loc"][0]): each for each in error.errors(include_url=False)}
        lines = [f"{_find_place(name, flags)}: {_word(name, each)}" for name, each in details.items()]
        raise ConfigurationError("\n".join(lines)) from error


def name_variable(setting: str) -> str:
    """Give the environment variable of a setting.

    Example:
        >>> name_variable("log_level")
        'KFAMBASSADOR_LOG_LEVEL'
    """
    return f"{PREFIX}{setting.upper()}"


def name_flag(setting: str) -> str:
    """Give the flag of a setting.

    Example:
        >>> name_flag("log_level")
        '--log-level'
    """
    return f"--{setting.replace('_', '-')}"


def find_misspelt(environment: Iterable[str]) -> list[str]:
    """Say which variables are probably settings that somebody misspelt; a file's would be refused.

    Kubernetes sets variables that begin like ours in every pod beside a Service of our name, so none is refused.

    Args:
        environment: Names of variables.

    Example:
        >>> find_misspelt(["KFAMBASSADOR_LOG_LEVLE", "KFAMBASSADOR_LOG_LEVEL", "KFAMBASSADOR_SERVICE_HOST"])
        ['KFAMBASSADOR_LOG_LEVLE is no setting and has no effect; did you mean KFAMBASSADOR_LOG_LEVEL?']
    """
    said = []
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX).lower()
        is_setting = name in ControllerOptions.model_fields and variable == name_variable(name)
        if is_setting or not variable.startswith(PREFIX):
            continue
        if near := get_close_matches(name, ControllerOptions.model_fields, 1, _ALIKE):
            said.append(f"{variable} is no setting and has no effect; did you mean {name_variable(near[0])}?")
    return said


#: How alike two names are of which one is the other misspelt: a letter or two apart.
_ALIKE: Final = 0.85

_EXPECTED: Final = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "float_parsing": "a number of seconds",
    "string_type": "text; put it in quotes",
    "path_type": "a path",
}

_BOUNDS: Final = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}


def _word(name: str, detail: ErrorDetails) -> str:
    """Say in words what is wrong with a value."""
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return f"there is no such setting{suggest(name, ControllerOptions.model_fields)}"
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        return f"{show(value)} is no name of a Kubernetes object: small letters, digits and dashes, 63 at most"
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        return f"expected {word} {detail['ctx'][bound]:g}, got {show(value)}"
    expected = _EXPECTED.get(kind) or detail["msg"].removeprefix("Input should be ")
    return f"expected {expected}, got {show(value)}"


def _find_place(name: str, flags: Dict[str, object]) -> str:
    """Say where the value of a setting stands."""
    if name in flags:
        return name_flag(name)
    if os.environ.get(name_variable(name)):
        return name_variable(name)
    field = ControllerOptions.model_fields.get(name)
    variable = tell_about(field)["ambassador"] if field is not None else ""
    if variable and os.environ.get(variable):
        return variable
    named = flags.get("config") or os.environ.get(name_variable("config"))
    return f"{named}, {name}"
