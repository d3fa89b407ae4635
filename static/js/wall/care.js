// What keeps a screen going for years without a hand: it loads itself again at night, when its memory grows, when it was
// set up anew and when the product is another version - but only while the server answers, because a browser that loads
// a page from nowhere shows its own error page for ever. And nothing stands on the same pixels for weeks.
const HEAP_BYTES = 250 * 1024 * 1024;
const LOADS_APART_MS = 5 * 60_000; // two versions behind one address must not make it load for ever
const NIGHT_SPREAD_MS = 10 * 60_000; // all walls of a plant need not load in the same second
const SHIFT_EVERY_MS = 15 * 60_000;
const SHIFTS = [[0, 0], [1, 0], [2, 0], [2, 1], [2, 2], [1, 2], [0, 2], [0, 1]]; // pixels: four an hour, round and round
const KEY = "wall-loaded";

export function careFor(at, { headers, now }) {
  const startedAt = Date.now();
  let wanted = "";
  let anew = Number(at.anew) + Math.random() * NIGHT_SPREAD_MS;
  let trying = false;
  let shift = 0;

  // "why" is kept for whoever looks into the page; the first reason counts.
  function want(why) {
    wanted ||= why;
  }

  async function load() {
    const last = Number(sessionStorage.getItem(KEY) ?? 0);
    if (trying || Date.now() - last < LOADS_APART_MS) return;
    trying = true;
    try {
      const answer = await fetch(at.rows, { headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(8000) });
      if (!answer.ok) return;
      sessionStorage.setItem(KEY, String(Date.now()));
      location.reload();
    } catch {
      // The server is away: the page stays, and says how old it is.
    } finally {
      trying = false;
    }
  }

  function move() {
    shift = (shift + 1) % SHIFTS.length;
    const [x, y] = SHIFTS[shift];
    document.body.style.setProperty("--shift-x", `${x}px`);
    document.body.style.setProperty("--shift-y", `${y}px`);
  }

  // Every second.
  function look() {
    if (now() > anew && Date.now() - startedAt > LOADS_APART_MS) want("night");
    if ((performance.memory?.usedJSHeapSize ?? 0) > HEAP_BYTES) want("memory");
    if (wanted) load();
  }

  // An answer of the server: other settings, or another version.
  function heard(answer) {
    const mark = answer.headers.get("X-Mark");
    if (mark && mark !== at.mark) want("changed");
    const next = Number(answer.headers.get("X-Anew"));
    if (next && next > anew && now() < anew - NIGHT_SPREAD_MS) anew = next;
  }

  setInterval(move, SHIFT_EVERY_MS);
  return { look, heard, want: (why) => { want(why); sessionStorage.removeItem(KEY); load(); } };
}
