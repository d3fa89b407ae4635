// Who is signed in on this device, so that each scan keeps whose it is: by a badge (here), else by a login (a cookie that
// the server sets; it names somebody and allows nothing).
const NAME = "jitapp.actor";
const LONGEST_MS = 12 * 3600_000;
const listeners = new Set();

export function actor() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME));
    return kept && kept.until > Date.now() ? kept : null;
  } catch {
    return null;
  }
}

export function signIn(person) {
  localStorage.setItem(NAME, JSON.stringify({ ...person, until: Date.now() + LONGEST_MS }));
  tell();
}

export function signOut() {
  localStorage.removeItem(NAME);
  tell();
}

// `listener(actor)` on every change, also from another tab.
export function onActor(listener) {
  listeners.add(listener);
}

function tell() {
  for (const listener of listeners) listener(actor());
}

addEventListener("storage", (event) => event.key === NAME && tell());

// The uuid of whoever the scans of this moment belong to, or null.
export function scansBelongTo() {
  return actor()?.uuid ?? document.cookie.match(/(?:^|;\s*)person=([0-9a-f-]{36})/)?.[1] ?? null;
}
