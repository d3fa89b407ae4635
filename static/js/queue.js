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
const BROKEN_FAULTS = 8; // after which it waits for a person, if the server took others meanwhile
const LEASE_MS = 10_000;
const LATE_MS = 5000; // an answer after that comes when whoever scanned has gone on
const ABOUT = [
  "code",
  "intent",
  "station",
  "by",
  "language",
  "quantity",
  "reason",
  "checks",
  "override",
  "allowed",
  "help",
  "act",
  "undoes",
];

// In milliseconds; 0 if the answer does not say it in seconds.
function retryAfter(answer) {
  const seconds = Number(answer.headers.get("Retry-After") ?? 0);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0) * 1000, LONGEST_WAIT_MS) : 0;
}

export class Queue {
  // `onAnswer(scan, answer, follow)` what the server said, in whichever tab it was sent; `follow` is the undo that takes
  // back what had come in before its withdrawal. `onRefused(scan, message)` it is set aside; `onChange()` look again at
  // `count`, `oldest`, `aside`, `lack`; `broken()` the sentence for a scan at which the server fails.
  constructor({ store, clock, onAnswer, onRefused, onChange, broken }) {
    Object.assign(this, { store, clock, onAnswer, onRefused, onChange, broken });
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
    this.channel.onmessage = ({ data }) => {
      this.heard(data);
      this.look().catch(() => {}); // the next scan finds out
    };
  }

  heard({ scan, answer, refused, follow }) {
    if (answer) this.onAnswer(scan, answer, follow);
    else if (refused) this.onRefused(scan, refused);
  }

  tell(message) {
    this.channel.postMessage(message);
    this.heard(message);
  }

  // What waits here, and since when. NoStore if that cannot be read.
  async look() {
    const { first, waiting, aside } = await this.store.look();
    this.count = waiting;
    this.oldest = first ? first.at + (first.offset ?? 0) : null;
    this.aside = aside;
    if (!waiting) this.lack = ""; // another tab may have sent it
    this.onChange();
  }

  // Kept on the disk when the promise is fulfilled; only then may anybody be told. NoStore if it cannot be kept.
  async add(fields) {
    const { record, waiting } = await this.store.add({ id: uuid7(), at: Date.now(), offset: this.clock.offset, ...fields });
    this.count = waiting;
    this.oldest ??= this.clock.now();
    this.changed();
    return record;
  }

  // Takes back a scan that waits here. It is sent all the same, so that the server knows of it, and changes nothing there;
  // if it had come in already, an undo of it follows. Null if it is not waiting here any more.
  async withdraw(id) {
    const found = await this.store.withdraw(id, { at: Date.now(), offset: this.clock.offset });
    this.changed();
    return found;
  }

  changed() {
    this.onChange();
    this.channel.postMessage({});
    if (!this.lack || Date.now() >= this.notBefore) this.drain();
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
      const { results, lack, problem } = await this.send(scans);
      if (results) {
        await this.take(scans, results);
      } else if (lack === "fault" && scans.length > 1) {
        this.batch = 1; // one of them may be what breaks it: each alone
      } else if (problem) {
        await this.take(scans, [{ ...problem, id: scans[0].id }]);
      } else if (lack === "fault" && (await this.isFaulty(scans[0].seq))) {
        this.faulty.add(scans[0].seq);
      } else {
        this.lack = lack;
        return;
      }
      if (!navigator.locks && !(await this.store.lease(this.me, Date.now(), LEASE_MS))) return;
    }
  }

  async isFaulty(seq) {
    let faults = 0;
    await this.store.settle([seq], (scan) => {
      faults = (scan.faults ?? 0) + 1;
      return { keep: { ...scan, faults } };
    });
    return faults >= MOST_FAULTS;
  }

  // Each answer is for its scan; what the server has is forgotten here first, so that no tab sends it again.
  async take(scans, results) {
    this.lack = "";
    this.tries = 0;
    const said = new Map(scans.map(({ seq }, place) => [seq, results[place]]));
    const told = [];
    const faults = [];
    await this.store.settle([...said.keys()], (scan) => {
      const answer = said.get(scan.seq);
      const isMeant = answer?.id === scan.id || (answer?.id === null && answer.status !== 200); // its id cannot be read
      if (!isMeant || answer.status >= 500) {
        faults.push(scan.seq);
        return {};
      }
      return answer.status === 200 ? this.settled(scan, answer, told) : this.setAside(scan, answer, told);
    });
    for (const message of told) this.tell(message);
    for (const seq of faults) if (await this.isFaulty(seq)) this.faulty.add(seq);
    if (!faults.length) this.batch = BATCH;
    if (this.faulty.size && told.length) await this.dropBroken();
    await this.look();
  }

  settled(scan, answer, told) {
    const follow = scan.withdrawn && answer.outcome === "applied" && !scan.help ? this.undoOf(scan, answer) : null;
    told.push({ scan, answer, follow });
    if (follow) return { follow };
    // Shown as saved, and refused when nobody looks any more: it stands on this device until somebody has seen it.
    const isUnseen = answer.outcome === "refused" && !scan.withdrawn && Date.now() - scan.at > LATE_MS;
    return isUnseen ? this.setAside(scan, answer, []) : { forget: true };
  }

  setAside({ waits, faults, ...scan }, { status, message }, told) {
    told.push({ scan, refused: message });
    return { keep: { ...scan, refusal: { status, message } } };
  }

  // Of a scan that was withdrawn here when the server had it already.
  undoOf({ id, code, station, by, language, withdrawn }, { card }) {
    return { id: uuid7(), ...withdrawn, code: card?.code ?? code, station, by, language, intent: "undo", undoes: id };
  }

  // Others were taken and these broke the server again and again: they wait for a person.
  async dropBroken() {
    const told = [];
    await this.store.settle([...this.faulty], (scan) => {
      if (scan.faults < BROKEN_FAULTS) return {};
      return this.setAside(scan, { status: 500, message: this.broken() }, told);
    });
    for (const message of told) this.tell(message);
  }

  // {results} one for each, or {lack} why nothing was said about them.
  async send(scans) {
    const told = scans.map((scan) => ({
      id: scan.id,
      seq: scan.help ? undefined : (scan.number ?? scan.seq),
      epoch: this.epoch,
      withdrawn: scan.withdrawn ? true : undefined,
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
      if (answer.status === 500) return { lack: "fault" };
      if (answer.status === 413) return { lack: "fault", problem: { status: 413, message: (await answer.json()).message } };
      const body = answer.ok ? await answer.json() : null;
      return body?.results?.length === scans.length ? { results: body.results } : { lack: "offline" };
    } catch {
      return { lack: "offline" };
    }
  }
}
