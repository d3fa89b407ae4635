// Keeps a page true that has no stream of its own: asks for its newest state every few seconds, with an ETag, so that an
// unchanged one costs a 304. The same face as connection.js for truth.js: {now(), heardAt(), state(), look(), again(afresh)}.
const TIMEOUT_MS = 4000;
const MISSED = 2; // so many turns without an answer, and the page no longer calls itself live

// `at`: {url, now, every} (every in ms). `take`: {all(html), stands(said), heard()}. `look` is to be called every second.
export function poll(at, take) {
  let offset = Number(at.now) - Date.now(); // the server's clock minus ours, in ms
  let heardAt = Date.now();
  let askedAt = Date.now();
  let asking = null;
  let tag = "";

  async function ask() {
    askedAt = Date.now();
    const begun = askedAt;
    try {
      const answer = await fetch(at.url, {
        headers: tag ? { "If-None-Match": tag } : {},
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.status === 401 || answer.status === 404 || answer.type === "opaqueredirect") {
        if (document.visibilityState === "visible") location.reload();
        return;
      }
      if (answer.status !== 200 && answer.status !== 304) return;
      heardAt = Date.now();
      const said = Number(answer.headers.get("X-Now"));
      if (said) offset = said + (heardAt - begun) / 2 - heardAt;
      take.stands(JSON.parse(answer.headers.get("X-Stands") ?? "null"));
      if (answer.status === 200 && take.all(await answer.text()) !== false) tag = answer.headers.get("ETag") ?? "";
    } catch {
      // The age of the truth on the page says it; the next try follows.
    }
    take.heard();
  }

  // With `afresh` the whole state comes in any case, asked after whatever is on its way now.
  function again(afresh = false) {
    if (afresh) {
      return (asking ?? Promise.resolve()).then(() => {
        tag = "";
        return again();
      });
    }
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  }

  document.addEventListener("visibilitychange", () => document.hidden || again());

  return {
    again,
    now: () => Date.now() + offset,
    heardAt: () => heardAt,
    state: () => (Date.now() - heardAt > MISSED * at.every + TIMEOUT_MS ? "connecting" : "live"),
    look() {
      if (!document.hidden && Date.now() - askedAt >= at.every) again();
    },
  };
}
