// The PIN pad: by touch, and by a keyboard while it is open: digits, Backspace, Enter for OK, Escape to close. A scanner is a
// keyboard too. What holds another sign than digits, or more of them than a PIN, is a scan and not the pad's; a badge of
// few digits looks like a PIN, so `onPin` is told that it was typed.
import { fieldOf } from "./capture.js";

const LEAST = 4;
const MOST = 8;
const SCAN_ENDS_MS = 1000; // a sign that went astray keeps the digits after it away no longer

export class Pad {
  // `onPin(pin, typed)`, `onShort()` OK was pressed with too few digits, `onAway()` somebody closed it.
  constructor(root, { onPin, onShort, onAway }) {
    Object.assign(this, { root, onPin, onShort, onAway });
    this.forget();
    root.addEventListener("click", ({ target }) => {
      const key = target.closest("[data-key]")?.dataset.key;
      if (key) this.press(key);
    });
    root.querySelector(".away").addEventListener("click", () => this.away());
    // Before capture.js, which listens at the document.
    addEventListener("keydown", (event) => this.key(event), true);
  }

  get isOpen() {
    return !this.root.hidden;
  }

  open(heading) {
    this.forget();
    this.root.querySelector("h2").textContent = heading;
    this.root.hidden = false;
    this.draw();
    this.root.focus({ preventScroll: true }); // keys are meant for the pad, and not for the field that had them
    this.root.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.forget();
    this.root.hidden = true;
  }

  away() {
    this.close();
    this.onAway();
  }

  forget() {
    this.digits = "";
    this.typed = ""; // those of the digits that came from a keyboard
    this.scans = false; // what comes from the keyboard is a scan
    this.ended = ""; // what Enter ended just now as a PIN: capture.js reads it too
    this.at = 0;
  }

  // Whether this text, which capture.js took for a scan, was a PIN.
  took(text) {
    return this.ended !== "" && text.trim() === this.ended;
  }

  draw() {
    this.root.querySelector("output").textContent = this.digits ? "•".repeat(this.digits.length) : "–";
  }

  press(key) {
    if (key === "back") this.digits = this.digits.slice(0, -1);
    else if (key !== "enter") this.digits = (this.digits + key).slice(0, MOST);
    else return this.enter(false);
    this.draw();
    return undefined;
  }

  enter(typed) {
    const pin = this.digits;
    this.digits = this.typed = "";
    this.draw();
    if (pin.length >= LEAST) this.onPin(pin, typed);
    else this.onShort();
  }

  key(event) {
    const { key, target } = event;
    if (!this.isOpen || event.ctrlKey || event.altKey || event.metaKey || fieldOf(target)) return;
    if (this.scans && event.timeStamp - this.at > SCAN_ENDS_MS) this.scans = false;
    this.at = event.timeStamp;
    if (key === "Escape") {
      this.away();
    } else if (key === "Backspace") {
      event.preventDefault();
      this.typed = this.typed.slice(0, -1);
      this.press("back");
    } else if (key === "Enter") {
      this.entered(event);
    } else if (/^\d$/.test(key) && !this.scans && this.typed.length < MOST) {
      this.typed += key;
      this.press(key);
    } else if (key.length === 1 && key !== " ") {
      this.scans = true;
      this.digits = this.typed = "";
      this.draw();
    }
  }

  entered(event) {
    if (this.scans) {
      this.scans = false;
      return;
    }
    if (event.target.closest?.(".away, [data-key=back]")) return; // the button itself is pressed
    event.preventDefault();
    this.ended = this.typed;
    setTimeout(() => (this.ended = ""));
    this.enter(Boolean(this.typed));
  }
}
