// The flow map: zoom and pan by buttons, keys, wheel and hand; picture and list renew themselves every few seconds.
import { poll } from "./board/polled.js";
import { show as write, truthOf } from "./truth.js";

const EVERY_MS = 3000;
const FACTOR = 1.25;
const CLOSEST = 2.5; // so many pixels of the screen for one of the picture
const READABLE = 0.45; // below this the type is too small: a part is shown instead of all
const STEP = 0.15; // of what is seen, for each press of an arrow key

const root = document.getElementById("map");
const live = "picture" in root.dataset; // a map of the past stands still
const words = live ? JSON.parse(document.getElementById("words").textContent) : {};
const truth = live ? truthOf(words, root.dataset.zone) : null;
const flow = () => document.getElementById("flow");
const sheet = () => document.getElementById("sheet");
let view = null; // {x, y, width, height} of what is seen; null: all of it

const size = () => ({ width: Number(flow().dataset.width), height: Number(flow().dataset.height) });
const whole = () => ({ x: 0, y: 0, ...size() });
const scale = () => {
  const { width, height } = view ?? whole();
  return Math.min(sheet().clientWidth / width, sheet().clientHeight / height);
};

function apply() {
  const { x, y, width, height } = view ?? whole();
  flow().setAttribute("viewBox", [x, y, width, height].map((each) => each.toFixed(1)).join(" "));
}

// Shows the picture at this scale around a point of it, and never beyond its edges.
function show(next, centre) {
  const { clientWidth, clientHeight } = sheet();
  const all = size();
  const least = Math.min(clientWidth / all.width, clientHeight / all.height);
  if (next <= least) view = null;
  else {
    const kept = Math.min(next, CLOSEST);
    const [width, height] = [clientWidth / kept, clientHeight / kept];
    const within = (at, seen, most) => (seen >= most ? (most - seen) / 2 : Math.min(Math.max(at - seen / 2, 0), most - seen));
    view = { x: within(centre.x, width, all.width), y: within(centre.y, height, all.height), width, height };
  }
  apply();
}

const middle = () => {
  const { x, y, width, height } = view ?? whole();
  return { x: x + width / 2, y: y + height / 2 };
};

function pan(right, down) {
  const at = middle();
  const { width, height } = view ?? whole();
  show(scale(), { x: at.x + right * width, y: at.y + down * height });
}

function showLoop(id, least = 1) {
  const loop = document.getElementById(`map-${id}`);
  if (!loop) return;
  const box = loop.getBBox();
  const margin = 24; // the picture's own, as flowpicture.py draws it
  show(Math.max(scale(), least), { x: box.x + box.width / 2 + margin, y: box.y + box.height / 2 + margin });
}

const urgent = () => Number(document.getElementById("drawn").dataset.urgent);
const tools = {
  in: () => show(scale() * FACTOR, middle()),
  out: () => show(scale() / FACTOR, middle()),
  all: () => show(0, middle()),
  urgent: () => showLoop(urgent()),
  print: () => print(),
};

for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => tools[button.dataset.zoom]());

const keys = {
  "+": tools.in,
  "=": tools.in,
  "-": tools.out,
  0: tools.all,
  ArrowLeft: () => pan(-STEP, 0),
  ArrowRight: () => pan(STEP, 0),
  ArrowUp: () => pan(0, -STEP),
  ArrowDown: () => pan(0, STEP),
};
root.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target !== sheet() || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
// A link that the keyboard comes to is brought into sight.
root.addEventListener("focusin", (event) => {
  if (view && event.target.closest?.("#flow a")) {
    const box = event.target.getBBox();
    show(scale(), { x: box.x + box.width / 2 + 24, y: box.y + box.height / 2 + 24 });
  }
});
root.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey || !event.target.closest("#sheet")) return; // without Ctrl the page scrolls as everywhere
    event.preventDefault();
    show(scale() * (event.deltaY < 0 ? FACTOR : 1 / FACTOR), middle());
  },
  { passive: false },
);

// -- moved by hand: a drag moves the picture, a click still follows the link ---------------------------
let drag = null;
root.addEventListener("pointerdown", (event) => {
  if (!event.target.closest("#sheet") || event.button) return;
  drag = { x: event.clientX, y: event.clientY, from: middle(), moved: false };
});
addEventListener("pointermove", (event) => {
  if (!drag || !view) return;
  const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.moved && Math.hypot(right, down) < 6) return;
  drag.moved = true;
  show(scale(), { x: drag.from.x - right / scale(), y: drag.from.y - down / scale() });
});
addEventListener("pointerup", () => setTimeout(() => (drag = null)));
addEventListener("pointercancel", () => (drag = null));
root.addEventListener("click", (event) => drag?.moved && event.preventDefault(), true);
root.addEventListener("dragstart", (event) => event.preventDefault());

// -- paper: the whole picture on one sheet -------------------------------------------------------------
// Always in the colours of the day, with the time at which it was true.
let before = null;
const look = document.documentElement.dataset;
addEventListener("beforeprint", () => {
  before = { view, theme: look.theme };
  view = null;
  look.theme = "day";
  if (live) write(document.getElementById("printed-at"), truth.time(link.now() - (Date.now() - link.heardAt())));
  apply();
});
addEventListener("afterprint", () => {
  view = before.view;
  look.theme = before.theme;
  apply();
});

// -- live ------------------------------------------------------------------------------------------------
const parser = document.createElement("template");

// With nothing to show there the button rests.
function offer() {
  document.querySelector("[data-zoom=urgent]").disabled = !urgent();
}

function take(html) {
  if (drag) return false; // not under the reader's hand: the next turn brings it
  parser.innerHTML = html;
  const fresh = parser.content.getElementById("drawn");
  if (!fresh) return false;
  const old = document.getElementById("drawn");
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const states = new Map([...old.querySelectorAll("[data-state]")].map((each) => [each.id, each.dataset.state]));
  const list = old.querySelector(".card.flush");
  const aside = list.scrollLeft;
  old.replaceWith(fresh);
  fresh.querySelector(".card.flush").scrollLeft = aside;
  apply();
  offer();
  for (const loop of fresh.querySelectorAll("[data-state]")) {
    if (states.has(loop.id) && states.get(loop.id) !== loop.dataset.state) loop.classList.add("fresh");
  }
  if (focused) refocus(focused);
}

function refocus(old) {
  const href = old.getAttribute?.("href");
  const again = old.id ? document.getElementById(old.id) : href && root.querySelector(`a[href="${CSS.escape(href)}"]`);
  again?.focus({ preventScroll: true });
}

const link =
  live &&
  poll(
    { url: root.dataset.picture, now: root.dataset.now, every: EVERY_MS },
    { all: take, stands: truth.stands, heard: () => truth.show(link) },
  );
if (live) {
  setInterval(() => {
    link.look();
    truth.show(link);
  }, 1000);
  truth.show(link);
}
addEventListener("resize", () => show(view ? scale() : 0, middle()));
if (scale() < READABLE) {
  if (urgent()) showLoop(urgent(), READABLE);
  else show(READABLE, { x: 0, y: size().height / 2 }); // nothing urges: where the flow begins
}
offer();
