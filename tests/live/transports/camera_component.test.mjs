// Unit tests of the camera component, run by test_camera_component.py with `node --test`. The component's files are joined
// into one module, as Streamlit loads them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('../../../cssafe/live/transports/', import.meta.url);
const source = ['overlay.js', 'drawing.js', 'camera.js'].map((name) => readFileSync(new URL(name, folder), 'utf-8')).join('');
const names = ['sentenceOf', 'closeNotice', 'captionOf', 'wordsOf', 'nextScale', 'fitPicture', 'boxOnCanvas', 'boundsOf',
  'keepInside', 'drawFace', 'paint', 'Camera'];
const component = await import('data:text/javascript,' + encodeURIComponent(`${source}\nexport { ${names.join(', ')} };`));
const { sentenceOf, closeNotice, captionOf, wordsOf, nextScale, fitPicture, boxOnCanvas, boundsOf, keepInside, drawFace,
  paint, Camera } = component;

const sentences = { over: 'It is over.', server_busy: '{rate} a second.', face: '{n} face', faces: '{n} faces', live: '',
  concentration: 'concentration {value}, {level}', too_fast: 'Too fast.', reconnecting: 'Again…' };

test('a notice becomes its sentence, and an unknown or missing one nothing', () => {
  assert.equal(sentenceOf(sentences, { code: 'server_busy', fields: { rate: '2.0' } }), '2.0 a second.');
  assert.equal(sentenceOf(sentences, { code: 'server_busy', fields: {} }), '{rate} a second.');
  assert.equal(sentenceOf(sentences, { code: 'new', fields: {} }), '');
  assert.equal(sentenceOf(sentences, null), '');
});

test('the reason of a close is a notice only where the server wrote it', () => {
  assert.deepEqual(closeNotice('{"code":"too_fast","fields":{}}'), { code: 'too_fast', fields: {} });
  for (const reason of [undefined, '', 'going away', '3', 'null', '{}']) assert.equal(closeNotice(reason), null);
});

test('the caption counts faces and gives a figure only where there is one', () => {
  const level = { high: 'hoch' };
  assert.equal(captionOf(sentences, level, { faces: [], concentration: null }), '0 faces');
  assert.equal(captionOf(sentences, level, { faces: [{}], concentration: 0.5, level: 'high' }),
    '1 face · concentration 50, hoch');
});

test('a face has words only where they may be shown', () => {
  assert.deepEqual(wordsOf({}, { box: [] }), []);
  assert.deepEqual(wordsOf({ sad: 'traurig' }, { level: null, expression: { happy: 0.2, sad: 0.7 } }), ['traurig', 'no score']);
  assert.deepEqual(wordsOf({}, { level: 'low', expression: null }), ['low']);
});

test('pictures become smaller on a slow line, larger on a quick one, and stay between their limits', () => {
  assert.equal(nextScale(0.8, 700), 0.8);
  assert.ok(nextScale(0.8, 1400) < 0.8);
  assert.ok(nextScale(0.8, 300) > 0.8);
  assert.equal(nextScale(0.5, 10000), 0.5);
  assert.equal(nextScale(1, 1), 1);
});

test('a picture of another shape is centred, and a mirrored box lies on the other side', () => {
  const place = fitPicture(400, 200, [100, 100]);
  assert.deepEqual(place, { zoom: 2, left: 100, top: 0 });
  assert.deepEqual(boxOnCanvas([10, 20, 30, 40], place, 100, false), [120, 40, 60, 80]);
  assert.deepEqual(boxOnCanvas([10, 20, 30, 40], place, 100, true), [220, 40, 60, 80]);
});

test('a cover ends where its picture ends', () => {
  const picture = { width: 100, height: 50 };
  assert.deepEqual(boundsOf([[-5, 10], [20, 10], [20, 80]], picture), [0, 10, 20, 40]);
  const [, , width] = boundsOf([[120, 10], [140, 10], [140, 20]], picture);
  assert.ok(width < 1);
});

test('words stay on the canvas', () => {
  assert.equal(keepInside(-5, 50, 100), 0);
  assert.equal(keepInside(80, 50, 100), 50);
  assert.equal(keepInside(80, 500, 100), 0);
});

function pen() {   // remembers the words that were written
  const written = [];
  return { written, strokeRect() {}, fillRect() {}, measureText: (words) => ({ width: words.length }),
    fillText: (words, x, y) => written.push([words, Math.round(y)]) };
}

