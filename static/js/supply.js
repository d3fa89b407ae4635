// What to make: the list renews itself every five seconds while somebody looks, and a button records its step in place.
const PAUSE_MS = 5000;
const AGAIN_MS = [1000, 2000, 4000, 8000];
const said = document.getElementById("said");
let sending = 0; // steps on their way: the list stays, so that nobody presses the same step again under another id
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function renew(force = false) {
  const jobs = document.getElementById("jobs");
  const held = document.hidden || jobs.contains(document.activeElement) || jobs.querySelector(":checked");
  if (sending || (!force && held)) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("jobs");
    if (fresh) jobs.replaceWith(document.adoptNode(fresh));
  } catch {
    // No answer: the list stays, the next try follows.
  }
}

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
    const step = { id, code, intent: event.submitter.value, checks: given.getAll("checks") };
    sending += 1;
    const answer = await send(csrfmiddlewaretoken, step).finally(() => {
      sending -= 1;
    });
    const body = await answer.json();
    if (!body.look) throw new Error(body.message);
    said.dataset.look = body.look;
    said.textContent = `${body.headline}. ${body.detail ?? body.message} ${body.next}`;
    said.hidden = false;
    await renew(true);
  } catch {
    const step = document.createElement("input");
    Object.assign(step, { type: "hidden", name: "intent", value: event.submitter.value });
    form.append(step);
    form.submit();
  }
});

setInterval(() => renew(), PAUSE_MS);
