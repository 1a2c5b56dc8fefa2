"""SPDY as kubectl speaks it, to the byte."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube.pods.spdy import (
    DICTIONARY,
    Asked,
    BadSpdy,
    Came,
    Dropped,
    Opened,
    Reader,
    Writer,
    write_data,
    write_go_away,
)

HEADERS = {"streamtype": "data", "port": "8080", "requestid": "0"}


class Client:
    """The other side, by hand."""

    def __init__(self) -> None:
        self._deflater = zlib.compressobj(zdict=DICTIONARY)

    def open(self, stream: int, headers: dict[str, str], *, flags: int = 0) -> bytes:
        text = struct.pack(">I", len(headers))
        for word in (word for pair in headers.items() for word in pair):
            text += struct.pack(">I", len(word)) + word.encode()
        block = self._deflater.compress(text) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        return control(1, struct.pack(">IIH", stream, 0, 0) + block, flags=flags)


def control(kind: int, body: bytes, *, flags: int = 0, version: int = 3) -> bytes:
    return struct.pack(">HHI", 0x8000 | version, kind, flags << 24 | len(body)) + body


def test_the_dictionary_is_the_one_both_sides_know() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


def test_streams_are_opened_spoken_by_and_dropped() -> None:
    client = Client()
    said = (
        client.open(1, HEADERS | {"StreamType": "error"}, flags=1)
        + client.open(3, HEADERS)
        + struct.pack(">II", 3, 5)
        + b"hello"
        + struct.pack(">II", 3, 1 << 24)
        + control(3, struct.pack(">II", 3, 5))
        + control(6, b"\0\0\0\x07")
        + control(4, b"\0\0\0\0")
    )
    assert list(Reader().read(said)) == [
        Opened(1, HEADERS | {"streamtype": "error"}),
        Came(1, b"", is_last=True),
        Opened(3, HEADERS),
        Came(3, b"hello", is_last=False),
        Came(3, b"", is_last=True),
        Dropped(3),
        Asked(control(6, b"\0\0\0\x07")),
    ]


@given(st.lists(st.binary(max_size=50), max_size=8), st.integers(1, 40))
def test_frames_may_come_in_any_pieces(said: list[bytes], size: int) -> None:
    sent = b"".join(write_data(5, data) for data in said)
    reader = Reader()
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    found = [frame for piece in pieces for frame in reader.read(piece)]
    assert found == [Came(5, data, is_last=False) for data in said]


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    try:
        list(Reader().read(data))
        list(Reader().read(b"\x80\x03\x00\x01\x00\x00" + len(data).to_bytes(2) + data))
    except BadSpdy:
        pass


@pytest.mark.parametrize(
    "frame",
    [
        control(1, b"", version=2),
        control(1, b"\0"),
        control(1, struct.pack(">IIH", 1, 0, 0) + b"no zlib"),
        control(1, struct.pack(">IIH", 1, 0, 0) + zlib.compress(b"\xff" * 8, 0)),
        control(3, b""),
    ],
)
def test_what_is_no_spdy_is_refused(frame: bytes) -> None:
    with pytest.raises(BadSpdy):
        list(Reader().read(frame))


def test_a_stream_is_accepted() -> None:
    writer = Writer()
    for stream in (1, 3):
        reply = writer.write_reply(stream)
        assert reply[:4] == b"\x80\x03\x00\x02"
        assert int.from_bytes(reply[8:12]) == stream
    first = Writer().write_reply(1, [("a", "b")])
    inflater = zlib.decompressobj(zdict=DICTIONARY)
    assert inflater.decompress(first[12:]) == b"\0\0\0\x01\0\0\0\x01a\0\0\0\x01b"


def test_the_end_is_announced() -> None:
    assert write_go_away(0) == control(7, b"\0\0\0\0\0\0\0\0")
    assert list(Reader().read(write_go_away(0))) == []
