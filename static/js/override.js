// A scan that belongs elsewhere, allowed on the spot: a leader scans the badge and types the PIN for this one scan. The scan
// itself came first, was refused and is on record; with the leader's leave it is made once more, under an id of its own.
import { ask } from "./actor.js";
import { uuid7 } from "./ids.js";
import { Pad } from "./pad.js";

const REFUSED = ["wrong_station", "not_your_side", "not_allowed"];
const STAYS_MS = 60_000;
const FRESH_MS = 60_000; // a refusal that comes later finds nobody waiting

export class Override {
  // `record(code, more)` makes the scan; `sound(family)`.
  constructor({ root, words, known, record, sound }) {
    Object.assign(this, { root, words, known, record, sound });
    this.asked = null; // the scan that was refused
    this.leader = null; // {badge} or {name}
    this.timer = 0;
    this.pad = new Pad(root.querySelector("#pad"), {
      onPin: (pin, typed) => (typed && known(pin) ? this.take({ badge: pin }) : this.allow(pin)),
      onShort: () => this.say(words.pin_short, true),
      onAway: () => this.again(),
    });
    root.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const field = root.querySelector("input");
      const name = field.value.trim();
      field.value = "";
      if (name) this.take({ name });
    });
    root.querySelector(".not-here").addEventListener("click", () => this.close());
    addEventListener("keydown", ({ key }) => key === "Escape" && this.isOpen && this.close(), true);
  }

  get isOpen() {
    return !this.root.hidden;
  }

  // What the server said of the newest scan: only one that asked for it and was refused by its place is offered.
  answered(scan, answer) {
    const refused = answer.outcome === "refused" && REFUSED.includes(answer.code);
    if (scan.override && !scan.allowed && refused && Date.now() - scan.at < FRESH_MS) this.open(scan, answer);
    else this.close();
  }

  open(scan, { card }) {
    this.asked = scan;
    this.leader = null;
    this.pad.close();
    this.root.querySelector("h2").textContent = card ? `${card.part} ${card.number}/${card.of}` : scan.code;
    this.root.querySelector("form").hidden = false;
    this.root.hidden = false;
    this.say(this.words.allow_who);
    this.stay();
  }

  close() {
    clearTimeout(this.timer);
    this.asked = this.leader = null;
    this.pad.close();
    this.root.hidden = true;
  }

  stay() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), STAYS_MS);
  }

  say(text, wrong = false) {
    const said = this.root.querySelector(".said-big");
    said.textContent = text;
    said.setAttribute("role", wrong ? "alert" : "status");
    if (wrong) this.sound("falling");
  }

  // Whose PIN is to be typed: a badge that was scanned, or a user name.
  take(leader) {
    this.leader = leader;
    this.root.querySelector("form").hidden = true;
    this.say(this.words.allow_pin);
    this.pad.open(this.words.pin_of.replace("{}", this.known(leader.badge ?? "")?.name ?? leader.name ?? leader.badge));
    this.stay();
  }

  async allow(pin) {
    const { asked, leader } = this;
    const id = uuid7();
    this.stay();
    const answer = await ask("/s/allow", { id, code: asked.code, ...leader, pin });
    if (this.asked !== asked) return; // closed meanwhile
    if (answer.ok) {
      this.close();
      this.record(asked.code, { id, intent: asked.intent ?? "", override: true, allowed: answer.allowed });
    } else if (!answer.status) {
      this.say(this.words.allow_offline, true);
    } else {
      if (!["pin_wrong", "pin_busy"].includes(answer.code)) this.again();
      this.say(answer.message, true);
    }
  }

  // Another leader, then.
  again() {
    this.leader = null;
    this.pad.close();
    this.root.querySelector("form").hidden = false;
    this.say(this.words.allow_who);
  }
}
