// A scan on any page is a scan: kept, sent and answered in a small panel there. The page itself stays as it is.
import { Capture } from "./capture.js";
import { Sound } from "./sound.js";
import { Tablet } from "./tablet.js";

const SHAPES = { ok: "tick", calm: "tick", amber: "sh-soon", red: "sh-act", saved: "tick", sending: "tick" };
const STAYS_MS = 20_000;
const language = document.documentElement.lang || "en";
const sound = new Sound(() => {});
let panel = null;
let timer = 0;

const tablet = new Tablet({
  words: null,
  station: "",
  language,
  version: "",
  intent: () => "",
  onShow: (view, family) => {
    tablet.shownAs = view.look;
    show(view);
    if (family) sound.play(family);
  },
  onLines: () => {},
  onState: () => {},
});

// The sentences of the scan page, from the server or as they were kept the last time.
async function words() {
  if (tablet.words) return;
  try {
    const answer = await fetch(`/s/words/${language}`, { signal: AbortSignal.timeout(2500) });
    tablet.words = await answer.json();
    tablet.store.put("words", tablet.words).catch(() => {});
  } catch {
    tablet.words = (await tablet.store.get("words").catch(() => null)) ?? { status: {} };
  }
}

function show(view) {
  panel ??= build();
  panel.dataset.look = view.look;
  panel.dataset.state = view.code;
  panel.setAttribute("role", view.look === "red" ? "alert" : "status");
  panel.querySelector("use").setAttribute("href", `#${SHAPES[view.look] ?? "sh-soon"}`);
  panel.querySelector("b").textContent = [view.part, view.headline].filter(Boolean).join(" · ");
  panel.querySelector("p").textContent = [view.detail ?? view.message, view.next].filter(Boolean).join(" ");
  const undo = panel.querySelector(".undo");
  undo.hidden = !view.undo_until;
  undo.textContent = tablet.words.undo ?? "";
  undo.onclick = () => tablet.record(view.card.code, { intent: "undo" });
  panel.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (panel.hidden = true), STAYS_MS);
  document.dispatchEvent(new CustomEvent("jitapp:recorded", { detail: view }));
}

function build() {
  const made = document.createElement("aside");
  made.className = "scanned";
  made.setAttribute("aria-live", "assertive");
  made.innerHTML =
    '<svg class="shape" aria-hidden="true"><use/></svg><div><b></b><p></p></div><button type="button" class="undo"></button><button type="button" class="away" aria-label="×">×</button>';
  made.querySelector(".away").addEventListener("click", () => (made.hidden = true));
  document.body.append(made);
  return made;
}

async function ready() {
  await Promise.all([started, words()]);
}

async function take(codes, meta) {
  await ready();
  if (meta.label && codes.length === 1) await tablet.record(meta.text);
  else for (const code of codes) await tablet.record(code);
}

const capture = new Capture({
  onCodes: take,
  onCommand: async ({ name }) => {
    if (name !== "HELP") return;
    await ready();
    await tablet.record("HELP", { help: "help", intent: "" });
  },
  // What a scanner read that is no card's: the page may know it (a badge), else the server says what it is. What somebody
  // typed on this page is none.
  onOther: (text, kind) => {
    const told = new CustomEvent("jitapp:other", { detail: { text, kind }, cancelable: true });
    if (document.dispatchEvent(told) && kind === "foreign") take([text], {});
  },
});

const started = tablet.start({ quiet: true });
capture.listen(document);
document.addEventListener("pointerdown", () => sound.wake(), { once: true });
document.documentElement.dataset.scans = "";
