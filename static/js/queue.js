// The queue of scans: kept on this device, sent in order, forgotten only when the server has said what became of each.
//
// Only what the server says about a scan moves it: an answer in JSON that names the scan. A server that is away, busy or
// faulty says nothing about it, nor do a login page and a proxy on the way: then all of them wait, in order. A scan that
// was refused makes way for those behind it, and is set aside only when one of them was taken: a server that refuses
// everything is at fault itself. Sent again, the same id changes nothing twice.
const KEEP = "jitapp.waiting";
const ASIDE = "jitapp.aside"; // what the server could not take; settled on the page "Needs a look"
const TIMEOUT_MS = 2500;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const LONGEST_WAIT_MS = 60_000; // whatever Retry-After says
const MOST_FAULTS = 4; // answers of 500 after which those behind a scan are tried; it stays in its place

export function load(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? [];
  } catch {
    return [];
  }
}

export const setAside = () => load(ASIDE);

function store(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Full or forbidden: what waits is still in memory, and the page says how many do.
  }
}

// In milliseconds; 0 if the answer does not say it in seconds.
function retryAfter(answer) {
  const seconds = Number(answer.headers.get("Retry-After") ?? 0);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0) * 1000, LONGEST_WAIT_MS) : 0;
}

export class Queue {
  // `onTaken(scan, answer)` the server's answer, `onRefused(scan, message)` it cannot take the scan (once for each
  // message), `onWait(scan, why)` it stays for now ("offline", "logged out" or "fault"), `onChange()` look again.
  constructor({ token, onTaken, onRefused, onWait, onChange }) {
    Object.assign(this, { token, onTaken, onRefused, onWait, onChange });
    this.waiting = load(KEEP);
    this.lack = ""; // why what waits is not sent: as in onWait, or empty
    this.sending = false;
    this.tries = 0; // rounds in vain since the last scan was taken
    this.notBefore = 0;
    this.timer = 0;
  }

  add(scan) {
    this.waiting.push(scan);
    store(KEEP, this.waiting);
    if (this.lack && Date.now() < this.notBefore) this.onWait(scan, this.lack);
    else this.drain();
  }

  // Somebody came back to the page, or the network did.
  wake() {
    if (Date.now() >= this.notBefore) this.drain();
  }

  async drain() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    await this.round();
    this.sending = false;
    this.onChange();
    if (!this.waiting.length) return;
    this.tries += 1;
    const pause = RETRY_MS[Math.min(this.tries, RETRY_MS.length) - 1] * (0.8 + 0.4 * Math.random());
    this.timer = setTimeout(() => this.drain(), Math.max(pause, this.notBefore - Date.now()));
  }

  // Every scan in order, until the server says nothing.
  async round() {
    let place = 0; // those before it make way
    while (place < this.waiting.length) {
      const scan = this.waiting[place];
      const { answer, refusal, lack } = await this.send(scan);
      if (answer) {
        this.lack = "";
        this.tries = 0;
        place = this.take(place);
        this.onTaken(scan, answer);
      } else if (refusal) {
        this.lack = "";
        const known = scan.refusal?.message === refusal.message;
        scan.refusal = refusal;
        if (!known) this.onRefused(scan, refusal.message);
        place += 1;
      } else {
        this.lack = lack;
        this.onWait(scan, lack);
        if (lack !== "fault" || scan.faults < MOST_FAULTS) break;
        place += 1;
      }
    }
    store(KEEP, this.waiting);
  }

  // The scan at a place was taken: what was refused before it is set aside, until a person has looked. Returns the place
  // of the next one.
  take(place) {
    const before = this.waiting.slice(0, place);
    const refused = before.filter((scan) => scan.refusal);
    const aside = refused.map(({ faults, refusal, ...scan }) => ({ scan, ...refusal, at: Date.now() }));
    if (aside.length) store(ASIDE, [...load(ASIDE), ...aside]);
    const stays = before.filter((scan) => !scan.refusal);
    this.waiting = [...stays, ...this.waiting.slice(place + 1)];
    store(KEEP, this.waiting);
    return stays.length;
  }

  // {answer} the verdict, {refusal} why the server cannot take this scan, or {lack} why it said nothing about it.
  async send(scan) {
    const { faults = 0, refusal, ...told } = scan;
    try {
      const answer = await fetch("/s/", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.token },
        body: JSON.stringify({ ...told, sent_at: new Date().toISOString() }),
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      this.notBefore = Date.now() + retryAfter(answer);
      if (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect") {
        return { lack: "logged out" };
      }
      if (answer.status === 500) {
        scan.faults = faults + 1;
        return { lack: "fault" };
      }
      const body = answer.status < 500 && answer.status !== 429 ? await answer.json() : null;
      if (body?.id !== scan.id) return { lack: "offline" };
      delete scan.faults;
      return answer.ok ? { answer: body } : { refusal: { status: answer.status, message: body.message } };
    } catch {
      return { lack: "offline" };
    }
  }
}
