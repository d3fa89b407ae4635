// From key presses to scans, wherever the focus is: see docs/scanners.md. A scan ends with Enter or Tab and is never split
// by time, because a slow tablet would cut it.
import { readCodes, readCommand, usSign } from "./codes.js";

const LONGEST = 2000;
const SILENCE_MS = 300;
const STALE_MS = 10_000; // what was typed before does not belong to a scan
const HAND_MS = 60; // between keys; a person is slower
const LEAST = 3; // fewer characters are no scan
const LEAST_TYPED = 6;
const BIG_FIELD = 5000; // not kept for each key
const NOT_TYPED_IN = ["hidden", "checkbox", "radio", "button", "submit", "reset", "range", "color", "file", "image"];
// FS, GS, RS and US as Ctrl and a key.
const CONTROLS = { "\\": 28, "]": 29, "^": 30, "_": 31 };
const UNSHIFTED = { Backslash: 28, BracketRight: 29 };
const SHIFTED = { Digit6: 30, Minus: 31 };
export const PROFILE = "jitapp.scanner";

// What the scanner doctor found: {unidentified, layout, gap, ...}.
export function savedProfile() {
  try {
    return JSON.parse(localStorage.getItem(PROFILE)) ?? {};
  } catch {
    return {};
  }
}

export function fieldOf(target) {
  if (target?.isContentEditable) return target;
  const typed = target?.matches?.("input, textarea") && !NOT_TYPED_IN.includes(target.type);
  return typed ? target : null;
}

export class Capture {
  constructor({ onCodes, onCommand, onOther, onNoSuffix, ownField = null, profile = savedProfile(), label = "Scanner" }) {
    const nothing = () => {};
    this.on = { codes: onCodes, command: onCommand ?? nothing, other: onOther ?? nothing, bare: onNoSuffix ?? nothing };
    Object.assign(this, { ownField, profile, label });
    this.keys = []; // [{sign, us, at, field, before, caps, early, how}]
    this.swallowed = new Set(); // keys whose release belongs to us too
    this.alt = "";
    this.timer = 0;
    this.taken = -Infinity; // when the last key of a read came
    this.sink = null;
  }

  listen(target) {
    const early = globalThis.earlyKeys;
    early?.stop();
    for (const sign of early?.before ?? []) this.keys.push({ ...sign, at: 0, field: null, early: true, how: "keys" });
    for (const [event, before] of early?.list ?? []) this.key(event, { before, early: true });
    if (early) early.list.length = 0;
    for (const type of ["keydown", "keyup"]) target.addEventListener(type, (event) => this.key(event), true);
    target.addEventListener("paste", (event) => this.paste(event), true);
    addEventListener("pagehide", () => this.leave());
    if (this.profile.unidentified) import("./sink.js").then(({ openSink }) => openSink(this, target));
    return this;
  }

  clear() {
    clearTimeout(this.timer);
    this.keys = [];
    this.alt = "";
    if (this.sink) this.sink.value = "";
  }

  key(event, { before, early = false } = {}) {
    const { code, key } = event;
    if (event.type === "keyup") {
      if (key === "Alt") this.altReleased(event, early);
      if (this.swallowed.delete(code)) stop(event);
      return;
    }
    if (event.repeat) {
      if (this.swallowed.has(code)) stop(event);
      return;
    }
    if (event.isComposing || event.keyCode === 229 || event.target?.closest?.("[data-capture=off]")) return;
    const field = this.field(event);
    const at = event.timeStamp;
    const one = { at, field, before: before ?? shortened(field), early, how: "keys", caps: event.getModifierState("CapsLock") };
    const control = this.control(event);
    if (control) {
      this.add({ ...one, sign: control, us: control });
      this.swallow(event);
    } else if (event.altKey && !event.ctrlKey && /^Numpad\d$/.test(code)) {
      this.alt += code.at(-1);
    } else if (key === "Enter" || key === "Tab" || (event.ctrlKey && /^Key[JM]$/.test(code))) {
      if (!event.shiftKey && !event.altKey) this.end(event, field, key === "Tab" ? "Tab" : "Enter");
    } else if (key === "Escape") {
      this.clear();
    } else if (key === "Backspace") {
      this.keys.pop();
    } else if ((key.length === 1 || key === "Dead") && !shortcut(event)) {
      const sign = key === "Dead" ? "\uFFFD" : key;
      const blank = key === " " && !this.keys.length; // presses the focused button
      this.add({ ...one, sign, us: usSign(code, event.shiftKey) });
      if (!field && !blank) {
        this.swallowed.add(code);
        event.preventDefault();
      }
      this.wait();
    }
  }

