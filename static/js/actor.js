// Who is signed in on this device: one person, or nobody. Whoever wants to know imports `actor`; a change is told by the
// event "change", also in the other tabs. It is a name for the record and gives no right.
//
// A person is signed in until they sign out, for twelve hours at most, and where `idleMinutes` is set, until nothing was
// scanned or touched here for so long. Scans hold who made them, so none of this changes one that waits.
const KEEP = "jitapp.actor";
const LAST = "jitapp.last-actors";
const LONGEST_MS = 12 * 3600_000;
const NAMES = 4;
const WATCH_MS = 15_000;

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Full or forbidden: it holds as long as the page.
  }
}

export class Actor extends EventTarget {
  constructor(clock = () => Date.now()) {
    super();
    this.clock = clock;
    this.person = read(KEEP);
    this.touchedAt = clock();
  }

  // {uuid, name, badge, language, until, idleMinutes}, or null.
  get current() {
    const person = this.person;
    if (!person) return null;
    const now = this.clock();
    const idle = person.idleMinutes ? now - Math.max(this.touchedAt, person.since) > person.idleMinutes * 60_000 : false;
    if (now < person.until && !idle) return person;
    this.set(null, idle ? "idle" : "over");
    return null;
  }

  // The last who were here, newest first: {uuid, name, language}.
  get last() {
    return (read(LAST) ?? []).slice(0, NAMES);
  }

  // What the door said of a person, or what is known of one without a network.
  signIn({ uuid, person, name, badge = "", language = "en", idle_minutes: idleMinutes = null }) {
    const now = this.clock();
    this.touchedAt = now;
    const id = uuid ?? person;
    keep(LAST, [{ uuid: id, name, language }, ...this.last.filter((one) => one.uuid !== id)].slice(0, NAMES));
    this.set({ uuid: id, name, badge, language, idleMinutes, since: now, until: now + LONGEST_MS }, "in");
  }

  signOut() {
    this.set(null, "out");
  }

  // Somebody is there.
  touch() {
    if (this.current) this.touchedAt = this.clock();
  }

  set(person, why) {
    this.person = person;
    keep(KEEP, person);
    this.dispatchEvent(new CustomEvent("change", { detail: { person, why } }));
  }

  // Follows the other tabs, the clock and whoever touches the page.
  watch(target = document) {
    addEventListener("storage", (event) => {
      if (event.key !== KEEP) return;
      this.person = read(KEEP);
      this.touchedAt = this.clock();
      this.dispatchEvent(new CustomEvent("change", { detail: { person: this.person, why: "elsewhere" } }));
    });
    for (const type of ["pointerdown", "keydown"]) {
      target.addEventListener(type, () => this.touch(), { capture: true, passive: true });
    }
    setInterval(() => this.current, WATCH_MS);
    return this;
  }
}

export const actor = new Actor();

// -- a login in the browser -----------------------------------------------------------------------
// The server names whoever is logged in, and their session, by a cookie that allows nothing. Whoever left is named again by
// a page that the server drew before it heard of that: then the session is one that was left here.
const LEFT = "jitapp.left"; // {session, told}
const session = () => /(?:^|;\s*)person=([0-9a-f-]{36}[.0-9a-f]*)/.exec(document.cookie)?.[1];

// The uuid of whoever is logged in, or undefined.
export function loggedIn() {
  const found = session();
  return found && found !== read(LEFT)?.session ? found.slice(0, 36) : undefined;
}

// The end of a shift: nobody is signed in or logged in here any more.
export function leave() {
  actor.signOut();
  if (session()) keep(LEFT, { session: session(), told: false });
  document.cookie = "person=; path=/; max-age=0; samesite=lax";
  return finishLeaving();
}

// Tells the server that somebody left, if it does not know yet.
export async function finishLeaving() {
  const left = read(LEFT);
  if (!left || left.told) return;
  if (session() && session() !== left.session) keep(LEFT, null); // somebody has logged in since
  else if ((await ask("/s/sign-out", {})).ok) keep(LEFT, { ...left, told: true });
}

// Says at the door who it is. Returns {ok, status, ...what it said}; status 0: nothing was heard of the server.
export async function ask(address, told) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(told),
      signal: AbortSignal.timeout(4000),
    });
    return { ok: answer.ok, status: answer.status, ...(await answer.json()) };
  } catch {
    return { ok: false, status: 0 };
  }
}

// Who has a badge, as far as this device knows without a network. The app's list of cards sets it.
export const known = { byBadge: async () => null };
