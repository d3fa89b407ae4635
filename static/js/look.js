// How many scans wait for a leader, in the header of a page that stays open.
const EVERY_MS = 30_000;

async function renew() {
  const old = document.getElementById("needs-look");
  if (!old || document.hidden) return;
  try {
    const answer = await fetch("/s/tray/number", {
      cache: "no-store",
      redirect: "manual",
      signal: AbortSignal.timeout(8000),
    });
    if (!answer.ok) return;
    const drawn = document.createElement("template");
    drawn.innerHTML = await answer.text();
    const fresh = drawn.content.querySelector("#needs-look");
    if (fresh) old.replaceWith(fresh);
  } catch {
    // No answer: the number stays, the next try follows.
  }
}

setInterval(renew, EVERY_MS);
document.addEventListener("visibilitychange", renew);
