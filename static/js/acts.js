// What a handler does on a page (a scan at a stop, a label, a bin seen, a touch on a button), kept and sent by the same
// queue as a tablet's scans: a record each, on the disk before anybody is told, sent in order by one tab with the
// credential of the device. The server's half is jitapp/web/acts.py.
import { Clock } from "./clock.js";
import { Link } from "./link.js";
import { Queue } from "./queue.js";
import { NoStore, Store } from "./store.js";

export class Acts {
  // `page` {by, language, version, tablet}; `onShow(id, view, sound)` what to say of an act, `onDone(scan)` the server has
  // it, or it is set aside; `onState()` look again at `state` and the counts of `queue`.
  constructor({ page, words, onShow, onDone, onState }) {
    Object.assign(this, { page, words, onShow, onDone, onState });
    this.store = new Store();
    this.clock = new Clock();
    this.problem = ""; // what the browser says if it keeps nothing
    this.newest = ""; // id of the act that was done last here
    this.shown = new Map(); // by id {what, saved} of those that wait: how it is called, and whether it is shown as saved
    this.known = page.tablet; // a browser becomes a device with the first act of somebody who is logged in
    this.queue = new Queue({
      store: this.store,
      clock: this.clock,
      onAnswer: (scan, answer) => this.answered(scan, answer),
      onRefused: (scan, message) => this.refused(scan, message),
      onChange: () => this.changed(),
      broken: () => this.words.broken,
    });
    this.link = new Link({
      clock: this.clock,
      told: () => this.told(),
      onBeat: (said, measured) => {
        if (measured) this.store.put("offset", this.clock.offset).catch(() => {});
        if (this.queue.count) this.queue.wake();
      },
      onChange: onState,
    });
  }

  // Returns the acts that wait here.
  async start() {
    let kept = [];
    try {
      this.queue.epoch = await this.store.get("epoch");
      const offset = await this.store.get("offset");
      if (offset !== undefined) this.clock.offset ??= offset;
      kept = await this.store.waiting();
      await this.queue.look();
    } catch (error) {
      this.troubled(error);
    }
    addEventListener("online", () => this.queue.wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.queue.wake());
    if (this.known) this.link.start();
    if (this.queue.count) this.queue.drain();
    return kept.filter((scan) => scan.act);
  }

  troubled(error) {
    if (!(error instanceof NoStore)) throw error;
    this.problem = error.message;
    this.onState();
  }

  told() {
    const { count, oldest } = this.queue;
    return { waiting: count, oldest: oldest ? new Date(oldest).toISOString() : null, app: this.page.version };
  }

  // live, slow, sending, offline, device, storage
  get state() {
    const { queue, link, known, problem } = this;
    if (problem) return "storage";
    if (queue.lack) return queue.lack === "fault" ? "offline" : queue.lack;
    if (known && link.state !== "live") return link.state;
    return queue.count ? "sending" : "live";
  }

  get offline() {
    return ["offline", "device"].includes(this.state);
  }

  // On the disk before anything is shown. `code` is what was scanned, or names what the act is about; `id` makes a second
  // touch on one button the same act; `what` is how it is called until the server has answered.
  async record(act, code, { id, what }) {
    this.newest = id;
    const fields = { id, code, by: this.page.by, language: this.page.language, act };
    try {
      const scan = await this.queue.add(fields);
      this.problem = "";
      this.showKept(scan.id, what);
    } catch (error) {
      this.troubled(error);
      await this.unkept({ at: Date.now(), offset: this.clock.offset, ...fields });
    }
  }

  // The browser keeps nothing: sent at once, and said plainly if that fails.
  async unkept(scan) {
    const { results } = await this.queue.send([scan]);
    const [answer] = results ?? [];
    if (answer?.status === 200) return this.answered(scan, answer);
    const { not_saved: headline, not_saved_next: next } = this.words;
    this.onShow(scan.id, { look: "red", headline, message: answer?.message ?? shortened(scan.code), next }, "falling");
  }

  showKept(id, what) {
    const { words, offline } = this;
    this.shown.set(id, { what, saved: offline });
    const waits = offline ? words.saved_waiting.replace("{}", this.queue.count) : words.sending;
    const view = { look: offline ? "saved" : "sending", headline: offline ? words.saved : what, message: offline ? `${what} ${waits}` : waits };
    this.onShow(id, view, offline ? "one" : "");
  }

  // What was shown as being sent is saved here, if the server turns out not to answer.
  changed() {
    if (this.queue.lack) for (const [id, { what, saved }] of this.shown) if (!saved) this.showKept(id, what);
    this.onState();
  }

  answered(scan, answer) {
    if (!scan.act) return;
    this.shown.delete(scan.id);
    if (!this.known) {
      this.known = true; // the server has just made a device of this browser
      this.link.start();
    }
    this.onShow(scan.id, { ...answer, message: answer.detail ?? answer.message }, answer.sound);
    this.onDone(scan);
  }

  refused(scan, message) {
    if (!scan.act) return;
    this.shown.delete(scan.id);
    const next = this.words.look.replace("{}", message);
    this.onShow(scan.id, { look: "red", headline: this.words.nothing, message: shortened(scan.code), next }, "falling");
    this.onDone(scan);
  }
}

// Labels hold hundreds of characters, some of which cannot be shown.
export function shortened(code) {
  const text = code.replace(/\p{Cc}+/gu, " ").trim();
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
