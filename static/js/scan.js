// The scan page: what a scanner reads becomes a kept scan (tablet.js), and what became of it is seen and heard.
import { actor, loggedIn } from "./actor.js";
import { Capture } from "./capture.js";
import { readCodes } from "./codes.js";
import { Commands } from "./commands.js";
import { Override } from "./override.js";
import { Panel } from "./panel.js";
import { recall, remember } from "./remember.js";
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
const GREET = "jitapp.greet"; // who has signed in, to be greeted in their language after a reload
const UPDATE_IDLE_MS = 5000;
const CLOCK_WRONG_MS = 60_000;

// -- what is seen and heard --------------------------------------------------------------------------
const sound = new Sound((on) => {
  soundButton.hidden = false;
  soundButton.setAttribute("aria-pressed", String(on));
  soundButton.querySelector("use").setAttribute("href", on ? "#speaker" : "#speaker-off");
  soundButton.querySelector(".unseen").textContent = on ? words.sound_on : words.sound_off;
});
const panel = new Panel(document.getElementById("result"), words, { onUndo: (id) => takeBack(id) });
const tablet = new Tablet({
  words,
  station: page.station,
  language: page.language,
  version: page.version,
  intent: () => intent.value,
  onShow: (view, family) => {
    tablet.shownAs = view.look;
    panel.show(view);
    if (family) sound.play(family);
  },
  onLines: drawLines,
  onState: showState,
  onAnswer: (scan, answer) => override.answered(scan, answer),
  onBeat: follow,
});
const override = new Override({
  root: document.getElementById("allow"),
  words,
  known: (badge) => tablet.cards.person(badge),
  record: (code, more) => record(code, more),
  sound: (family) => sound.play(family),
});
panel.clock = tablet.clock;
let idleSince = performance.now();

// Whoever is named on the page, if they still are who is logged in: the page may be one that was kept.
const personHere = () => (page.person && loggedIn() === page.person_id ? page.person : "");

const commands = new Commands({
  tablet,
  show: (view, family) => {
    panel.show(view);
    sound.play(family);
  },
  onArmed: (text, isNew) => {
    armed.hidden = !text;
    armed.querySelector("span").textContent = text;
    if (isNew) sound.play("one");
  },
  onLeave: () => (page.person = ""),
  bright: () => document.querySelector("[data-theme-switch]")?.click(),
});

function record(code, more = {}) {
  idleSince = performance.now();
  override.close(); // whoever scans on has done without it
  return tablet.record(code, { ...commands.take(), ...more });
}

function takeBack(id) {
  idleSince = performance.now();
  return tablet.takeBack(id);
}

// -- the last scans -------------------------------------------------------------------------------------
// A line stays the same element as long as it is about the same scan: a button that is pressed while the list is drawn
// again keeps its press.
function drawLines(lines) {
  none.hidden = lines.length > 0;
  const drawn = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const items = lines.map((each) => {
    const item = drawn.get(each.id) ?? emptyLine(each.id);
    fill(item, each);
    return item;
  });
  if (items.length !== list.children.length || items.some((item, place) => list.children[place] !== item)) list.replaceChildren(...items);
  const shown = lines.find((each) => each.id === panel.about);
  panel.offer(shown && mayUndo(shown) ? shown : null);
}

// A scan that is on its way has its answer in a moment.
const mayUndo = (line) => tablet.canUndo(line) && (!line.waits || tablet.offline);

function emptyLine(id) {
  const item = document.createElement("li");
  item.dataset.id = id;
  item.innerHTML = '<svg aria-hidden="true"><use/></svg><div><b></b><small></small></div><button type="button" hidden></button>';
  const undo = item.querySelector("button");
  undo.textContent = words.undo;
  undo.addEventListener("click", () => takeBack(id));
  return item;
}

