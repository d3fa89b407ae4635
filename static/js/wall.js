// A wall board: areas take turns, worst rows first, in type that is read from where people stand. The rows are those of
// the boards and come over the same channels; the page says how old it is, and mends itself.
import { connect } from "./board/connection.js";
import { show, tickAll, truthOf } from "./truth.js";
import { careFor } from "./wall/care.js";
import { sizeFor } from "./wall/sizes.js";
import { Store } from "./wall/store.js";

const MOST_ROWS = 12;
const WHOLE_ROWS = 2; // so many rows never shrink to one line
const ASK_AFTER_MS = 300; // calls changed: their rows are asked for
const PAUSE_MS = 10 * 60_000; // whoever pauses walks away sooner or later
const BAND = ["out", "act", "late", "call"];
const NEXT = ["ArrowRight", "ArrowDown", "PageDown", "MediaTrackNext", "ChannelUp"];
const BACK = ["ArrowLeft", "ArrowUp", "PageUp", "MediaTrackPrevious", "ChannelDown"];
const PAUSE = [" ", "Enter", "MediaPlayPause", "MediaPause", "MediaPlay", "Pause"];

const at = document.body.dataset;
const spoken = JSON.parse(document.getElementById("words").textContent);
const headers = { Authorization: `Bearer ${decodeURIComponent(location.pathname.split("/").pop())}` };
const [area, turn, band, rows, calls, well, more, main] = ["area", "turn", "band", "rows", "calls", "well", "more", "scene"].map((id) =>
  document.getElementById(id),
);
const store = new Store();
const truth = truthOf(Object.values(spoken)[0], at.zone);
let place = 0;
let turnedAt = Date.now();
let pausedAt = 0;
let drawing = 0;
let asking = 0;
let words = Object.values(spoken)[0];
let language = "";
let link = null;

// -- how large -------------------------------------------------------------------------------------
function fit() {
  document.documentElement.style.setProperty("--wall", `${sizeFor(at, screen, window)}px`);
  draw();
}

// -- what is shown -----------------------------------------------------------------------------------
const scenes = () => [...store.areas.values()];

function element(name, kind, text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

function shape(state) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#sh-${state}`);
  svg.append(use);
  return svg;
}

for (const state of BAND) {
  const box = element("div", `wall-number s-${state}`);
  box.dataset.state = state;
  box.append(shape(state), element("b", "n", "0"), element("span", "word"), element("span", "age"));
  band.append(box);
}
well.append(element("b"), element("span"));

function speak(to) {
  if (to === language) return;
  language = to;
  words = spoken[to] ?? words;
  document.documentElement.lang = to;
  document.documentElement.dir = words.direction;
  truth.say(words);
  for (const box of band.children) show(box.querySelector(".word"), words[`state_${box.dataset.state}`]);
  show(document.querySelector("#stale span"), words.distrust);
}

function soon() {
  drawing ||= requestAnimationFrame(draw);
}

function draw() {
  cancelAnimationFrame(drawing);
  drawing = 0;
  const all = scenes();
  const scene = all[place % (all.length || 1)];
  well.hidden = true;
  if (!scene) {
    if (link?.answered) message(words.no_areas, "");
    return;
  }
  speak(scene.language);
  show(area, scene.name);
  const areas = [...new Set(all.map((one) => one.name))];
  turn.hidden = areas.length < 2 && !pausedAt;
  const which = areas.length > 1 ? `${areas.indexOf(scene.name) + 1}/${areas.length}` : "";
  show(turn, [which, pausedAt ? words.paused : ""].filter(Boolean).join(" · "));
  const numbers = store.counts(scene);
  count(numbers, scene);
  const worst = store.worst(scene);
  arrange(calls, scene.calls);
  const shown = worst.slice(0, MOST_ROWS);
  for (const row of shown) mark(row);
  arrange(rows, shown.map((row) => store.show(row)));
  if (!worst.length && !scene.calls.length) quiet(scene);
  tick();
  squeeze(worst.length, numbers);
}

function arrange(list, wanted) {
  const same = list.children.length === wanted.length && wanted.every((one, i) => list.children[i] === one);
  if (!same) list.replaceChildren(...wanted);
}

// A row that has just changed has a mark at its beginning, for two seconds.
function mark(row) {
  if (!row.isFresh) return;
  row.isFresh = false;
  const { element: drawn } = row;
  drawn.classList.add("fresh");
  setTimeout(() => drawn.classList.remove("fresh"), 2000);
}

