// The button that opens the camera. Nothing of the camera is loaded before somebody presses it; what it reads goes the way
// of every scan (`jitapp:codes`), and cards are named from the list that this tablet keeps.
import { Cards } from "./cards.js";
import { Store } from "./store.js";

const button = document.getElementById("camera-open");
const root = document.getElementById("camera");
const words = JSON.parse(document.getElementById("camera-words").textContent);
const cards = new Cards(new Store());
let camera = null;

// The page may put on the event what becomes of the scans: a promise, fulfilled when they are kept, of null for each that is
// not.
function scan(codes) {
  const told = new CustomEvent("jitapp:codes", { detail: codes });
  document.dispatchEvent(told);
  return told.kept;
}

function shown(open) {
  button.setAttribute("aria-expanded", String(open));
  document.getElementById("main").toggleAttribute("data-camera", open);
}

button.addEventListener("click", async () => {
  if (!root.hidden) {
    camera?.close();
    return;
  }
  shown(true);
  const { Camera } = await import("./camera/camera.js");
  const name = async (code) => {
    // The list may have come, or changed, since the page was opened.
    if (!cards.find(code)) await cards.load();
    const card = cards.find(code);
    return card && `${card.loop.part} ${card.number}/${card.loop.cards.length}`;
  };
  const record = async (code) => {
    if ((await scan([code]))?.includes(null)) throw new Error("not kept");
  };
  camera = new Camera({ root, words, name, record, onCodes: scan, script: "/s/camera.js", onClose: () => shown(false) });
  await camera.open();
});
button.hidden = false;
