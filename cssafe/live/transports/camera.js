// The camera in the browser: smooth local video, frames up over a WebSocket, boxes and words drawn over the video.
// Where faces are covered, the newest analysed picture stands there instead of the video: in the video they have moved
// since. Nothing is recorded. `data`: token of the lesson, width and height to ask for (pixels), limit of one JPEG
// (bytes), rate (pictures a second until the server says what it carries), timeout (ms from the camera's start to the first
// result; after that the page gets a notice), stale (ms after which boxes no longer belong to the picture), closeCodes (the server's
// reasons to close), way (how faces appear: shown, blur, mosaic, mask), sentences (code of a notice or state -> sentence), names
// (of emotions and levels), reasons (code -> why a face is not measured), drawing (colours and sizes). Messages of the server:
// messages.py. The figure has data-*: state, faces, results (number drawn), delay (ms from the picture to its drawn result) and
// size (of the analysed picture). States of the component: `stalled` while no first result has come in time; `failed` once the
// server has no networks, which the page then explains.

const QUALITY = 0.6;
const LONGEST_WAIT = 8000;   // ms between two tries to reconnect
const SILENCE = 10000;       // ms without a word that was due, after which a connection counts as dead
const UNANSWERED = 2;        // pictures on their way at once: one travels while the other is analysed
const LATE = 1300, TIMELY = 1000;   // ms from picture to result from which pictures go one at a time, and again two
const FIRST = 640;           // width of the first pictures, pixels, while nothing is known of the line
const HIDDEN_PERIOD = 1000;  // ms; a hidden tab draws no video frames, but the lesson goes on at a frame a second

const FAULTS = {
  NotAllowedError: 'refused', SecurityError: 'refused', NotFoundError: 'none', OverconstrainedError: 'none',
  NotReadableError: 'busy', AbortError: 'busy',
};

// Beside the page, whatever page it is and whatever a proxy or server.baseUrlPath puts before it: pages have
// one word after the app's own address. Streamlit finds its own files in the same way.
function address() {
  return new URL('cssafe/frames', document.baseURI).href.replace(/^http/, 'ws');
}

class Camera {
  constructor(root, data) {
    this.data = data;
    this.figure = root.querySelector('figure');
    this.picture = root.querySelector('.picture');
    this.video = root.querySelector('video');
    this.canvas = root.querySelector('canvas');
    this.text = root.querySelector('.message p');
    this.button = root.querySelector('button');
    this.caption = root.querySelector('figcaption');
    this.scratch = document.createElement('canvas');
    this.renew(data);
    this.scale = Math.min(1, FIRST / data.width);
    this.wait = 500;
    this.onWay = new Map();   // number of each picture on its way -> when it was taken
    this.lastFrame = 0;
    this.most = UNANSWERED;
    this.rate = data.rate;
    this.button.onclick = () => this.start();
    this.video.onresize = () => this.fit();
    this.onLeave = () => this.stop();
    this.onReturn = (event) => { if (event.persisted) this.start(); };
    addEventListener('pagehide', this.onLeave);
    addEventListener('pageshow', this.onReturn);
    this.start();
  }

  renew(data) {   // the page's newest choice of how faces appear, and its sentences
    this.data = data;
    this.button.textContent = data.sentences.again;
    this.figure.toggleAttribute('data-covered', data.way !== 'shown');
  }

  async start() {
    this.stop();
    const run = this.run = {};   // whatever finishes after another start or stop belongs to the past
    if (!navigator.mediaDevices) return this.say('insecure');
    this.say('asking');
    let stream;
    try {
      const { width, height } = this.data;
      const video = { width: { ideal: width }, height: { ideal: height }, facingMode: 'user' };
      stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      const fault = FAULTS[error.name] || 'broken';
      if (run === this.run) this.say(fault, null, true);
      return;
    }
    if (run !== this.run) return stream.getTracks().forEach((track) => track.stop());
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.onended = () => { this.stop(); this.say('stopped', null, true); };
    this.figure.toggleAttribute('data-mirrored', track.getSettings().facingMode !== 'environment');
    this.video.srcObject = stream;
    await this.video.play().catch(() => {});   // interrupted by stop()
    if (run !== this.run) return;
    this.figure.toggleAttribute('data-picture', true);
    this.fit();
    this.expect();
    this.connect(run, 'connecting');
    this.watch(run);
  }

