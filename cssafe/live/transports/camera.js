// The camera in the browser: smooth local video, frames up over a WebSocket, boxes and words drawn over the video.
// Where faces are covered, the newest analysed picture stands there instead of the video: in the video they have moved
// since. Nothing is recorded. `data`: token of the lesson, width and height to ask for (pixels), limit of one JPEG
// (bytes), rate (pictures a second until the server says what it carries), timeout (ms from the camera's start to the first
// result; after that the page is told), stale (ms after which boxes no longer belong to the picture), codes (the server's
// reasons to close), way (how faces appear: shown, blur, mosaic, mask), words (what is said here, by its name), told (what the
// server says in English -> the same in the language of the page). The figure tells in data-*: state, faces, results (how many
// were drawn), delay (ms from the picture to its drawn result) and size (of the analysed picture). States of the component:
// `stalled` while no first result has come in time; `failed` once the server has no networks, which the page then explains.

const QUALITY = 0.6;
const LONGEST_WAIT = 8000;   // ms between two tries to reconnect
const SILENCE = 10000;       // ms without a word that was due, after which a connection counts as dead
const UNANSWERED = 2;        // pictures on their way at once: one travels while the other is analysed
const AIM = 700;             // ms that a picture and its answer may spend on the line: two results a second, and time to analyse
const LATE = 1300, TIMELY = 1000;   // ms from picture to result from which pictures go one at a time, and again two
const FIRST = 640;           // width of the first pictures, pixels, while nothing is known of the line
const SMALLEST = 0.5;        // of the width asked for: below that the faces of a class can no longer be read
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

  renew(data) {   // the page's newest word on how faces appear, and its words
    this.data = data;
    this.words = data.words;
    this.button.textContent = data.words.again;
    this.figure.toggleAttribute('data-covered', data.way !== 'shown');
  }

  async start() {
    this.stop();
    const run = this.run = {};   // whatever finishes after another start or stop belongs to the past
    if (!navigator.mediaDevices) return this.say('insecure', this.words.insecure);
    this.say('asking', this.words.asking);
    let stream;
    try {
      const { width, height } = this.data;
      const video = { width: { ideal: width }, height: { ideal: height }, facingMode: 'user' };
      stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      const fault = FAULTS[error.name] || 'broken';
      if (run === this.run) this.say(fault, this.words[fault], true);
      return;
    }
    if (run !== this.run) return stream.getTracks().forEach((track) => track.stop());
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.onended = () => { this.stop(); this.say('stopped', this.words.stopped, true); };
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

  connect(run, state, words = this.words[state]) {
    this.say(state, words);
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
    const { refused, too_large: tooLarge, flooded } = this.data.codes;
    this.leave();
    this.draw(null);
    if (event.code === refused) return this.say('over', this.told(event.reason) || this.words.over);
    if (event.code === tooLarge) this.resize(0.7);
    const words = [flooded, tooLarge].includes(event.code) && this.told(event.reason) || this.words.reconnecting;
    this.say('reconnecting', words);
    this.retry = setTimeout(() => { if (run === this.run) this.connect(run, 'reconnecting', words); }, this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  receive(message) {
    this.heard = performance.now();
    if (message.rate) this.rate = message.rate;
    if (message.state === 'loading' || message.state === 'failed') {
      this.idle = true;   // nothing is due from the server
      clearTimeout(this.patience);
      if (message.state === 'failed') this.tell('failed', true);
      return this.say(message.state, message.problem || this.words.loading);
    }
    if (message.state === 'ready') {
      if (this.idle) this.expect();
      this.idle = false;
      this.open = true;
      return this.say('live', this.busy(message));
    }
    const { taken, jpeg } = this.onWay.get(message.number);
    const delay = this.heard - taken;
    this.onWay.delete(message.number);
    this.adapt(delay - message.took, message.number);
    if (delay > LATE) this.most = 1;
    if (delay < TIMELY) this.most = UNANSWERED;
    if (message.problem) return this.say('live', this.told(message.problem));
    if (!message.faces) return;   // passed over for a newer frame
    clearTimeout(this.patience);
    if (this.stalled) this.tell('stalled', this.stalled = false);
    this.figure.dataset.delay = Math.round(delay);
    this.figure.dataset.size = message.size.join('x');
    this.say('live', this.told(message.note) || this.busy(message));
    this.figure.dataset.faces = message.faces.length;
    this.figure.dataset.results = Number(this.figure.dataset.results || 0) + 1;
    const { face, faces, concentration } = this.words;
    this.caption.textContent = (message.faces.length === 1 ? face : faces).replace('{n}', message.faces.length);
    if (message.concentration !== null) {
      const level = this.told(message.level), value = message.concentration.toFixed(2);
      this.caption.textContent += ' · ' + concentration.replace('{value}', value).replace('{level}', level);
    }
    this.show(message, jpeg);
    clearTimeout(this.clear);
    this.clear = setTimeout(() => this.draw(null), this.data.stale);
  }

  async show(message, jpeg) {
    if (this.data.way === 'shown') return this.draw(message);
    const { socket } = this, picture = await createImageBitmap(jpeg);
    if (socket === this.socket && !(message.number < this.drawn)) this.draw(message, picture);
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

  adapt(line, number) {   // smaller pictures on a slow line; `line`: ms there and back, without the server's own time
    if (number < this.judged) return;   // sent before the size last changed: says nothing of the new one
    if (line > AIM * 1.25 || line < AIM * 0.6) this.resize(Math.min(1.2, Math.max(0.6, Math.sqrt(AIM / line))));
  }

  resize(factor) {
    this.scale = Math.max(SMALLEST, Math.min(1, this.scale * factor));
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
      if (!blob || blob.size > this.data.limit) return this.resize(0.8);
      this.onWay.set(this.sent++, { taken: now, jpeg: blob });
      socket.send(blob);
    }, 'image/jpeg', QUALITY);
  }

  fit() {   // the picture keeps the camera's own shape, whatever it is and becomes
    if (this.video.videoWidth) this.picture.style.aspectRatio = `${this.video.videoWidth} / ${this.video.videoHeight}`;
  }

  draw(message, picture = null) {
    if (message && this.data.way !== 'shown' && !picture) message = null;   // chosen since it was asked for
    if (message) this.drawn = message.number;
    paint(this.canvas, message, picture, this.data.way, this.figure.hasAttribute('data-mirrored'), (name) => this.told(name));
  }

  told(words) {   // what the server said, in the language of the page
    return this.data.told[words] || words;
  }

  busy(message) {
    return message.busy && this.words.slow.replace('{rate}', message.rate.toFixed(1));
  }

  say(state, words, retry = false) {
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
