// The camera in the browser: smooth local video, frames up over a WebSocket, boxes and words drawn over the video.
// Nothing is recorded. `data`: token of the lesson, width and height to ask for (pixels), limit of one
// JPEG (bytes).

const COLOURS = { high: '#009E73', medium: '#E69F00', low: '#D55E00', unread: '#56B4E9' };  // Okabe-Ito
const QUALITY = 0.6;
const LONGEST_WAIT = 8000;   // ms between two tries to reconnect
const STALE = 2500;          // ms after which boxes no longer belong to the picture
const HIDDEN_PERIOD = 1000;  // ms; a hidden tab draws no video frames, but the lesson goes on at a frame a second

const WORDS = {
  insecure: 'The browser gives the camera only to secure pages. Open this page by its https:// address, or as http://localhost on this computer.',
  asking: 'Your browser asks whether this page may use the camera. Choose Allow.',
  refused: 'The camera was refused. Allow it beside the page’s address (camera or lock symbol), then try again.',
  none: 'No camera was found. Connect one, then try again.',
  busy: 'The camera is in use by another program. Close that program (a video call, for instance), then try again.',
  broken: 'The camera could not be started. Unplug it and connect it again, or choose another browser, then try again.',
  stopped: 'The camera stopped sending. Connect it again, then try again.',
  connecting: 'Connecting…',
  reconnecting: 'The connection is lost. Trying again…',
  loading: 'Loading the networks…',
  over: 'This lesson is over, or another page has taken over its camera. Choose End lesson, then start a new one.',
};
const FAULTS = {
  NotAllowedError: 'refused', SecurityError: 'refused', NotFoundError: 'none', OverconstrainedError: 'none',
  NotReadableError: 'busy', AbortError: 'busy',
};

