// The pages of material handlers (rounds, receiving, line walks): clocks that tick, the age of what is shown, and what is
// done. Every form with `data-act` is an act that this device keeps and sends (acts.js); the server's answer is said here
// and the list asked for again. Codes come from the scanner, wherever the focus is, and from the camera (`jitapp:codes`).
// A scan that was recorded elsewhere on the page comes as `jitapp:recorded`.
import { Acts, shortened } from "./acts.js";
import { Capture } from "./capture.js";
import { isCardCode, readCodes } from "./codes.js";
import { uuid7 } from "./ids.js";
import { Sound } from "./sound.js";
import { span } from "./span.js";
import { Truth } from "./truth.js";

const ANSWER_MS = 20_000; // then the page is ready for the next scan; an answer that refuses stays
const MOST_REFUSED = 4;
const TWICE_MS = 10_000; // the same code within that is the scanner's second read
const MOST_IN_ONE = 300; // cards of a photograph in one act
const RENEW_MS = 150; // after the last of several answers

const json = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "{}");
const words = json("words");
const page = json("page");
const live = () => document.getElementById("rounds-now");
const box = () => document.querySelector("form[data-takes-scans]");
const truth = new Truth(words, document.getElementById("rounds-stale"));
const sound = new Sound(() => {});

// -- what is said ---------------------------------------------------------------------------------------------
const lines = document.getElementById("rounds-said");

// The newest act, and above all what was refused: that stays until the page is left, whatever was done since.
function say(id, { look = "red", headline = "", message = "", next = "" }, family = "") {
  let line = [...lines.children].find((each) => each.dataset.id === id);
  if (!line) {
    const isNews = id === acts.newest || look === "red" || look === "amber";
    if (!isNews) return;
    for (const old of [...lines.children]) if (id === acts.newest && old.dataset.look !== "red") old.remove();
    line = document.createElement("div");
    line.className = "said";
    line.dataset.id = id;
    lines.prepend(line);
    if (lines.children.length > MOST_REFUSED) lines.lastElementChild.remove();
  }
  line.dataset.look = look;
  line.setAttribute("role", look === "red" ? "alert" : "status");
  const head = document.createElement("b");
  head.textContent = headline;
  const step = document.createElement("span");
  step.textContent = next;
  line.replaceChildren(head, ` ${message} `, step);
  clearTimeout(line.fading);
  if (["ok", "calm", "amber"].includes(look)) line.fading = setTimeout(() => line.remove(), ANSWER_MS);
  if (family) sound.play(family);
}

// Connection, what waits here and how old it is: always in the same place, always with a word.
function showState() {
  const line = document.getElementById("rounds-link");
  if (!line) return;
  const { queue, state } = acts;
  const oldest = queue.oldest ? span((acts.clock.now() - queue.oldest) / 1000, words) : "";
  const waiting = words.offline_oldest.replace("{}", queue.count).replace("{}", oldest);
  line.dataset.state = state;
  line.querySelector(".word").textContent = {
    live: words.live,
    slow: words.slow,
    sending: words.sending_n.replace("{}", queue.count),
    offline: queue.count ? waiting : words.offline.replace("{}", 0),
    device: words.device.replace("{}", queue.count),
    storage: words.storage,
  }[state];
  line.querySelector(".more").textContent = { device: words.device_next, storage: words.storage_next }[state] ?? "";
  const aside = document.getElementById("rounds-aside");
  aside.hidden = !queue.aside;
  aside.textContent = words.aside.replace("{}", queue.aside);
}

// -- what is done ---------------------------------------------------------------------------------------------
const acts = new Acts({ page, words, onShow: say, onDone: done, onState: showState });
const touched = new Set(); // ids of buttons that were touched: twice is once
const carried = new Map(); // by card, what was done last with it here: {doing, at, waits}

// Whether a scan at a stop takes the container or leaves it, as the handler's list has it; the list may be older than
// what waits on this device, and somebody else may have carried the container since.
function meant(code) {
  const card = readCodes(code).cards[0] ?? code;
  const last = carried.get(card);
  if (last && performance.now() - last.at < TWICE_MS) return last.doing;
  if (last?.waits) return "drop";
  const listed = document.getElementById(`errand-${card}`)?.dataset.doing;
  return listed ?? "";
}

function carry({ code, act }, at = performance.now()) {
  const card = readCodes(code).cards[0] ?? code;
  if (act.do !== "scan" || !act.doing) return;
  carried.set(card, { doing: act.doing, at, waits: true });
  setTimeout(() => follow(card), TWICE_MS);
}