  stop() {
    this.run = null;
    clearTimeout(this.retry);
    clearTimeout(this.patience);
    clearInterval(this.ticking);
    this.leave();
    if (this.stream) this.stream.getTracks().forEach((track) => { track.onended = null; track.stop(); });
    this.stream = this.video.srcObject = null;
    this.figure.toggleAttribute('data-picture', false);
    this.caption.textContent = '';
    this.draw(null);
  }

  destroy() {
    this.stop();
    removeEventListener('pagehide', this.onLeave);
    removeEventListener('pageshow', this.onReturn);
  }

  expect() {   // a first result in time; the clock does not run while the networks load
    clearTimeout(this.patience);
    if (this.figure.dataset.results) return;
    this.patience = setTimeout(() => this.tell('stalled', this.stalled = true), this.data.timeout);
  }

  connect(run, state, notice = null) {
    this.say(state, notice);
    const socket = this.socket = new WebSocket(address(), ['cssafe', this.data.token]);
    this.onWay.clear();
    this.sent = this.judged = this.drawn = 0;
    this.heard = performance.now();
    this.open = this.idle = this.encoding = false;
    socket.onmessage = (event) => { this.wait = 500; this.receive(JSON.parse(event.data)); };
    socket.onclose = (event) => this.lost(run, event);
  }

  leave() {
    if (this.socket) { this.socket.onclose = this.socket.onmessage = null; this.socket.close(); }
    this.socket = null;
    this.open = false;
  }

