"""A camera that connects to the app's server over a real socket."""

import json

from websockets.sync.client import connect

from tests.support.fake_pipelines import JPEG

LIMIT = 60
"""Seconds after which a test counts as stuck."""


def answer(address: str, token: str) -> dict:
    """What a camera that connects with this token hears of a picture."""
    with connect(
        f"ws://{address}/cssafe/frames",
        origin=f"http://{address}",
        subprotocols=["cssafe", token],
        open_timeout=LIMIT,
    ) as camera:
        while json.loads(camera.recv(LIMIT))["state"] != "ready":
            pass
        camera.send(JPEG)
        return json.loads(camera.recv(LIMIT))