// The list is the server's; without an answer it follows what was done here, once no second touch is to be expected.
function follow(card) {
  const row = document.getElementById(`errand-${card}`);
  const form = row?.querySelector("form[data-act=scan]");
  if (!form || !carried.get(card)?.waits || row.dataset.doing !== "pick") return;
  row.dataset.doing = form.elements.doing.value = "drop";
  form.elements.id.value = uuid7();
  form.querySelector("button").textContent = row.dataset.then;
}

function done({ code, act }) {
  const last = carried.get(readCodes(code).cards[0] ?? code);
  if (act.do === "scan" && last) last.waits = false;
  clearTimeout(renewing);
  renewing = setTimeout(renew, RENEW_MS);
}

// What is said of an act before the server has answered: the container of the list and what was done with it.
function named({ do: what, doing }, code) {
  const row = document.getElementById(`errand-${readCodes(code).cards[0] ?? code}`);
  if (what !== "scan" || !row) return shortened(code);
  return `${row.querySelector("b").textContent} · ${doing === "drop" ? row.dataset.then : row.dataset.first}.`;
}

async function perform(form, fields, { id = uuid7(), touch = "" } = {}) {
  const { code = "", ...told } = fields;
  const act = { do: form.dataset.act, ...(page.place ? { place: page.place } : {}), ...told };
  if (act.do === "scan" && !act.doing) {
    act.doing = meant(code);
    if (!act.doing) delete act.doing;
  }
  const about = code || told.card || told.label || told.station || act.do;
  carry({ code, act });
  await acts.record(act, about, { id, what: code ? named(act, code) : touch });
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.dataset.whenSent !== undefined && acts.queue.count) {
      event.preventDefault();
      acts.queue.wake();
      acts.newest = "when-sent";
      say("when-sent", { look: "amber", headline: words.waits_first, message: "" }, "level");
    }
    if (!form.dataset.act) return;
    event.preventDefault();
    const { csrfmiddlewaretoken: _, id, ...fields } = Object.fromEntries(new FormData(form, event.submitter));
    if (form === box()) {
      form.elements.code.value = "";
      perform(form, fields);
    } else if (!id || !touched.has(id)) {
      touched.add(id);
      perform(form, fields, { id, touch: event.submitter?.textContent ?? "" });
    }
  },
  true,
);

function take(codes) {
  const form = box();
  if (!form) return;
  const cards = codes.length > 1 && form.dataset.takesScans === "many" && codes.every(isCardCode);
  // Of a photograph all cards are one act.
  const parts = cards ? Array.from({ length: Math.ceil(codes.length / MOST_IN_ONE) }, (_, place) => codes.slice(place * MOST_IN_ONE, (place + 1) * MOST_IN_ONE).join(" ")) : codes;
  for (const code of parts) if (code.trim()) perform(form, { code });
}

// Of a label the server reads more than its card: a kanban number stands beside a quantity.
function whole(codes, { label, text, layout }) {
  const plain = codes.length === 1 && !layout && text.toUpperCase().includes(codes[0]);
  return codes.length === 1 && (label || plain) ? [text.trim()] : codes;
}

// The shortest barcode of a label is a letter and a digit (Q5). With Enter, and outside of fields, it means nothing else.
class Labels extends Capture {
  end(event, field, suffix) {
    const text = this.keys.map(({ sign }) => sign).join("");
    if (field || !/^[A-Z]\d$/.test(text)) return super.end(event, field, suffix);
    this.clear();
    this.swallow(event);
    return this.on.other(text, "foreign");
  }
}

// -- the list -------------------------------------------------------------------------------------------------
let renewing = 0;
const renew = () => live()?.dispatchEvent(new CustomEvent("rounds:again"));
document.addEventListener("jitapp:recorded", renew);

// What is no answer of this page (a server that restarts, a login that ended) never takes the list's place.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if ((ctx.response?.status ?? 0) >= 400 || (ctx.sourceElement === live() && !/id="rounds-now"/.test(ctx.text ?? ""))) {
    event.preventDefault();
  }
});

setInterval(() => {
  const list = live() ?? document.querySelector("[data-clock]");
  if (!list) return;
  if (live()) {
    truth.heard(live().dataset.at);
    document.body.dataset.stale = truth.stale ? truth.age : "";
  }
  truth.tick(document.getElementById("main"));
  if (box()) showState();
}, 1000);

if (box()) {
  for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, () => sound.wake(), { once: true });
  for (const scan of await acts.start()) carry(scan, -Infinity);
  showState();
  new Labels({
    onCodes: (codes, meta) => take(whole(codes, meta)),
    onCommand: (_command, { text }) => take([text]),
    onOther: (text, kind) => kind !== "typed" && take([text]),
  }).listen(document);
  document.addEventListener("jitapp:codes", ({ detail }) => take(detail));
  document.documentElement.dataset.scans = "";
}
