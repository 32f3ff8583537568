"""Video by WebRTC (streamlit-webrtc): the browser's video goes up, the newest frame comes back mirrored, with boxes and words.

Import it only when it is used: the library takes 0.3 s and 20 MB. Its rules, learned by measuring: the callback runs on a
thread of the library's own and may neither fail nor take long; a frame is converted there and nowhere else; the server itself
notices a closed tab only after half a minute."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import av
import numpy as np
import streamlit as st
import streamlit_webrtc as library
from streamlit_webrtc.component import generate_frontend_component_key

from cssafe.language import _
from cssafe.live.engine import Answer, Engine, Feed
from cssafe.live.lesson import LiveLesson
from cssafe.live.transports.messages import Overlay
from cssafe.live.transports.websocket_component import CAMERA_SIZES
from cssafe.privacy import Anonymization
from cssafe.settings import OVERLAY_TIMEOUT_S, TRANSPORT_TIMEOUT_S
from cssafe.vision.anonymize import anonymize, anonymize_whole
from cssafe.vision.drawing import draw

log = logging.getLogger(__name__)

STREAM_TIMEOUT_S = 4.0
"""Longest gap between frames: a closed tab must be noticed within five seconds, and a busy machine brings a frame in three."""

RECONNECT_TIMEOUT_S = 30.0
"""Longest wait for the first result of a connection that follows one that worked, instead of TRANSPORT_TIMEOUT_S: a busy
browser takes longer than that to open its camera and call again."""

OFFER_SETTLE_S = 0.4
"""Wait for a newer offer, which starts the page's run again: drawn again while it starts, the library's component calls up to
three times and listens to the answer to the last call only."""

REQUESTED_FRAMES_PER_S = 15
"""Frame rate asked of the browser: each frame is encoded again for the way back, and 30 a second cost half a core."""

PROVIDERS: dict[tuple[str, ...], Callable[..., list]] = {
    ("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN"): library.get_cloudflare_ice_servers,
    ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"): library.get_twilio_ice_servers,
    ("HF_TOKEN",): library.get_hf_ice_servers,
}
"""Names of the secrets (the library's own) -> function that gets STUN and TURN servers from that provider."""


class WebRtcStream:
    """One WebRTC connection of a lesson's camera; a lost one is followed by another."""

    def __init__(
        self,
        lesson: LiveLesson,
        engine: Engine,
        ice_servers: list,
        key: str,
        before: "WebRtcStream | None" = None,
        lost: float = STREAM_TIMEOUT_S,
    ) -> None:
        """ice_servers: STUN and TURN. key: of the component on the page. before: the lesson's last connection; without a
        result its waiting time counts on. lost: see STREAM_TIMEOUT_S."""
        self.lesson = lesson
        self.ice_servers = ice_servers
        self.key = key
        self.over = threading.Event()
        self.hang_up: Callable[[], None] = lambda: None
        """Closes the server's end."""
        self.failed = 0
        self.answered = ""
        """The browser's offer that is answered."""
        self._engine = engine
        self._lost = lost
        self._feed: Feed | None = None
        self._started, self._called = time.monotonic(), False
        self._patience = TRANSPORT_TIMEOUT_S
        if before is not None and before._newest is None:
            self._started, self._called, self._patience = before._started, before._called, before._patience
        elif before is not None:
            self._patience = RECONNECT_TIMEOUT_S
        self._seen = 0.0
        self._frames = 0
        self._offered: dict[int, np.ndarray] = {}
        self._newest: tuple[float, np.ndarray, Overlay] | None = None

    @property
    def stalled(self) -> bool:
        """Whether the browser's call or the first result is late; the time in which the networks load does not count."""
        if self._engine.state == "loading":
            self._started = time.monotonic()
        return self._newest is None and time.monotonic() - self._started > self._patience

    def answer(self, offer: str) -> None:
        """Note the browser's offer: from here on a result is due."""
        self.answered = offer
        if not self._called:
            self._started, self._called = time.monotonic(), True

    def show(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Offer the newest frame for analysis; the frame that the visitor sees. Runs on the library's thread. After an error
        the video goes on, black where faces are to be covered."""
        try:
            image = frame.to_ndarray(format="bgr24")
            self._offer(image)
            return av.VideoFrame.from_ndarray(self._drawn(image), format="bgr24")
        except Exception:
            self.failed += 1
            if self.failed & (self.failed - 1) == 0:  # the 1st, 2nd, 4th, 8th...
                log.exception("A video frame could not be shown (%d so far).", self.failed)
            if self.lesson.way == Anonymization.SHOWN:
                return frame
            return av.VideoFrame.from_ndarray(np.zeros((frame.height, frame.width, 3), np.uint8), format="bgr24")

    def _offer(self, image: np.ndarray) -> None:
        self._seen = time.monotonic()
        if self.over.is_set():
            return
        if self._feed is None:
            self._feed = self.lesson.lease.connect(self._deliver)
            threading.Thread(target=self._watch, args=(self._feed,), name="webrtc-watchdog", daemon=True).start()
        self._offered[self._frames] = image
        self._engine.offer(self._feed, self._frames, image, self.lesson.clock.now())
        self._frames += 1

    def _deliver(self, answer: Answer) -> None:
        image = self._offered.pop(answer.number, None)
        if answer.result is not None and image is not None:
            self._newest = time.monotonic(), image, self.lesson.add_result(answer.result)

    def _drawn(self, image: np.ndarray) -> np.ndarray:
        """The picture mirrored, with the newest result and readable words. Where faces are covered it is the newest analysed
        picture instead: in this one the faces may have moved."""
        newest = self._newest
        if newest is not None and time.monotonic() - newest[0] >= OVERLAY_TIMEOUT_S:
            newest = None
        if (way := self.lesson.way) != Anonymization.SHOWN:
            image = (
                anonymize_whole(image, way) if newest is None else anonymize(newest[1], np.array(newest[2].covers), way)
            )
        width = image.shape[1]
        faces: list[dict] = []
        if newest is not None:
            overlay = newest[2]
            scale = width / overlay.size[0]  # browsers change the size of the video as they go
            for face in overlay.faces:
                x, y, w, h = (value * scale for value in face["box"])
                faces.append(face | {"box": [width - x - w, y, w, h]})
        return draw(image[:, ::-1], faces)

    def _watch(self, feed: Feed) -> None:
        """Wait for the end of the video, of its frames, of the lesson or of its lease; then leave the engine."""
        while not self.over.wait(0.25):
            if time.monotonic() - self._seen > self._lost or not self.lesson.lease.holds(feed):
                self.over.set()
        self._engine.leave(feed)
        self._offered.clear()
        self.lesson.lease.disconnect(feed)
        self.hang_up()


def show_camera(lesson: LiveLesson, engine: Engine) -> bool:
    """Show the camera and analyse its video for this lesson; it stops when the page no longer calls this. Whether no result has
    come in time."""
    stream = _stream(lesson, engine)
    if offer := _offer(stream):
        if not stream.answered:
            time.sleep(OFFER_SETTLE_S)
            stream.answer(offer)
        elif offer != stream.answered:  # the browser waits for an answer to this one: a new connection gives it
            stream.over.set()
            st.rerun()
    try:
        context = _streamer(stream)
    except Exception:  # the negotiation can raise anything
        log.exception("WebRTC could not be negotiated.")
        return True
    if (worker := context._get_worker()) is not None:  # the library has no public way to end a stream from the server
        stream.hang_up = worker.stop
    _follow(stream, stream.stalled)
    return stream.stalled


def _streamer(stream: WebRtcStream) -> library.WebRtcStreamerContext:
    """The library's component on the page."""
    width, height = CAMERA_SIZES[stream.lesson.lesson.audience]
    video = {"width": {"ideal": width}, "height": {"ideal": height}, "frameRate": {"ideal": REQUESTED_FRAMES_PER_S}}
    return library.webrtc_streamer(
        stream.key,
        library.WebRtcMode.SENDRECV,
        # Never None: the library would ask a public server for this computer's address.
        rtc_configuration={"iceServers": stream.ice_servers},
        media_stream_constraints={"video": video, "audio": False},
        # It starts by itself, but not for ever: where the camera is refused the library would ask without a pause.
        desired_playing_state=None if stream.stalled else True,
        video_frame_callback=stream.show,
        on_video_ended=stream.over.set,
        sendback_audio=False,
        video_html_attrs={
            "autoPlay": True,
            "controls": False,
            "muted": True,
            "playsInline": True,
            "style": {"width": "100%", "borderRadius": "0.5rem"},
        },
    )


@st.fragment(run_every=1.0)
def _follow(stream: WebRtcStream, stalled: bool) -> None:
    """Draw the page again when the connection ends, stalls or works after all."""
    if stream.over.is_set() or stream.stalled != stalled:
        st.rerun()


def _offer(stream: WebRtcStream) -> str:
    """The browser's current SDP offer; empty once it is connected."""
    value = st.session_state.get(generate_frontend_component_key(stream.key)) or {}
    return (value.get("sdpOffer") or {}).get("sdp", "")


def _stream(lesson: LiveLesson, engine: Engine) -> WebRtcStream:
    """The page's connection, a new one where the last is over or another lesson's. Each has its own component, so that no state
    is left from the last."""
    stream: WebRtcStream | None = st.session_state.get("webrtc")
    if stream is None or stream.over.is_set() or stream.lesson is not lesson:
        number = st.session_state.get("webrtc_number", 0) + 1
        if stream is not None:
            stream.over.set()  # its component's state stays: the browser may still send to it
        servers, problem = ice_servers(st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {})
        if problem:
            st.warning(problem, icon=":material/warning:")
        before = stream if stream is not None and stream.lesson is lesson else None
        stream = WebRtcStream(lesson, engine, servers, f"webrtc {number}", before)
        st.session_state["webrtc"], st.session_state["webrtc_number"] = stream, number
    return stream


def ice_servers(secrets: Mapping[str, Any]) -> tuple[list, str]:
    """STUN and TURN servers from the secrets, and what is wrong with the secrets, in words for the user. Without any secret
    there are none: on one network none is needed."""
    if "ice_servers" in secrets:
        servers = secrets["ice_servers"]
        if isinstance(servers, list) and all(isinstance(server, Mapping) and "urls" in server for server in servers):
            return [dict(server) for server in servers], ""
        return (
            [],
            _("The secret ice_servers cannot be used: a list of tables with urls (username, credential) is expected."),
        )
    for names, lend in PROVIDERS.items():
        if any(name in secrets for name in names):
            both = _("{one} and {other}").format(one=names[0], other=names[-1]) if len(names) > 1 else names[0]
            try:
                return lend(*(secrets[name] for name in names)), ""
            except KeyError as error:
                words = _("The secret {missing} is missing: {names} belong together.")
                return [], words.format(missing=error, names=both)
            except Exception as error:  # the provider's own, the network's, a package that is not installed
                log.warning("No TURN servers: %s", error)
                words = _("No TURN servers could be had ({error}). The camera tries without; check {names}.")
                return [], words.format(error=error, names=both)
    return [], ""
