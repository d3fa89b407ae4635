// A tablet: from a code to a kept scan, its first answer on the spot and the server's when it comes. Used by the scan page
// and, in a small panel, by every other page.
import { actor, finishLeaving, known, loggedIn } from "./actor.js";
import { Cards } from "./cards.js";
import { Clock } from "./clock.js";
import { uuid7 } from "./ids.js";
import { Link } from "./link.js";
import { Queue } from "./queue.js";
import { NoStore, Store } from "./store.js";

const SHOWN = 8;

// The uuid of whoever the scans of this moment belong to: signed in by a badge, else by a login.
const belongsTo = () => actor.current?.uuid ?? loggedIn();

export class Tablet {
  // `words` the sentences, `station` the code of the station (empty: the server's), `intent()` what a scan means now;
  // `onShow(view, sound)` the big answer, `onLines(lines)`, `onState()` connection and counts; `speaks()` is fulfilled when
  // `words` are there, for a page that came without them. `onAnswer(scan, answer)` what the server said of the scan that
  // the big answer is about; `onBeat(said)` what it says with each sign of life.
  constructor({
    words,
    station,
    intent,
    language,
    version,
    onShow,
    onLines,
    onState,
    speaks = async () => {},
    onAnswer = () => {},
    onBeat = () => {},
  }) {
    Object.assign(this, { words, station, intent, version, onShow, onLines, onState, speaks, onAnswer, onBeat });
    this.language = () => actor.current?.language ?? language;
    this.store = new Store();
    this.clock = new Clock();
    this.cards = new Cards(this.store);
    this.lines = []; // newest first: {id, code, part, number, of, headline, look, at, by, intent, done, undo_until,
    // waits}; of one that waits also help, withdrawn, and `was`, where the card stood before
    this.recording = Promise.resolve(); // until all that was scanned so far is kept
    this.newest = null; // id of the scan that the big answer is about
    this.problem = ""; // what the browser says if it keeps nothing
    this.update = false; // a newer version waits on the server
    this.queue = new Queue({
      store: this.store,
      clock: this.clock,
      onAnswer: (scan, answer, follow) => this.answered(scan, answer, follow),
      onRefused: (scan, message) => this.refused(scan, message),
      onChange: () => this.changed(),
      broken: () => this.words?.broken ?? "",
    });
    this.asked = []; // ids of the scans of which the last sign of life asked whether they can still be taken back
    this.link = new Link({
      clock: this.clock,
      told: () => this.told(),
      onBeat: (said, measured) => this.beaten(said, measured),
      onChange: () => {
        if (this.link.state === "offline") this.wasAway = true;
        onState();
      },
    });
    known.byBadge = async (badge) => this.cards.person(badge);
    actor.addEventListener("change", () => onState());
  }

  // `quiet`: a page that is not the scan page gives no signs of life and draws no list; it only records and sends.
  async start({ quiet = false } = {}) {
    try {
      await this.adopt();
      await this.cards.load();
      this.lines = (await this.store.get("lines")) ?? [];
      const kept = (await this.store.waiting()).slice(-SHOWN);
      const known = new Set(this.lines.map((line) => line.id));
      for (const scan of kept) if (!known.has(scan.id)) this.lines.unshift(this.line(scan));
      this.lines.length = Math.min(this.lines.length, SHOWN);
      this.newest = kept.at(-1)?.id ?? null;
      await this.queue.look();
      navigator.storage?.persist?.().catch(() => {}); // refused is no harm
    } catch (error) {
      this.troubled(error);
    }
    this.onLines(this.lines);
    if (this.queue.count) this.queue.drain();
    if (quiet) return;
    this.link.start();
    this.cards.refresh();
    this.lastFromServer();
  }

  async adopt() {
    this.queue.epoch = await this.store.get("epoch");
    const offset = await this.store.get("offset");
    if (offset !== undefined) this.clock.offset ??= offset;
    if (this.station) await this.store.put("station", this.station);
    else this.station = (await this.store.get("station")) ?? "";
    const now = Date.now();
    await this.store.adopt({ at: now, offset: null, station: this.station || undefined });
  }

  troubled(error) {
    if (!(error instanceof NoStore)) throw error;
    this.problem = error.message;
    this.onState();
  }

  get offline() {
    return this.link.state === "offline" || this.link.state === "device" || Boolean(this.queue.lack);
  }

  // -- a scan --------------------------------------------------------------------------------------
  // Kept on the disk before anything is shown. `more` may name intent, quantity, reason, checks, override or help.
  record(code, more = {}) {
    const recorded = this.recorded(code, more);
    this.recording = Promise.allSettled([this.recording, recorded]);
    return recorded;
  }

  async recorded(code, more) {
    const card = this.cards.find(code);
    const intent = more.intent ?? this.intent();
    const fields = { code, station: this.station || undefined, by: belongsTo(), language: this.language() };
    Object.assign(fields, more, { intent: intent || undefined });
    let scan;
    try {
      scan = await this.queue.add(fields);
      this.problem = "";
    } catch (error) {
      if (!(error instanceof NoStore)) throw error;
      this.problem = error.message;
      await this.speaks();
      return this.unkept({ id: uuid7(), at: Date.now(), offset: this.clock.offset, ...fields });
    }
    this.newest = scan.id;
    await this.speaks();
    this.lines.unshift(this.line(scan, card));
    this.lines.length = Math.min(this.lines.length, SHOWN);
    this.showKept(scan, card);
    this.linesChanged();
    return scan;
  }