  lost(run, event) {
    const { refused, too_large: tooLarge, flooded } = this.data.closeCodes;
    const notice = closeNotice(event.reason);
    this.leave();
    this.draw(null);
    if (event.code === refused) return this.say('over', notice);
    if (event.code === tooLarge) this.resize(this.scale * 0.7);
    const shown = [flooded, tooLarge].includes(event.code) ? notice : null;
    this.say('reconnecting', shown);
    this.retry = setTimeout(() => { if (run === this.run) this.connect(run, 'reconnecting', shown); }, this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  receive(message) {
    this.heard = performance.now();
    this.rate = message.rate;
    if (message.state) this.receiveState(message);
    else this.receiveAnswer(message);
  }

  receiveState({ state, notice }) {
    if (state === 'ready') {
      if (this.idle) this.expect();
      this.idle = false;
      this.open = true;
      return this.say('live', notice);
    }
    this.idle = true;   // nothing is due from the server
    clearTimeout(this.patience);
    if (state === 'failed') this.tell('failed', true);
    this.say(state);
  }

  receiveAnswer({ number, overlay, notice, took }) {
    const { taken, jpeg } = this.onWay.get(number);
    const delay = this.heard - taken;
    this.onWay.delete(number);
    if (number >= this.judged) this.resize(nextScale(this.scale, delay - took));   // else sent before the size last changed
    if (delay > LATE) this.most = 1;
    if (delay < TIMELY) this.most = UNANSWERED;
    if (!overlay) {   // a frame without a notice was skipped for a newer one
      if (notice) this.say('live', notice);
      return;
    }
    clearTimeout(this.patience);
    if (this.stalled) this.tell('stalled', this.stalled = false);
    const { dataset } = this.figure;
    dataset.delay = Math.round(delay);
    dataset.size = overlay.size.join('x');
    this.say('live', overlay.notice || notice);
    dataset.faces = overlay.faces.length;
    dataset.results = Number(dataset.results || 0) + 1;
    this.caption.textContent = captionOf(this.data.sentences, this.data.names, overlay);
    this.show(number, overlay, jpeg);
    clearTimeout(this.clear);
    this.clear = setTimeout(() => this.draw(null), this.data.stale);
  }

  async show(number, overlay, jpeg) {
    if (this.data.way === 'shown') return this.draw(overlay);
    const { socket } = this, picture = await createImageBitmap(jpeg);
    if (socket === this.socket && number >= this.drawn) {
      this.drawn = number;
      this.draw(overlay, picture);
    }
    picture.close();
  }

  watch(run) {   // send a frame whenever the video has a new one
    const next = () => {
      if (run !== this.run) return;
      this.send();
      if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(next);
      else setTimeout(next, 1000 / this.data.rate);
    };
    next();
    this.ticking = setInterval(() => {
      const now = performance.now();
      if (now - this.lastFrame > HIDDEN_PERIOD * 0.9) this.send();
      const due = this.onWay.size || !this.open && !this.idle;
      // A dead line closes nothing by itself.
      if (this.socket && due && now - this.heard > SILENCE + 2000 / this.rate) this.lost(run, {});
    }, HIDDEN_PERIOD);
  }

  resize(scale) {   // smaller pictures on a slow line
    if (scale === this.scale) return;
    this.scale = limitScale(scale);
    this.judged = this.sent;
  }

  send() {   // as often as the server carries, and few at a time: delay cannot build up
    const { socket, video, scratch } = this, now = performance.now();
    if (!this.open || this.encoding || this.onWay.size >= this.most || socket.readyState !== WebSocket.OPEN || !video.videoWidth) return;
    if (now - this.lastFrame < 1000 / this.rate - 10) return;   // 10 ms: the video's own beat is not ours
    this.lastFrame = now;
    this.encoding = true;
    const factor = Math.min(1, this.data.width / video.videoWidth) * this.scale;
    scratch.width = Math.round(video.videoWidth * factor);
    scratch.height = Math.round(video.videoHeight * factor);
    scratch.getContext('2d').drawImage(video, 0, 0, scratch.width, scratch.height);
    scratch.toBlob((blob) => {
      if (socket !== this.socket || socket.readyState !== WebSocket.OPEN) return;
      this.encoding = false;
      if (!blob || blob.size > this.data.limit) return this.resize(this.scale * 0.8);
      this.onWay.set(this.sent++, { taken: now, jpeg: blob });
      socket.send(blob);
    }, 'image/jpeg', QUALITY);
  }

  fit() {   // the picture keeps the camera's own shape, whatever it is and becomes
    if (this.video.videoWidth) this.picture.style.aspectRatio = `${this.video.videoWidth} / ${this.video.videoHeight}`;
  }

  draw(overlay, picture = null) {
    const { way, drawing: look, names, reasons } = this.data;
    if (overlay && way !== 'shown' && !picture) overlay = null;   // chosen since it was asked for
    paint(this.canvas, overlay, picture, { way, mirrored: this.figure.hasAttribute('data-mirrored'), look, names, reasons });
  }

  // The notice, or the state's own sentence without one.
  say(state, notice = null, retry = false) {
    const { sentences } = this.data;
    const words = sentenceOf(sentences, notice) || sentenceOf(sentences, { code: state });
    this.figure.dataset.state = state;
    if (this.text.textContent !== words) this.text.textContent = words;
    this.button.hidden = !retry;
    if (state !== 'live') this.caption.textContent = '';
  }
}

export default function (component) {   // called again whenever the page is drawn again
  const { parentElement: root, data, setStateValue: tell } = component;
  if (root.camera && root.camera.data.token !== data.token) { root.camera.destroy(); root.camera = null; }
  if (!root.camera) root.camera = new Camera(root, data);
  root.camera.renew(data);
  root.camera.tell = tell;
  return () => { if (root.camera) { root.camera.destroy(); root.camera = null; } };
}
