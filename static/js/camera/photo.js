// One photograph of a card post or a shelf becomes many scans: every code found, its card named, what was not read counted,
// and all of them recorded with one touch. What was recorded from a photograph before is shown as taken already.
import { readCodes } from "../codes.js";
import { Reader } from "./reader.js";

const TAKEN = "jitapp.photographed"; // [[code, when], ...] of this session
const FORGOTTEN_MS = 30 * 60_000; // by the next round a card may have come back full and be empty again
const MOST_TAKEN = 500;
const SHOWN = 1600; // pixels of the longer side of the picture on the page
const LINE = 6;
const READING_ORDER = 0.6; // of a code's size: less of a step down is the same row

function taken() {
  try {
    const all = JSON.parse(sessionStorage.getItem(TAKEN)) ?? [];
    return new Map(all.filter(([, at]) => Date.now() - at < FORGOTTEN_MS));
  } catch {
    return new Map();
  }
}

function take(code) {
  const all = [...taken().set(code, Date.now())].slice(-MOST_TAKEN);
  try {
    sessionStorage.setItem(TAKEN, JSON.stringify(all));
  } catch {
    // Forbidden or full: then the server says that it was counted already.
  }
}

const centre = (corners) => [0, 1].map((axis) => corners.reduce((sum, point) => sum + point[axis], 0) / 4);

// The cards in what was read, each once, row by row; and the symbols that hold no card.
export function cardsOf(found) {
  const cards = new Map();
  const others = [];
  for (const { text, corners } of found) {
    const codes = readCodes(text, { bare: false }).cards;
    for (const code of codes) if (!cards.has(code)) cards.set(code, { code, corners, at: centre(corners) });
    if (!codes.length) others.push({ corners });
  }
  const list = [...cards.values()].sort((a, b) => a.at[1] - b.at[1]);
  const sizes = list.map(({ corners }) => Math.hypot(corners[0][0] - corners[1][0], corners[0][1] - corners[1][1]));
  const step = READING_ORDER * (sizes.sort((a, b) => a - b)[sizes.length >> 1] ?? 0);
  const rows = [];
  for (const card of list) {
    const row = rows.at(-1);
    if (row && card.at[1] - row.at(-1).at[1] < step) row.push(card);
    else rows.push([card]);
  }
  return { cards: rows.flatMap((row) => row.sort((a, b) => a.at[0] - b.at[0])), others };
}

export class Photo {
  // `name(code)` what to call a card (a text, null for an unknown one, or a promise of it), `record(code, meta)` makes one
  // scan of it (or a promise), `onClose()` somebody is done. `words` come from the server (jitapp/web/camera.py).
  constructor({ root, words, name = () => null, record, onClose = () => {}, reader = new Reader() }) {
    Object.assign(this, { root, words, name, record, onClose, reader });
    this.cards = [];
    this.build();
  }

  build() {
    const element = (tag, className, more = {}) => Object.assign(document.createElement(tag), { className, ...more });
    this.said = element("p", "photo-said");
    this.said.setAttribute("role", "status");
    this.canvas = element("canvas", "photo-picture");
    this.canvas.setAttribute("role", "img");
    this.list = element("ol", "photo-list");
    this.confirm = element("button", "main photo-record", { type: "button", hidden: true });
    this.done = element("button", "photo-done", { type: "button", textContent: this.words.close });
    this.confirm.addEventListener("click", () => this.recordAll());
    this.done.addEventListener("click", () => this.onClose());
    const acts = element("div", "photo-acts");
    acts.append(this.confirm, this.done);
    const seen = element("div", "photo-seen");
    seen.append(this.canvas, this.list);
    this.root.replaceChildren(this.said, acts, seen);
    this.root.classList.add("photo");
  }

  // Reads a picture (a file or a frame) and shows what is in it. Resolves to {cards, unread, others, ms}, or null.
  async open(picture) {
    this.state("reading");
    this.said.textContent = this.words.reading;
    this.confirm.hidden = true;
    this.list.replaceChildren();
    try {
      const shown = await createImageBitmap(picture);
      this.draw(shown);
      const read = await this.reader.read(picture);
      const { cards, others } = cardsOf(read.found);
      Object.assign(this, { cards, others, unread: read.unread, shown, pixels: read.width });
    } catch (fault) {
      console.warn(fault);
      this.said.textContent = this.words.unreadable;
      this.state("failed");
      return null;
    }
    const before = taken();
    const names = await Promise.all(this.cards.map(({ code }) => Promise.resolve(this.name(code)).catch(() => null)));
    this.cards.forEach((card, place) => Object.assign(card, { name: names[place], taken: before.get(card.code) ?? 0 }));
    for (const card of this.cards) card.chosen = !card.taken;
    this.show();
    this.state("read");
    return { cards: this.cards, unread: this.unread, others: this.others };
  }

