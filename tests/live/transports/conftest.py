"""What the tests of transports share."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cssafe.live.engine import Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports import websocket
from tests.support.fake_pipelines import Crowd


@pytest.fixture
def pipeline():
    return Crowd()


@pytest.fixture
def client(pipeline, lesson):
    engine = Engine(lambda: pipeline).start()
    lessons = {lesson.token: lesson}

    def find(token: str) -> LiveLesson | None:
        found = lessons.get(token)
        return None if found is None or found.ended else found

    origins = ("https://school.example", "https://*.cloud.example")
    routes = websocket.routes(lambda: engine, find, lambda: origins, lambda: {"problem": ""})
    with TestClient(Starlette(routes=routes)) as client:
        client.lessons = lessons
        yield client
    engine.close()