  // EOT (Ctrl+D) only after another control character.
  control(event) {
    if (!event.ctrlKey || event.altKey || event.metaKey) return "";
    const byPlace = this.keys.length && (event.shiftKey ? SHIFTED : UNSHIFTED)[event.code]; // else Ctrl and + zooms
    const number = CONTROLS[event.key] || byPlace;
    if (number) return String.fromCharCode(number);
    return event.code === "KeyD" && this.holdsControl() ? "\x04" : "";
  }

  field({ target }) {
    return target === this.sink ? null : fieldOf(target);
  }

  holdsControl() {
    return this.keys.some(({ sign }) => sign < " ");
  }

  // Alt and a number on the number pad is one character.
  altReleased(event, early) {
    const number = Number(this.alt);
    this.alt = "";
    if (!number || number > 255) return;
    const sign = String.fromCharCode(number);
    const field = this.field(event);
    if (sign === "\r" || sign === "\t") this.end(event, field, sign === "\t" ? "Tab" : "Enter");
    else this.add({ sign, us: sign, at: event.timeStamp, field, before: shortened(field), early, how: "keys" });
    this.wait();
  }

  add(key) {
    const last = this.keys.at(-1);
    if (last && !last.early && key.at - last.at > STALE_MS) this.keys = [];
    this.keys.push(key);
    if (this.keys.length > LONGEST) this.keys.shift();
  }

  swallow(event) {
    this.swallowed.add(event.code);
    stop(event);
  }

  read(keys = this.keys) {
    const text = keys.map(({ sign }) => sign).join("");
    const known = keys.some(({ us }) => us);
    const physical = known ? keys.map(({ us }) => us || "\uFFFD").join("") : "";
    const { layout = "" } = this.profile;
    const capsLock = keys.some(({ caps }) => caps);
    return { physical, ...readCodes(text, { physical, capsLock, layout, bare: false }) };
  }

  end(event, field, suffix) {
    this.drink();
    const { keys } = this;
    if (!keys.length) {
      // The suffix of a code that was taken without it, or the second of two (CR and LF): it presses nothing.
      if (event.timeStamp - this.taken < 2 * SILENCE_MS) this.swallow(event);
      return;
    }
    const read = this.read();
    // What a person types into a form belongs to the form, even a card's code.
    const theirs = field && field !== this.ownField && this.byHand(keys.slice(read.start));
    if (read.codes.length && !theirs) {
      this.swallow(event);
      this.putBack(read);
      this.deliver(read, suffix);
      return;
    }
    this.clear();
    const free = keys.slice(keys.findLastIndex((key) => key.field) + 1);
    const byHand = this.byHand(free);
    if (field || free.length < (byHand ? LEAST_TYPED : LEAST)) return;
    if (!byHand || suffix === "Enter") this.swallow(event);
    const other = this.read(free);
    const kind = other.looksLikeCard || read.looksLikeCard ? "bad_check" : byHand ? "typed" : "foreign";
    this.on.other(other.text, kind, this.meta(other, free, suffix));
  }

