"""A visitor without a browser: Streamlit's own messages over a real WebSocket. Many of them cost the machine little."""

import json
import time
import urllib.request
import uuid
from collections.abc import Iterable
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from websockets.sync.client import connect

TIMEOUT = 60


class Visitor:
    """An open tab. texts: what the page says; buttons: label -> identifier; token: of the camera's connection. answered: when
    the newest frame that came back with faces was sent, seconds since 1970; 0 before the first. results: when each such frame
    came back."""

    def __init__(self, address: str) -> None:
        self._origin = address
        self.answered = 0.0
        self.results: list[float] = []
        self._uploaded: tuple | None = None
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

    def upload(self, name: str, content: bytes, label: str) -> str:
        """Choose a file for the page's uploader and press a button; what the page says then."""
        asked = BackMsg()
        asked.file_urls_request.request_id = "1"
        asked.file_urls_request.file_names.append(name)
        asked.file_urls_request.session_id = self._session
        self._socket.send(asked.SerializeToString())
        while (answer := self._receive()).WhichOneof("type") != "file_urls_response":
            pass
        [urls] = answer.file_urls_response.file_urls
        self._send_file(urls.upload_url, name, content)
        self._uploaded = (name, len(content), urls)
        self._run(self._page, "", rerun=True)
        return self.press(label)

    def _send_file(self, path: str, name: str, content: bytes) -> None:
        border, token = uuid.uuid4().hex, generate_xsrf_token_string()
        head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        headers = {
            "Content-Type": f"multipart/form-data; boundary={border}",
            "X-Xsrftoken": token,
            "Cookie": f"_streamlit_xsrf={token}",
            "Origin": self._origin,
        }
        body = head.encode() + content + f"\r\n--{border}--\r\n".encode()
        request = urllib.request.Request(self._origin + path, body, headers, method="PUT")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            assert answer.status < 300

    def frames(self, jpegs: Iterable[bytes], pause: float) -> int:
        """Be the camera of the lesson that runs: send the frames, each when the one before was answered, and wait
        `pause` seconds in between. How many were answered with faces."""
        answered = 0
        with connect(
            f"{self._server}/cssafe/frames", origin=self._origin, subprotocols=["cssafe", self.token]
        ) as socket:
            while json.loads(socket.recv(TIMEOUT))["state"] != "ready":
                pass
            for jpeg in jpegs:
                sent = time.time()
                socket.send(jpeg)
                if (json.loads(socket.recv(TIMEOUT))["overlay"] or {}).get("faces"):
                    answered, self.answered = answered + 1, sent
                    self.results.append(time.time())
                time.sleep(pause)
        return answered

    def _run(self, page: str, query: str, pressed: str = "", rerun: bool = False) -> str:
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string = page, query
        if pressed or rerun:
            state.page_script_hash = self._hash
            if self._uploaded:
                name, size, urls = self._uploaded
                chosen = state.widget_states.widgets.add(id=self._uploader).file_uploader_state_value
                chosen.uploaded_file_info.add(file_id=urls.file_id, name=name, size=size, file_urls=urls)
            for identifier, value in self._values.items():
                state.widget_states.widgets.add(id=identifier, string_value=value)
            if pressed:
                state.widget_states.widgets.add(id=pressed, trigger_value=True)
        self._page, self.token, self.buttons, self.texts = page, "", {}, []
        self._values: dict[str, str] = {}
        self._socket.send(message.SerializeToString())
        while True:
            answer = self._receive()
            if (kind := answer.WhichOneof("type")) == "navigation":
                self._hash = answer.navigation.page_script_hash
            elif kind == "new_session":
                self._session = answer.new_session.initialize.session_id
            elif kind == "delta":
                self._take(answer.delta.new_element)
            elif kind == "script_finished" and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return "\n".join(self.texts)

    def _receive(self) -> ForwardMsg:
        answer = ForwardMsg()
        answer.ParseFromString(self._socket.recv(TIMEOUT))
        return answer

    def _take(self, element) -> None:
        kind = element.WhichOneof("type")
        if kind == "button":
            self.buttons[element.button.label] = element.button.id
        elif kind == "file_uploader":
            self._uploader = element.file_uploader.id
        elif kind == "text_input":
            self._values[element.text_input.id] = element.text_input.default
        elif kind in ("radio", "selectbox"):
            chosen = getattr(element, kind)
            self._values[chosen.id] = chosen.options[chosen.default]
        elif kind == "bidi_component":
            self.token = json.loads(element.bidi_component.json)["token"]
        elif kind in ("markdown", "alert", "heading"):
            self.texts.append(getattr(element, kind).body)
