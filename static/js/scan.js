// The scan page: what a scanner types becomes a scan in the queue (queue.js), and what became of it is seen and heard.
import { Capture } from "./capture.js";
import { findCardCode } from "./codes.js";
import { uuid7 } from "./ids.js";
import { Queue, setAside } from "./queue.js";
import { Sound } from "./sound.js";
import { span } from "./span.js";

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

const SHOWN = 8;
const SHAPES = { ok: "tick", calm: "tick", amber: "sh-soon", red: "sh-act", saved: "tick", sending: "tick", ready: "sh-ok" };

let newest = null; // the scan the big panel is about
const lines = [];

// -- a scan ----------------------------------------------------------------------------------------
const queue = new Queue({ token, onTaken: take, onRefused: refused, onWait: saved, onChange: () => showLink() });

function record(code, means = intent.value, more = {}) {
  const scan = { id: uuid7(), code, occurred_at: new Date().toISOString(), ...more };
  if (means) scan.intent = means;
  newest = scan.id;
  show({ look: "sending", code: "sending", headline: `${words.read} ${code}`, message: words.sending, next: "" });
  queue.add(scan);
}

// It stays in the queue; the panel says so once for the newest scan, whichever of them is at the head.
function saved(_scan, why) {
  const last = queue.waiting.find((one) => one.id === newest);
  if (last && result.dataset.state === "sending") {
    const next = { offline: words.offline_next, "logged out": words.offline_next, fault: words.fault }[why];
    show({ look: "saved", code: "offline", headline: words.offline_head, message: last.code, next }, "one");
  }
  showLink();
}

// The server cannot take this scan, and has said why: it makes way for those behind it.
function refused(scan, message) {
  take(scan, {
    outcome: "refused", code: "aside", look: "red", sound: "falling", state: "refused",
    headline: words.nothing, message: scan.code, next: words.look.replace("{}", message),
  });
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
  const set = setAside().length;
  asideLink.hidden = !set;
  asideLink.querySelector("span").textContent = words.aside.replace("{}", set);
  const count = queue.waiting.length;
  const word = { "": words.waiting, fault: words.waiting, offline: words.offline, "logged out": words.logged_out }[queue.lack];
  const late = count > 0 && (queue.lack !== "" || !queue.sending);
  link.dataset.state = late ? "offline" : "live";
  link.querySelector(".word").textContent = late ? word.replace("{}", count) : words.live;
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
const capture = new Capture({
  ownField: field,
  onCodes: (codes) => codes.forEach((code) => record(code)),
  onOther: (text, kind) =>
    show(
      kind === "bad_check"
        ? { look: "red", code: "bad_check", headline: words.bad_head, message: text, next: words.bad_next }
        : { look: "amber", code: "not_a_card_code", headline: words.foreign_head, message: text, next: words.foreign_next },
      kind === "bad_check" ? "falling" : "level",
    ),
  onNoSuffix: () => console.info(words.no_suffix),
});
capture.listen(document);

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
  capture.clear();
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
addEventListener("online", () => queue.wake());
document.addEventListener("visibilitychange", () => document.hidden || queue.wake());
addEventListener("beforeunload", (event) => {
  if (queue.waiting.length && queue.lack) event.preventDefault();
});
setInterval(drawLines, 10_000);
if (queue.waiting.length) {
  newest = queue.waiting.at(-1).id;
  queue.drain();
}
showLink();
result.dataset.ready = "";
