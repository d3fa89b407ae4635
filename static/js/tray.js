// Needs a look, on this device: scans that the server could not take, kept in localStorage by the scan page.
import { uuid7 } from "./ids.js";
import { span } from "./span.js";

const KEEP = "jitapp.waiting";
const ASIDE = "jitapp.aside";
const words = JSON.parse(document.getElementById("words").textContent);
const section = document.getElementById("aside");
const list = document.getElementById("aside-list");

function load(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? [];
  } catch {
    return [];
  }
}

function without(item) {
  const rest = load(ASIDE).filter((other) => other.scan.id !== item.scan.id);
  localStorage.setItem(ASIDE, JSON.stringify(rest));
}

// The same id, so that it changes nothing twice; a new one only where the old one was another scan's.
function sendAgain(item) {
  const scan = item.status === 409 ? { ...item.scan, id: uuid7() } : item.scan;
  localStorage.setItem(KEEP, JSON.stringify([...load(KEEP), scan]));
  without(item);
  location.assign("/s/");
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

function row(item) {
  const made = document.createElement("li");
  made.className = "card look own-scan";
  made.innerHTML = '<div><b class="code"></b><p></p><small></small></div><div class="own"></div>';
  made.querySelector("b").textContent = item.scan.code;
  made.querySelector("p").textContent = item.message;
  const ago = words.ago.replace("{}", span((Date.now() - Date.parse(item.scan.occurred_at)) / 1000, words));
  made.querySelector("small").textContent = `${words.steps[item.scan.intent] ?? words.usual} · ${ago}`;
  const away = button(words.away, () => {
    if (away.dataset.sure) {
      without(item);
      draw();
    }
    away.dataset.sure = "1";
    away.textContent = words.sure;
  });
  const again = button(words.again, () => sendAgain(item));
  again.className = "main";
  made.querySelector(".own").append(again, away);
  return made;
}

function draw() {
  const items = load(ASIDE);
  section.hidden = !items.length;
  list.replaceChildren(...items.map(row));
}

draw();
