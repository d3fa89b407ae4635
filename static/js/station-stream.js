// What happens at a station without a hand: each answer to a scan that a tag gave there becomes an event of the document.
//
// `followStation(code)` listens until `.stop()`. Events on `document`:
//   station-answer  detail: {station, reader, zone, tag, at, answer}; `answer` is that of the public contract, with
//                   `text` in the reader's own language where the answer is no scan's (tag_unknown, tag_bound)
//   station-stream  detail: {state: "live" | "away"}; away: answers may be missed, show the last scans again
// A stream that breaks is opened again with a fresh ticket; what came meanwhile is sent after it, where it is known.

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const SILENCE_MS = 12_000; // heartbeats come every 5 s

export function followStation(station, { fetcher = fetch, Source = EventSource } = {}) {
  let source = null;
  let last = "";
  let pause = FIRST_PAUSE_MS;
  let heardAt = Date.now();
  let timer = 0;
  let stopped = false;
  let state = "";

  function say(name, detail) {
    document.dispatchEvent(new CustomEvent(name, { detail }));
  }

  function become(next) {
    if (next !== state) say("station-stream", { state: (state = next) });
  }

  function again() {
    source?.close();
    source = null;
    become("away");
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(open, pause * (0.75 + Math.random() / 2));
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }

  async function open() {
    try {
      const answer = await fetcher(`/tags/stream/${encodeURIComponent(station)}`);
      if (answer.status === 404 || answer.status === 401) return become("away"); // not ours to hear: a new page may ask
      if (!answer.ok) return again();
      listen(await answer.json());
    } catch {
      again();
    }
  }

  function listen({ live, ticket, words }) {
    if (stopped) return;
    const url = new URL(live, location.href);
    url.search = new URLSearchParams({ ticket, last });
    source = new Source(url);
    heardAt = Date.now();
    source.addEventListener("hello", ({ data, lastEventId }) => {
      heard(lastEventId);
      pause = FIRST_PAUSE_MS;
      become(JSON.parse(data).degraded ? "away" : "live");
    });
    source.addEventListener("hb", ({ data }) => {
      heardAt = Date.now();
      become(JSON.parse(data).degraded ? "away" : "live");
    });
    source.addEventListener("answer", ({ data, lastEventId }) => {
      heard(lastEventId);
      say("station-answer", told(JSON.parse(data), words));
    });
    source.onerror = again;
  }

  function heard(number) {
    heardAt = Date.now();
    if (number) last = number;
  }

  const watch = setInterval(() => source && Date.now() - heardAt > SILENCE_MS && again(), 2_000);
  open();
  return {
    stop() {
      stopped = true;
      clearInterval(watch);
      clearTimeout(timer);
      source?.close();
    },
  };
}

function told(message, words) {
  const pattern = words[message.answer.code];
  const name = message.answer.card?.code ?? message.tag;
  return pattern ? { ...message, answer: { ...message.answer, text: pattern.replace("{}", name) } } : message;
}
