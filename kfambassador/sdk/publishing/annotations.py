"""Our documents in an annotation that other people write in as well. Pure.

Each exposure has one block between two comment lines that name it, so that whoever reads the Service knows where the
documents come from. What stands outside of a block is never read as YAML here: it stays as it is, byte for byte,
whether it can be read or not.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from kfambassador.resources.documents import write_documents

# On a line after the separator: some readers of YAML refuse a comment on the separator's own line.
_BEGIN = re.compile(
    r"# kfambassador: exposure (?P<name>\S+) begins here(?P<broken>, with the line break before it)?[,;.].*"
)
_END = re.compile(r"# kfambassador: exposure (?P<name>\S+) ends here\b.*")
_NAME = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_SEPARATOR = re.compile(r"---\s*")
_STARTS_WITH_SEPARATOR = re.compile(r"---(?=\s|\Z)")
_BEGINS: Final = "begins here"
_BROKEN: Final = ", with the line break before it"


@dataclass(frozen=True, slots=True)
class _Block:
    """The documents of one exposure.

    Attributes:
        name: The exposure.
        opening: The separator and the line that says what begins.
        body: The documents, with the separators between them.
        closing: The line that says that it ends.
    """

    name: str
    opening: str
    body: str
    closing: str

    @property
    def is_broken(self) -> bool:
        """Whether the line break before it is ours: the text before it ended without one."""
        return _BROKEN in self.opening

    def break_line(self, *, needed: bool) -> "_Block":
        """The same block, saying whether the line break before it is ours."""
        if needed == self.is_broken:
            return self
        said, meant = (_BEGINS, _BEGINS + _BROKEN) if needed else (_BEGINS + _BROKEN, _BEGINS)
        return replace(self, opening=self.opening.replace(said, meant, 1))


_Piece: TypeAlias = str | _Block


def put_documents(text: str, documents: Sequence[Dict[str, object]], *, exposure: str) -> str:
    r"""Put the documents of an exposure into an annotation: where they stood before, else after everything else.

    What others wrote stays byte for byte. To tell their last document from ours a line break is added where their text
    ends without one; the block remembers that it is ours.

    Args:
        text: The annotation as it is, "" when there is none.
        documents: The documents in order. None of them at all takes the block out.
        exposure: The name they are published by.

    Raises:
        ValueError: The name is empty or has white space in it, so that no line could be marked with it.

    Example:
        >>> print(put_documents("a: 1", [{"kind": "Mapping"}, {"b": 2}], exposure="mnist"), end="")
        a: 1
        ---
        # kfambassador: exposure mnist begins here, with the line break before it; publishing it again replaces it all
        kind: Mapping
        ---
        b: 2
        # kfambassador: exposure mnist ends here
    """
    if not documents:
        return take_documents(text, exposure=exposure)
    block = _write_block(documents, _check_name(exposure))
    pieces: list[_Piece] = []
    for piece in _read_pieces(text):
        if not _is_of(piece, exposure):
            pieces.append(piece)
        elif block not in pieces:
            pieces.append(block)
    if block not in pieces:
        pieces.append(block)
    return _write_pieces(pieces)


def take_documents(text: str, *, exposure: str) -> str:
    r"""Take the documents of an exposure out of an annotation; all others stay byte for byte.

    Where somebody wrote a document right after the block and left the separator to it, one is put in its place.

    Example:
        >>> merged = put_documents("a: 1\n", [{"kind": "Mapping"}], exposure="mnist")
        >>> take_documents(merged, exposure="mnist")
        'a: 1\n'
    """
    pieces = [*_read_pieces(text)]
    kept = [piece for piece in pieces if not _is_of(piece, exposure)]
    return text if len(kept) == len(pieces) else _write_pieces(kept)


def find_documents(text: str, *, exposure: str) -> str:
    r"""Find the documents of an exposure in an annotation, as text; "" when there are none.

    Example:
        >>> find_documents(put_documents("a: 1", [{"b": 2}], exposure="mnist"), exposure="mnist")
        'b: 2\n'
    """
    return "---\n".join(
        piece.body for piece in _read_pieces(text) if isinstance(piece, _Block) and piece.name == exposure
    )


def list_exposures(text: str) -> tuple[str, ...]:
    """List the exposures that have documents in an annotation, in order.

    Example:
        >>> list_exposures(put_documents("a: 1", [{"b": 2}], exposure="mnist"))
        ('mnist',)
    """
    return tuple(dict.fromkeys(piece.name for piece in _read_pieces(text) if isinstance(piece, _Block)))


def _check_name(exposure: str) -> str:
    if not _NAME.fullmatch(exposure):
        raise ValueError(f"exposure={exposure!r} is no name: give one without white space, such as 'mnist'.")
    return exposure


def _is_of(piece: _Piece, exposure: str) -> bool:
    return isinstance(piece, _Block) and piece.name == exposure


def _write_block(documents: Sequence[Dict[str, object]], exposure: str) -> _Block:
    return _Block(
        exposure,
        opening=f"---\n# kfambassador: exposure {exposure} begins here; publishing it again replaces it all\n",
        body=write_documents(*documents).removeprefix("---\n"),
        closing=f"# kfambassador: exposure {exposure} ends here\n",
    )


def _read_pieces(text: str) -> Iterator[_Piece]:
    """Cut a text into blocks and what stands between them.

    A block has both its lines: where somebody took one away, nobody can say what is whose, and all of it is theirs.
    """
    lines = _LINE.findall(text)
    start, begin, opened = 0, 0, ""
    for number, line in enumerate(lines):
        opening, closing = _BEGIN.fullmatch(line.rstrip()), _END.fullmatch(line.rstrip())
        if opening:
            begin, opened = number, opening["name"]
        elif closing and opened == closing["name"]:
            first = begin - 1 if begin > start and _SEPARATOR.fullmatch(lines[begin - 1]) else begin
            block = _join_block(lines, first, begin, number, name=opened)
            yield from _end_before(lines[start:first], block)
            yield block
            start, opened = number + 1, ""
    if start < len(lines):
        yield "".join(lines[start:])


def _join_block(lines: Sequence[str], first: int, begin: int, end: int, *, name: str) -> _Block:
    return _Block(name, "".join(lines[first : begin + 1]), "".join(lines[begin + 1 : end]), lines[end])


def _end_before(lines: Iterable[str], block: _Block) -> Iterator[str]:
    """Give what stands before a block, without the line break that is the block's."""
    text = "".join(lines)
    if block.is_broken:
        # An editor that ends all lines otherwise has changed ours as well.
        rewritten = block.opening.endswith("\r\n") and text.endswith("\r\n")
        text = text.removesuffix("\r\n" if rewritten else "\n")
    if text:
        yield text


def _write_pieces(pieces: Iterable[_Piece]) -> str:
    text, before = "", None
    for piece in pieces:
        breaks = "" if not text or text.endswith("\n") else "\n"
        if isinstance(piece, _Block):
            block = piece.break_line(needed=bool(breaks) and isinstance(before, str))
            text += breaks + block.opening + block.body + block.closing
        else:
            text += breaks + _keep_apart(before, piece) + piece
        before = piece
    return text


def _keep_apart(before: _Piece | None, after: str) -> str:
    """Give the separator that two texts need which a block kept apart."""
    both = isinstance(before, str) and before.strip() and after.strip()
    return "---\n" if both and not _STARTS_WITH_SEPARATOR.match(after) else ""