function count(numbers, scene) {
  for (const box of band.children) {
    const n = String(numbers[box.dataset.state] ?? 0);
    box.dataset.n = n;
    show(box.querySelector(".n"), n);
    if (box.dataset.state !== "call") continue;
    box.dataset.red = String(Number(numbers.red));
    const oldest = Math.min(...scene.calls.map((call) => Number(call.dataset.t)));
    const age = box.querySelector(".age");
    if (!scene.calls.length) age.replaceChildren();
    else if (age.firstElementChild?.dataset.t !== String(oldest)) {
      const time = element("time", "tick");
      Object.assign(time.dataset, { tick: "since", t: String(oldest) });
      age.replaceChildren(time);
    }
  }
}

function message(head, text) {
  well.hidden = false;
  show(well.querySelector("b"), head);
  show(well.querySelector("span"), text);
}

function quiet({ loops, next }) {
  const text = next ? words[`well_${next.kind}`].replace("{part}", next.part).replace("{time}", truth.time(next.at * 1000, link?.now())) : "";
  message(loops ? words.well : words.empty, loops ? text : "");
}

// One line, unless long words make it higher than the two that say all.
function shrink(row) {
  const before = row.getBoundingClientRect().height;
  row.classList.add("dense");
  if (row.getBoundingClientRect().height > before) row.classList.remove("dense");
}

// The worst rows say all; where there are more than fit, the others say it in one line, from the end; what still does
// not fit is left out whole, and counted.
function squeeze(total, numbers) {
  more.hidden = true;
  const shown = [...calls.children, ...rows.children];
  for (const one of shown) {
    one.hidden = false;
    one.classList.remove("dense");
  }
  const over = () => rows.getBoundingClientRect().bottom > main.getBoundingClientRect().bottom + 0.5;
  const left = () => total + numbers.call - shown.filter((one) => !one.hidden).length;
  more.hidden = left() <= 0 && !over();
  if (more.hidden) return;
  for (let i = rows.children.length - 1; i >= WHOLE_ROWS && over(); i -= 1) shrink(rows.children[i]);
  more.hidden = left() <= 0 && !over();
  for (let i = shown.length - 1; i > 0 && over(); i -= 1) {
    shown[i].hidden = true;
    more.hidden = false;
  }
  const [seenCalls, seenRows] = [calls, rows].map((list) => [...list.children].filter((one) => !one.hidden).length);
  const lacking = [`${Math.max(0, total - seenRows)}`];
  if (numbers.call > seenCalls) lacking.push(`${words.state_call} ${numbers.call - seenCalls}`);
  show(more, words.more.replace("{}", lacking.join(" · ")));
}

function tick() {
  tickAll(document.body, (link?.now() ?? Date.now()) / 1000, words);
}

// -- whose turn it is -----------------------------------------------------------------------------------
function step(by) {
  const count = scenes().length || 1;
  place = (place + by + count) % count;
  turnedAt = Date.now();
  soon();
}

document.addEventListener("keydown", (event) => {
  if (NEXT.includes(event.key)) step(1);
  else if (BACK.includes(event.key)) step(-1);
  else if (PAUSE.includes(event.key)) {
    pausedAt = pausedAt ? 0 : Date.now();
    turnedAt = Date.now();
    soon();
  } else return;
  event.preventDefault();
});

function turnOver() {
  if (pausedAt && Date.now() - pausedAt > PAUSE_MS) pausedAt = 0;
  if (!pausedAt && scenes().length > 1 && Date.now() - turnedAt >= Number(at.seconds) * 1000) step(1);
}

// -- what keeps it true --------------------------------------------------------------------------------
function askSoon() {
  if (asking) return;
  asking = setTimeout(() => {
    asking = 0;
    link.ask();
  }, ASK_AFTER_MS);
}

link = connect(
  { live: at.live, rows: at.rows, channel: at.channel, ticket: at.ticket, now: at.now, headers },
  {
    row(data) {
      if (store.row(data)) askSoon();
      soon();
    },
    all(html) {
      store.all(html);
      if (link) link.answered = true;
      soon();
    },
    stands: truth.stands,
    heard: () => link && truth.show(link),
    answer: (answer) => care.heard(answer),
    told: () => care.want("set up"),
    // The token was ended: the server says so itself. Anything else may be a proxy that speaks while the server starts.
    gone: (status) => status === 401 && location.reload(),
  },
);
const care = careFor(at, { headers, now: link.now });

addEventListener("resize", fit);
// Type that has come in, a banner, a number with one digit more: what fits is measured anew.
document.fonts?.addEventListener("loadingdone", soon);
const sizes = new ResizeObserver(soon);
for (const one of [main, rows, calls]) sizes.observe(one);
speak(Object.keys(spoken)[0]);
fit();
truth.show(link);
setInterval(() => {
  tick();
  truth.show(link);
  link.look();
  turnOver();
  care.look();
}, 1000);
navigator.wakeLock?.request("screen").catch(() => {}); // only over https; a wall's own settings keep it awake too
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => {});
});
