"""Options: what a caller may ask for beside the object itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from kfambassador.local.kube.documents.document import Document

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
        complaints: What is odd in the text that was sent, as fields that stand there twice; it is dealt with as unknown
            fields are.
    """

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    validation: str = "Warn"
    permit: Permit = permit_everything
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete.

    Attributes:
        uid: The uid the object must have, "" for any.
        version: The resourceVersion it must have, "" for any.
        policy: What becomes of the objects it owns: ``Background``, ``Foreground`` or ``Orphan``; "" leaves it to the
            object's finalizers and its kind.
        dry_run: Whether to answer as usual and delete nothing.
    """

    uid: str = ""
    version: str = ""
    policy: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How to list.

    Attributes:
        version: The revision the list must not be older than, 0 for any.
        is_exact: Whether the list is to be of just that revision.
        limit: The most objects of a page, 0 for no limit.
        rest: The token of the page before, "" for the first page.
    """

    version: int = 0
    is_exact: bool = False
    limit: int = 0
    rest: str = ""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How to watch.

    Attributes:
        version: The revision after which to begin.
        begins_with_all: Whether the objects there are now come first, as if they had just been made.
        marks_end_of_all: Whether a bookmark says where they end.
        has_bookmarks: Whether bookmarks are understood.
        seconds: How long to watch; 0 leaves it to the server.
    """

    version: int = 0
    begins_with_all: bool = False
    marks_end_of_all: bool = False
    has_bookmarks: bool = False
    seconds: int = 0
