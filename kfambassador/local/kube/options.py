"""Options: what a caller may ask for beside the object itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from kfambassador.local.kube.documents import Document

#: Sees to it that the caller may write an object: as it will be, and as it was, None when it is new.
Permit: TypeAlias = Callable[[Document, Document | None], None]


def permit_everything(_document: Document, _before: Document | None) -> None:
    """Let everything be written."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How to write.

    Attributes:
        manager: The field manager's name.
        dry_run: Whether to answer as usual and store nothing.
        force: Whether a server-side apply may take fields over from others.
        validation: What to do about unknown fields: ``Strict``, ``Warn`` or ``Ignore``.
        permit: Sees to it that the caller may write just this; asked before anything is stored.
    """

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    validation: str = "Warn"
    permit: Permit = permit_everything


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete.

    Attributes:
        uid: The uid the object must have, "" for any.
        version: The resourceVersion it must have, "" for any.
        policy: What becomes of the objects it owns: ``Background``, ``Foreground`` or ``Orphan``.
        dry_run: Whether to answer as usual and delete nothing.
    """

    uid: str = ""
    version: str = ""
    policy: str = "Background"
    dry_run: bool = False