  // -- taking back ---------------------------------------------------------------------------------
  // Only while it can succeed: by whoever made it, before it was sent or while the server would still do it.
  canUndo(line) {
    if ((line.by ?? null) !== (belongsTo() ?? null)) return false;
    if (line.waits) return !line.withdrawn && line.intent !== "undo";
    return Boolean(line.undo_until) && Date.parse(line.undo_until) > this.clock.now();
  }

  // The last thing that was done here, and no other; false if it cannot be taken back. What was scanned just before may
  // still be on its way to the disk: it is what is meant.
  async undoLast() {
    for (let seen = null; seen !== this.recording; ) {
      seen = this.recording;
      await seen;
    }
    const last = this.lines.find((line) => line.waits || line.done);
    return last ? this.takeBack(last.id) : false;
  }

  // The scan of this id; false if it cannot be taken back (any more).
  async takeBack(id) {
    const line = this.lines.find((each) => each.id === id);
    if (!line || !this.canUndo(line)) return false;
    if (line.waits) {
      try {
        if (await this.queue.withdraw(id)) return this.withdrawn(id);
      } catch (error) {
        this.troubled(error);
        return false;
      }
    }
    // Its answer may have come in this moment.
    const settled = this.lines.find((each) => each.id === id);
    if (!settled || settled.waits || !this.canUndo(settled)) return false;
    await this.record(settled.code, { intent: "undo", undoes: id });
    return true;
  }

  withdrawn(id) {
    const line = this.lines.find((each) => each.id === id);
    if (!line) return true;
    Object.assign(line, { withdrawn: true, headline: this.words.withdrawn, look: "calm" });
    if (line.was) this.cards.move(line.code, line.was);
    this.newest = id;
    const view = { id, look: "calm", code: "withdrawn", part: line.part, headline: this.words.withdrawn, next: "" };
    this.onShow({ ...view, message: line.part ? this.words.withdrawn_what : line.code }, "one");
    this.linesChanged();
    return true;
  }

  savedAs(status) {
    return this.words.saved_as.replace("{}", this.words.status[status].toLocaleUpperCase());
  }

  expected(card, intent) {
    return card ? this.cards.expects(card, this.station, intent) : { to: "", likely: false };
  }

  line(scan, card = this.cards.find(scan.code)) {
    const { to } = this.expected(card, scan.intent);
    return {
      id: scan.id,
      code: scan.code,
      part: card?.loop.part ?? "",
      number: card?.number,
      of: card?.loop.cards.length,
      headline: scan.withdrawn ? this.words.withdrawn : this.keptAs(scan, to),
      look: scan.withdrawn ? "calm" : "saved",
      at: scan.at + (scan.offset ?? 0),
      by: scan.by,
      intent: scan.intent,
      help: scan.help,
      was: card?.status,
      withdrawn: Boolean(scan.withdrawn),
      waits: true,
    };
  }

  keptAs(scan, to) {
    if (scan.help) return this.words.help_waits;
    return to ? this.savedAs(to) : this.words.saved;
  }

  // What the tablet can say by itself: the part, and what the scan will probably do.
  showKept(scan, card) {
    if (scan.help) return this.showCalling(scan);
    const { to, likely } = this.expected(card, scan.intent);
    const offline = this.offline;
    const status = to && (offline ? this.savedAs(to) : this.words.status[to].toLocaleUpperCase());
    this.onShow(
      {
        id: scan.id,
        look: offline ? "saved" : "sending",
        code: offline ? "offline" : "sending",
        part: card?.loop.part ?? "",
        headline: status || (card ? this.words.saved : scan.code),
        message: offline ? this.words.saved_waiting.replace("{}", this.queue.count) : this.words.sending,
        next: offline && scan.override ? this.words.override_offline : offline && !likely ? this.words.checked_later : "",
        bins: card ? this.cards.bins(card).map((bin) => (bin[0] === card.code && to ? [bin[0], bin[1], to, bin[3]] : bin)) : [],
        mine: card?.code,
        guessed: offline && !likely,
      },
      offline ? (likely ? "one" : "one_tick") : "",
    );
    if (card && to && offline) this.cards.move(card.code, to);
  }

  // Nobody comes before the call is out: whoever waits beside the page must know.
  showCalling(scan) {
    const { words } = this;
    const view = { id: scan.id, look: "sending", code: "sending", headline: words.help_calling, message: words.sending, next: "" };
    if (!this.offline) return this.onShow(view, "");
    const said = { headline: words.help_waits, message: words.help_waits_what, next: words.help_waits_next };
    this.onShow({ ...view, look: "amber", code: "help_waits", ...said }, "level");
  }

