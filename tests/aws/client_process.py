"""The process at the other end of a connection, and signals to it."""

from __future__ import annotations

import os
import time

import psutil


class NoClientProcess(Exception):
    """The client is not a child of this process, so that nothing may be sent to it."""


def send_signal(port: int, number: int) -> None:
    """Send signal *number* to the descendant of this process that has the local *port*, and let it arrive.

    Raises:
        NoClientProcess: when the client is this process itself, or one that is not ours.
    """
    for process in psutil.Process().children(recursive=True):
        if _has_port(process, port):
            process.send_signal(number)
            _until_dead(process, number)
            return
    raise NoClientProcess(f"no child process has port {port}: run the client as a child to signal it")


def _has_port(process: psutil.Process, port: int) -> bool:
    try:
        return any(c.laddr and c.laddr.port == port for c in process.net_connections("tcp"))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _until_dead(process: psutil.Process, number: int) -> None:
    """After SIGKILL wait, so that a killed client cannot act on an answer; other signals get a moment to be seen."""
    if number != 9:
        time.sleep(0.05)
        return
    for _ in range(200):
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.005)
    raise TimeoutError(f"process {process.pid} lives on after SIGKILL, seen from {os.getpid()}")
