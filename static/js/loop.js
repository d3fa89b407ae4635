// The page of a loop keeps itself true: when its row changes on the stream of its area, its parts are asked for again and
// only what differs is touched, so that focus, selection and what is open stay. A loop without an area is asked for
// every few seconds.
import { connect } from "./board/connection.js";
import { morph } from "./board/morph.js";
import { poll } from "./board/polled.js";
import { show, truthOf } from "./truth.js";
import { zoomable } from "./loop/zoom.js";
import { tickText } from "./span.js";

const POLL_MS = 5000; // how often a loop without an area is asked for
const SOON_MS = 150; // what changes in one breath is asked for once

const parts = document.getElementById("parts");
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
if (parts) start();

function start() {
  const at = parts.dataset;
  const truth = truthOf(words, at.zone);
  const zoom = zoomable(parts, words, at.zone);
  const template = document.createElement("template");
  let link = null;
  let asking = 0;

  function take(html) {
    template.innerHTML = `<div>${html}</div>`;
    const fresh = template.content.firstElementChild;
    for (const details of parts.querySelectorAll("details[open][id]")) {
      fresh.querySelector(`#${details.id}`)?.setAttribute("open", "");
    }
    const focused = parts.contains(document.activeElement) ? document.activeElement : null;
    const href = focused?.getAttribute("href");
    const have = [...parts.children];
    const want = [...fresh.children];
    zoom.before(fresh);
    if (have.map((one) => one.id).join() === want.map((one) => one.id).join()) have.forEach((one, i) => morph(one, want[i]));
    else parts.replaceChildren(...want);
    zoom.after();
    if (focused && !focused.isConnected && href) parts.querySelector(`[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
    tickAll();
  }

  function askNow() {
    asking = 0;
    link.ask();
  }

  function tickAll() {
    const seconds = (link?.now() ?? Date.now()) / 1000;
    for (const time of parts.querySelectorAll(".tick")) {
      show(time, tickText(time.dataset.tick, Number(time.dataset.t), seconds, words));
    }
  }

  const taken = {
    row(data) {
      if (data.html?.includes(`id="loop-${at.loop}"`) && !asking) asking = setTimeout(askNow, SOON_MS);
    },
    all: take,
    stands: truth.stands,
    heard: () => link && truth.show(link),
  };
  link = at.channel ? connect(at, taken) : poll({ url: at.rows, now: at.now, every: POLL_MS }, taken);

  setInterval(() => {
    tickAll();
    truth.show(link);
    link.look();
  }, 1000);
  truth.show(link);
}
