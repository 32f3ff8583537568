// Pure functions of the camera component: sentences of messages, size of the pictures, geometry of what is drawn.

const AIM = 700;             // ms that a picture and its answer may spend on the line: two results a second, and time to analyse
const SMALLEST = 0.5;        // of the width asked for: below that the faces of a class can no longer be read

// notice: {code, fields} or null. Its sentence in the page's language; empty for none and for an unknown code.
function sentenceOf(sentences, notice) {
  const fields = notice?.fields || {};
  return ((notice && sentences[notice.code]) || '').replace(/{(\w+)}/g, (whole, name) => String(fields[name] ?? whole));
}

// The notice in the reason of a closed socket; null where a proxy or the browser closed it.
function closeNotice(reason) {
  try {
    const notice = JSON.parse(reason);
    return notice && typeof notice.code === 'string' ? notice : null;
  } catch {
    return null;
  }
}

// Number of faces and concentration, in words.
function captionOf(sentences, names, overlay) {
  const n = overlay.faces.length, value = overlay.concentration;
  const faces = sentenceOf(sentences, { code: n === 1 ? 'face' : 'faces', fields: { n } });
  if (value === null) return faces;
  const fields = { value: (100 * value).toFixed(0), level: names[overlay.level] || overlay.level };
  return `${faces} · ${sentenceOf(sentences, { code: 'concentration', fields })}`;
}

// Leading emotion and level of a face, as words; none where they are withheld.
function wordsOf(names, face) {
  if (!('level' in face)) return [];
  const emotions = Object.entries(face.expression || {}).filter(([, p]) => p !== null);
  const emotion = emotions.length ? emotions.reduce((a, b) => (b[1] > a[1] ? b : a))[0] : '';
  return [emotion, face.level || 'no score'].filter(Boolean).map((name) => names[name] || name);
}

// The picture's share of the width asked for, after a picture that spent `line` ms on the line, without the server's time.
function nextScale(scale, line) {
  if (line <= AIM * 1.25 && line >= AIM * 0.6) return scale;
  return limitScale(scale * Math.min(1.2, Math.max(0.6, Math.sqrt(AIM / line))));
}

function limitScale(scale) {
  return Math.max(SMALLEST, Math.min(1, scale));
}

// Where a picture of that size lies on a canvas (CSS pixels): as large as fits, centred.
function fitPicture(width, height, [sentWidth, sentHeight]) {
  const zoom = Math.min(width / sentWidth, height / sentHeight);
  return { zoom, left: (width - sentWidth * zoom) / 2, top: (height - sentHeight * zoom) / 2 };
}

// A face's box [x, y, w, h] in pixels of the picture -> on the canvas. mirrored: as a picture of oneself.
function boxOnCanvas(box, { zoom, left, top }, sentWidth, mirrored) {
  const [x, y, w, h] = box.map((value) => value * zoom);
  return [left + (mirrored ? sentWidth * zoom - x - w : x), top + y, w, h];
}

// The rectangle around a polygon, inside a picture: [left, top, width, height] in pixels.
function boundsOf(polygon, picture) {
  const [xs, ys] = [0, 1].map((axis) => polygon.map((point) => point[axis]));
  const left = Math.max(0, Math.min(...xs)), top = Math.max(0, Math.min(...ys));
  return [left, top, Math.min(picture.width, Math.max(...xs)) - left, Math.min(picture.height, Math.max(...ys)) - top];
}

// Left edge of words that are that wide, beginning at x but not beyond the canvas.
function keepInside(x, wide, width) {
  return Math.min(Math.max(0, x), Math.max(0, width - wide));
}
