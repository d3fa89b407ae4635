// The list of what to make renews itself every five seconds while somebody looks, unless a button is in use.
const PAUSE_MS = 5000;

async function renew() {
  const jobs = document.getElementById("jobs");
  if (document.hidden || jobs.contains(document.activeElement)) return;
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

setInterval(renew, PAUSE_MS);
