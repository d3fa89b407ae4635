// A scan on any page is a scan: kept, sent and answered in a small panel there. The page itself stays as it is.
import { Capture } from "./capture.js";
import { Commands } from "./commands.js";
import { Sound } from "./sound.js";
import { Tablet } from "./tablet.js";

const SHAPES = { ok: "tick", calm: "tick", amber: "sh-soon", red: "sh-act", saved: "tick", sending: "tick", ready: "sh-ok" };
const STAYS_MS = 20_000;
const language = document.documentElement.lang || "en";
const sound = new Sound(() => {});
let panel = null;
let timer = 0;
let asked = null;

const answer = (view, family) => {
  show(view);
  if (family) sound.play(family);
};
const tablet = new Tablet({
  words: null,
  station: "",
  language,
  version: "",
  intent: () => "",
  onShow: (view, family) => {
    tablet.shownAs = view.look;
    answer(view, family);
  },
  onLines: () => {},
  onState: () => {},
  speaks: () => (asked ??= words()),
});
const commands = new Commands({
  tablet,
  show: answer,
  onArmed: (text, isNew) => isNew && answer({ look: "ready", code: "armed", headline: text, message: "", next: "" }, "one"),
  bright: () => document.querySelector("[data-theme-switch]")?.click(),
});

// The sentences of the scan page, from the server or as they were kept the last time. A scan is kept before they are asked
// for.
async function words() {
  try {
    const found = await fetch(`/s/words/${language}`, { signal: AbortSignal.timeout(2500) });
    if (!found.ok) throw new Error(String(found.status));
    tablet.words = await found.json();
    tablet.store.put("words", tablet.words).catch(() => {});
  } catch {
    asked = null; // asked for again with the next scan
    tablet.words ??= (await tablet.store.get("words").catch(() => null)) ?? NO_WORDS;
  }
}

// Neither the server's nor kept ones: what was scanned is shown by its code, and looks and sounds as it went.
const NO_WORDS = new Proxy({ status: new Proxy({}, { get: (_, name) => String(name) }) }, { get: (known, name) => known[name] ?? "" });

function show(view) {
  panel ??= build();
  panel.dataset.look = view.look;
  panel.dataset.state = view.code;
  panel.setAttribute("role", view.look === "red" ? "alert" : "status");
  panel.querySelector("use").setAttribute("href", `#${SHAPES[view.look] ?? "sh-soon"}`);
  panel.querySelector("b").textContent = [view.part, view.headline].filter(Boolean).join(" · ");
  panel.querySelector("p").textContent = [view.detail ?? view.message, view.next].filter(Boolean).join(" ");
  panel.dataset.about = view.id ?? "";
  offer();
  panel.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (panel.hidden = true), STAYS_MS);
  document.dispatchEvent(new CustomEvent("jitapp:recorded", { detail: view }));
}

// The way back, while there is one.
function offer() {
  const undo = panel.querySelector(".undo");
  const line = tablet.lines.find((each) => each.id === panel.dataset.about);
  undo.hidden = !line || !tablet.canUndo(line) || (line.waits && !tablet.offline);
  undo.textContent = tablet.words?.undo ?? "";
}

function build() {
  const made = document.createElement("aside");
  made.className = "scanned";
  made.setAttribute("aria-live", "assertive");
  made.innerHTML =
    '<svg class="shape" aria-hidden="true"><use/></svg><div><b></b><p></p></div><button type="button" class="undo"></button><button type="button" class="away" aria-label="×">×</button>';
  made.querySelector(".away").addEventListener("click", () => (made.hidden = true));
  made.querySelector(".undo").addEventListener("click", () => tablet.takeBack(made.dataset.about));
  document.body.append(made);
  setInterval(() => made.hidden || offer(), 500);
  return made;
}

async function take(codes, meta) {
  await started;
  const more = () => commands.take();
  if (meta.label && codes.length === 1) await tablet.record(meta.text, more());
  else for (const code of codes) await tablet.record(code, more());
}

async function unread(text) {
  await tablet.speaks();
  answer({ look: "red", code: "bad_check", headline: tablet.words.bad_head, message: text, next: tablet.words.bad_next }, "falling");
}

const capture = new Capture({
  onCodes: take,
  onCommand: async (command) => {
    await started;
    if (command.name !== "HELP") await tablet.speaks(); // a call is kept before anything is asked for
    await commands.run(command);
  },
  // What a scanner read that is no card's: the page may know it (a badge), else the server says what it is. What somebody
  // typed on this page is none.
  onOther: (text, kind) => {
    const told = new CustomEvent("jitapp:other", { detail: { text, kind }, cancelable: true });
    if (!document.dispatchEvent(told)) return;
    if (kind === "foreign") take([text], {});
    else if (kind === "bad_check") unread(text);
  },
});

// Whatever went wrong there, a scan is still taken.
const started = tablet.start({ quiet: true }).catch((error) => console.error(error));
commands.resume();
capture.listen(document);
document.addEventListener("pointerdown", () => sound.wake(), { once: true });
document.documentElement.dataset.scans = "";
