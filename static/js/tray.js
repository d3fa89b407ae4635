// Needs a look, on this device: scans that the server could not take, kept by the scan page (store.js).
import { uuid7 } from "./ids.js";
import { span } from "./span.js";
import { Store } from "./store.js";

const words = JSON.parse(document.getElementById("words").textContent);
const section = document.getElementById("aside");
const list = document.getElementById("aside-list");
const store = new Store();

// The same id, so that it changes nothing twice; a new one where the old one was another scan's, or has its answer.
async function sendAgain(scan) {
  await store.again(scan, [200, 409].includes(scan.refusal.status) ? uuid7() : scan.id);
  location.assign("/s/");
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

function row(scan) {
  const made = document.createElement("li");
  made.className = "card look own-scan";
  made.innerHTML = '<div><b class="code"></b><p></p><small></small></div><div class="own"></div>';
  made.querySelector("b").textContent = scan.code;
  made.querySelector("p").textContent = scan.refusal.message;
  const ago = words.ago.replace("{}", span((Date.now() - scan.at) / 1000, words));
  made.querySelector("small").textContent = `${words.steps[scan.intent] ?? words.usual} · ${ago}`;
  const away = button(words.away, async () => {
    if (away.dataset.sure) {
      await store.remove([scan.seq]);
      await draw();
    }
    away.dataset.sure = "1";
    away.textContent = words.sure;
  });
  const again = button(words.again, () => sendAgain(scan));
  again.className = "main";
  made.querySelector(".own").append(again, away);
  return made;
}

async function draw() {
  const scans = await store.aside();
  section.hidden = !scans.length;
  list.replaceChildren(...scans.map(row));
}

await store.adopt({ at: Date.now(), offset: null });
await draw();
