"""A network of its own for a server, joined to this machine by one cable: what WebRTC needs that 127.0.0.1 is not.

Making one takes root and iproute2; where that is not allowed the tests are skipped, with CSSAFE_REQUIRE_BROWSER=1 as well:
a container often may not."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Network:
    """host: the server's address in it. prefix: what a command begins with to run in it. cable: its
    end on this machine."""

    host: str
    prefix: tuple[str, ...]
    cable: str

    def pull(self) -> None:
        """Cut the connection to this machine."""
        _ip("link", "set", self.cable, "down")

    def plug(self) -> None:
        _ip("link", "set", self.cable, "up")

    def sockets(self) -> int:
        """How many UDP sockets are open in it: those of WebRTC, for nothing else in it uses UDP."""
        done = subprocess.run([*self.prefix, "cat", "/proc/net/udp"], capture_output=True, text=True, check=True)
        return len(done.stdout.splitlines()) - 1


@contextmanager
def network() -> Iterator[Network]:
    name = f"cssafe{os.getpid()}"
    subnet = f"10.77.{os.getpid() % 250}"
    inside, outside = f"{name}a", f"{name}b"
    try:
        _ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs a network namespace, which cannot be made here ({error})")
    try:
        _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
        _ip("addr", "add", f"{subnet}.2/24", "dev", outside)
        _ip("link", "set", outside, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "addr", "add", f"{subnet}.1/24", "dev", inside)
        _ip("-n", name, "link", "set", inside, "up")
        yield Network(f"{subnet}.1", ("ip", "netns", "exec", name), outside)
    finally:
        _ip("netns", "del", name)  # and its cable with it


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
