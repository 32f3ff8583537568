"""A visitor without a browser: Streamlit's own messages over a real WebSocket. Many of them cost the machine little."""

import json
import time
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

TIMEOUT = 60


class Visitor:
    """An open tab. texts: what the page says; buttons: label -> identifier; token: of the camera's connection. answered: when
    the newest frame that came back with faces was sent, seconds since 1970; 0 before the first."""

    def __init__(self, address: str) -> None:
        self._origin = address
        self.answered = 0.0
        self._server = address.replace("http://", "ws://")
        self._socket = connect(
            f"{self._server}/_stcore/stream", subprotocols=["streamlit"], origin=address, max_size=None
        ).__enter__()

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.__exit__(kind, error, trace)

    def open(self, page: str = "", query: str = "") -> str:
        """Go to a page by its address; what it says."""
        return self._run(page, query)

    def press(self, label: str) -> str:
        """Press a button of the page; what the page says then."""
        return self._run(self._page, "", self.buttons[label])

    def frames(self, jpeg: bytes, number: int, pause: float) -> int:
        """Be the camera of the lesson that runs: send so many frames, each when the one before was answered, and wait
        `pause` seconds in between. How many were answered with faces."""
        answered = 0
        with connect(
            f"{self._server}/cssafe/frames", origin=self._origin, subprotocols=["cssafe", self.token]
        ) as socket:
            while json.loads(socket.recv(TIMEOUT))["state"] != "ready":
                pass
            for _ in range(number):
                sent = time.time()
                socket.send(jpeg)
                if (json.loads(socket.recv(TIMEOUT))["overlay"] or {}).get("faces"):
                    answered, self.answered = answered + 1, sent
                time.sleep(pause)
        return answered

    def _run(self, page: str, query: str, pressed: str = "") -> str:
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string = page, query
        if pressed:
            state.page_script_hash = self._hash
            for identifier, value in self._values.items():
                state.widget_states.widgets.add(id=identifier, string_value=value)
            state.widget_states.widgets.add(id=pressed, trigger_value=True)
        self._page, self.token, self.buttons, self.texts = page, "", {}, []
        self._values: dict[str, str] = {}
        self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._socket.recv(TIMEOUT))
            if (kind := answer.WhichOneof("type")) == "navigation":
                self._hash = answer.navigation.page_script_hash
            elif kind == "delta":
                self._take(answer.delta.new_element)
            elif kind == "script_finished" and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return "\n".join(self.texts)

    def _take(self, element) -> None:
        kind = element.WhichOneof("type")
        if kind == "button":
            self.buttons[element.button.label] = element.button.id
        elif kind == "text_input":
            self._values[element.text_input.id] = element.text_input.default
        elif kind in ("radio", "selectbox"):
            chosen = getattr(element, kind)
            self._values[chosen.id] = chosen.options[chosen.default]
        elif kind == "bidi_component":
            self.token = json.loads(element.bidi_component.json)["token"]
        elif kind in ("markdown", "alert", "heading"):
            self.texts.append(getattr(element, kind).body)
