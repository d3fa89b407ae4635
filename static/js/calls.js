// The clock of calls: on their own page, where htmx renews the list, and in the band of a board, whose number comes
// over the board's stream (as a row of the loop 0) and is asked for again now and then, in case it was lost.
import { Truth } from "./truth.js";

const POLL_SECONDS = 15;

const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const truth = new Truth(words, document.getElementById("calls-stale"));

// -- the page: a list that htmx renews -------------------------------------------------------------------
function showTruth(list) {
  truth.heard(list.dataset.at);
  const line = document.getElementById("calls-truth");
  line.dataset.state = truth.stale ? "stale" : "live";
  line.querySelector(".word").textContent = truth.stale ? words.stale : words.live;
  line.querySelector(".age").textContent = words.ago.replace("{}", truth.age);
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
  truth.offset = Number(number.dataset.at) - Date.now();
  listen(number);
  setInterval(() => truth.tick(document.getElementById("calls-number")), 1000);
}
if (document.getElementById("calls-list")) {
  // Buttons and no datalist: Chromium's tab dies when a field goes whose list is open.
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-reason]");
    const field = button?.form.elements.namedItem("reason");
    if (!field) return;
    field.value = button.dataset.reason;
    field.focus();
  });
  setInterval(() => {
    const list = document.getElementById("calls-list");
    showTruth(list);
    truth.tick(list);
  }, 1000);
}
