// What keeps a board true: one event stream per browser, and a GET of all rows whenever something may have been missed.
//
// The tab that holds the lock `live:<channel>` owns the stream and passes every event on by BroadcastChannel; when it
// goes, the next tab takes over. Nothing is ever replayed: a new connection, an overflow, a heartbeat that names a newer
// event than the last one that came, one of another era (the database was restored) or a silent stream is healed by one
// GET. The stream may carry several channels (the ticket names them): `channel` is then any name that pages with the
// same channels share, and each row says its own.
const WATCHDOG_SECONDS = 12; // a stream that is silent for so long is reopened; heartbeats come every 5
const POLL_SECONDS = 5; // while no changes come by the stream, rows are asked for
const CHECK_SECONDS = 60; // time alone moves states, so all rows are compared once a minute
const TICKET_SECONDS = 300;
const EVENTS = ["hello", "row", "wall", "hb", "resync"];

// Rows carry versions, and one may come twice: while all rows are on their way, and once more after them.
// `at`: {live, rows, channel, ticket, now} as the page names them, and `tag`, the ETag of the rows that it came with, if
// it says so; `headers` go with every GET of the rows. `take`:
// {row(data), all(html), stands(said), heard()}, and where a page wants it {answer(response), told(data), gone(status)}:
// every answer, what is said to one wall screen, and that the rows are not for this page any more (else it loads anew).
// Returns {now(), heardAt(), state(), look(), ask()}; `look` is to be called every second.
export function connect(at, take) {
  const bus = "BroadcastChannel" in window ? new BroadcastChannel(`live:${at.channel}`) : null;
  const hasLocks = Boolean(navigator.locks && bus);
  let offset = Number(at.now) - Date.now(); // the server's clock minus ours, in ms
  let heardAt = Date.now(); // when the server was last heard, on our clock
  let ticket = at.ticket;
  let ticketAt = Date.now();
  let tag = at.tag ?? "";
  let last = "";
  let degraded = true;
  let leading = false;
  let source = null;
  let sourceHeardAt = 0;
  let attempts = 0;
  let fetching = null;
  let meanwhile = null; // rows that came while all were asked for: the answer may have been drawn before them
  let again = false;
  let polledAt = 0; // what changed since the page was made is asked for by the greeting, else by the first look
  let reopening = 0;
  let era = 0;
  let newest = null; // by channel the last event that came, or whatever a GET of all rows has made good

  // -- all rows at once ---------------------------------------------------------------------------
  function fetchRows() {
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
    meanwhile = [];
    try {
      const answer = await fetch(at.rows, {
        headers: { ...at.headers, ...(tag ? { "If-None-Match": tag } : {}) },
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(8000),
      });
      if ([401, 403, 404].includes(answer.status) || answer.type === "opaqueredirect") {
        if (take.gone) take.gone(answer.status);
        else if (answer.status === 403) return;
        else if (document.visibilityState === "visible") location.reload();
        return;
      }
      if (answer.status !== 200 && answer.status !== 304) return;
      hear(Number(answer.headers.get("X-Now")), (Date.now() - begun) / 2);
      take.answer?.(answer);
      take.stands(JSON.parse(answer.headers.get("X-Stands") ?? "null"));
      ticket = answer.headers.get("X-Ticket") ?? ticket;
      ticketAt = Date.now();
      tag = answer.headers.get("ETag") ?? "";
      if (answer.status !== 200) return;
      take.all(await answer.text());
      for (const data of meanwhile) take.row(data);
    } catch {
      // The age of the truth on the page says it; the next try follows.
    } finally {
      meanwhile = null;
    }
  }

  // -- the stream -----------------------------------------------------------------------------------
  function hear(serverNow, delay = 0) {
    heardAt = Date.now();
    if (serverNow) offset = serverNow + delay - Date.now();
  }

  // Whether what a heartbeat tells has passed this page by: a newer event, or another era of the database.
  function missed(told) {
    const set = newest !== null && Object.entries(told.newest ?? {}).some(([channel, id]) => newest[channel] !== id);
    const restored = era !== 0 && Boolean(told.era) && told.era !== era;
    if (told.newest) newest = { ...told.newest };
    era = told.era || era;
    return set || restored;
  }

  function handle(event) {
    if (event.type === "row") {
      heardAt = Date.now();
      if (newest && event.id) newest[event.data.channel] = event.id;
      meanwhile?.push(event.data);
      take.row(event.data);
    } else if (event.type === "wall") {
      if (newest && event.id) newest[event.data.channel] = event.id;
      take.told?.(event.data);
    } else if (event.type === "resync") {
      newest = null; // the next heartbeat says anew where the stream stands
      fetchRows();
    } else {
      hear(event.data.now);
      // Whoever passes signals on draws the rows, too: while they stand still, no row comes.
      degraded = event.data.degraded || Boolean(event.data.stands?.signals);
      take.stands(event.data.stands);
      // What a greeting lacks was sent before it, or it says `resync`: its numbers are a beginning.
      if (event.type === "hello") newest = null;
      if (missed(event.data) || (event.type === "hello" && event.data.resync)) fetchRows();
    }
    take.heard();
  }

  function pass(event) {
    handle(event);
    bus?.postMessage(event);
  }

  async function open() {
    close();
    if (Date.now() - ticketAt > TICKET_SECONDS * 1000) await fetchRows();
    const mine = new EventSource(`${at.live}?ticket=${encodeURIComponent(ticket)}&last=${encodeURIComponent(last)}`);
    source = mine;
    sourceHeardAt = Date.now();
    for (const type of EVENTS) {
      mine.addEventListener(type, (message) => {
        if (source !== mine) return;
        attempts = 0;
        sourceHeardAt = Date.now();
        if (message.lastEventId) last = message.lastEventId;
        pass({ type, id: message.lastEventId, data: JSON.parse(message.data) });
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

  function reopenLater() {
    close();
    degraded = true;
    take.heard();
    clearTimeout(reopening);
    const pause = Math.min(500 * 2 ** attempts, 15_000) * (0.7 + 0.6 * Math.random());
    attempts += 1;
    ticketAt = attempts > 1 ? 0 : ticketAt; // perhaps the ticket was refused: take a fresh one
    reopening = setTimeout(() => leading && open(), pause);
  }

  // -- which tab owns it -------------------------------------------------------------------------------
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

  bus?.addEventListener("message", (message) => {
    if (message.data.type === "ask") {
      // A tab has just been opened: it need not wait for the next heartbeat.
      if (leading && source && !degraded) bus.postMessage({ type: "hb", data: { now: now(), degraded } });
    } else if (!leading) {
      handle(message.data);
    }
  });

  document.addEventListener("visibilitychange", () => {
    if (!hasLocks) leadWhileVisible();
    if (!document.hidden) fetchRows();
  });

  const now = () => Date.now() + offset;

  function look() {
    if (leading && source && Date.now() - sourceHeardAt > WATCHDOG_SECONDS * 1000) reopenLater();
    const quiet = Date.now() - heardAt > WATCHDOG_SECONDS * 1000;
    const pause = degraded || quiet ? POLL_SECONDS : CHECK_SECONDS;
    if (!document.hidden && Date.now() - polledAt > pause * 1000) fetchRows();
  }

  if (hasLocks) navigator.locks.request(`live:${at.channel}`, lead).catch(() => {});
  else leadWhileVisible();
  bus?.postMessage({ type: "ask" });
  return {
    now,
    look,
    ask: fetchRows,
    heardAt: () => heardAt,
    state: () => (source || !leading ? (degraded ? "polling" : "live") : degraded ? "polling" : "connecting"),
  };
}