test('words stand above a face and the reason below it, inside the picture, and none on a small face', () => {
  const look = { narrowest: 30, short: 44 };
  const draw = (box, words, reason) => {
    const paper = pen();
    drawFace(paper, box, '#fff', words, reason, look, [200, 200]);
    return paper.written;
  };
  assert.deepEqual(draw([50, 50, 90, 90], ['happy', 'high'], undefined), [['happy · high', 43]]);
  assert.deepEqual(draw([50, 50, 90, 90], ['no score'], 'too small'), [['no score', 43], ['too small', 148]]);
  assert.deepEqual(draw([50, 110, 90, 90], [], 'too small'), [['too small', 193]]);
  assert.deepEqual(draw([50, 50, 40, 40], ['happy', 'high'], ''), [['happy', 43]]);
  assert.deepEqual(draw([50, 50, 20, 20], ['happy'], ''), []);
});

test('a reason is drawn where it covers no neighbour, and an unknown one nowhere', (t) => {
  t.after(() => delete globalThis.devicePixelRatio);
  globalThis.devicePixelRatio = 1;
  const draw = (...faces) => {
    const paper = Object.assign(pen(), { scale() {} });
    const canvas = { clientWidth: 200, clientHeight: 200, getContext: () => paper };
    const look = { narrowest: 30, short: 44, colours: {} };
    const overlay = { size: [200, 200], covers: [], faces: faces.map(([w, reason]) => ({ box: [50, 50, w, w], reason })) };
    paint(canvas, overlay, null, { way: 'shown', mirrored: false, look, names: {}, reasons: { blurred: 'Hold still.' } });
    return paper.written.map(([words]) => words);
  };
  assert.deepEqual(draw([20, 'blurred']), ['Hold still.']);
  assert.deepEqual(draw([20, 'blurred'], [60, 'blurred']), ['Hold still.']);
  assert.deepEqual(draw([60, 'new'], [60, null], [60, undefined]), []);
});

function camera(data = {}) {   // one that has sent picture 0, without a page
  const calls = [], one = Object.create(Camera.prototype);
  const answers = { draw: (overlay) => calls.push(['draw', overlay]), tell: (...told) => calls.push(['tell', ...told]),
    expect: () => {}, leave: () => {}, connect: () => {} };
  return Object.assign(one, answers, { calls, data: { sentences, names: {}, way: 'shown', stale: 1e6, closeCodes: {
    refused: 4403, too_large: 1009, flooded: 1008 }, ...data }, figure: { dataset: {} }, text: {}, button: {}, caption: {},
    onWay: new Map([[0, { taken: performance.now(), jpeg: null }]]), judged: 0, sent: 1, scale: 1, drawn: 0, wait: 500 });
}

test('an answer is drawn once, counted and said in words', (t) => {
  const one = camera(), overlay = { size: [64, 48], faces: [{}], covers: [], concentration: null, level: null, notice: null };
  one.receive({ number: 0, overlay, notice: { code: 'server_busy', fields: { rate: '2.0' } }, took: 1, rate: 2 });
  t.after(() => clearTimeout(one.clear));
  assert.deepEqual(one.calls, [['draw', overlay]]);
  assert.equal(one.rate, 2);
  assert.equal(one.text.textContent, '2.0 a second.');
  assert.equal(one.caption.textContent, '1 face');
  assert.deepEqual([one.figure.dataset.results, one.figure.dataset.faces, one.figure.dataset.size], [1, 1, '64x48']);
  assert.equal(one.onWay.size, 0);
});

test('a skipped frame draws nothing and leaves the words, a broken one changes the words', () => {
  const one = camera();
  one.text.textContent = 'before';
  one.receive({ number: 0, overlay: null, notice: null, took: 1, rate: 9 });
  assert.equal(one.text.textContent, 'before');
  one.onWay.set(1, { taken: performance.now(), jpeg: null });
  one.receive({ number: 1, overlay: null, notice: { code: 'too_fast', fields: {} }, took: 1, rate: 9 });
  assert.equal(one.text.textContent, 'Too fast.');
  assert.deepEqual(one.calls, []);
});

test('networks that fail are told to the page', () => {
  const one = camera();
  one.receive({ state: 'failed', rate: 9, notice: null });
  assert.deepEqual(one.calls, [['tell', 'failed', true]]);
  assert.equal(one.figure.dataset.state, 'failed');
});

test('a refused camera stays away, a flooded one comes back with the reason', (t) => {
  const refused = camera();
  refused.lost(null, { code: 4403, reason: '{"code":"unknown","fields":{}}' });
  assert.equal(refused.text.textContent, 'It is over.');
  assert.equal(refused.retry, undefined);
  const flooded = camera();
  flooded.lost(null, { code: 1008, reason: '{"code":"too_fast","fields":{}}' });
  t.after(() => clearTimeout(flooded.retry));
  assert.equal(flooded.text.textContent, 'Too fast.');
  assert.ok(flooded.retry);
});
