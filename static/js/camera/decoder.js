// Reads every code in a picture, in a worker (a classic one: the vendored reader is no module). Asked {id, picture, live},
// it says {id, found, unread, width, height, ms} or {id, fault}; places are in pixels of the picture.
//
// The server names the files (jitapp/web/camera.py); alone, they stand beside this one. The compiled reader runs only here:
// the policy of the pages stays as strict as it is everywhere.
const beside = (name) => new URL(`../../vendor/${name}`, location.href).href;
importScripts(typeof READER === "string" ? READER : beside("zxing-reader.js"));

ZXingWASM.prepareZXingModule({
  overrides: { locateFile: (name) => (typeof COMPILED === "string" ? COMPILED : beside(name)) },
});

const FORMATS = ["QRCode", "DataMatrix", "Code128"];
const OPTIONS = { tryHarder: true, tryRotate: true, tryInvert: false, tryDownscale: true, maxNumberOfSymbols: 255 };
const BLUR = 3; // pixels around, for sharpening
const SHARPEN = 2.5;
const TILE = { width: 1400, height: 1100, across: 1000, down: 850 }; // they overlap by more than a code
const SCALES = [2, 3];
const MARGIN = 1.5; // how much wider than its diagonal the surroundings of a place are
const [SMALLEST, LARGEST] = [0.6, 1.8]; // others than usual were put together from the corners of several symbols

onmessage = async ({ data: { id, picture, live } }) => {
  const began = performance.now();
  try {
    const bitmap = picture instanceof ImageBitmap ? picture : await createImageBitmap(picture);
    const { width, height } = bitmap;
    const read = live ? await once(bitmap) : await thoroughly(bitmap);
    bitmap.close();
    postMessage({ id, width, height, ms: Math.round(performance.now() - began), ...read });
  } catch (fault) {
    postMessage({ id, fault: String(fault) });
  }
};

async function once(bitmap) {
  const found = await symbols(pixels(bitmap, 0, 0, bitmap.width, bitmap.height, 1), 0, 0, 1, { returnErrors: false });
  return { found: merged([], found), unread: [] };
}

// As it is, then sharpened, then larger: around each place that was left unread; everywhere if nothing was found at all.
async function thoroughly(bitmap) {
  const { width, height } = bitmap;
  const whole = pixels(bitmap, 0, 0, width, height, 1);
  const plain = await symbols(whole, 0, 0, 1);
  const sharp = await symbols(sharpened(whole), 0, 0, 1);
  let found = merged(merged([], plain), sharp);
  const located = [...plain, ...sharp];
  for (const scale of SCALES) {
    for (const [x, y, across, down] of parts(bitmap, unread(located, found), found.length > 0)) {
      const seen = await symbols(sharpened(pixels(bitmap, x, y, across, down, scale)), x, y, scale);
      found = merged(found, seen);
      if (scale === SCALES[0]) located.push(...seen);
    }
  }
  return { found, unread: unread(located, found) };
}

// [x, y, width, height] of what is to be read larger.
function parts({ width, height }, places, around) {
  const cut = (x, y, across, down) => {
    const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
    return [left, top, Math.min(width, Math.ceil(x + across)) - left, Math.min(height, Math.ceil(y + down)) - top];
  };
  if (around) {
    return places.map((place) => {
      const [[x, y], side] = [centre(place), MARGIN * span(place)];
      return cut(x - side / 2, y - side / 2, side, side);
    });
  }
  const tiles = [];
  for (let y = 0; y < height; y += TILE.down) for (let x = 0; x < width; x += TILE.across) tiles.push(cut(x, y, TILE.width, TILE.height));
  return tiles;
}

function pixels(bitmap, x, y, width, height, scale) {
  const canvas = new OffscreenCanvas(width * scale, height * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function symbols(image, x, y, scale, more = { returnErrors: true }) {
  const read = await ZXingWASM.readBarcodes(image, { ...OPTIONS, formats: FORMATS, ...more });
  return read.map(({ isValid, text, format, position: at }) => {
    const corners = [at.topLeft, at.topRight, at.bottomRight, at.bottomLeft];
    return { valid: isValid, text, format, corners: corners.map((point) => [x + point.x / scale, y + point.y / scale]) };
  });
}

const centre = ({ corners }) => [0, 1].map((axis) => corners.reduce((sum, point) => sum + point[axis], 0) / 4);
const between = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const span = ({ corners }) => between(corners[0], corners[2]);

// Valid symbols, each once: the same text may stand in several places, but the same place is one symbol.
function merged(found, seen) {
  const all = [...found];
  for (const one of seen) {
    const same = (other) => other.text === one.text && between(centre(other), centre(one)) < span(one);
    if (one.valid && !all.some(same)) all.push(one);
  }
  return all;
}

// Places where a symbol stands that nothing read, each once.
function unread(located, found) {
  const spans = found.map(span).sort((a, b) => a - b);
  const usual = spans[spans.length >> 1];
  const likely = (wide) => wide > 0 && (!usual || (wide > SMALLEST * usual && wide < LARGEST * usual));
  const places = [];
  for (const one of located) {
    const middle = centre(one);
    const taken = [...found, ...places].some((other) => between(centre(other), middle) < span(other) / 2);
    if (!one.valid && !taken && likely(span(one))) places.push(one);
  }
  return places;
}

// Grey, with what differs from its surroundings made stronger: blurred codes become readable.
function sharpened({ data, width, height }) {
  const grey = new Uint8ClampedArray(width * height);
  for (let i = 0, j = 0; i < grey.length; i += 1, j += 4) grey[i] = (data[j] * 77 + data[j + 1] * 151 + data[j + 2] * 28) >> 8;
  const soft = blurred(blurred(grey, height, width, width, 1), width, height, 1, width);
  const out = new ImageData(width, height);
  const words = new Uint32Array(out.data.buffer);
  for (let i = 0; i < grey.length; i += 1) {
    const value = Math.max(0, Math.min(255, grey[i] + SHARPEN * (grey[i] - soft[i]))) | 0;
    words[i] = 0xff000000 | (value << 16) | (value << 8) | value;
  }
  return out;
}

// The mean of the neighbours along one axis: `lines` lines of `length` values, `step` between values, `next` between lines.
function blurred(values, lines, length, next, step) {
  const out = new Uint8ClampedArray(values.length);
  const count = 2 * BLUR + 1;
  for (let line = 0; line < lines; line += 1) {
    const start = line * next;
    const at = (place) => values[start + Math.max(0, Math.min(length - 1, place)) * step];
    let sum = 0;
    for (let place = -BLUR; place <= BLUR; place += 1) sum += at(place);
    for (let place = 0; place < length; place += 1) {
      out[start + place * step] = sum / count;
      sum += at(place + BLUR + 1) - at(place - BLUR);
    }
  }
  return out;
}
