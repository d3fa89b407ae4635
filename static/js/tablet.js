// A tablet: from a code to a kept scan, its first answer on the spot and the server's when it comes. Used by the scan page
// and, in a small panel, by every other page.
import { actor, known } from "./actor.js";
import { Cards } from "./cards.js";
import { Clock } from "./clock.js";
import { uuid7 } from "./ids.js";
import { Link } from "./link.js";
import { Queue } from "./queue.js";
import { NoStore, Store } from "./store.js";

const SHOWN = 8;

// The uuid of whoever the scans of this moment belong to: signed in by a badge, else by a login (a cookie that the server
// sets; it names somebody and allows nothing).
const belongsTo = () => actor.current?.uuid ?? /(?:^|;\s*)person=([0-9a-f-]{36})/.exec(document.cookie)?.[1];

export class Tablet {
  // `words` the sentences, `station` the code of the station (empty: the server's), `intent()` what a scan means now;
  // `onShow(view, sound)` the big answer, `onLines(lines)`, `onState()` connection and counts.
  constructor({ words, station, intent, language, version, onShow, onLines, onState }) {
    Object.assign(this, { words, station, intent, version, onShow, onLines, onState });
    this.language = () => actor.current?.language ?? language;
    this.store = new Store();
    this.clock = new Clock();
    this.cards = new Cards(this.store);
    this.lines = []; // newest first: {id, code, part, number, of, headline, look, at, undo_until, waits}
    this.newest = null; // id of the scan that the big answer is about
    this.problem = ""; // what the browser says if it keeps nothing
    this.update = false; // a newer version waits on the server
    this.queue = new Queue({
      store: this.store,
      clock: this.clock,
      onAnswer: (scan, answer) => this.answered(scan, answer),
      onRefused: (scan, message) => this.refused(scan, message),
      onChange: () => this.changed(),
    });
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
      const kept = await this.store.waiting(SHOWN * 4);
      const known = new Set(this.lines.map((line) => line.id));
      for (const scan of kept) if (!known.has(scan.id)) this.lines.unshift(this.line(scan));
      this.lines.length = Math.min(this.lines.length, SHOWN);
      this.newest = kept.at(-1)?.id ?? null;
      await this.queue.look();
      navigator.storage?.persist?.();
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
  async record(code, more = {}) {
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
      return this.unkept({ id: uuid7(), at: Date.now(), offset: this.clock.offset, ...fields });
    }
    this.newest = scan.id;
    this.lines.unshift(this.line(scan, card, intent));
    this.lines.length = Math.min(this.lines.length, SHOWN);
    this.showKept(scan, card, intent);
    this.linesChanged();
    return scan;
  }

  savedAs(status) {
    return this.words.saved_as.replace("{}", this.words.status[status].toLocaleUpperCase());
  }

  expected(card, intent) {
    return card ? this.cards.expects(card, this.station, intent) : { to: "", likely: false };
  }

  line(scan, card = this.cards.find(scan.code), intent = scan.intent) {
    const { to } = this.expected(card, intent);
    return {
      id: scan.id,
      code: scan.code,
      part: card?.loop.part ?? "",
      number: card?.number,
      of: card?.loop.cards.length,
      headline: to ? this.savedAs(to) : this.words.saved,
      look: "saved",
      at: scan.at + (scan.offset ?? 0),
      waits: true,
    };
  }

  // What the tablet can say by itself: the part, and what the scan will probably do.
  showKept(scan, card, intent) {
    const { to, likely } = this.expected(card, intent);
    const offline = this.offline;
    const status = to && (offline ? this.savedAs(to) : this.words.status[to].toLocaleUpperCase());
    this.onShow(
      {
        id: scan.id,
        look: offline ? "saved" : "sending",
        code: offline ? "offline" : "sending",
        part: card?.loop.part ?? "",
        headline: scan.help ? this.words.help_called : status || (card ? this.words.saved : scan.code),
        message: offline ? this.words.saved_waiting.replace("{}", this.queue.count) : this.words.sending,
        next: offline && !likely && !scan.help ? this.words.checked_later : "",
        bins: card ? this.cards.bins(card).map((bin) => (bin[0] === card.code && to ? [bin[0], bin[1], to, bin[3]] : bin)) : [],
        mine: card?.code,
        guessed: offline && !likely,
      },
      offline ? (likely || scan.help ? "one" : "one_tick") : "",
    );
    if (card && to && offline) this.cards.move(card.code, to);
  }

  // The browser keeps nothing: sent at once, and said plainly if that fails.
  async unkept(scan) {
    this.newest = scan.id;
    const { results } = await this.queue.send([scan]);
    const answer = results?.[0];
    if (answer?.status === 200) return this.answered(scan, answer);
    this.onShow({ id: scan.id, look: "red", code: "not_saved", headline: this.words.not_saved, message: scan.code, next: this.words.not_saved_next }, "falling");
    return null;
  }

  answered(scan, answer) {
    this.cards.learn(answer.bins);
    const mine = scan.id === this.newest;
    if (mine) {
      const warned = answer.sound === "rising" && answer.state !== "applied";
      this.onShow({ ...answer, part: answer.card?.part ?? "", mine: answer.card?.code, said: scan.code }, warned ? "warned" : answer.sound);
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
      undo_until: answer.undo_until,
    };
    const place = this.lines.findIndex((other) => other.id === scan.id);
    if (place >= 0) this.lines[place] = line;
    else this.lines = [line, ...this.lines].sort((a, b) => b.at - a.at).slice(0, SHOWN);
    if (answer.outcome === "applied") {
      for (const other of this.lines) if (other.id !== line.id && other.code === line.code) other.undo_until = null;
    }
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
    this.showKept({ id: line.id, code: line.code }, card, "");
  }

  linesChanged() {
    this.onLines(this.lines);
    this.store.put("lines", this.lines.map(({ told, ...line }) => line)).catch(() => {});
  }

  told() {
    const undo = this.lines.find((line) => line.undo_until);
    return {
      waiting: this.queue.count,
      oldest: this.queue.oldest ? new Date(this.queue.oldest).toISOString() : null,
      app: this.version,
      newest: undo?.id ?? null,
    };
  }

  beaten(said, measured) {
    if (measured) this.store.put("offset", this.clock.offset).catch(() => {});
    this.update = said.version !== this.version;
    const undo = this.lines.find((line) => line.undo_until);
    if (undo && !said.undo_until) {
      undo.undo_until = null; // somebody has acted on it, or the time is over
      this.linesChanged();
    }
    if (this.wasAway) {
      this.wasAway = false;
      this.cards.refresh(true);
      this.lastFromServer();
    } else {
      this.cards.refresh();
    }
    if (this.queue.count) this.queue.wake();
    this.onState();
  }

  // The last scans as the server has them; those that still wait here stay on top.
  async lastFromServer() {
    try {
      const answer = await fetch("/s/last", { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) return;
      const { results } = await answer.json();
      const waiting = this.lines.filter((line) => line.waits);
      const here = new Set(waiting.map((line) => line.id));
      const there = results.filter((each) => !here.has(each.id)).map((each) => ({
        id: each.id,
        code: each.card?.code ?? each.raw,
        part: each.card?.part ?? "",
        number: each.card?.number,
        of: each.card?.of,
        headline: each.headline,
        look: each.look,
        at: Date.parse(each.occurred_at ?? each.recorded_at),
        undo_until: each.undo_until,
      }));
      this.lines = [...waiting, ...there].slice(0, SHOWN);
      this.linesChanged();
    } catch {
      this.wasAway = true; // what is known stays
    }
  }
}
