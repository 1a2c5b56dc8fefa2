"""WebSocket frames, against the examples of RFC 6455 and every length that is written differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.kube.frames import BINARY, CLOSE, PING, Frame, FrameReader, write_frame

MASK = bytes.fromhex("37fa213d")


def as_a_server(opcode: int, payload: bytes) -> bytes:
    """The same frame unmasked, as a server sends it."""
    written = bytearray(write_frame(opcode, payload, mask=bytes(4)))
    length = written[1] & 0x7F
    start = 2 + {126: 2, 127: 8}.get(length, 0)
    written[1] &= 0x7F
    return bytes(written[:start] + written[start + 4 :])


def test_a_frame_is_written_as_the_rfc_has_it() -> None:
    assert write_frame(0x1, b"Hello", mask=MASK).hex(" ") == "81 85 37 fa 21 3d 7f 9f 4d 51 58"


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_every_length_is_read_as_it_was_written(length: int) -> None:
    payload = bytes(index % 251 for index in range(length))
    assert list(FrameReader().feed(as_a_server(BINARY, payload))) == [Frame(BINARY, payload)]


@given(payloads=st.lists(st.binary(max_size=300), max_size=5), cut=st.integers(1, 50))
def test_frames_are_read_however_they_are_cut(payloads: list[bytes], cut: int) -> None:
    stream = b"".join(as_a_server(opcode, each) for each in payloads for opcode in (BINARY, PING, CLOSE))
    reader = FrameReader()
    pieces = [stream[start : start + cut] for start in range(0, len(stream), cut)]
    read = [frame for piece in pieces for frame in reader.feed(piece)]
    assert read == [Frame(opcode, each) for each in payloads for opcode in (BINARY, PING, CLOSE)]


@given(payload=st.binary(max_size=1000), mask=st.binary(min_size=4, max_size=4))
def test_masked_twice_it_is_what_it_was(payload: bytes, mask: bytes) -> None:
    once = write_frame(BINARY, payload, mask=mask)[-len(payload) :] if payload else b""
    again = write_frame(BINARY, once, mask=mask)[-len(payload) :] if payload else b""
    assert again == payload


@pytest.mark.parametrize(
    "stream", [write_frame(BINARY, b"x", mask=MASK), bytes([0x82, 127]) + (1 << 40).to_bytes(8, "big")]
)
def test_what_no_server_sends_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        list(FrameReader().feed(stream))