  // Without a suffix: only a code at the end, and in a field only one that no hand typed.
  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.drink();
      const { keys } = this;
      if (!keys.length) return;
      const read = this.read();
      const found = read.codes.length && read.end === keys.length && !/[-\s]/.test(read.text.slice(read.start));
      const byHand = this.byHand(keys);
      if (found && !(byHand && keys.at(-1).field)) {
        this.putBack(read);
        this.on.bare(this.deliver(read, ""));
      } else if (!found && !byHand && keys.length >= LEAST_TYPED && !keys.at(-1).field) {
        this.on.bare(this.meta(read, keys, ""));
      }
    }, SILENCE_MS);
  }

  // Cards and commands in their order.
  deliver(read, suffix) {
    const meta = this.meta(read, this.keys, suffix);
    this.clear();
    const cards = [];
    const flush = () => cards.length && this.on.codes(cards.splice(0), meta);
    for (const code of read.codes) {
      const command = readCommand(code);
      if (command) {
        flush();
        this.on.command(command, meta);
      } else cards.push(code);
    }
    flush();
    return meta;
  }

  meta({ text, physical, layout }, keys, suffix) {
    const last = keys.at(-1) ?? { at: performance.now(), how: "paste" };
    this.taken = last.at;
    // timeOrigin would be wrong: that clock stands still while a tablet sleeps.
    const at = Date.now() - Math.max(0, performance.now() - last.at);
    const early = keys.some((key) => key.early);
    const label = /\p{Cc}|\[\)>/u.test(text.trim()); // more than a card: let the server decode the text
    const field = Boolean(last.field);
    return { how: last.how, suffix, text, physical, label, layout, field, early, gap: this.gap(keys), at };
  }

  // Milliseconds between keys, as most of them were.
  gap(keys) {
    const gaps = keys.slice(1).map((key, place) => key.at - keys[place].at);
    return gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
  }

  byHand(keys) {
    return this.gap(keys) > Math.max(HAND_MS, 1.5 * (this.profile.gap ?? 0));
  }

  // Takes what was scanned out of the field again.
  putBack({ start }) {
    const first = this.keys.slice(start).find((key) => key.field?.isConnected);
    if (!first) return;
    const { field, before } = first;
    if (field.isContentEditable) {
      const selection = getSelection();
      for (const key of this.keys.slice(start)) if (key.field === field) selection.modify("extend", "backward", "character");
      selection.deleteFromDocument();
    } else {
      const typed = this.keys.slice(start).map(({ sign }) => sign).join("");
      field.value = before ?? field.value.replace(typed, "");
    }
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  paste(event) {
    const field = this.field(event);
    const text = (event.clipboardData?.getData("text") ?? "").trim();
    if (!text || (field && field !== this.ownField)) return;
    const read = { physical: "", ...readCodes(text, { layout: this.profile.layout }) };
    if (field && !read.codes.length) return;
    stop(event);
    this.clear();
    if (read.codes.length) this.deliver(read, "");
    else this.on.other(text, read.looksLikeCard ? "bad_check" : "pasted", this.meta(read, [], ""));
  }

  // What arrived in the field of sink.js joins what arrived as keys.
  drink() {
    const at = performance.now();
    for (const sign of this.sink?.value ?? "") this.add({ sign, us: "", at, field: null, early: false, how: "input" });
    if (this.sink) this.sink.value = "";
  }

  // early.js of the next page goes on with it.
  leave() {
    const { keys } = this;
    if (!keys.length || keys.at(-1).field || performance.now() - keys.at(-1).at > 1000) return;
    try {
      sessionStorage.setItem("jitapp.keys", JSON.stringify(keys.map(({ sign, us, caps }) => ({ sign, us, caps }))));
    } catch {
      // Forbidden or full: the check symbol refuses the rest.
    }
  }
}

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

// Ctrl, Alt or Meta with a letter; AltGr only writes another sign.
function shortcut(event) {
  const altGr = event.getModifierState("AltGraph") || (event.ctrlKey && event.altKey);
  return !altGr && (event.ctrlKey || event.altKey || event.metaKey);
}

function shortened(field) {
  return field && !field.isContentEditable && field.value.length < BIG_FIELD ? field.value : undefined;
}
