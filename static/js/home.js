// The home page keeps itself true: the rows of all its areas come over one stream, and each card shows the worst of them,
// the numbers, the calls, and the last 24 hours.
import { connect } from "./board/connection.js";
import { show, tickAll, truthOf } from "./truth.js";
import { Store } from "./wall/store.js";

const ASK_AFTER_MS = 500; // calls changed, or how many loops there are: all is asked for
const ANNOUNCE_MS = 10_000;

const list = document.getElementById("areas");
const words = JSON.parse(document.getElementById("words").textContent);
const said = document.getElementById("said");
const cards = new Map([...list.children].map((card) => [card.dataset.area, card]));
const store = new Store({ links: true });
const truth = truthOf(words, list.dataset.zone);
let drawing = 0;
let asking = 0;
let announced = "";
let announcedAt = 0;
let link = null;

function soon() {
  drawing ||= requestAnimationFrame(draw);
}

function draw() {
  drawing = 0;
  const totals = { out: 0, act: 0 };
  for (const area of store.areas.values()) {
    const card = cards.get(area.code);
    if (!card) continue;
    const numbers = store.counts(area);
    for (const state of Object.keys(totals)) totals[state] += numbers[state];
    drawCard(card, area, numbers);
  }
  tick();
  announce(totals);
}

function drawCard(card, area, numbers) {
  show(card.querySelector(".loops-count"), String(area.loops));
  const states = card.querySelector(".states");
  states.hidden = !area.loops;
  for (const chip of states.children) {
    const n = String(numbers[chip.dataset.state] ?? 0);
    chip.dataset.n = n;
    show(chip.querySelector("b"), n);
  }
  drawWorst(card, store.worst(area)[0], area.loops);
  drawCalls(card.querySelector(".called"), area, numbers);
}

// The first row in the pieces that its board draws; they are copies, the row itself stays where it is kept.
function drawWorst(card, row, loops) {
  const worst = card.querySelector(".worst");
  const quiet = card.querySelector(".quiet");
  worst.hidden = !row;
  quiet.hidden = Boolean(row);
  show(quiet, loops ? words.quiet : words.none);
  if (!row) return;
  const key = `${row.id} ${row.dataset.era} ${row.dataset.v} ${row.dataset.at}`;
  if (worst.dataset.key === key) return;
  worst.dataset.key = key;
  worst.dataset.v = row.dataset.v;
  const drawn = store.show(row);
  const part = document.createElement("a");
  part.className = "part";
  part.href = drawn.querySelector(".c-part a").getAttribute("href");
  part.textContent = drawn.querySelector(".c-part b").textContent;
  const piece = (name, of) => {
    const made = document.createElement("div");
    made.className = name;
    made.append(...[...drawn.querySelector(of).cloneNode(true).childNodes]);
    return made;
  };
  const focused = worst.contains(document.activeElement);
  worst.replaceChildren(drawn.querySelector(".chip").cloneNode(true), piece("dry", ".c-dry"), part, piece("c-who", ".c-who"));
  if (focused) part.focus({ preventScroll: true });
}

function drawCalls(line, area, numbers) {
  line.hidden = !numbers.call;
  line.dataset.red = String(Number(numbers.red));
  show(line.querySelector("b"), String(numbers.call));
  show(line.querySelector(".word"), words[numbers.call === 1 ? "call_one" : "state_call"]);
  if (!area.calls.length) return;
  const oldest = String(Math.min(...area.calls.map((call) => Number(call.dataset.t))));
  const age = line.querySelector(".age");
  if (age.querySelector("time")?.dataset.t === oldest) return;
  const time = document.createElement("time");
  time.className = "tick";
  Object.assign(time.dataset, { tick: "since", t: oldest });
  age.replaceChildren(`${words.oldest} `, time);
}

function drawStrips(found) {
  for (const figure of found.querySelectorAll("figure")) {
    const old = cards.get(figure.dataset.area)?.querySelector(".strip");
    const fresh = figure.querySelector("svg");
    if (old && fresh && !old.isEqualNode(fresh)) old.replaceWith(fresh);
  }
}

function announce(totals) {
  const text = Object.entries(totals).map(([state, n]) => `${words[`state_${state}`]} ${n}`).join(", ");
  if (text === announced || Date.now() - announcedAt < ANNOUNCE_MS) return;
  announced = text;
  announcedAt = Date.now();
  said.textContent = text;
}

function tick() {
  tickAll(list, (link?.now() ?? Date.now()) / 1000, words);
}

function askSoon() {
  asking ||= setTimeout(() => {
    asking = 0;
    link.ask();
  }, ASK_AFTER_MS);
}

link = connect(list.dataset, {
  row(data) {
    if (store.row(data)) askSoon();
    soon();
  },
  all(html) {
    const found = store.all(html);
    drawStrips(found);
    // An area that is new, or gone: the page has no card for it.
    const codes = [...store.areas.values()].map((area) => area.code);
    if (codes.length !== cards.size || codes.some((code) => !cards.has(code))) location.reload();
    soon();
  },
  stands: truth.stands,
  heard: () => link && truth.show(link),
});

truth.show(link);
setInterval(() => {
  tick();
  truth.show(link);
  link.look();
}, 1000);
