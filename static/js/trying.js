// The first scan: asks whether the card on the panel was scanned by whoever has this board open, and marks its row then.
// The panel is open by itself where there is room below the rows, else a touch opens it; when the scan was made, or
// when somebody wants no more of it, it goes and stays away. An address that ends in #trying brings it back.
import { recall, remember } from "./remember.js";

const EVERY_MS = 1500;
const PATIENCE_MS = 8000;
const STAYS_MS = 60_000; // after the scan, so that the sentence can be read
const ROOM = "(min-width: 100rem)"; // as in trying.css
const GONE = "trying";

const panel = document.getElementById("trying");
const rows = document.querySelector("#loops tbody");
let seen = false;

// Rows are drawn anew by the stream, so the mark is put back onto each new one.
function mark() {
  const row = document.getElementById(`loop-${panel.dataset.loop}`);
  if (!seen || !row || row.querySelector(".that-was-you")) return;
  row.classList.add("yours");
  const said = document.createElement("span");
  said.className = "that-was-you";
  said.textContent = panel.dataset.you;
  row.querySelector(".c-part").append(said);
}

async function ask() {
  if (!document.hidden) {
    try {
      const answer = await fetch(panel.dataset.seen, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.ok) seen = (await answer.json()).you;
    } catch {
      // No answer: asked again.
    }
  }
  if (panel.hidden) return;
  if (!seen) return setTimeout(ask, EVERY_MS);
  panel.querySelector(".said").textContent = panel.dataset.done;
  for (const act of panel.querySelectorAll(".acts > :not(.after)")) act.hidden = true;
  panel.querySelector(".after").hidden = false;
  mark();
  new MutationObserver(mark).observe(rows, { childList: true });
  remember(GONE, "done");
  setTimeout(() => (panel.hidden = true), STAYS_MS);
}

const wanted = location.hash === "#trying";
if (wanted || recall(GONE) === null) {
  panel.hidden = false;
  panel.open = wanted || matchMedia(ROOM).matches;
  panel.querySelector("[data-away]").addEventListener("click", () => {
    panel.hidden = true;
    remember(GONE, "away");
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.open) {
      panel.open = false;
      panel.querySelector("summary").focus();
    }
  });
  ask();
}