function fill(item, each) {
  item.dataset.look = each.look;
  item.querySelector("use").setAttribute("href", panel.shape(each.look));
  const what = each.part ? `${each.part} ${each.number}/${each.of}` : each.code;
  item.querySelector("b").textContent = what;
  const ago = words.ago.replace("{}", span((tablet.clock.now() - each.at) / 1000, words));
  item.querySelector("small").textContent = `${each.headline} · ${each.waits ? words.waits : ago}`;
  const undo = item.querySelector("button");
  undo.hidden = !mayUndo(each);
  undo.setAttribute("aria-label", words.undo_of.replace("{}", what));
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
    storage: line.state === "live" || line.state === "slow" ? words.storage_live : words.storage_off,
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

// A leader gave this device another station or meaning of a scan: the page comes again, once nothing waits and nobody
// scans. What was chosen here without a network is no change of theirs.
const placed = { station: page.station, intent: page.intent };
function follow({ station, intent: meaning }) {
  const wanted = JSON.stringify([station, meaning]);
  if (wanted === JSON.stringify([placed.station, placed.intent])) return;
  const idle = performance.now() - idleSince > UPDATE_IDLE_MS;
  if (!idle || tablet.queue.count || override.isOpen || sessionStorage.getItem("jitapp.placed") === wanted) return;
  sessionStorage.setItem("jitapp.placed", wanted); // once: a page that the worker kept stands where it stood
  location.reload();
}

function say(text) {
  notice.hidden = false;
  notice.textContent = text;
}

function showWho() {
  who.textContent = actor.current?.name || personHere() || words.who;
}

// The page speaks the language of whoever signed in: drawn again by the server, or without it as far as was kept here.
async function speak() {
  showWho();
  const wanted = actor.current?.language;
  if (!wanted || wanted === page.language) return;
  document.cookie = `django_language=${wanted}; path=/; max-age=31536000; samesite=lax`;
  if (tablet.link.state === "live") {
    remember(GREET, actor.current.name, "sessionStorage");
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

// -- in ---------------------------------------------------------------------------------------------
function command(read) {
  idleSince = performance.now();
  return commands.run(read);
}

// Several codes of one read are several scans, in order. What holds more than a card's code goes as it was read: the
// server decodes the supplier's part, quantity and lot.
function take(codes, meta = {}) {
  const texts = meta.label && codes.length === 1 ? [meta.text] : codes;
  return Promise.all(texts.map((text) => record(text)));
}

// A badge signs in; everything else is the server's to read.
function other(text, kind = "") {
  if (override.isOpen) {
    override.take({ [kind === "typed" ? "name" : "badge"]: text.trim() });
    return;
  }
  const person = tablet.cards.person(text);
  if (person) {
    greet(person.name);
    actor.signIn({ ...person, badge: text.trim() });
  } else {
    record(text);
  }
}

function refuse(code, headline, next = "") {
  panel.show({ look: "amber", code, headline, message: "", next });
  sound.play("level");
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
    if (override.pad.took(text) || (override.pad.isOpen && kind === "typed")) return; // a PIN
    // Whoever types by hand uses the field: letters that went astray are no scan.
    if (kind === "bad_check" || (kind === "typed" && !override.isOpen && !tablet.cards.person(text))) unread(text, kind === "bad_check");
    else other(text, kind);
  },
  onNoSuffix: () => console.info(words.no_suffix),
});
capture.listen(document);
document.addEventListener("jitapp:codes", (event) => (event.kept = take(event.detail))); // of the camera

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
  const { quantity, reason, override } = panel.told; // what was said with the scan that asked for the checks
  record(given.get("code"), { quantity, reason, override, intent: "start", checks: given.getAll("checks") });
});
// What a scan means here is kept with the device. Chosen without a network it holds all the same, also after a reload,
// until the server knows.
const CHOSEN = "jitapp.intent";

async function keepIntent() {
  const body = new FormData(form);
  body.delete("code");
  const answer = await fetch("/s/station/", { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (answer?.type !== "opaqueredirect") return;
  remember(CHOSEN, null);
  placed.intent = body.get("intent");
}

intent.value = recall(CHOSEN) ?? intent.value;
intent.addEventListener("change", () => {
  remember(CHOSEN, intent.value);
  keepIntent();
  intent.blur();
});
document.querySelector("form.station").addEventListener("submit", (event) => {
  if (tablet.link.state !== "offline") return;
  event.preventDefault();
  refuse("station_offline", words.station_offline, words.station_offline_next);
});
armed.querySelector("button").addEventListener("click", () => commands.keep(null));
soundButton.addEventListener("click", () => sound.toggle());
for (const type of ["pointerdown", "keydown"]) {
  document.addEventListener(type, (event) => event.target !== soundButton && sound.wake(), { once: true });
}
sound.onState(false);
actor.watch().addEventListener("change", speak);
document.addEventListener("visibilitychange", () => document.hidden || tablet.queue.wake());
setInterval(() => {
  drawLines(tablet.lines);
  showState();
}, 1000);
setInterval(() => tablet.link.state === "live" && recall(CHOSEN) !== null && keepIntent(), 5000);

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

updateChip.addEventListener("click", () => {
  if (!tablet.queue.count) fresh?.postMessage("take over");
  else refuse("update_waits", words.update_waits.replace("{}", tablet.queue.count));
});

// A new version takes over when nothing waits and nobody has scanned for a moment.
setInterval(() => {
  const idle = performance.now() - idleSince > UPDATE_IDLE_MS && !commands.armed;
  if (fresh && idle && !tablet.queue.count && tablet.link.state === "live") fresh.postMessage("take over");
}, 1000);

commands.resume();
await tablet.start();
showState();
panel.root.dataset.ready = "";
const greeted = recall(GREET, "sessionStorage");
if (greeted) {
  remember(GREET, null, "sessionStorage");
  greet(greeted);
}
keepWords().catch(() => {});
keepPage().catch(() => {});
