// The queue of scans: kept on this device, sent in order by one tab at a time, forgotten only when the server has said
// what became of each.
//
// A server that is away, busy or faulty says nothing about a scan: then all of them wait, in order. A scan that the server
// cannot take is set aside for a person, and the others go on. Sent again, the same id changes nothing twice.
import { instants } from "./clock.js";
import { uuid7 } from "./ids.js";

const BATCH = 25;
const TIMEOUT_MS = 2500;
const EACH_MS = 100; // more for each further scan of a batch
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const LONGEST_WAIT_MS = 60_000; // whatever Retry-After says
const MOST_FAULTS = 4; // answers of 500 after which those behind a scan are tried; it stays in its place
const LEASE_MS = 10_000;
const LATE_MS = 5000; // an answer after that comes when whoever scanned has gone on
const ABOUT = ["code", "intent", "station", "by", "language", "quantity", "reason", "checks", "override", "help"];

// In milliseconds; 0 if the answer does not say it in seconds.
function retryAfter(answer) {
  const seconds = Number(answer.headers.get("Retry-After") ?? 0);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0) * 1000, LONGEST_WAIT_MS) : 0;
}

export class Queue {
  // `onAnswer(scan, answer)` what the server said, in whichever tab it was sent; `onRefused(scan, message)` it is set
  // aside; `onChange()` look again at `count`, `oldest`, `aside`, `lack`.
  constructor({ store, clock, onAnswer, onRefused, onChange }) {
    Object.assign(this, { store, clock, onAnswer, onRefused, onChange });
    this.me = uuid7();
    this.count = 0;
    this.oldest = null;
    this.aside = 0;
    this.lack = ""; // why what waits is not sent: offline, device (not known any more), fault; or empty
    this.sending = false;
    this.batch = BATCH;
    this.faulty = new Set(); // seqs that broke the server MOST_FAULTS times
    this.tries = 0;
    this.notBefore = 0;
    this.timer = 0;
    this.channel = new BroadcastChannel("jitapp.scans");
    this.channel.onmessage = ({ data }) => this.heard(data);
  }

  heard({ scan, answer, refused }) {
    if (answer) this.onAnswer(scan, answer);
    else if (refused) this.onRefused(scan, refused);
    this.look();
  }

  tell(message) {
    this.channel.postMessage(message);
    this.heard(message);
  }

  // What waits here, and since when. NoStore if that cannot be read.
  async look() {
    const [first] = await this.store.waiting(1);
    this.count = await this.store.count();
    this.oldest = first ? first.at + (first.offset ?? 0) : null;
    this.aside = (await this.store.aside()).length;
    this.onChange();
  }

  // Kept on the disk when the promise is fulfilled; only then may anybody be told. NoStore if it cannot be kept.
  async add(fields) {
    const scan = await this.store.add({ id: uuid7(), at: Date.now(), offset: this.clock.offset, ...fields });
    this.count += 1;
    this.oldest ??= this.clock.now();
    this.onChange();
    this.channel.postMessage({});
    if (!this.lack || Date.now() >= this.notBefore) this.drain();
    return scan;
  }

  // Somebody came back to the page, or the network did.
  wake() {
    if (Date.now() >= this.notBefore) this.drain();
  }

  async drain() {
    if (this.sending) {
      this.more = true;
      return;
    }
    this.sending = true;
    clearTimeout(this.timer);
    this.faulty.clear();
    try {
      do {
        this.more = false;
        await this.locked(() => this.round());
      } while (this.more && !this.lack);
      await this.look();
    } catch {
      this.lack ||= "fault"; // what is kept cannot be read at this moment; it is tried again
    }
    this.sending = false;
    this.onChange();
    if (!this.count) return;
    this.tries += 1;
    const pause = RETRY_MS[Math.min(this.tries, RETRY_MS.length) - 1] * (0.8 + 0.4 * Math.random());
    this.timer = setTimeout(() => this.drain(), Math.max(pause, this.notBefore - Date.now()));
  }

  // One tab sends, however many are open.
  async locked(work) {
    if (navigator.locks) {
      await navigator.locks.request("jitapp.drain", { ifAvailable: true }, (lock) => lock && work());
    } else if (await this.store.lease(this.me, Date.now(), LEASE_MS)) {
      await work();
    }
  }

  async round() {
    for (;;) {
      const kept = await this.store.waiting(this.batch + this.faulty.size);
      const scans = kept.filter((scan) => !this.faulty.has(scan.seq)).slice(0, this.batch);
      if (!scans.length) return;
      const { results, lack } = await this.send(scans);
      if (results) {
        await this.take(scans, results);
      } else if (lack === "fault" && scans.length > 1) {
        this.batch = 1; // one of them may be what breaks it: each alone
      } else if (lack === "fault" && (await this.isFaulty(scans[0]))) {
        this.faulty.add(scans[0].seq);
      } else {
        this.lack = lack;
        return;
      }
      if (!navigator.locks && !(await this.store.lease(this.me, Date.now(), LEASE_MS))) return;
    }
  }

  async isFaulty(scan) {
    const faults = (scan.faults ?? 0) + 1;
    await this.store.replace({ ...scan, faults });
    return faults >= MOST_FAULTS;
  }

  // Each answer is for its scan; what the server has is forgotten here first, so that no tab sends it again.
  async take(scans, results) {
    this.lack = "";
    this.tries = 0;
    const pairs = scans.map((scan, place) => [scan, results[place]]);
    const taken = pairs.filter(([scan, said]) => said?.status === 200 && said.id === scan.id);
    const unseen = taken.filter(([scan, said]) => said.outcome === "refused" && Date.now() - scan.at > LATE_MS);
    await this.store.remove(taken.filter((pair) => !unseen.includes(pair)).map(([scan]) => scan.seq));
    // Shown as saved, and refused when nobody looks any more: it stands on this device until somebody has seen it.
    for (const [scan, said] of unseen) await this.setAside(scan, said);
    for (const [scan, said] of pairs) {
      if (said?.status === 200 && said.id === scan.id) {
        this.tell({ scan, answer: said });
      } else if (said && said.status < 500 && said.id === scan.id) {
        await this.setAside(scan, said);
        this.tell({ scan, refused: said.message });
      } else if (await this.isFaulty(scan)) {
        this.faulty.add(scan.seq);
      }
    }
    if (taken.length === scans.length) this.batch = BATCH;
  }

  setAside({ waits, faults, ...scan }, { status, message }) {
    return this.store.replace({ ...scan, refusal: { status, message } });
  }

  // {results} one for each, or {lack} why nothing was said about them.
  async send(scans) {
    const told = scans.map((scan) => ({
      id: scan.id,
      seq: scan.seq,
      epoch: this.epoch,
      ...Object.fromEntries(ABOUT.filter((name) => scan[name] !== undefined).map((name) => [name, scan[name]])),
      ...instants(scan, this.clock),
    }));
    try {
      const answer = await fetch("/s/scans", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ scans: told }),
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS + EACH_MS * scans.length),
      });
      this.notBefore = Date.now() + retryAfter(answer);
      if (answer.status === 401 || answer.status === 403) return { lack: "device" };
      if (answer.status === 500 || answer.status === 413) return { lack: "fault" };
      const body = answer.ok ? await answer.json() : null;
      return body?.results?.length === scans.length ? { results: body.results } : { lack: "offline" };
    } catch {
      return { lack: "offline" };
    }
  }
}
