// What to make: the list keeps itself true while somebody looks, says how old it is, and a button records its step in
// place.
import { poll } from "./board/polled.js";
import { show, truthOf } from "./truth.js";
import { tickText } from "./span.js";

const EVERY_MS = 4000;
const AGAIN_MS = [1000, 2000, 4000, 8000];
const said = document.getElementById("said");
const root = document.getElementById("queue");
const words = JSON.parse(document.getElementById("words").textContent);
const truth = truthOf(words, root.dataset.zone);
let sending = 0; // steps on their way: the list stays, so that nobody presses the same step again under another id
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// -- the list -----------------------------------------------------------------------------------------------
// What was ticked and typed, and where the focus was, for the same card on the fresh list.
function touched(jobs) {
  const found = new Map();
  for (const job of jobs.querySelectorAll("[data-card]")) {
    const ticked = [...job.querySelectorAll("[name=checks]:checked")].map((each) => each.value);
    const reason = job.querySelector("[name=reason]")?.value ?? "";
    const focused = job.contains(document.activeElement) ? document.activeElement : null;
    if (ticked.length || reason || focused) found.set(job.dataset.card, { ticked, reason, focused });
  }
  return found;
}

function touchAgain(jobs, before) {
  for (const [card, { ticked, reason, focused }] of before) {
    const job = jobs.querySelector(`[data-card="${CSS.escape(card)}"]`);
    if (!job) continue;
    for (const box of job.querySelectorAll("[name=checks]")) box.checked = ticked.includes(box.value);
    const field = job.querySelector("[name=reason]");
    if (field) field.value = reason;
    if (!focused) continue;
    const same = focused.name ? [...job.querySelectorAll(`[name="${focused.name}"]`)] : [...job.querySelectorAll("a")];
    const again = same.find((each) => each.value === focused.value && each.href === focused.href) ?? same[0];
    again?.focus({ preventScroll: true });
    if (again?.setSelectionRange && focused.selectionStart !== null) {
      again.setSelectionRange(focused.selectionStart, focused.selectionEnd);
    }
  }
}

const parser = document.createElement("template");

function take(html) {
  if (sending) return false;
  parser.innerHTML = html;
  const fresh = parser.content.getElementById("jobs");
  if (!fresh) return false;
  const jobs = document.getElementById("jobs");
  const before = touched(jobs);
  jobs.replaceWith(fresh);
  touchAgain(fresh, before);
  tickAll();
}

function tickAll() {
  const seconds = link.now() / 1000;
  for (const time of root.querySelectorAll(".tick")) {
    show(time, tickText(time.dataset.tick, Number(time.dataset.t), seconds, words));
  }
}

const link = poll(
  { url: root.dataset.list, now: root.dataset.now, every: EVERY_MS },
  { all: take, stands: truth.stands, heard: () => truth.show(link) },
);
setInterval(() => {
  link.look();
  truth.show(link);
  tickAll();
}, 1000);
truth.show(link);

// A card that was scanned here is seen at once, not at the next turn.
document.addEventListener("jitapp:recorded", () => link.again(true));

// -- steps ----------------------------------------------------------------------------------------------------
// The server's answer to a step. While it is away or busy it has said nothing about the step, which is sent again.
async function send(token, step) {
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await fetch("/s/", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": token },
        body: JSON.stringify(step),
        signal: AbortSignal.timeout(4000),
      });
      if (![429, 502, 503, 504].includes(answer.status)) return answer;
    } catch {
      // No connection: the same.
    }
    said.dataset.look = "amber";
    said.textContent = said.dataset.waits;
    said.hidden = false;
    await pause(AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]);
  }
}

// Records by fetch so that the list stays on the screen. If that fails, the form goes the plain way with the same id.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.closest("#jobs")) return;
  event.preventDefault();
  event.submitter.disabled = true;
  const given = new FormData(form);
  const { id, code, csrfmiddlewaretoken } = Object.fromEntries(given);
  try {
    const step = { id, code, intent: event.submitter.value, checks: given.getAll("checks"), reason: given.get("reason") ?? "" };
    sending += 1;
    const answer = await send(csrfmiddlewaretoken, step).finally(() => {
      sending -= 1;
    });
    const body = await answer.json();
    if (!body.look) throw new Error(body.message);
    said.dataset.look = body.look;
    said.textContent = `${body.headline}. ${body.detail ?? body.message} ${body.next}`;
    said.hidden = false;
    await link.again(true); // also where nothing changed: another step needs another id
  } catch {
    const step = document.createElement("input");
    Object.assign(step, { type: "hidden", name: "intent", value: event.submitter.value });
    form.append(step);
    form.submit();
  }
});
root.dataset.ready = "";
