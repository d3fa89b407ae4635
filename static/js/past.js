// The player of a board of the past. Every frame is drawn by the server and has an address of its own; this script asks
// for the frames between and keeps the address of the page true. Without it the links do the same.
const player = document.getElementById("player");
const frame = document.getElementById("frame");
const bar = document.getElementById("bar");
const slider = document.getElementById("slider");
const play = document.getElementById("play");
const said = document.getElementById("said");
const fault = document.getElementById("player-error");
const cursor = document.getElementById("cursor");
const words = JSON.parse(document.getElementById("words").textContent);

const MINUTE = 60_000;
const BEAT_MS = 1000; // a second of playing is a minute of the floor
const PATIENCE_MS = 8000;
const begin = Number(player.dataset.begin);
const end = Number(player.dataset.end);
const until = Number(player.dataset.until);
const mirrored = document.documentElement.dir === "rtl";

let at = Number(slider.value);
let wanted = null; // the newest question that waits while another is being answered
let asking = false;
let beat = 0;

const standing = () => frame.querySelector(".frame");

function query(ms, more = {}) {
  const asked = new URLSearchParams({ at: new Date(ms).toISOString(), ...more });
  if (player.dataset.knew === "then") asked.set("knew", "then");
  if (player.dataset.span !== "day") asked.set("span", player.dataset.span);
  return `?${asked}`;
}

// Where the page stands: slider, cursor, links and the address follow the frame that is shown.
function follow() {
  const shown = standing();
  at = Number(shown.dataset.at);
  const share = Math.min(1, Math.max(0, (at - begin) / (end - begin)));
  const x = `${100 * (mirrored ? 1 - share : share)}%`;
  cursor.setAttribute("x1", x);
  cursor.setAttribute("x2", x);
  slider.value = at;
  slider.setAttribute("aria-valuetext", shown.dataset.named);
  for (const link of player.querySelectorAll("[data-step]")) link.href = query(at + 1000 * link.dataset.step);
  for (const link of player.querySelectorAll("[data-event]")) link.href = query(at, { step: link.dataset.event });
  history.replaceState(null, "", shown.dataset.address);
}

function place(html) {
  const drawn = document.createElement("template");
  drawn.innerHTML = html;
  const row = document.activeElement?.closest?.("#frame [data-loop]")?.dataset.loop;
  // The bar with the way back to now is replaced only in what it says, so that a focus on it stays.
  const [fresh, old] = [drawn.content.querySelector(".past-bar"), bar.querySelector(".past-bar")];
  old.querySelector(".past-at").textContent = fresh.querySelector(".past-at").textContent;
  old.querySelector(".knew a").href = fresh.querySelector(".knew a").getAttribute("href");
  frame.replaceChildren(drawn.content.querySelector(".frame"));
  if (row) frame.querySelector(`[data-loop="${row}"] a`)?.focus({ preventScroll: true });
  follow();
}

async function show(question) {
  if (asking) {
    wanted = question;
    return;
  }
  asking = true;
  try {
    const answer = await fetch(player.dataset.frames + question, {
      cache: "no-store",
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await answer.text();
    if (answer.ok) {
      fault.hidden = true;
      place(text);
    } else {
      stop();
      complain(answer.status === 400 ? text : words.lost.replace("{}", standing().dataset.named));
    }
  } catch {
    stop();
    complain(words.lost.replace("{}", standing().dataset.named));
  } finally {
    asking = false;
  }
  if (wanted !== null) {
    const next = wanted;
    wanted = null;
    await show(next);
  }
}

function complain(text) {
  fault.textContent = text;
  fault.hidden = false;
  slider.value = at;
}

// An instant of another window has marks of its own: it is another page.
function go(ms) {
  const to = Math.min(ms, Date.now());
  if (to < begin || to > Math.max(until, end)) location.assign(query(to));
  else return show(query(to));
  return undefined;
}

async function announce(step) {
  await step;
  said.textContent = standing().dataset.named;
}

function stop() {
  clearInterval(beat);
  beat = 0;
  play.setAttribute("aria-pressed", "false");
  play.querySelector(".word").textContent = words.play;
}

function start() {
  beat = setInterval(() => {
    if (asking) return; // a slow answer makes the film slow, and leaves nothing out
    if (at + MINUTE > until) {
      stop();
      said.textContent = standing().dataset.named;
    } else void show(query(at + MINUTE));
  }, BEAT_MS);
  play.setAttribute("aria-pressed", "true");
  play.querySelector(".word").textContent = words.pause;
}

const toggle = () => (beat ? stop() : start());
const event = (which) => {
  stop();
  void announce(show(query(at, { step: which })));
};
const step = (seconds) => {
  stop();
  void announce(go(at + 1000 * seconds));
};

play.addEventListener("click", toggle);
slider.addEventListener("input", () => {
  stop();
  const to = Math.min(Number(slider.value), until);
  void show(query(to));
});
player.addEventListener("click", (click) => {
  if (click.ctrlKey || click.metaKey || click.shiftKey || click.button) return;
  const link = click.target.closest("[data-step], [data-event]");
  if (!link) return;
  click.preventDefault();
  if (link.dataset.event) event(link.dataset.event);
  else step(Number(link.dataset.step));
});

// Single letters act only while the player has the focus, and never in a field that is typed into.
const KEYS = {
  " ": toggle,
  n: () => event("next"),
  p: () => event("back"),
  N: () => event("next"),
  P: () => event("back"),
};
player.addEventListener("keydown", (press) => {
  if (press.ctrlKey || press.metaKey || press.altKey) return;
  const on = press.target;
  if (on.matches("input:not([type=range]), select, summary") || (press.key === " " && on.matches("button"))) return;
  const forward = mirrored ? "ArrowLeft" : "ArrowRight";
  const arrow = press.key === "ArrowLeft" || press.key === "ArrowRight";
  if (!arrow && !KEYS[press.key]) return;
  press.preventDefault();
  if (arrow) step((press.key === forward ? 60 : -60) * (press.shiftKey ? 15 : 1));
  else KEYS[press.key]();
});

slider.hidden = false;
play.hidden = false;
follow();
