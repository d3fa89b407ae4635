// The scan page: a scan is kept before it is shown, sent in order, and forgotten only when the server has answered.
//
// What waits lies in localStorage under an id made here; sent again, the same id changes nothing twice.
import { findCardCode } from "./cardcode.js";
import { uuid7 } from "./ids.js";
import { Sound } from "./sound.js";
import { span } from "./span.js";
import { Wedge } from "./wedge.js";

const words = JSON.parse(document.getElementById("words").textContent);
const result = document.getElementById("result");
const form = document.getElementById("typing");
const field = document.getElementById("code");
const intent = document.getElementById("intent");
const list = document.getElementById("last");
const none = document.getElementById("last-none");
const link = document.getElementById("link");
const asideLink = document.getElementById("aside-link");
const soundButton = document.getElementById("sound");
const workLink = document.getElementById("work");
const checks = document.getElementById("checks");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;

const KEEP = "jitapp.waiting";
const ASIDE = "jitapp.aside"; // what the server could not take; settled on the page "Needs a look"
const SHOWN = 8;
const TIMEOUT_MS = 2500;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const MOST_FAULTS = 4; // answers of 500 after which a scan makes way for those behind it
const SHAPES = { ok: "tick", calm: "tick", amber: "sh-soon", red: "sh-act", saved: "tick", sending: "tick", ready: "sh-ok" };

let waiting = load(KEEP);
let sending = false;
let failures = 0;
let loggedOut = false;
let newest = null; // the scan the big panel is about
const lines = [];

// -- the queue -----------------------------------------------------------------------------
function load(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? [];
  } catch {
    return [];
  }
}

function keep() {
  try {
    localStorage.setItem(KEEP, JSON.stringify(waiting));
  } catch {
    // Full or forbidden: the scans are still in memory, and the count on the page says how many wait.
  }
}

// Out of the queue, not out of the world: it stays on this device until a person has looked.
function setAside(scan, status, message) {
  const { faults, ...told } = scan;
  try {
    localStorage.setItem(ASIDE, JSON.stringify([...load(ASIDE), { scan: told, status, message, at: Date.now() }]));
  } catch {
    // Full or forbidden: it is told on the screen and in the list of last scans.
  }
}

// -- a scan ----------------------------------------------------------------------------------------
function record(code, means = intent.value, more = {}) {
  const scan = { id: uuid7(), code, occurred_at: new Date().toISOString(), ...more };
  if (means) scan.intent = means;
  waiting.push(scan);
  keep();
  newest = scan.id;
  show({ look: "sending", code: "sending", headline: `${words.read} ${code}`, message: words.sending, next: "" });
  drain();
}

async function drain() {
  if (sending) return;
  sending = true;
  while (waiting.length) {
    const scan = waiting[0];
    const answer = await send(scan);
    if (!answer) break;
    waiting.shift();
    keep();
    take(scan, answer);
  }
  sending = false;
  showLink();
  if (waiting.length && !loggedOut) {
    setTimeout(drain, RETRY_MS[Math.min(failures - 1, RETRY_MS.length - 1)] * (0.8 + 0.4 * Math.random()));
  }
}

// The answer to show, or null to try again later with the same id.
async function send(scan) {
  const { faults = 0, ...told } = scan;
  try {
    const answer = await fetch("/s/", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ ...told, sent_at: new Date().toISOString() }),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect") {
      loggedOut = true;
      throw new Error("logged out");
    }
    if (answer.status === 500) {
      // The fault is the server's and may be this scan's alone: the others must not wait behind it for ever.
      scan.faults = faults + 1;
      keep();
      if (scan.faults >= MOST_FAULTS) return aside(scan, 500, words.fault);
    }
    if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
    const body = await answer.json();
    if (answer.status >= 400) return aside(scan, answer.status, body.message);
    failures = 0;
    loggedOut = false;
    return body;
  } catch {
    failures += 1;
    if (scan.id === newest) {
      show({ look: "saved", code: "offline", headline: words.offline_head, message: scan.code, next: words.offline_next }, failures === 1 && "one");
    }
    return null;
  }
}

function aside(scan, status, message) {
  failures = 0;
  setAside(scan, status, message);
  return {
    outcome: "refused", code: "aside", look: "red", sound: "falling", state: "refused",
    headline: words.nothing, message: scan.code, next: words.look.replace("{}", message),
  };
}

function take(scan, answer) {
  const warned = answer.sound === "rising" && answer.state !== "applied";
  if (scan.id === newest) show(answer, warned ? "warned" : answer.sound);
  lines.unshift({ scan, answer, at: Date.now() });
  lines.length = Math.min(lines.length, SHOWN);
  drawLines();
}