function address() {
  return location.origin.replace(/^http/, 'ws') + '/cssafe/frames';
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
    this.scale = 1;
    this.wait = 500;
    this.inFlight = 0;
    this.lastFrame = 0;
    this.button.onclick = () => this.start();
    this.video.onresize = () => this.fit();
    this.onLeave = () => this.stop();
    this.onReturn = (event) => { if (event.persisted) this.start(); };
    addEventListener('pagehide', this.onLeave);
    addEventListener('pageshow', this.onReturn);
    this.start();
  }

  async start() {
    this.stop();
    const run = this.run = {};   // whatever finishes after another start or stop belongs to the past
    if (!navigator.mediaDevices) return this.say('insecure', WORDS.insecure);
    this.say('asking', WORDS.asking);
    let stream;
    try {
      const { width, height } = this.data;
      const video = { width: { ideal: width }, height: { ideal: height }, facingMode: 'user' };
      stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      const fault = FAULTS[error.name] || 'broken';
      if (run === this.run) this.say(fault, WORDS[fault], true);
      return;
    }
    if (run !== this.run) return stream.getTracks().forEach((track) => track.stop());
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.onended = () => { this.stop(); this.say('stopped', WORDS.stopped, true); };
    this.figure.toggleAttribute('data-mirrored', track.getSettings().facingMode !== 'environment');
    this.video.srcObject = stream;
    await this.video.play().catch(() => {});   // interrupted by stop()
    if (run !== this.run) return;
    this.figure.toggleAttribute('data-picture', true);
    this.fit();
    this.connect(run, 'connecting');
    this.watch(run);
  }

  stop() {
    this.run = null;
    clearTimeout(this.retry);
    clearInterval(this.hidden);
    if (this.socket) { this.socket.onclose = null; this.socket.close(); this.socket = null; }
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

  connect(run, state) {
    this.say(state, WORDS[state]);
    const socket = this.socket = new WebSocket(address());
    this.inFlight = 0;
    this.open = false;
    socket.onopen = () => socket.send(this.data.token);
    socket.onmessage = (event) => { this.wait = 500; this.receive(JSON.parse(event.data)); };
    socket.onclose = (event) => {
      this.draw(null);
      if (event.code === 4403) return this.say('over', WORDS.over);
      if (event.code === 1009) this.scale *= 0.7;
      this.say('reconnecting', WORDS.reconnecting);
      this.retry = setTimeout(() => { if (run === this.run) this.connect(run, 'reconnecting'); }, this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    };
  }

  receive(message) {
    if (message.state === 'loading') return this.say('loading', WORDS.loading);
    if (message.state === 'failed') return this.say('failed', message.problem);
    if (message.state === 'ready') { this.open = true; return this.say('live', ''); }
    this.inFlight -= 1;
    if (message.problem) return this.say('live', message.problem);
    if (!message.faces) return;   // passed over for a newer frame
    this.say('live', message.note);
    this.figure.dataset.faces = message.faces.length;
    this.figure.dataset.results = Number(this.figure.dataset.results || 0) + 1;
    this.caption.textContent = message.faces.length === 1 ? '1 face' : `${message.faces.length} faces`;
    if (message.concentration !== null) {
      this.caption.textContent += ` · concentration ${message.concentration.toFixed(2)}, ${message.level}`;
    }
    this.draw(message);
    clearTimeout(this.clear);
    this.clear = setTimeout(() => this.draw(null), STALE);
  }

  watch(run) {   // send a frame whenever the video has a new one
    const next = () => {
      if (run !== this.run) return;
      this.send();
      if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(next);
      else setTimeout(next, 66);
    };
    next();
    this.hidden = setInterval(() => { if (performance.now() - this.lastFrame > HIDDEN_PERIOD * 0.9) this.send(); }, HIDDEN_PERIOD);
  }

  send() {   // at most two frames unanswered: delay cannot build up
    const { socket, video, scratch } = this;
    if (!this.open || this.inFlight >= 2 || socket.readyState !== WebSocket.OPEN || !video.videoWidth) return;
    this.inFlight += 1;
    this.lastFrame = performance.now();
    const factor = Math.min(1, this.data.width / video.videoWidth) * this.scale;
    scratch.width = Math.round(video.videoWidth * factor);
    scratch.height = Math.round(video.videoHeight * factor);
    scratch.getContext('2d').drawImage(video, 0, 0, scratch.width, scratch.height);
    scratch.toBlob((blob) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (blob && blob.size <= this.data.limit) return socket.send(blob);
      this.scale *= 0.8;
      this.inFlight -= 1;
    }, 'image/jpeg', QUALITY);
  }

  fit() {   // the picture keeps the camera's own shape, whatever it is and becomes
    if (this.video.videoWidth) this.picture.style.aspectRatio = `${this.video.videoWidth} / ${this.video.videoHeight}`;
  }

  draw(message) {
    const { canvas } = this, ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    if (!message) return;
    const pen = canvas.getContext('2d');
    const [sentWidth, sentHeight] = message.size;
    // The video is shown as large as fits; where its shape differs from the box, it is centred.
    const zoom = Math.min(width / sentWidth, height / sentHeight);
    const left = (width - sentWidth * zoom) / 2, top = (height - sentHeight * zoom) / 2;
    const mirrored = this.figure.hasAttribute('data-mirrored');
    pen.scale(ratio, ratio);
    for (const face of message.faces) {
      const [x, y, w, h] = face.box.map((value) => value * zoom);
      this.mark(pen, face, left + (mirrored ? sentWidth * zoom - x - w : x), top + y, w, h);
    }
  }

  mark(pen, face, x, y, w, h) {
    pen.strokeStyle = pen.fillStyle = COLOURS[face.level || 'unread'];
    pen.lineWidth = Math.min(3, Math.max(1.5, w / 40));
    pen.strokeRect(x, y, w, h);
    const words = w < 44 ? label(face).split(' · ')[0] : label(face);
    if (!words || w < 30) return;   // below that, words would cover the neighbours
    const size = Math.min(18, Math.max(10, w / 9)), bar = size * 1.5;
    pen.font = `600 ${size}px sans-serif`;
    const wide = pen.measureText(words).width + size;
    const at = Math.min(Math.max(0, x), Math.max(0, this.canvas.clientWidth - wide));
    const above = y >= bar ? y - bar : y;
    pen.fillRect(at, above, wide, bar);
    pen.fillStyle = '#000';
    pen.textBaseline = 'middle';
    pen.fillText(words, at + size / 2, above + bar / 2);
  }

  say(state, words, retry = false) {
    this.figure.dataset.state = state;
    if (this.text.textContent !== words) this.text.textContent = words;
    this.button.hidden = !retry;
    if (state !== 'live') this.caption.textContent = '';
  }
}

function label(face) {   // emotion and level, as far as they were told
  if (!('level' in face)) return '';
  const emotions = Object.entries(face.expression || {}).filter(([, p]) => p !== null);
  const emotion = emotions.length ? emotions.reduce((a, b) => (b[1] > a[1] ? b : a))[0] : '';
  return [emotion, face.level || 'not readable'].filter(Boolean).join(' · ');
}

export default function (component) {   // called again whenever the page is drawn again
  const { parentElement: root, data } = component;
  if (root.camera && root.camera.data.token !== data.token) { root.camera.destroy(); root.camera = null; }
  if (!root.camera) root.camera = new Camera(root, data);
  return () => { if (root.camera) { root.camera.destroy(); root.camera = null; } };
}
