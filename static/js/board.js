// A board that keeps itself true.
//
// Rows come over one event stream per browser: the tab that holds the lock `live:<channel>` owns the stream and
// passes every event on by BroadcastChannel; when it goes, the next tab takes over. A row replaces the one on the page
// if its version is newer. Whatever may have been missed (a new connection, an overflow, a silent stream) is healed by
// one GET of all rows, never by replaying.
import { tickText, span } from "./span.js";

const STALE_SECONDS = 15;
const BANNER_SECONDS = 40;
const OLD_SECONDS = 300;
const WATCHDOG_SECONDS = 12; // a stream that is silent for so long is reopened; heartbeats come every 5
const POLL_SECONDS = 5; // without changes from the stream, rows are asked for
const CHECK_SECONDS = 60; // time alone moves states, so all rows are compared once a minute
const SORT_SECONDS = 10;
const TICKET_SECONDS = 300;

const table = document.getElementById("loops");
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
if (table) start();

function start() {
  const body = table.tBodies[0];
  const { live, rows: rowsUrl, channel, zone } = table.dataset;
  const truth = document.getElementById("truth");
  const banner = document.getElementById("stale");
  const clock = document.getElementById("clock");
  const heldBack = document.querySelector(".held-back");
  const said = document.getElementById("said");
  const bus = "BroadcastChannel" in window ? new BroadcastChannel(`live:${channel}`) : null;

  let offset = Number(table.dataset.now) - Date.now(); // the server's clock minus ours, in ms
  let heardAt = Date.now(); // when the server was last heard, on our clock
  let ticket = table.dataset.ticket;
  let ticketAt = Date.now();
  let tag = "";
  let last = "";
  let degraded = true;
  let leading = false;
  let source = null;
  let sourceHeardAt = 0;
  let attempts = 0;
  let fetching = null;
  let again = false;
  let polledAt = 0;
  let pending = 0;
  let announced = "";
  let announcedAt = 0;

  const now = () => Date.now() + offset;

  // -- rows ------------------------------------------------------------------------------------
  const parser = document.createElement("template");

  function drawn(html) {
    parser.innerHTML = html;
    return [...parser.content.querySelectorAll("tr[data-loop]")];
  }

  function isNewer(fresh, old) {
    for (const by of ["era", "v"]) {
      const [one, other] = [Number(fresh.dataset[by]), Number(old.dataset[by])];
      if (one !== other) return one > other;
    }
    return Number(fresh.dataset.at) > Number(old.dataset.at);
  }

  function place(fresh) {
    const old = document.getElementById(fresh.id);
    if (!old) {
      body.append(fresh);
      return true;
    }
    if (!isNewer(fresh, old)) return false;
    const changed = fresh.dataset.v !== old.dataset.v || fresh.dataset.state !== old.dataset.state;
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.replaceWith(fresh);
    if (focused) fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    if (changed) {
      fresh.classList.add("fresh");
      setTimeout(() => fresh.classList.remove("fresh"), 2000);
    }
    return changed;
  }

  function takeRow(data) {
    const fresh = drawn(data.html)[0];
    if (fresh && place(fresh)) afterChange();
  }

  function takeAll(html) {
    const fresh = drawn(html);
    const ids = new Set(fresh.map((row) => row.id));
    for (const row of [...body.rows]) if (!ids.has(row.id)) row.remove();
    for (const row of fresh) place(row);
    afterChange();
  }

  function afterChange() {
    count();
    tickAll();
    if (inOrder()) pending = 0;
    else pending += 1;
    showHeld();
  }

  // -- numbers on top ---------------------------------------------------------------------------
  function count() {
    const numbers = { late: 0 };
    for (const row of body.rows) {
      numbers[row.dataset.state] = (numbers[row.dataset.state] ?? 0) + 1;
      numbers.late += Number(row.dataset.late);
    }
    for (const box of document.querySelectorAll(".number")) {
      const n = numbers[box.dataset.state] ?? 0;
      if (box.dataset.n !== String(n)) {
        box.dataset.n = n;
        box.querySelector("b").textContent = n;
      }
    }
    announce(numbers);
  }

  function announce(numbers) {
    const text = ["out", "act"].map((state) => `${words[`state_${state}`]} ${numbers[state] ?? 0}`).join(", ");
    if (text !== announced && Date.now() - announcedAt > 10_000) {
      announced = text;
      announcedAt = Date.now();
      said.textContent = text;
    }
  }

  // -- order: calm, and never under the reader's hand ----------------------------------------------
  const urgency = (row) => row.dataset.u.split(" ").map(Number);
  const name = (row) => row.querySelector(".c-part b").textContent;

  function compare(a, b) {
    const [x, y] = [urgency(a), urgency(b)];
    for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return y[i] - x[i];
    return name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : Number(a.dataset.loop) - Number(b.dataset.loop);
  }

  const wanted = () => [...body.rows].sort(compare);
  const inOrder = () => wanted().every((row, i) => row === body.rows[i]);
  const isHeld = () => table.matches(":hover") || table.contains(document.activeElement) || hasSelection();

  function hasSelection() {
    const selection = getSelection();
    return Boolean(selection && !selection.isCollapsed && table.contains(selection.anchorNode));
  }

  function sort() {
    const before = new Map([...body.rows].map((row) => [row, row.getBoundingClientRect().top]));
    const order = wanted();
    order.forEach((row, i) => {
      if (body.rows[i] !== row) body.insertBefore(row, body.rows[i] ?? null);
    });
    pending = 0;
    showHeld();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden || order.length > 150) return;
    for (const row of order) {
      const moved = before.get(row) - row.getBoundingClientRect().top;
      if (moved) {
        row.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], { duration: 450, easing: "ease" });
      }
    }
  }

  function showHeld() {
    const button = heldBack.querySelector("button");
    heldBack.hidden = !(pending && isHeld());
    button.textContent = button.dataset.text.replace("{}", pending);
  }

  heldBack.querySelector("button").addEventListener("click", sort);

  // -- time goes on ----------------------------------------------------------------------------------
  function tickAll() {
    const seconds = now() / 1000;
    for (const time of table.querySelectorAll(".tick")) {
      const text = tickText(time.dataset.tick, Number(time.dataset.t), seconds, words);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });

  function show(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function showTruth() {
    const silent = (Date.now() - heardAt) / 1000;
    const dead = silent > BANNER_SECONDS;
    const state = dead ? "dead" : silent > STALE_SECONDS ? "stale" : source || !leading ? (degraded ? "slow" : "live") : "slow";
    const word = { dead: words.stale, stale: words.stale, live: words.live, slow: degraded ? words.polling : words.connecting };
    truth.dataset.state = state;
    show(truth.querySelector(".word"), word[state]);
    show(truth.querySelector(".age"), words.ago.replace("{}", span(silent, words)));
    show(clock, hours.format(now()));
    banner.hidden = !dead;
    if (dead) show(banner.querySelector("b"), words.dead.replace("{}", hours.format(heardAt + offset)));
    document.body.classList.toggle("old", silent > OLD_SECONDS);
  }

  // -- what stands still elsewhere, as the server says it --------------------------------------------
  function showStands(stands) {
    if (!stands) return;
    const word = ["web", "signals", "given_up"].find((one) => stands[one]);
    const box = document.getElementById("stands");
    if (!box.children.length) box.append(document.createElement("b"), document.createElement("span"));
    box.hidden = !word;
    if (!word) return;
    const value = word === "given_up" ? stands[word] : hours.format(stands[word]);
    show(box.querySelector("b"), words[`stands_${word}`].replace("{}", value));
    show(box.querySelector("span"), words[`stands_${word}_do`]);
  }

  // -- all rows at once -------------------------------------------------------------------------------
  async function fetchRows() {
    if (fetching) {
      again = true;
      return fetching;
    }
    polledAt = Date.now();
    fetching = ask().finally(() => {
      fetching = null;
      if (again) {
        again = false;
        fetchRows();
      }
    });
    return fetching;
  }

  async function ask() {
    const begun = Date.now();
    try {
      const answer = await fetch(rowsUrl, {
        headers: tag ? { "If-None-Match": tag } : {},
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(8000),
      });
      if (answer.status === 401 || answer.status === 404 || answer.type === "opaqueredirect") {
        if (document.visibilityState === "visible") location.reload();
        return;
      }
      if (answer.status !== 200 && answer.status !== 304) return;
      hear(Number(answer.headers.get("X-Now")), (Date.now() - begun) / 2);
      showStands(JSON.parse(answer.headers.get("X-Stands") ?? "null"));
      ticket = answer.headers.get("X-Ticket") ?? ticket;
      ticketAt = Date.now();
      tag = answer.headers.get("ETag") ?? "";
      if (answer.status === 200) takeAll(await answer.text());
    } catch {
      // The age of the truth on the page says it; the next try follows.
    }
  }

  // -- the stream ---------------------------------------------------------------------------------------
  function hear(serverNow, delay = 0) {
    heardAt = Date.now();
    if (serverNow) offset = serverNow + delay - Date.now();
  }

  function handle(event) {
    if (event.type === "row") {
      heardAt = Date.now();
      takeRow(event.data);
    } else if (event.type === "resync") {
      fetchRows();
    } else {
      hear(event.data.now);
      degraded = event.data.degraded;
      showStands(event.data.stands);
      if (event.type === "hello" && event.data.resync) fetchRows();
    }
    showTruth();
  }

  function pass(event) {
    handle(event);
    bus?.postMessage(event);
  }

  async function open() {
    close();
    if (Date.now() - ticketAt > TICKET_SECONDS * 1000) await fetchRows();
    const mine = new EventSource(`${live}?ticket=${encodeURIComponent(ticket)}&last=${encodeURIComponent(last)}`);
    source = mine;
    sourceHeardAt = Date.now();
    for (const type of ["hello", "row", "hb", "resync"]) {
      mine.addEventListener(type, (message) => {
        if (source !== mine) return;
        attempts = 0;
        sourceHeardAt = Date.now();
        if (message.lastEventId) last = message.lastEventId;
        pass({ type, data: JSON.parse(message.data) });
      });
    }
    mine.addEventListener("error", () => {
      if (source === mine) reopenLater();
    });
  }

  function close() {
    source?.close();
    source = null;
  }

  let reopening = 0;
  function reopenLater() {
    close();
    degraded = true;
    showTruth();
    clearTimeout(reopening);
    const pause = Math.min(500 * 2 ** attempts, 15_000) * (0.7 + 0.6 * Math.random());
    attempts += 1;
    ticketAt = attempts > 1 ? 0 : ticketAt; // perhaps the ticket was refused: take a fresh one
    reopening = setTimeout(() => leading && open(), pause);
  }

  function lead() {
    leading = true;
    open();
    return new Promise(() => {}); // the lock is kept until the tab goes
  }

  // Without locks (plain http on a strange host) every visible tab has a stream of its own.
  function leadWhileVisible() {
    if (document.hidden) {
      leading = false;
      clearTimeout(reopening);
      close();
    } else if (!leading) {
      leading = true;
      open();
    }
  }

  const hasLocks = Boolean(navigator.locks && bus);
  if (hasLocks) navigator.locks.request(`live:${channel}`, lead).catch(() => {});
  else leadWhileVisible();

  bus?.addEventListener("message", (message) => {
    if (message.data.type === "ask") {
      // A tab has just been opened: it need not wait for the next heartbeat.
      if (leading && source && !degraded) bus.postMessage({ type: "hb", data: { now: now(), degraded } });
    } else if (!leading) {
      handle(message.data);
    }
  });
  bus?.postMessage({ type: "ask" });
  document.addEventListener("visibilitychange", () => {
    if (!hasLocks) leadWhileVisible();
    if (!document.hidden) fetchRows();
  });

  // -- the clockwork ----------------------------------------------------------------------------------------
  let sortedAt = Date.now();
  setInterval(() => {
    tickAll();
    showTruth();
    if (leading && source && Date.now() - sourceHeardAt > WATCHDOG_SECONDS * 1000) reopenLater();
    const quiet = Date.now() - heardAt > WATCHDOG_SECONDS * 1000;
    const pause = degraded || quiet ? POLL_SECONDS : CHECK_SECONDS;
    if (!document.hidden && Date.now() - polledAt > pause * 1000) fetchRows();
    if (Date.now() - sortedAt > SORT_SECONDS * 1000 && !isHeld()) {
      sortedAt = Date.now();
      if (!inOrder()) sort();
    }
    showHeld();
  }, 1000);
  fetchRows();
  showTruth();
}