  state(word) {
    this.root.dataset.state = word;
  }

  draw(bitmap) {
    const scale = Math.min(1, SHOWN / Math.max(bitmap.width, bitmap.height));
    Object.assign(this.canvas, { width: bitmap.width * scale, height: bitmap.height * scale });
    this.context = this.canvas.getContext("2d");
    this.context.drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
  }

  // Marks of three shapes, each with a sign: a number, a tick for taken already, ? for not read, – for no card.
  show() {
    const { words } = this;
    this.draw(this.shown);
    const scale = this.canvas.width / this.pixels;
    for (const place of this.unread) this.mark(place.corners, scale, "?", "unread");
    for (const other of this.others) this.mark(other.corners, scale, "–", "other");
    this.cards.forEach((card, place) => this.mark(card.corners, scale, card.chosen ? `${place + 1}` : "✓", card.chosen ? "new" : "taken"));
    const chosen = this.cards.filter((card) => card.chosen).length;
    const known = this.cards.filter((card) => card.taken).length;
    const counts = [[words.cards_read, this.cards.length], [words.taken, known], [words.unread, this.unread.length], [words.no_card, this.others.length]];
    const said = counts.filter(([, count], place) => count || !place).map(([word, count]) => word.replace("{}", count));
    this.said.textContent = said.join(" · ");
    this.canvas.setAttribute("aria-label", this.said.textContent);
    this.confirm.textContent = words.record.replace("{}", chosen);
    this.confirm.hidden = !chosen;
    this.list.replaceChildren(...this.cards.map((card, place) => this.line(card, place)));
  }

  line(card, place) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button" });
    const [number, what, state] = ["span", "b", "small"].map((tag) => document.createElement(tag));
    number.textContent = place + 1;
    what.textContent = card.name ?? card.code;
    const ago = Math.round((Date.now() - card.taken) / 60_000);
    const why = card.name ? "" : this.words.unknown;
    const recorded = card.taken ? this.words.taken_ago.replace("{}", ago) : this.words.left_out;
    state.textContent = card.chosen ? why : recorded;
    button.append(number, what, state);
    button.setAttribute("aria-pressed", String(card.chosen));
    button.addEventListener("click", () => {
      card.chosen = !card.chosen;
      this.show();
      this.list.children[place].firstChild.focus();
    });
    item.append(button);
    return item;
  }

  mark(corners, scale, sign, kind) {
    const { context } = this;
    const style = getComputedStyle(this.root);
    const colour = style.getPropertyValue({ new: "--move", taken: "--ok", unread: "--act", other: "--line-2" }[kind]);
    context.setLineDash({ new: [], taken: [12, 8], unread: [3, 6], other: [3, 6] }[kind]);
    context.lineWidth = LINE;
    context.strokeStyle = colour;
    context.beginPath();
    for (const [x, y] of corners) context.lineTo(x * scale, y * scale);
    context.closePath();
    context.stroke();
    const [x, y] = centre(corners).map((value) => value * scale);
    const size = Math.max(18, Math.hypot(corners[0][0] - corners[2][0], corners[0][1] - corners[2][1]) * scale * 0.3);
    context.setLineDash([]);
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, size * 0.75, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = style.getPropertyValue({ new: "--move-ink", unread: "--act-ink" }[kind] ?? "--paper");
    context.font = `700 ${size}px ${style.fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(sign, x, y);
  }

  // Each chosen card becomes a scan, row by row; a second touch finds nothing left to record.
  async recordAll() {
    const chosen = this.cards.filter((card) => card.chosen);
    this.confirm.hidden = true;
    this.state("recording");
    let recorded = 0;
    for (const card of chosen) {
      card.chosen = false;
      try {
        await this.record(card.code, { how: "photo", again: card.taken > 0 });
      } catch (fault) {
        console.warn(fault);
        card.chosen = true; // offered again
        continue;
      }
      card.taken = Date.now();
      take(card.code);
      recorded += 1;
    }
    this.show();
    this.said.textContent = this.words.recorded.replace("{}", recorded);
    this.state("recorded");
  }
}
