// The clock of calls: on their own page, where htmx renews the list, and in the band of a board, whose number comes
// over the board's stream (as a row of the loop 0) and is asked for again now and then, in case it was lost.
import { span, tickText } from "./span.js";

const STALE_SECONDS = 15;
const BANNER_SECONDS = 40;
const POLL_SECONDS = 15;

const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
let offset = 0; // the server's clock minus ours, in ms
let heardAt = Date.now();
let newest = "";

function tickAll(root) {
  const seconds = (Date.now() + offset) / 1000;
  for (const time of root.querySelectorAll(".tick")) {
    const text = tickText(time.dataset.tick, Number(time.dataset.t), seconds, words);
    if (time.textContent !== text) time.textContent = text;
  }
}

// -- the page: a list that htmx renews; its instant says how old the truth is ----------------------------
function showTruth(list) {
  if (list.dataset.at !== newest) {
    newest = list.dataset.at;
    heardAt = Date.now();
    offset = Number(newest) - heardAt;
  }
  const silent = (Date.now() - heardAt) / 1000;
  const stale = silent > STALE_SECONDS;
  const truth = document.getElementById("calls-truth");
  truth.dataset.state = stale ? "stale" : "live";
  truth.querySelector(".word").textContent = stale ? words.stale : words.live;
  truth.querySelector(".age").textContent = words.ago.replace("{}", span(silent, words));
  const banner = document.getElementById("calls-stale");
  banner.hidden = silent <= BANNER_SECONDS;
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  banner.querySelector("b").textContent = words.dead.replace("{}", clock.format(heardAt));
}

// -- the board: one number, replaced whole by a later drawing of it ---------------------------------------
function place(html) {
  const drawn = document.createElement("template");
  drawn.innerHTML = html;
  const [fresh, old] = [drawn.content.querySelector(".call-number"), document.getElementById("calls-number")];
  if (fresh && old && Number(fresh.dataset.at) > Number(old.dataset.at)) old.replaceWith(fresh);
}

function listen(number) {
  const { area, channel } = number.dataset;
  if ("BroadcastChannel" in window) {
    new BroadcastChannel(`live:${channel}`).addEventListener("message", ({ data }) => {
      if (data.type === "row" && data.data.loop === 0) place(data.data.html);
    });
  }
  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(`/calls/number/${encodeURIComponent(area)}`, {
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(8000),
      });
      if (answer.ok) place(await answer.text());
    } catch {
      // The board itself says how old its truth is; the next try follows.
    }
  };
  setInterval(ask, POLL_SECONDS * 1000);
  document.addEventListener("visibilitychange", ask);
}

const number = document.getElementById("calls-number");
if (number) {
  offset = Number(number.dataset.at) - Date.now();
  listen(number);
  setInterval(() => tickAll(document.getElementById("calls-number")), 1000);
}
if (document.getElementById("calls-list")) {
  setInterval(() => {
    const list = document.getElementById("calls-list");
    showTruth(list);
    tickAll(list);
  }, 1000);
}
