"""The tables of messages, held against the models of the official client, which come from a cluster's own OpenAPI."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import models

from kfambassador.local.kube.registry.builtin import BUILTIN
from kfambassador.local.kube.schemas import messages
from kfambassador.local.kube.schemas.messages import Field, Message, find_message

TABLES = sorted(Path(messages.__file__).with_name("api").glob("*.txt"))
HEADS = [
    (table.stem, line.split()[0]) for table in TABLES for line in table.read_text().splitlines() if line[:1].isupper()
]
MESSAGES = [find_message(f"{package}.{name}") for package, name in HEADS]

# What the client's models call the simple types.
SIMPLE = {
    "str": {"string", "bytes", "quantity", "duration"},
    "int": {"int32", "int64"},
    "float": {"double"},
    "bool": {"bool"},
    "datetime": {"time", "microtime"},
    "object": {"raw", "intstr"},
    "V1JSONSchemaProps": {"schema"},
    "list[str]": {"strings"},
}


def model_of(message: Message) -> Any:
    """The client's model of a message, None where it has none: it knows neither inlined nor newer ones."""
    package, _, name = message.name.rpartition(".")
    group, version = package.split(".")
    found = (getattr(models, f"{prefix}{version.title()}{name}", None) for prefix in (group.title(), ""))
    return next(filter(None, found), None)


def read_type(text: str) -> tuple[str, str]:
    """The holder and the type in one of the client's types: ``list[V1Pod]`` is a list of V1Pod."""
    for holder, pattern in (("list", r"list\[(.*)\]"), ("map", r"dict\(str, (.*)\)")):
        if match := re.fullmatch(pattern, text):
            return holder, match[1]
    return "", text


def agrees(field: Field, wanted: str) -> bool:
    holder, text = read_type(wanted)
    if field.type == "strings" and (holder, text) == ("map", "list[str]"):
        return field.is_map
    if field.type == "strings" and (holder, text) == ("list", "str"):
        return not field.is_map
    if (holder == "list", holder == "map") != (field.is_list, field.is_map):
        return False
    name = field.type.rpartition(".")[2]
    return text.endswith(name) if field.is_message else field.type in SIMPLE[text]


# An early field that later versions have no more.
GONE = {("core.v1.PodResourceClaim", "source")}


@pytest.mark.parametrize("message", [each for each in MESSAGES if model_of(each)], ids=lambda each: each.name)
def test_a_message_has_the_fields_of_a_cluster(message: Message) -> None:
    model = model_of(message)
    fields = {field.name: field for field in message.fields()}
    types = {model.attribute_map[name]: text for name, text in model.openapi_types.items()}
    wanted = {name: text for name, text in types.items() if (message.name, name) not in GONE}
    of_kinds = {"apiVersion", "kind"} - fields.keys()
    assert wanted.keys() - of_kinds <= fields.keys()
    assert {name: text for name, text in wanted.items() if name in fields and not agrees(fields[name], text)} == {}


# In newer versions than that of the client these need not be said any longer.
NO_LONGER_REQUIRED = {
    ("apps.v1.StatefulSetSpec", "serviceName"),
    ("networking.v1.NetworkPolicySpec", "podSelector"),
}


@pytest.mark.parametrize("message", [each for each in MESSAGES if model_of(each)], ids=lambda each: each.name)
def test_a_message_asks_for_what_a_cluster_asks_for(message: Message) -> None:
    model = model_of(message)
    needed = {
        model.attribute_map[name]
        for name in model.attribute_map
        if "must not be `None`" in inspect.getsource(getattr(model, name).fset)
    }
    said = {field.name for field in message.fields() if field.is_documented_required}
    assert {name for name in needed - said if (message.name, name) not in NO_LONGER_REQUIRED} == set()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: each.name)
def test_a_table_holds_together(message: Message) -> None:
    numbers = [field.number for field in message.own_fields]
    assert len(numbers) == len(set(numbers))
    names = [field.name for field in message.fields()]
    assert len(names) == len(set(names))
    for field in message.own_fields:
        assert field.facts.keys() <= {
            *(
                "inline",
                "set",
                "map",
                "twins",
                "merge",
                "retainKeys",
                "replace",
                "atomic",
                "granular",
                "enum",
                "default",
            )
        }
        if field.is_message:
            below = {child.name for child in find_message(field.type).fields()}
            keys = {key for fact in ("map", "merge") for key in field.facts.get(fact, "").split(",")}
            assert keys - {"", "retainKeys"} <= below
        assert field.description == "" or field.description.endswith(".")


def test_every_kind_has_a_message_with_a_description() -> None:
    undescribed = [
        kind.message for kind in BUILTIN if kind.openapi is None and not find_message(kind.message).description
    ]
    assert undescribed == []


def test_a_line_that_cannot_be_read_is_told() -> None:
    with pytest.raises(ValueError, match=r"the table of core\.v1 has a line that cannot be read: '  name string'"):
        messages._read_message("Pod\n  name string", "core.v1")