  // The browser keeps nothing: sent at once, and said plainly if that fails.
  async unkept(scan) {
    this.newest = scan.id;
    const { results } = await this.queue.send([scan]);
    const answer = results?.[0];
    if (answer?.status === 200) return this.answered(scan, answer);
    const { not_saved, not_saved_next } = this.words;
    const next = answer?.message ?? not_saved_next;
    this.onShow({ id: scan.id, look: "red", code: "not_saved", headline: not_saved, message: scan.code, next }, "falling");
    return null;
  }

  answered(scan, answer, follow = null) {
    this.cards.learn(answer.bins);
    const isMine = scan.id === this.newest;
    if (isMine && follow) {
      this.newest = follow.id; // it was taken back, and had come in already: the undo is on its way
    } else if (isMine) {
      const warned = answer.sound === "rising" && answer.state !== "applied";
      this.onShow({ ...answer, part: answer.card?.part ?? "", mine: answer.card?.code, said: scan.code, told: scan }, warned ? "warned" : answer.sound);
      this.onAnswer(scan, answer);
    }
    const line = {
      id: scan.id,
      code: answer.card?.code ?? scan.code,
      part: answer.card?.part ?? "",
      number: answer.card?.number,
      of: answer.card?.of,
      headline: answer.headline,
      look: answer.look,
      at: scan.at + (scan.offset ?? 0),
      by: scan.by,
      intent: scan.intent,
      done: answer.outcome === "applied",
      undo_until: follow ? null : answer.undo_until,
    };
    const place = this.lines.findIndex((other) => other.id === scan.id);
    if (place >= 0) this.lines[place] = line;
    else this.lines = [line, ...this.lines].sort((a, b) => b.at - a.at).slice(0, SHOWN);
    if (answer.outcome === "applied") {
      for (const other of this.lines) if (other.id !== line.id && other.code === line.code) other.undo_until = null;
    }
    if (follow) this.lines = [this.line(follow), ...this.lines].slice(0, SHOWN);
    this.linesChanged();
  }

  // The server cannot take this scan and has said why: it waits for a person, those behind it go on.
  refused(scan, message) {
    const view = { look: "red", code: "aside", state: "refused", headline: this.words.nothing, message: scan.code, next: this.words.look.replace("{}", message) };
    if (scan.id === this.newest) this.onShow({ id: scan.id, ...view }, "falling");
    const line = this.lines.find((other) => other.id === scan.id);
    if (line) Object.assign(line, { look: "red", headline: this.words.nothing, waits: false });
    this.linesChanged();
  }

  // -- what changes --------------------------------------------------------------------------------
  changed() {
    if (this.queue.lack) this.settleShown();
    this.onState();
  }

  // The newest scan was shown as being sent, and the server does not answer: it is saved here.
  settleShown() {
    const line = this.lines.find((each) => each.id === this.newest && each.waits && !each.told);
    if (!line || this.shownAs !== "sending") return;
    line.told = true;
    const card = this.cards.find(line.code);
    this.showKept(line, card);
  }

  linesChanged() {
    this.onLines(this.lines);
    this.store.put("lines", this.lines.map(({ told, ...line }) => line)).catch(() => {});
  }

  told() {
    this.asked = this.lines.filter((line) => line.undo_until).map((line) => line.id);
    return {
      waiting: this.queue.count,
      oldest: this.queue.oldest ? new Date(this.queue.oldest).toISOString() : null,
      app: this.version,
      undoable: this.asked,
    };
  }

  beaten(said, measured) {
    if (measured) this.store.put("offset", this.clock.offset).catch(() => {});
    this.update = said.version !== this.version;
    // Somebody has acted on these, or the time is over.
    const over = this.lines.filter((line) => line.undo_until && this.asked.includes(line.id) && !said.undoable?.[line.id]);
    for (const line of over) line.undo_until = null;
    if (over.length) this.linesChanged();
    finishLeaving();
    if (this.wasAway) {
      this.wasAway = false;
      this.cards.refresh(true);
      this.lastFromServer();
    } else {
      this.cards.refresh();
    }
    if (this.queue.count) this.queue.wake();
    this.onBeat(said);
    this.onState();
  }

  // The last scans as the server has them; those that still wait here stay on top.
  async lastFromServer() {
    const since = this.clock.now();
    try {
      const answer = await fetch("/s/last", { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) return;
      const { results } = await answer.json();
      const newer = this.lines.filter((line) => line.waits || line.at > since);
      const here = new Set(newer.map((line) => line.id));
      const there = results.filter((each) => !here.has(each.id)).map((each) => ({
        id: each.id,
        code: each.card?.code ?? each.raw,
        part: each.card?.part ?? "",
        number: each.card?.number,
        of: each.card?.of,
        headline: each.headline,
        look: each.look,
        at: Date.parse(each.occurred_at ?? each.recorded_at),
        by: each.by ?? undefined,
        done: each.outcome === "applied",
        undo_until: each.undo_until,
      }));
      this.lines = [...newer, ...there].slice(0, SHOWN);
      this.linesChanged();
    } catch {
      this.wasAway = true; // what is known stays
    }
  }
}
