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
const LIVE_WIDTH = 1600; // of a picture that is read while the camera looks: many a second matter more than small codes
const SHARPEN = { radius: 3, amount: 2.5 }; // radius in pixels around
const SCALES = [2, 3]; // around a place that was left unread
// Over the whole of a blurred picture, the second only if the first has found more.
const WIDE = [
  { scale: 2, radius: 6, amount: 5 },
  { scale: 3, radius: 10, amount: 4 },
];
const TILE = { width: 4400, height: 3400, overlap: 320 }; // enlarged; they overlap by more than a code (of the picture)
const ENOUGH_MS = 20_000; // no further attempt begins after that
const MARGIN = 1.5; // how much wider than its diagonal the surroundings of a place are
const [SMALLEST, LARGEST] = [0.6, 1.8]; // others than usual were put together from the corners of several symbols

onmessage = async ({ data: { id, picture, live } }) => {
  const began = performance.now();
  try {
    const bitmap = picture instanceof ImageBitmap ? picture : await createImageBitmap(picture);
    const { width, height } = bitmap;
    const read = live ? await once(bitmap) : await thoroughly(bitmap, began);
    bitmap.close();
    postMessage({ id, width, height, ms: Math.round(performance.now() - began), ...read });
  } catch (fault) {
    postMessage({ id, fault: String(fault) });
  }
};

async function once(bitmap) {
  const scale = Math.min(1, LIVE_WIDTH / bitmap.width);
  const found = await symbols(pixels(bitmap, 0, 0, bitmap.width, bitmap.height, scale), 0, 0, scale, { returnErrors: false });
  return { found: merged([], found), unread: [] };
}

// As it is, then sharpened, then larger around each place that was left unread. Where something is still left, the picture is
// blurred and more codes may stand there than were located: then all of it is enlarged.
async function thoroughly(bitmap, began) {
  const { width, height } = bitmap;
  const whole = pixels(bitmap, 0, 0, width, height, 1);
  const plain = await symbols(whole, 0, 0, 1);
  const sharp = await symbols(sharpened(whole, SHARPEN), 0, 0, 1);
  let found = merged(merged([], plain), sharp);
  const located = [...plain, ...sharp];
  const read = async ([x, y, across, down], { scale, ...how }) => {
    const seen = await symbols(sharpened(pixels(bitmap, x, y, across, down, scale), how), x, y, scale);
    found = merged(found, seen);
    located.push(...seen);
  };
  for (const scale of SCALES) for (const place of unread(located, found)) await read(around(bitmap, place), { scale, ...SHARPEN });
  for (const how of WIDE) {
    const before = found.length;
    if (before && !unread(located, found).length) break;
    for (const tile of tiles(bitmap, how.scale)) if (performance.now() - began < ENOUGH_MS) await read(tile, how);
    if (before && found.length === before) break;
  }
  return { found, unread: unread(located, found) };
}

// [x, y, width, height] in the picture.
function cut({ width, height }, x, y, across, down) {
  const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
  return [left, top, Math.min(width, Math.ceil(x + across)) - left, Math.min(height, Math.ceil(y + down)) - top];
}

function around(picture, place) {
  const [[x, y], side] = [centre(place), MARGIN * span(place)];
  return cut(picture, x - side / 2, y - side / 2, side, side);
}

function tiles(picture, scale) {
  const [width, height] = [TILE.width / scale, TILE.height / scale];
  const starts = (whole, one) => {
    const count = Math.max(1, Math.ceil((whole - TILE.overlap) / (one - TILE.overlap)));
    return Array.from({ length: count }, (_, place) => (count > 1 ? (place * (whole - one)) / (count - 1) : 0));
  };
  return starts(picture.height, height).flatMap((y) => starts(picture.width, width).map((x) => cut(picture, x, y, width, height)));
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

// Grey, with what differs from its surroundings (the mean of a square) made stronger: blurred codes become readable.
function sharpened({ data, width, height }, { radius, amount }) {
  const grey = new Uint8Array(width * height);
  for (let i = 0, j = 0; i < grey.length; i += 1, j += 4) grey[i] = (data[j] * 77 + data[j + 1] * 151 + data[j + 2] * 28) >> 8;
  const lines = meansAlong(grey, width, radius);
  const share = 1 / (2 * radius + 1);
  const sums = new Int32Array(width); // of the lines around the present one
  const below = (y) => Math.min(y, height - 1) * width;
  for (let y = -radius; y <= radius; y += 1) for (let x = 0, at = below(Math.max(y, 0)); x < width; x += 1) sums[x] += lines[at + x];
  const out = new ImageData(width, height);
  const words = new Uint32Array(out.data.buffer);
  for (let y = 0; y < height; y += 1) {
    const [here, enters, leaves] = [y * width, below(y + radius + 1), Math.max(y - radius, 0) * width];
    for (let x = 0; x < width; x += 1) {
      const value = grey[here + x] * (1 + amount) - amount * sums[x] * share;
      const level = value < 0 ? 0 : value > 255 ? 255 : value | 0;
      words[here + x] = 0xff000000 | (level << 16) | (level << 8) | level;
      sums[x] += lines[enters + x] - lines[leaves + x];
    }
  }
  return out;
}

// The mean of the neighbours to the left and to the right.
function meansAlong(grey, width, radius) {
  const out = new Uint8Array(grey.length);
  const share = 1 / (2 * radius + 1);
  for (let start = 0; start < grey.length; start += width) {
    const last = width - 1;
    let sum = 0;
    for (let x = -radius; x <= radius; x += 1) sum += grey[start + (x < 0 ? 0 : x > last ? last : x)];
    for (let x = 0; x < width; x += 1) {
      out[start + x] = sum * share;
      const enters = x + radius + 1;
      const leaves = x - radius;
      sum += grey[start + (enters > last ? last : enters)] - grey[start + (leaves < 0 ? 0 : leaves)];
    }
  }
  return out;
}
