// From key presses to codes. A code ends with Enter or Tab and is never split by time: a slow tablet would cut it.
//
// `onCode(code)` gets a valid card code, `onRubbish(text, isCardLike)` what ended with Enter and is none. Ordinary
// typing in a field is left alone, unless it turns out to be a scan: then its letters are taken out of the field again.
import { findCardCode, looksLikeCardCode } from "./cardcode.js";

const LONGEST = 300;
const SILENCE_MS = 300; // after this a valid code without Enter is taken too
const LEAST = 6; // fewer characters before Enter are no scan

// What a scanner that thinks of a US keyboard pressed, whatever layout this computer has.
const US = new Map([
  ...[..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => [`Key${letter}`, letter]),
  ...[..."0123456789"].flatMap((digit) => [[`Digit${digit}`, digit], [`Numpad${digit}`, digit]]),
  ["Slash", "/"], ["NumpadDivide", "/"], ["Period", "."], ["Semicolon", ":"], ["Minus", "-"],
]);

const isField = (element) => element?.matches?.("input:not([type=hidden]), textarea, [contenteditable]") ?? false;

export class Wedge {
  constructor({ onCode, onRubbish, onNoSuffix, ownField = null }) {
    Object.assign(this, { onCode, onRubbish, onNoSuffix, ownField });
    this.text = "";
    this.physical = "";
    this.timer = 0;
  }

  listen(target) {
    target.addEventListener("keydown", (event) => this.key(event), { capture: true });
    target.addEventListener("paste", (event) => this.paste(event), { capture: true });
  }

  key(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const inField = isField(event.target);
    if (event.key === "Enter" || event.key === "Tab") {
      this.end(event, inField);
    } else if (event.key.length === 1) {
      this.add(event);
      // A key that would scroll, search or press the focused button belongs to the scan.
      if (!inField && !(event.key === " " && !this.physical)) event.preventDefault();
      this.wait(inField ? event.target : null);
    } else if (event.key === "Backspace") {
      this.text = this.text.slice(0, -1);
      this.physical = this.physical.slice(0, -1);
    }
  }

  add(event) {
    this.text = (this.text + event.key).slice(-LONGEST);
    this.physical = (this.physical + (US.get(event.code) ?? "?")).slice(-LONGEST);
  }

  found() {
    return findCardCode(this.text) ?? findCardCode(this.physical);
  }

  end(event, inField) {
    const code = this.found() ?? (inField ? findCardCode(event.target.value) : null);
    const text = this.text;
    clearTimeout(this.timer);
    if (code) {
      event.preventDefault();
      event.stopPropagation();
      if (inField) this.takeOut(event.target, text, code);
      this.clear();
      this.onCode(code);
      return;
    }
    this.clear();
    if (inField || event.key === "Tab" || text.length < LEAST) return;
    event.preventDefault();
    this.onRubbish(text, looksLikeCardCode(text));
  }

  // Without Enter: only a code whose check symbol is right, and only after silence.
  wait(field) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const code = this.found();
      if (!code || field) return;
      this.clear();
      this.onNoSuffix?.();
      this.onCode(code);
    }, SILENCE_MS);
  }

  paste(event) {
    const code = findCardCode(event.clipboardData?.getData("text") ?? "");
    if (!code || (isField(event.target) && event.target !== this.ownField)) return;
    event.preventDefault();
    this.clear();
    this.onCode(code);
  }

  takeOut(field, text, code) {
    const place = text ? field.value.toUpperCase().lastIndexOf(text.toUpperCase()) : -1;
    if (place >= 0) field.value = field.value.slice(0, place) + field.value.slice(place + text.length);
    else if (findCardCode(field.value) === code) field.value = "";
  }

  clear() {
    clearTimeout(this.timer);
    this.text = "";
    this.physical = "";
  }
}
