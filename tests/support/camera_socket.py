"""The camera's side of the WebSocket, by Starlette's test client."""

import json

import pytest
from starlette.websockets import WebSocketDisconnect

from cssafe.live.lesson import LiveLesson
from cssafe.live.transports import websocket

HERE = {"origin": "http://testserver"}


def protocols(token: str) -> list[str]:
    """What a camera offers in its handshake."""
    return [websocket.PROTOCOL, token]


def opened(client, lesson: LiveLesson | str, path: str = "/cssafe/frames", headers: dict | None = None):
    """The socket of a camera: of a lesson, or with that token."""
    token = lesson if isinstance(lesson, str) else lesson.token
    return client.websocket_connect(
        path, headers=dict(HERE if headers is None else headers), subprotocols=protocols(token)
    )


def hello(socket) -> None:
    """Wait until the networks are ready."""
    while socket.receive_json()["state"] != "ready":
        pass


def closed(socket) -> int:
    return farewell(socket)[0]


def farewell(socket) -> tuple[int, str]:
    """Close code and code of the notice; answers that came before are skipped."""
    with pytest.raises(WebSocketDisconnect) as error:
        while True:
            socket.receive_json()
    assert len(error.value.reason.encode()) <= 123  # a close frame takes no more
    return error.value.code, json.loads(error.value.reason)["code"]
