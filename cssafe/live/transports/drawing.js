// Drawing over the video, or of the analysed picture in its place: boxes, words and covers, as vision/drawing.py and
// vision/anonymize.py draw them on a picture. `look` holds their colours and sizes (websocket_component.DRAWING).

// overlay: null clears the canvas. picture: the analysed one, drawn with its faces covered by `way` (blur, mosaic, mask); null
// where the video stands below. names, reasons: of emotions and levels, and of faces that are not measured, as shown.
function paint(canvas, overlay, picture, { way, mirrored, look, names, reasons }) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  if (!overlay) return;
  const pen = canvas.getContext('2d');
  const [sentWidth, sentHeight] = overlay.size;
  const place = fitPicture(width, height, overlay.size);
  pen.scale(ratio, ratio);
  if (picture) {
    pen.save();
    pen.translate(mirrored ? place.left + sentWidth * place.zoom : place.left, place.top);
    pen.scale(mirrored ? -place.zoom : place.zoom, place.zoom);
    pen.drawImage(picture, 0, 0, sentWidth, sentHeight);
    for (const polygon of overlay.covers) drawCover(pen, picture, polygon, way, look);
    pen.restore();
  }
  for (const face of overlay.faces) {
    const box = boxOnCanvas(face.box, place, sentWidth, mirrored);
    // A reason is long: on small faces among others it would cover the neighbours.
    const reason = overlay.faces.length === 1 || box[2] >= look.short ? reasons[face.reason] : '';
    drawFace(pen, box, look.colours[face.level || 'unread'], wordsOf(names, face), reason, look, [width, height]);
  }
}

function drawCover(pen, picture, polygon, way, { cells, plain }) {   // all in pixels of the picture
  const [left, top, width, height] = boundsOf(polygon, picture);
  if (width < 1 || height < 1) return;
  pen.save();
  pen.beginPath();
  for (const [x, y] of polygon) pen.lineTo(x, y);
  pen.clip();
  pen.fillStyle = plain;
  pen.fillRect(left, top, width, height);
  if (way !== 'mask') {
    const cell = Math.max(width, height) / cells, small = document.createElement('canvas');
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

function drawFace(pen, [x, y, w, h], colour, words, reason, { narrowest, short }, [width, height]) {
  pen.strokeStyle = colour;
  pen.lineWidth = Math.min(3, Math.max(1.5, w / 40));
  pen.strokeRect(x, y, w, h);
  const size = Math.min(18, Math.max(10, w / 9)), bar = size * 1.5;
  const shown = w < narrowest ? [] : w < short ? words.slice(0, 1) : words;   // others would cover the neighbours
  if (shown.length) write(pen, shown.join(' · '), x, y >= bar ? y - bar : y, size, colour, width);
  if (reason) write(pen, reason, x, y + h + bar <= height ? y + h : y + h - bar, size, colour, width);
}

function write(pen, words, x, y, size, colour, width) {   // black on a bar whose upper left corner is at x, y
  pen.font = `600 ${size}px sans-serif`;
  const wide = Math.min(width, pen.measureText(words).width + size), left = keepInside(x, wide, width);
  pen.fillStyle = colour;
  pen.fillRect(left, y, wide, size * 1.5);
  pen.fillStyle = '#000';
  pen.textBaseline = 'middle';
  pen.fillText(words, left + size / 2, y + size * 0.75, wide - size);
}
