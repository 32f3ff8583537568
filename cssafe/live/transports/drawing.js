// What camera.js draws over the video or in its place, as vision/drawing.py and vision/anonymize.py do it on a picture: boxes
// and words, and covers over faces.

const COLOURS = { high: '#A6DDF7', medium: '#E69F00', low: '#D55E00', unread: '#56B4E9' };  // as in colours.py
const CELLS = 6, PLAIN = '#606060';   // of a cover
const small = document.createElement('canvas');

// message: what was read; null clears the canvas. picture: the analysed one, drawn with its faces covered by `way` (blur,
// mosaic, mask); null where the video stands below. mirrored: as a picture of oneself. told: a function, name of an emotion or level ->
// as it is shown.
function paint(canvas, message, picture, way, mirrored, told) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  if (!message) return;
  const pen = canvas.getContext('2d');
  const [sentWidth, sentHeight] = message.size;
  // The video is shown as large as fits; where its shape differs from the box, it is centred.
  const zoom = Math.min(width / sentWidth, height / sentHeight);
  const left = (width - sentWidth * zoom) / 2, top = (height - sentHeight * zoom) / 2;
  pen.scale(ratio, ratio);
  if (picture) {
    pen.save();
    pen.translate(mirrored ? left + sentWidth * zoom : left, top);
    pen.scale(mirrored ? -zoom : zoom, zoom);
    pen.drawImage(picture, 0, 0, sentWidth, sentHeight);
    for (const polygon of message.covers) cover(pen, picture, polygon, way);
    pen.restore();
  }
  for (const face of message.faces) {
    const [x, y, w, h] = face.box.map((value) => value * zoom);
    mark(pen, face, left + (mirrored ? sentWidth * zoom - x - w : x), top + y, w, h, width, told);
  }
}

function cover(pen, picture, polygon, way) {   // all in pixels of the picture
  const [xs, ys] = [0, 1].map((axis) => polygon.map((point) => point[axis]));
  const left = Math.max(0, Math.min(...xs)), top = Math.max(0, Math.min(...ys));
  const width = Math.min(picture.width, Math.max(...xs)) - left, height = Math.min(picture.height, Math.max(...ys)) - top;
  if (width < 1 || height < 1) return;
  pen.save();
  pen.beginPath();
  for (const [x, y] of polygon) pen.lineTo(x, y);
  pen.clip();
  pen.fillStyle = PLAIN;
  pen.fillRect(left, top, width, height);
  if (way !== 'mask') {
    const cell = Math.max(width, height) / CELLS;
    small.width = Math.max(1, Math.round(width / cell));
    small.height = Math.max(1, Math.round(height / cell));
    const fine = small.getContext('2d');
    fine.imageSmoothingQuality = 'high';   // means, not single pixels
    fine.drawImage(picture, left, top, width, height, 0, 0, small.width, small.height);
    pen.imageSmoothingEnabled = way === 'blur';
    pen.drawImage(small, left, top, width, height);
  }
  pen.restore();
}

function mark(pen, face, x, y, w, h, end, told) {   // end: width of the canvas
  pen.strokeStyle = pen.fillStyle = COLOURS[face.level || 'unread'];
  pen.lineWidth = Math.min(3, Math.max(1.5, w / 40));
  pen.strokeRect(x, y, w, h);
  const words = w < 44 ? label(face, told).split(' · ')[0] : label(face, told);
  if (!words || w < 30) return;   // below that, words would cover the neighbours
  const size = Math.min(18, Math.max(10, w / 9)), bar = size * 1.5;
  pen.font = `600 ${size}px sans-serif`;
  const wide = pen.measureText(words).width + size;
  const at = Math.min(Math.max(0, x), Math.max(0, end - wide));
  const above = y >= bar ? y - bar : y;
  pen.fillRect(at, above, wide, bar);
  pen.fillStyle = '#000';
  pen.textBaseline = 'middle';
  pen.fillText(words, at + size / 2, above + bar / 2);
}

function label(face, told) {   // emotion and level, as far as they were told
  if (!('level' in face)) return '';
  const emotions = Object.entries(face.expression || {}).filter(([, p]) => p !== null);
  const emotion = emotions.length ? emotions.reduce((a, b) => (b[1] > a[1] ? b : a))[0] : '';
  return [emotion, face.level || 'no score'].filter(Boolean).map(told).join(' · ');
}
