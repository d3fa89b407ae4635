// The scan page: what a scanner reads becomes a kept scan (tablet.js), and what became of it is seen and heard.
import { actor } from "./actor.js";
import { Capture } from "./capture.js";
import { readCodes } from "./codes.js";
import { Panel } from "./panel.js";
import { Sound } from "./sound.js";
import { span } from "./span.js";
import { followStation } from "./station-stream.js";
import { Tablet } from "./tablet.js";

const page = JSON.parse(document.getElementById("page").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const form = document.getElementById("typing");
const field = document.getElementById("code");
const intent = document.getElementById("intent");
const list = document.getElementById("last");
const none = document.getElementById("last-none");
const link = document.getElementById("link");
const asideLink = document.getElementById("aside-link");
const notice = document.getElementById("notice");
const who = document.getElementById("who");
const armed = document.getElementById("armed");
const soundButton = document.getElementById("sound");
const UPDATE_IDLE_MS = 5000;
const CLOCK_WRONG_MS = 60_000;
const ARMED_MS = 60_000;

// -- what is seen and heard --------------------------------------------------------------------------
const sound = new Sound((on) => {
  soundButton.hidden = false;
  soundButton.setAttribute("aria-pressed", String(on));
  soundButton.querySelector("use").setAttribute("href", on ? "#speaker" : "#speaker-off");
  soundButton.querySelector(".unseen").textContent = on ? words.sound_on : words.sound_off;
});
const panel = new Panel(document.getElementById("result"), words, { onUndo: (code) => record(code, { intent: "undo" }) });
const tablet = new Tablet({
  words,
  station: page.station,
  language: page.language,
  version: page.version,
  intent: () => intent.value,
  onShow: (view, family) => {
    tablet.shownAs = view.look;
    panel.show(view, tablet.clock.now());
    if (family) sound.play(family);
  },
  onLines: drawLines,
  onState: showState,
});
panel.clock = tablet.clock;
let idleSince = performance.now();

function record(code, more = {}) {
  idleSince = performance.now();
  return tablet.record(code, { ...takeArmed(), ...more });
}

function drawLines(lines) {
  none.hidden = lines.length > 0;
  list.replaceChildren(...lines.map(line));
  const newest = lines.find((each) => each.id === tablet.newest);
  panel.offer(newest?.undo_until ? newest : null);
}

function line(each) {
  const item = document.createElement("li");
  item.dataset.look = each.look;
  item.innerHTML = '<svg aria-hidden="true"><use/></svg><div><b></b><small></small></div>';
  item.querySelector("use").setAttribute("href", panel.shape(each.look));
  const what = each.part ? `${each.part} ${each.number}/${each.of}` : each.code;
  item.querySelector("b").textContent = what;
  const ago = words.ago.replace("{}", span((tablet.clock.now() - each.at) / 1000, words));
  item.querySelector("small").textContent = `${each.headline} · ${each.waits ? words.waits : ago}`;
  if (each.undo_until && Date.parse(each.undo_until) > tablet.clock.now()) {
    const undo = document.createElement("button");
    undo.type = "button";
    undo.textContent = words.undo;
    undo.setAttribute("aria-label", words.undo_of.replace("{}", what));
    undo.addEventListener("click", () => record(each.code, { intent: "undo" }));
    item.append(undo);
  }
  return item;
}

// Connection, what waits and how old it is: always in the same corner, always with a word.
function showState() {
  const { queue, link: line } = tablet;
  asideLink.hidden = !queue.aside;
  asideLink.querySelector("span").textContent = words.aside.replace("{}", queue.aside);
  const state = tablet.problem ? "storage" : line.state !== "live" ? line.state : queue.lack || (queue.count ? "sending" : "live");
  const shown = { fault: "offline" }[state] ?? state;
  link.dataset.state = shown;
  const oldest = queue.oldest ? span((tablet.clock.now() - queue.oldest) / 1000, words) : "";
  const age = span(line.age, words);
  const text = {
    live: words.live,
    slow: words.slow,
    sending: words.sending_n.replace("{}", queue.count),
    offline: queue.count ? words.offline_oldest.replace("{}", queue.count).replace("{}", oldest) : words.offline.replace("{}", queue.count),
    device: words.device.replace("{}", queue.count),
    storage: words.storage,
  }[shown];
  link.querySelector(".word").textContent = text;
  link.querySelector(".age").textContent = shown === "storage" ? "" : age;
  const off = Math.abs(tablet.clock.offset ?? 0);
  notice.hidden = true;
  if (tablet.problem) say(words.storage_next);
  else if (line.state === "device") say(words.device_next);
  else if (off > CLOCK_WRONG_MS) say(words.clock.replace("{}", span(off / 1000, words)));
  showWho();
}

function say(text) {
  notice.hidden = false;
  notice.textContent = text;
}

function showWho() {
  who.textContent = actor.current?.name || page.person || words.who;
}

// The page speaks the language of whoever signed in: drawn again by the server, or without it as far as was kept here.
async function speak() {
  showWho();
  const wanted = actor.current?.language;
  if (!wanted || wanted === page.language) return;
  document.cookie = `django_language=${wanted}; path=/; max-age=31536000; samesite=lax`;
  if (tablet.link.state === "live") {
    sessionStorage.setItem("jitapp.greet", actor.current.name);
    location.reload();
  } else {
    Object.assign(words, (await tablet.store.get(`words ${wanted}`).catch(() => null)) ?? {});
    page.language = wanted;
    document.documentElement.lang = wanted;
  }
}

function greet(name) {
  panel.show({ look: "ok", code: "signed_in", headline: name, message: words.signed_in, next: "" });
  sound.play("rising");
}

// The sentences of everybody who may sign in here, for the time without a network.
async function keepWords() {
  for (const language of new Set([...tablet.cards.people.values()].map((person) => person.language))) {
    const answer = await fetch(`/s/words/${language}`, { signal: AbortSignal.timeout(10_000) });
    if (answer.ok) await tablet.store.put(`words ${language}`, await answer.json());
  }
}

// -- command cards ------------------------------------------------------------------------------------
let arm = null; // what the next scan means beside its card: {quantity}, {intent, reason} or {override}

function takeArmed() {
  const now = arm && performance.now() - arm.at < ARMED_MS ? arm.more : {};
  disarm();
  return now;
}

function disarm() {
  arm = null;
  armed.hidden = true;
}

function ready(more, text) {
  arm = { more, at: performance.now() };
  armed.hidden = false;
  armed.querySelector("span").textContent = text;
  sound.play("one");
  setTimeout(() => arm && performance.now() - arm.at >= ARMED_MS && disarm(), ARMED_MS + 50);
}

const COMMANDS = {
  UNDO: () => {
    const last = tablet.lines.find((each) => each.undo_until);
    if (last) record(last.code, { intent: "undo" });
    else {
      panel.show({ look: "amber", code: "undo_nothing", headline: words.undo_nothing, message: "", next: words.undo_nothing_next });
      sound.play("level");
    }
  },
  HELP: () => record("HELP", { help: "help", intent: "" }),
  QTY: (number) => ready({ quantity: String(number) }, words.next_quantity.replace("{}", number)),
  HOLD: () => ready({ intent: "hold", reason: words.held_by_card }, words.next_hold),
  OVERRIDE: () => ready({ override: true }, words.next_override),
  END_SHIFT: () => {
    actor.signOut();
    document.cookie = "person=; path=/; max-age=0; samesite=lax";
    if (page.person) fetch("/logout/", { method: "POST", body: new FormData(form), redirect: "manual" }).catch(() => {});
    page.person = "";
    panel.show({ look: "calm", code: "signed_out", headline: words.signed_out, message: tablet.queue.count ? words.safe_here.replace("{}", tablet.queue.count) : "", next: "" });
    sound.play("one");
  },
  BRIGHT: () => document.querySelector("[data-theme-switch]")?.click(),
};

// -- in ---------------------------------------------------------------------------------------------
const command = ({ name, number }) => COMMANDS[name](number);

// Several codes of one read are several scans, in order. What holds more than a card's code goes as it was read: the
// server decodes the supplier's part, quantity and lot.
function take(codes, meta = {}) {
  if (meta.label && codes.length === 1) record(meta.text);
  else for (const code of codes) record(code);
}

// A badge signs in; everything else is the server's to read.
function other(text) {
  const person = tablet.cards.person(text);
  if (person) {
    greet(person.name);
    actor.signIn({ ...person, badge: text.trim() });
  } else {
    record(text);
  }
}

function unread(text, isBad) {
  panel.show(
    isBad
      ? { look: "red", code: "bad_check", headline: words.bad_head, message: text, next: words.bad_next }
      : { look: "amber", code: "not_a_card_code", headline: words.foreign_head, message: text, next: words.foreign_next },
  );
  sound.play(isBad ? "falling" : "level");
}

const capture = new Capture({
  ownField: field,
  onCodes: take,
  onCommand: command,
  onOther: (text, kind) => {
    // Whoever types by hand uses the field: letters that went astray are no scan.
    if (kind === "bad_check" || (kind === "typed" && !tablet.cards.person(text))) unread(text, kind === "bad_check");
    else other(text);
  },
  onNoSuffix: () => console.info(words.no_suffix),
});
capture.listen(document);
document.addEventListener("jitapp:codes", (event) => take(event.detail)); // of the camera

// A tag that a reader saw at this station is a scan like any other, and is answered here.
const LOOKS = { rising: "ok", level: "amber", falling: "red", tick: "calm" };
document.addEventListener("station-answer", ({ detail: { tag, answer } }) => {
  const done = answer.outcome === "applied" && words.status[answer.card?.supply_status];
  const said = answer.text ?? answer.message;
  const head = done ? done.toLocaleUpperCase() : said;
  tablet.cards.move(answer.card?.code, answer.card?.supply_status);
  panel.show({
    ...answer, look: LOOKS[answer.sound] ?? "amber", part: answer.card?.part ?? "", mine: answer.card?.code, headline: head,
    message: head === said ? (answer.card ? "" : tag) : said,
    bins: answer.card && tablet.cards.find(answer.card.code) ? tablet.cards.bins(tablet.cards.find(answer.card.code)) : [],
  });
  sound.play(answer.sound);
});
followStation(page.station);

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
  const read = readCodes(typed);
  if (read.command) command(read.command);
  if (read.cards.length) take(read.cards);
  else if (!read.command) other(typed);
});
panel.checks.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new FormData(panel.checks);
  record(given.get("code"), { intent: "start", checks: given.getAll("checks") });
});
intent.addEventListener("change", () => {
  const body = new FormData(form);
  body.delete("code");
  fetch("/s/station/", { method: "POST", body, redirect: "manual" }).catch(() => {});
  intent.blur();
});
armed.querySelector("button").addEventListener("click", disarm);
soundButton.addEventListener("click", () => sound.toggle());
for (const type of ["pointerdown", "keydown"]) {
  document.addEventListener(type, (event) => event.target !== soundButton && sound.wake(), { once: true });
}
sound.onState(false);
actor.watch().addEventListener("change", speak);
addEventListener("online", () => tablet.queue.wake());
document.addEventListener("visibilitychange", () => document.hidden || tablet.queue.wake());
setInterval(() => {
  drawLines(tablet.lines);
  showState();
}, 1000);

