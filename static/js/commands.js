// What command cards do, on every page: some act at once, some say what the next scan means.
import { leave } from "./actor.js";
import { recall, remember } from "./remember.js";

const ARMED = "jitapp.armed";
const ARMED_MS = 60_000;

export class Commands {
  // `show(view, sound)` the answer, `onArmed(text, isNew)` what the next scan means (empty: nothing), `onLeave()` nobody is
  // signed in any more, `bright()` the next theme.
  constructor({ tablet, show, onArmed, onLeave = () => {}, bright = () => {} }) {
    Object.assign(this, { tablet, show, onArmed, onLeave, bright });
    this.timer = 0;
    this.armed = null; // {more, text, at}; kept over a reload of the page, which a new version or language brings
  }

  get words() {
    return this.tablet.words;
  }

  // What was armed before the page was loaded again.
  resume() {
    const armed = JSON.parse(recall(ARMED, "sessionStorage"));
    if (armed && Date.now() - armed.at < ARMED_MS) this.keep(armed);
  }

  keep(armed, isNew = false) {
    clearTimeout(this.timer);
    this.armed = armed;
    remember(ARMED, armed && JSON.stringify(armed), "sessionStorage");
    this.onArmed(armed?.text ?? "", isNew);
    if (armed) this.timer = setTimeout(() => this.keep(null), Math.max(armed.at + ARMED_MS - Date.now(), 0));
  }

  arm(more, text) {
    this.keep({ more, text, at: Date.now() }, true);
  }

  // What the next scan means beside its card, for that one only.
  take() {
    const armed = this.armed;
    if (!armed) return {};
    this.keep(null);
    return Date.now() - armed.at < ARMED_MS ? armed.more : {};
  }

  run({ name, number }) {
    const { words } = this;
    if (name === "UNDO") return this.undo();
    if (name === "HELP") return this.tablet.record("HELP", { help: "help", intent: "" });
    if (name === "END_SHIFT") return this.endShift();
    if (name === "BRIGHT") return this.bright();
    if (name === "QTY") return this.arm({ quantity: String(number) }, words.next_quantity.replace("{}", number));
    if (name === "HOLD") return this.arm({ intent: "hold", reason: words.held_by_card }, words.next_hold);
    return this.arm({ override: true }, words.next_override);
  }

  async undo() {
    const { words } = this;
    if (await this.tablet.undoLast()) return;
    const next = words.undo_nothing_next;
    this.show({ look: "amber", code: "undo_nothing", headline: words.undo_nothing, message: "", next }, "level");
  }

  endShift() {
    const { words } = this;
    const { count } = this.tablet.queue;
    leave();
    this.onLeave();
    const message = count ? words.safe_here.replace("{}", count) : "";
    this.show({ look: "calm", code: "signed_out", headline: words.signed_out, message, next: "" }, "one");
  }
}