// -- what is seen and heard --------------------------------------------------------------------------
const sound = new Sound((on) => {
  soundButton.hidden = false;
  soundButton.setAttribute("aria-pressed", String(on));
  soundButton.querySelector("use").setAttribute("href", on ? "#speaker" : "#speaker-off");
  soundButton.querySelector(".unseen").textContent = on ? words.sound_on : words.sound_off;
});

function show(answer, family) {
  result.dataset.look = answer.look;
  result.dataset.state = answer.code;
  result.dataset.screen = answer.state ?? answer.look;
  result.setAttribute("role", answer.look === "red" ? "alert" : "status");
  result.querySelector("use").setAttribute("href", `#${SHAPES[answer.look] ?? "sh-soon"}`);
  result.querySelector(".headline").textContent = answer.headline;
  result.querySelector(".what").textContent = answer.detail ?? answer.message ?? "";
  result.querySelector(".next").textContent = answer.next ?? "";
  showPlace(answer);
  if (answer.look !== "sending") {
    result.classList.remove("flash");
    void result.offsetWidth; // starts the one flash anew
    result.classList.add("flash");
  }
  if (family) sound.play(family);
  showLink();
}

// What belongs to the answer at this place: how the work is done, or the checks that come before it.
function showPlace({ work, checks: asked = [], card }) {
  workLink.hidden = !work;
  if (work) workLink.href = work;
  checks.hidden = !asked.length;
  checks.elements.namedItem("code").value = card?.code ?? "";
  checks.querySelector("span").replaceChildren(
    ...asked.map((check) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", name: "checks", value: check });
      label.append(box, check);
      return label;
    }),
  );
}

checks.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new FormData(checks);
  record(given.get("code"), "start", { checks: given.getAll("checks") });
});

function showLink() {
  const set = load(ASIDE).length;
  asideLink.hidden = !set;
  asideLink.querySelector("span").textContent = words.aside.replace("{}", set);
  const offline = waiting.length > 0 && failures > 0;
  link.dataset.state = offline ? "offline" : "live";
  const word = loggedOut ? words.logged_out : words.offline;
  link.querySelector(".word").textContent = offline ? word.replace("{}", waiting.length) : words.live;
}

function drawLines() {
  none.hidden = lines.length > 0;
  list.replaceChildren(...lines.map(line));
}

function line({ scan, answer, at }) {
  const item = document.createElement("li");
  item.dataset.look = answer.look;
  const card = answer.card;
  const what = card ? `${card.part} ${card.number}/${card.of}` : scan.code;
  item.innerHTML = '<svg aria-hidden="true"><use/></svg><div><b></b><small></small></div>';
  item.querySelector("use").setAttribute("href", `#${SHAPES[answer.look] ?? "sh-soon"}`);
  item.querySelector("b").textContent = what;
  item.querySelector("small").textContent = `${answer.headline} · ${words.ago.replace("{}", span((Date.now() - at) / 1000, words))}`;
  if (answer.outcome === "applied" && answer.code !== "undone" && card) {
    const undo = document.createElement("button");
    undo.type = "button";
    undo.textContent = words.undo;
    undo.setAttribute("aria-label", words.undo_of.replace("{}", what));
    undo.addEventListener("click", () => record(card.code, "undo"));
    item.append(undo);
  }
  return item;
}

// -- in ---------------------------------------------------------------------------------------------
const wedge = new Wedge({
  ownField: field,
  onCode: (code) => record(code),
  onRubbish: (text, isCardLike) =>
    show(
      isCardLike
        ? { look: "red", code: "bad_check", headline: words.bad_head, message: text, next: words.bad_next }
        : { look: "amber", code: "not_a_card_code", headline: words.foreign_head, message: text, next: words.foreign_next },
      isCardLike ? "falling" : "level",
    ),
  onNoSuffix: () => console.info(words.no_suffix),
});
wedge.listen(document);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const offered = event.submitter?.name === "code" ? event.submitter : null;
  const typed = (offered ?? field).value.trim();
  if (!typed) {
    field.focus();
    return;
  }
  offered?.remove();
  field.value = "";
  wedge.clear();
  record(findCardCode(typed) ?? typed);
});
intent.addEventListener("change", () => {
  const body = new FormData();
  body.set("intent", intent.value);
  body.set("csrfmiddlewaretoken", token);
  fetch("/s/station/", { method: "POST", body, redirect: "manual" }).catch(() => {});
  intent.blur();
});
soundButton.addEventListener("click", () => sound.toggle());
for (const type of ["pointerdown", "keydown"]) {
  document.addEventListener(type, (event) => event.target !== soundButton && sound.wake(), { once: true });
}
sound.onState(false);
addEventListener("online", drain);
document.addEventListener("visibilitychange", () => document.hidden || drain());
addEventListener("beforeunload", (event) => {
  if (waiting.length && failures) event.preventDefault();
});
setInterval(drawLines, 10_000);
if (waiting.length) {
  newest = waiting.at(-1).id;
  drain();
}
showLink();
result.dataset.ready = "";
