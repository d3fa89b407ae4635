// Who is here: a badge is scanned, one of the last names is touched, or a name is typed; a PIN where it is asked for.
import { actor, ask, known } from "./actor.js";
import { Pad } from "./pad.js";
import { Sound } from "./sound.js";

const words = JSON.parse(document.getElementById("words").textContent);
const part = (id) => document.getElementById(id);
const sound = new Sound(() => {});
const HELLO = "jitapp.hello"; // said again after the page came in another language

let asked = null; // who is to type the PIN

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
  pad.close();
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
  pad.close();
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
  if (answer.code === "pin_missing" || answer.code === "pin_wrong") askPin(name, answer.name || shown?.name || name);
  else pad.close();
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
const pad = new Pad(part("pad"), {
  // A badge of few digits, scanned while the pad is open, is that badge.
  onPin: async (pin, typed) => {
    const name = asked;
    if (typed && (await known.byBadge(pin))) badge(pin);
    else named({ name, pin });
  },
  onShort: () => say(words.pin_short, "no"),
  onAway: () => say(words.scan_badge, actor.current ? "in" : "nobody"),
});

function askPin(name, shown) {
  asked = name;
  pad.open(words.pin_of.replace("{}", shown));
}

// -- what a scanner reads: a card is recorded as on every page (anywhere.js), everything else is a badge -------------
document.addEventListener("jitapp:other", (event) => {
  const { text, kind } = event.detail;
  if (kind === "bad_check") return;
  event.preventDefault();
  // Digits that a hand typed while the pad is open are a PIN, and never told as a badge: unknown ones are kept readable.
  if (pad.took(text) || (pad.isOpen && kind === "typed")) return;
  badge(text.trim());
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
