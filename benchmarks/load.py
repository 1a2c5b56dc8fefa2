"""Requests as many as go through: wrk where it is installed, else processes of our own."""

import re
import shutil
import socket
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

CONNECTIONS = 16
_SENDERS = 2  # processes, when there is no wrk
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_SCRIPT = 'wrk.method = "POST"'


def generator() -> str:
    """The name of what sends the requests."""
    return "wrk" if shutil.which("wrk") else f"{_SENDERS} Python processes (wrk is not installed: rates are theirs)"


def send(port: int, path: str, *, seconds: int, host: str = "gateway") -> float:
    """Send POST requests for a while; give how many were answered each second, whatever the answer."""
    if wrk := shutil.which("wrk"):
        return _send_by_wrk(wrk, port, path, seconds=seconds, host=host)
    with ProcessPoolExecutor(_SENDERS, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(_send_alone, [port] * _SENDERS, [path] * _SENDERS, [seconds] * _SENDERS, [host] * _SENDERS))


def _send_by_wrk(wrk: str, port: int, path: str, *, seconds: int, host: str) -> float:
    url = f"http://127.0.0.1:{port}{path}"
    options = [
        "--threads",
        "1",
        "--connections",
        str(CONNECTIONS),
        "--duration",
        f"{seconds}s",
        "--header",
        f"Host: {host}",
        "--script",
        "/dev/stdin",
    ]
    said = subprocess.run([wrk, *options, url], input=_SCRIPT, check=True, capture_output=True, text=True).stdout
    rate = _RATE.search(said)
    if rate is None:
        raise RuntimeError(f"wrk told no rate: {said}")
    return float(rate[1])


def _send_alone(port: int, path: str, seconds: int, host: str) -> float:
    request = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n".encode()
    answered, end = 0, time.perf_counter() + seconds
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while time.perf_counter() < end:
            connection.sendall(request)
            # The answers are short and come one at a time, so each arrives whole.
            connection.recv(65536)
            answered += 1
    return answered / seconds
