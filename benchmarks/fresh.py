"""Processes for measurements that must not see what an earlier one left behind."""

import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_STATUS = re.compile(r"^(\w+):\s+(\d+) kB$", re.MULTILINE)


def in_fresh_process(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a process of its own, one that inherits nothing."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def peak_memory() -> int:
    """The most memory this process has held at once, in bytes."""
    return read_status("VmHWM")


def resident_memory() -> int:
    """The memory this process holds, in bytes."""
    return read_status("VmRSS")


def read_status(name: str, process: int | str = "self") -> int:
    """Read what Linux tells of a process's memory, in bytes.

    Args:
        name: Such as ``VmRSS``.
        process: Its number; "self" is this one.
    """
    told = dict(_STATUS.findall(Path(f"/proc/{process}/status").read_text()))
    if name not in told:
        raise RuntimeError(f"/proc/{process}/status does not tell {name}")
    return int(told[name]) * 1024
