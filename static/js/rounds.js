// The pages of material handlers (rounds, receiving, line walks): clocks that tick, the age of what is shown, and scans.
// A page with a form of its own for scans takes them itself: from the scanner, wherever the focus is, and from the camera
// (`jitapp:codes`). A scan that was recorded elsewhere on the page comes as `jitapp:recorded`: the list is asked for again
// at once.
import { Capture } from "./capture.js";
import { uuid7 } from "./ids.js";
import { span, tickText } from "./span.js";

const STALE_SECONDS = 15;
const BANNER_SECONDS = 40;

const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const live = () => document.getElementById("rounds-now");
let offset = 0; // the server's clock minus ours, in ms
let heardAt = Date.now();
let newest = "";

function tickAll(root) {
  const seconds = (Date.now() + offset) / 1000;
  for (const time of root.querySelectorAll(".tick")) {
    const text = tickText(time.dataset.tick, Number(time.dataset.t), seconds, words);
    if (time.textContent !== text) time.textContent = text;
  }
}

function showAge(list) {
  if (list.dataset.at !== newest) {
    newest = list.dataset.at;
    heardAt = Date.now();
    offset = Number(newest) - heardAt;
  }
  const banner = document.getElementById("rounds-stale");
  if (!banner) return;
  const silent = (Date.now() - heardAt) / 1000;
  document.body.dataset.stale = silent > STALE_SECONDS ? span(silent, words) : "";
  banner.hidden = silent <= BANNER_SECONDS;
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  banner.querySelector("b").textContent = words.dead.replace("{}", clock.format(heardAt));
}

// -- scans ----------------------------------------------------------------------------------------------------
// Codes one after another through the page's own form: the answer to one is shown before the next is sent. A scan that
// got no answer is sent again under its id, so that it counts once; the next scan has an id of its own.
const waiting = [];
const scans = () => document.querySelector("form[data-takes-scans]");
const AGAIN_MS = 4000;
const KEPT = `unsent ${location.pathname}`; // survives a login in between, in this tab
let busy = false;

function sendNext() {
  const form = scans();
  if (busy || !form || !waiting.length) return;
  form.elements.code.value = waiting.shift();
  if (!form.checkValidity()) {
    sendNext(); // a read of nothing but ends of lines
    return;
  }
  busy = true;
  form.requestSubmit();
}

function unsent(hidden) {
  const line = document.getElementById("rounds-unsent");
  if (line) line.hidden = hidden;
}

document.addEventListener("htmx:before:request", ({ detail }) => {
  const form = scans();
  if (detail.ctx.sourceElement !== form) return;
  busy = true;
  sessionStorage.setItem(KEPT, JSON.stringify({ id: form.elements.id.value, code: form.elements.code.value }));
});
// What is no answer of this page (a server that restarts, a login that ended) never takes the list's place.
document.addEventListener("htmx:before:swap", (event) => {
  if ((event.detail.ctx.response?.status ?? 0) >= 400) event.preventDefault();
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const form = scans();
  const failed = !ctx.response || ctx.response.status >= 400;
  if (ctx.sourceElement !== form) {
    if (ctx.request?.method === "POST") unsent(!failed);
    return;
  }
  unsent(!failed);
  if (failed) {
    const later = !ctx.response || ctx.response.status === 429 || ctx.response.status >= 500;
    busy = later;
    if (later) setTimeout(() => form.requestSubmit(), AGAIN_MS);
    return;
  }
  if (ctx.hx?.redirect) return; // to the login: the scan is sent from this tab afterwards
  busy = false;
  sessionStorage.removeItem(KEPT);
  form.elements.id.value = uuid7();
  form.elements.code.value = "";
  sendNext();
});

// Many codes of one photograph go in one sending where the page takes them so; again they add nothing.
async function sendAll(form, codes) {
  try {
    const answer = await fetch(form.dataset.takesCodes, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      body: JSON.stringify({ codes }),
      signal: AbortSignal.timeout(8000),
    });
    const told = await answer.json();
    unsent(true);
    say(told);
    document.dispatchEvent(new CustomEvent("jitapp:seen", { detail: told }));
    renew();
  } catch {
    unsent(false);
    setTimeout(() => sendAll(form, codes), AGAIN_MS);
  }
}

function say({ headline = "", message, look = "red" }) {
  const line = document.createElement("div");
  Object.assign(line, { className: "said", role: "status" });
  line.dataset.look = look;
  const head = document.createElement("b");
  head.textContent = headline;
  line.append(head, ` ${message}`);
  document.getElementById("rounds-said").replaceChildren(line);
}

const renew = () => live()?.dispatchEvent(new CustomEvent("rounds:again"));

function take(codes) {
  const form = scans();
  if (codes.length > 1 && form.dataset.takesCodes) {
    sendAll(form, codes);
    return;
  }
  waiting.push(...codes);
  sendNext();
}

if (scans()) {
  new Capture({
    // Of a label the server reads more than its card.
    onCodes: (codes, { label, text }) => take(label && codes.length === 1 ? [text] : codes),
    onCommand: (_command, { text }) => take([text]),
    onOther: (text, kind) => kind !== "typed" && take([text]),
  }).listen(document);
  document.addEventListener("jitapp:codes", ({ detail }) => take(detail));
  document.documentElement.dataset.scans = "";
}
document.addEventListener("jitapp:recorded", renew);

// An answer stands for a while, then the page is ready for the next scan; one that refuses stays until then.
const ANSWER_MS = 20_000;
let fading;
document.addEventListener("htmx:after:swap", () => {
  const said = document.querySelector("#rounds-said .said");
  if (!said || said.dataset.at) return;
  said.dataset.at = Date.now();
  clearTimeout(fading);
  if (said.dataset.look !== "red") fading = setTimeout(() => said.remove(), ANSWER_MS);
});

const left = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
if (left && scans()) {
  scans().elements.id.value = left.id;
  scans().elements.code.value = left.code;
  document.addEventListener("htmx:after:init", () => scans().requestSubmit(), { once: true });
}

setInterval(() => {
  const list = live() ?? document.querySelector("[data-clock]");
  if (!list) return;
  if (live()) showAge(list);
  tickAll(document.getElementById("main"));
}, 1000);
