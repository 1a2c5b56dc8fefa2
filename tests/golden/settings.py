"""The reference of the controller's settings, written from what the settings say of themselves."""

from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from kfambassador.controller.loading import name_flag, name_variable
from kfambassador.controller.options import ControllerOptions, tell_about
from kfambassador.resources.validation import show

_BEGINNING = f"""\
# Settings of the controller

Made from the settings' own descriptions by `make golden`. A setting of `kfambassador controller` can be said in
several places; what stands higher goes before what stands lower, and that before the default:

1. a flag, `{name_flag("log_level")}` for `log_level`; for what is true or false `{name_flag("events")}` and
   `{name_flag("no_events")}`
2. the environment, `{name_variable("log_level")}`; an empty variable says nothing
3. Ambassador's own variable where there is one, so that a Deployment written for it means the same
4. a YAML file, `log_level: debug`, that `{name_flag("config")}` or `{name_variable("config")}` names; a setting that
   there is not is refused, with the nearest one

A value that a setting cannot have ends the command at once, with exit code 2 and the place where it stands. Nothing
is read again while it runs.

A Service called `kfambassador` makes Kubernetes set variables that begin with `KFAMBASSADOR_` as well
(`KFAMBASSADOR_PORT`, `KFAMBASSADOR_SERVICE_HOST`); none of them is the name of a setting.
"""

_END = """\

## One namespace, or certain labels

With `namespace`, or `single_namespace` for the gateway's own, everything is listed and watched in that namespace, and
a Role in it is enough where a ClusterRole was needed. What speaks for everybody (Modules, AuthServices and their like
as resources, and Secrets) is read in the gateway's own namespace, also where that is another one; in annotations of
that other namespace it is not seen.

With `label_selector` the cluster itself leaves Mappings without the labels out. Services are still known, so a
mapping may point at one without; only what its annotation says is not heard. Annotations in the gateway's
own namespace and what speaks for everybody are heard without labels: an AuthService whose label was forgotten must
not leave a door open.

## What is kept

Each table that every Envoy has acknowledged is kept in `state_dir`, in one file, `last-known-good`, the newest in
place of the one before. Where the cluster cannot be read when a controller starts, Envoy gets that at once; the log
says so (`The cluster cannot be read`), `/readyz` says it beside what is missing, and
`kfambassador_last_known_good_in_use` is 1. Once every kind was listed, what the cluster says takes its place in one
step. An Envoy that holds something newer is left as it is.

- It is what Envoy is told, so **private keys of TLS towards services are in it**, in a file of mode 0600 that only
  the controller's user can read and that is refused when anybody else could have written it. Give `state_dir` a
  volume of the pod's own, in memory where keys may not reach a disk; nothing is lost for good when it goes.
- It is written beside the old file and moved there whole. One that is damaged, or written by another version or with
  other settings (listener, policy, namespace, labels), is not used, and the log says why.
- It is as old as the last change. What ended meanwhile (`kfambassador/expires-at`) is served until the cluster
  answers.

## Log lines

`log_format: json` writes an object a line: `time` in UTC, `level`, `logger`, `message`, and what the line is about,
such as `generation`, `routes`, `clusters`, `causes`, a problem's `code`, `severity` and `origin` (`kind`,
`namespace`, `name`, `document`, `field`), or a stack `trace`. Each generation is a line, and each problem that came
or went.

The same words are written 5 times a minute at most, and lines that differ in names only 100 times in ten seconds; the
next one says how many were left out. Tokens, passwords in addresses and keys are left out wherever they stand, and
values of headers that mappings add wherever a problem would quote them.

The level can be changed while it runs, until the controller ends: `curl -X PUT -d debug` to the read API's
`/ambassador/v0/log-level`, by whoever may see everything; `GET` tells it.
"""


def write_settings() -> str:
    """Write the page."""
    lines, group = [_BEGINNING], ""
    for name, field in ControllerOptions.model_fields.items():
        about = tell_about(field)
        if about["group"] != group:
            group = about["group"]
            lines += [f"## {group}\n", "| setting | value | default | meaning |", "| --- | --- | --- | --- |"]
            lines[-3] = lines[-3] if len(lines) == 4 else f"\n{lines[-3]}"
        theirs = f" Ambassador: `{about['ambassador']}`." if about["ambassador"] else ""
        cells = (f"`{name}`", _phrase(field), _show_default(field), f"{field.description}{theirs}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, _END])


def _phrase(field: FieldInfo) -> str:
    """Say what the value is."""
    if get_origin(field.annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(field.annotation))
    kinds = {each for each in (get_args(field.annotation) or (field.annotation,)) if each is not type(None)}
    words = {bool: "true or false", int: "whole number", float: "number", Path: "path"}
    return next((word for kind, word in words.items() if kind in kinds), "text")


def _show_default(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default in (None, ""):
        return ""
    return f"`{show(field.default) if isinstance(field.default, bool) else field.default}`"