// -- the worker that keeps the page ---------------------------------------------------------------------
let fresh = null; // a worker of a newer version that waits
const updateChip = document.getElementById("update");

async function keepPage() {
  if (!navigator.serviceWorker) return;
  const had = Boolean(navigator.serviceWorker.controller);
  let reloads = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (had && !reloads) {
      reloads = true;
      location.reload();
    }
  });
  const registration = await navigator.serviceWorker.register("/s/sw.js", { scope: "/s/" });
  const look = () => {
    fresh = registration.waiting;
    updateChip.hidden = !fresh;
  };
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
  look();
  setInterval(() => tablet.update && registration.update().catch(() => {}), 60_000);
}

updateChip.addEventListener("click", () => !tablet.queue.count && fresh?.postMessage("take over"));

// A new version takes over when nothing waits and nobody has scanned for a moment.
setInterval(() => {
  const idle = performance.now() - idleSince > UPDATE_IDLE_MS;
  if (fresh && idle && !tablet.queue.count && tablet.link.state === "live") fresh.postMessage("take over");
}, 1000);

await tablet.start();
showState();
panel.root.dataset.ready = "";
const greeted = sessionStorage.getItem("jitapp.greet");
if (greeted) {
  sessionStorage.removeItem("jitapp.greet");
  greet(greeted);
}
keepWords().catch(() => {});
keepPage().catch(() => {});
