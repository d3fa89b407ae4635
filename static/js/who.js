// Who is here: a badge is scanned, one of the last names is touched, or a name is typed; a PIN where it is asked for.
import { actor, ask, known } from "./actor.js";
import { Sound } from "./sound.js";

const words = JSON.parse(document.getElementById("words").textContent);
const part = (id) => document.getElementById(id);
const sound = new Sound(() => {});
const HELLO = "jitapp.hello"; // said again after the page came in another language
const PIN = { least: 4, most: 8 };

let asked = null; // who is to type the PIN
let digits = "";

function say(text, state) {
  part("said").textContent = text;
  part("here").dataset.state = state;
  part("said").setAttribute("role", state === "no" ? "alert" : "status");
}

function draw() {
  const person = actor.current;
  part("here-name").textContent = person?.name ?? "–";
  part("here").dataset.state = person ? "in" : "nobody";
  part("leave").hidden = !person;
  const last = actor.last;
  part("last").hidden = !last.length;
  part("names").replaceChildren(
    ...last.map((one) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = one.name;
      button.dataset.uuid = one.uuid;
      button.setAttribute("aria-pressed", String(one.uuid === person?.uuid));
      button.addEventListener("click", () => named({ name: one.uuid, shown: one }));
      return button;
    }),
  );
}

// -- in and out ---------------------------------------------------------------------------------------
function welcome(person) {
  closePad();
  actor.signIn(person);
  const hello = person.message ?? words.hello.replace("{}", person.name);
  say(hello, "in");
  sound.play("rising");
  // The pages follow the language of whoever is signed in; without a network they stay as they are.
  if (person.message && person.language !== document.documentElement.lang) {
    sessionStorage.setItem(HELLO, hello);
    location.reload();
  }
}

function refuse(message) {
  say(message, "no");
  sound.play("falling");
}

async function badge(text) {
  closePad();
  say(words.sending, "nobody");
  const answer = await ask("/s/sign-in", { badge: text });
  if (answer.ok) return welcome(answer);
  if (answer.status) return refuse(answer.message);
  const person = await known.byBadge(text);
  return person ? welcome(person) : refuse(words.unknown_offline);
}

async function named({ name, pin = "", shown = null }) {
  const answer = await ask("/s/sign-in", pin ? { name, pin } : { name });
  if (answer.ok) return welcome(answer);
  if (!answer.status) return refuse(words.offline);
  if (answer.code === "pin_missing" || answer.code === "pin_wrong") openPad(name, answer.name || shown?.name || name);
  else closePad();
  if (answer.code === "pin_missing") return say(answer.message, "nobody");
  return refuse(answer.message);
}

part("leave").addEventListener("click", async () => {
  actor.signOut();
  const answer = await ask("/s/sign-out", {});
  say(answer.message ?? words.out, "nobody");
});
part("typed").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = part("name").value.trim();
  part("name").value = "";
  if (name) named({ name });
});

// -- the PIN ------------------------------------------------------------------------------------------
function openPad(name, shown) {
  asked = name;
  digits = "";
  part("pad-head").textContent = words.pin_of.replace("{}", shown);
  part("pad").hidden = false;
  dots();
  part("pad").scrollIntoView({ block: "nearest" });
}

function closePad() {
  asked = null;
  digits = "";
  part("pad").hidden = true;
}

function dots() {
  part("dots").textContent = digits ? "•".repeat(digits.length) : "–";
}

function press(key) {
  if (key === "back") digits = digits.slice(0, -1);
  else if (key !== "enter") digits = (digits + key).slice(0, PIN.most);
  dots();
  if (key === "enter" && digits.length >= PIN.least) {
    const pin = digits;
    digits = "";
    dots();
    named({ name: asked, pin });
  }
}

part("pad").addEventListener("click", ({ target }) => {
  const key = target.closest("[data-key]")?.dataset.key;
  if (key) press(key);
});
part("pad-away").addEventListener("click", closePad);

// -- what a scanner reads: a card is recorded as on every page (anywhere.js), everything else is a badge -------------
document.addEventListener("jitapp:other", (event) => {
  if (event.detail.kind === "bad_check") return;
  event.preventDefault();
  badge(event.detail.text.trim());
});

for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, () => sound.wake(), { once: true });

actor.addEventListener("change", draw);
actor.watch();
draw();
const hello = sessionStorage.getItem(HELLO);
if (hello) {
  sessionStorage.removeItem(HELLO);
  say(hello, "in");
}
part("here").dataset.ready = "";
