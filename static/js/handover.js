// On a leader's board the handover opens by itself ten minutes before the shift ends: once for each end and browser, and
// not under a hand.
import { recall, remember } from "./remember.js";

const BEFORE_MS = 10 * 60_000;
const REST_MS = 30_000;
const LOOK_MS = 1000;

const bar = document.getElementById("handover");
const ends = bar.dataset.ends.split(" ").map(Number);
const offset = Number(bar.dataset.now) - Date.now(); // the server's clock minus ours
const opened = `handover:${bar.dataset.area}`; // the end for which it was opened here
let handAt = -REST_MS; // on the clock of performance.now(), which nobody sets

for (const kind of ["pointermove", "pointerdown", "wheel", "keydown"]) {
  addEventListener(kind, () => (handAt = performance.now()), { passive: true });
}

function look() {
  const now = Date.now() + offset;
  const end = ends.find((each) => each - BEFORE_MS <= now && now < each);
  bar.hidden = !end;
  if (!end || Number(recall(opened)) >= end || document.hidden || performance.now() - handAt < REST_MS) return;
  remember(opened, String(end));
  location.assign(bar.dataset.shift);
}

look();
setInterval(look, LOOK_MS);
