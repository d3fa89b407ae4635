// What to make: the list renews itself every five seconds while somebody looks, and a button records its step in place.
const PAUSE_MS = 5000;
const said = document.getElementById("said");

async function renew(force = false) {
  const jobs = document.getElementById("jobs");
  if (!force && (document.hidden || jobs.contains(document.activeElement) || jobs.querySelector(":checked"))) return;
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

// Records by fetch so that the list stays on the screen. If that fails, the form goes the plain way with the same id.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.closest("#jobs")) return;
  event.preventDefault();
  event.submitter.disabled = true;
  const given = new FormData(form);
  const { id, code, csrfmiddlewaretoken } = Object.fromEntries(given);
  try {
    const answer = await fetch("/s/", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfmiddlewaretoken },
      body: JSON.stringify({ id, code, intent: event.submitter.value, checks: given.getAll("checks") }),
      signal: AbortSignal.timeout(4000),
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
