// The scanner doctor: six codes, one after the other; every key is shown, and what must be changed is said in one sentence.
import { PROFILE } from "./capture.js";
import { readOf, verdict } from "./doctor-verdict.js";

const SUFFIX_MS = 700; // a second code may follow the suffix
const SILENCE_MS = 2000; // of a scanner without a suffix
const { tests, codes, words } = JSON.parse(document.getElementById("doctor").textContent);
const root = document.getElementById("doctor-steps");
const sheets = [...root.querySelectorAll("[data-test]")];
const shown = document.getElementById("keys");
const said = document.getElementById("doctor-said");
const sink = document.getElementById("sink");
const again = document.getElementById("again");
const skip = document.getElementById("skip");
const result = document.getElementById("verdict");
const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
const SIGNS = { "\x04": "EOT", "\x1c": "FS", "\x1d": "GS", "\x1e": "RS", "\x1f": "US" };

let step = 0;
let keys = [];
let all = {};
let timer = 0;

function record(key) {
  if (step >= tests.length) return;
  keys.push({ at: performance.now(), code: "", shift: false, ctrl: false, alt: false, caps: false, ...key });
  draw();
  clearTimeout(timer);
  const ended = /^(Enter|Tab)$/.test(key.key) || (key.type === "text" && /[\r\n\t]$/.test(key.key));
  timer = setTimeout(next, ended ? SUFFIX_MS : SILENCE_MS);
}

function draw() {
  const { text } = readOf(keys);
  const chips = keys.slice(-200).map(({ key, code, shift, ctrl, alt }) => {
    const chip = document.createElement("kbd");
    chip.textContent = [ctrl && "Ctrl", alt && "Alt", shift && "Shift", key === " " ? "␣" : key].filter(Boolean).join("+");
    chip.title = code;
    return chip;
  });
  const line = document.createElement("code");
  line.textContent = [...text].map((sign) => (SIGNS[sign] ? `‹${SIGNS[sign]}›` : sign)).join("");
  shown.replaceChildren(line, ...chips);
}

function next() {
  clearTimeout(timer);
  all[tests[step]] = keys;
  keys = [];
  step += 1;
  show();
}

function show() {
  for (const sheet of sheets) sheet.toggleAttribute("data-now", sheet.dataset.test === tests[step]);
  const over = step >= tests.length;
  skip.hidden = over;
  result.hidden = !over;
  said.textContent = over ? words.done : words.step.replace("{}", step + 1).replace("{}", tests.length);
  if (over) judge();
  else sink.focus({ preventScroll: true });
}

async function judge() {
  const found = verdict(all, codes);
  const [first] = found.problems;
  result.dataset.stamp = found.stamp;
  result.querySelector(".stamp span").textContent = words.stamps[found.stamp];
  result.querySelector(".stamp use").setAttribute("href", { passed: "#sh-ok", usable: "#sh-soon", failed: "#sh-act" }[found.stamp]);
  result.querySelector(".change").textContent = first ? words.problems[first] : words.nothing_to_change;
  const more = found.problems.slice(1).map((name) => Object.assign(document.createElement("li"), { textContent: words.problems[name] }));
  result.querySelector(".more").replaceChildren(...more);
  result.querySelector(".more").hidden = !more.length;
  const facts = {
    suffix: words.suffixes[found.suffix], layout: layoutOf(found.layout), numpad: words.yes_no[Number(found.numpad)],
    letters: words.letters[found.letters], controls: words.controls[found.controls], several: words.several[found.several],
    gap: `${found.gap} ms`, unidentified: words.yes_no[Number(found.unidentified)],
  };
  for (const [name, value] of Object.entries(facts)) result.querySelector(`[data-fact=${name}]`).textContent = value;
  const kept = keep(found);
  const stored = await send(found);
  said.textContent = stored ? words.stored : kept ? words.kept : words.not_kept;
  result.dataset.done = "";
}

function layoutOf(layout) {
  const [scanner, computer] = layout.split(">").map((name) => words.layouts[name] ?? "?");
  return layout ? words.layout.replace("{}", scanner).replace("{}", computer) : words.fits;
}

// Of a scanner that failed nothing is kept that would change how its keys are read.
function keep(found) {
  const { unidentified, layout, gap, suffix, stamp } = found;
  const profile = stamp === "failed" ? { stamp } : { unidentified, gap, suffix, stamp, layout: layout === "us>" ? "" : layout };
  try {
    localStorage.setItem(PROFILE, JSON.stringify({ ...profile, at: Date.now() }));
    return true;
  } catch {
    return false;
  }
}

async function send(found) {
  try {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch("/device/doctor", { method: "POST", headers, body: JSON.stringify(found), redirect: "manual" });
    return answer.ok && (await answer.json()).stored;
  } catch {
    return false;
  }
}

document.addEventListener("keydown", (event) => {
  const { key, code, shiftKey: shift, ctrlKey: ctrl, altKey: alt, repeat, isComposing, keyCode, target } = event;
  const modifier = ["Shift", "Control", "Alt", "AltGraph", "CapsLock", "Meta"].includes(key);
  if (repeat || isComposing || keyCode === 229 || modifier || step >= tests.length) return;
  const pressing = !keys.length && (key === "Enter" || key === " " || key === "Tab") && target !== sink;
  const moving = !keys.length && (key === "Tab" || /^(Arrow|Page|F\d)/.test(key));
  const shortcut = (ctrl || event.metaKey) && !alt && !/^[\\\]^_]$/.test(key) && !keys.length;
  if (pressing || moving || shortcut || event.metaKey) return;
  event.preventDefault();
  record({ type: "key", key, code, shift, ctrl, alt, caps: event.getModifierState("CapsLock") });
}, true);
document.addEventListener("keyup", (event) => {
  if (event.key === "Alt" && keys.at(-1)?.alt) record({ type: "alt", key: "" });
}, true);
document.addEventListener("paste", (event) => {
  event.preventDefault();
  record({ type: "text", key: event.clipboardData?.getData("text") ?? "" });
}, true);
sink.addEventListener("beforeinput", (event) => {
  const line = /^insert(LineBreak|Paragraph)$/.test(event.inputType) ? "\n" : /[\r\n\t]/.test(event.data ?? "") ? event.data : "";
  if (!line) return;
  event.preventDefault();
  record({ type: "text", key: line });
});
sink.addEventListener("input", (event) => {
  if (event.isComposing) return;
  record({ type: "text", key: sink.value });
  sink.value = "";
});
sink.addEventListener("compositionend", () => {
  record({ type: "text", key: sink.value });
  sink.value = "";
});
skip.addEventListener("click", next);
again.addEventListener("click", () => {
  clearTimeout(timer);
  [step, keys, all] = [0, [], {}];
  delete result.dataset.done;
  shown.replaceChildren();
  show();
});
for (const choice of document.querySelectorAll("[name=carrier]")) {
  choice.addEventListener("change", () => {
    root.dataset.carrier = choice.value;
    sink.focus({ preventScroll: true });
  });
}
document.getElementById("print").addEventListener("click", () => print());
root.addEventListener("pointerup", () => sink.focus({ preventScroll: true }));
show();
root.dataset.ready = "";
