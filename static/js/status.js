// What only this browser can tell: how long the server takes to answer it, and whether the stream of the boards comes
// through. Goes on while the page is open.
const TRIES = 5;
const PATIENCE_MS = 5000;
const AGAIN_MS = 10_000;
const SILENT_MS = 12_000; // a heartbeat comes every five seconds
const SLOW_MS = 1000;

const words = JSON.parse(document.getElementById("words").textContent);
const section = document.getElementById("measured");
const report = document.getElementById("report");
const server = report.textContent;
const measured = new Map();

function say(id, look, word, text) {
  const row = document.getElementById(id);
  const chip = row.querySelector(".chip");
  chip.className = `chip s-${look}`;
  chip.querySelector("use").setAttribute("href", `#sh-${look}`);
  chip.querySelector(".w").textContent = word;
  row.querySelector(".found").textContent = text;
  measured.set(id, `${row.querySelector("th").textContent}: [${word}] ${text}`);
  report.textContent = `${server}\n${[...measured.values()].join("\n")}\n${navigator.userAgent}\n`;
}

const fill = (text, ...values) => values.reduce((said, value) => said.replace("{}", value), text);

// -- the way to the server --------------------------------------------------------------------------
async function once() {
  const began = performance.now();
  const answer = await fetch(section.dataset.health, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(String(answer.status));
  return performance.now() - began;
}

async function network() {
  try {
    const found = [];
    for (let n = 0; n < TRIES; n += 1) found.push(await once());
    const middle = Math.round(found.sort((a, b) => a - b)[Math.floor(TRIES / 2)]);
    const slow = middle > SLOW_MS;
    say("network", slow ? "soon" : "ok", slow ? words.slow : words.yes, fill(words.answers, middle));
  } catch {
    say("network", "act", words.no, words.silent);
  }
  setTimeout(network, AGAIN_MS);
}

// -- the stream -------------------------------------------------------------------------------------
let opened = 0; // ms from asking to the first event
let heard = 0;
let blind = false;

function listen() {
  const { live, ticket } = section.dataset;
  const began = performance.now();
  const source = new EventSource(`${live}?ticket=${encodeURIComponent(ticket)}`);
  const sign = (event) => {
    opened ||= Math.max(1, Math.round(performance.now() - began));
    heard = performance.now();
    blind = Boolean(JSON.parse(event.data).degraded);
    tell();
  };
  source.addEventListener("hello", sign);
  source.addEventListener("hb", sign);
  // The ticket of this page has ended; a fresh page has a new one.
  source.addEventListener("error", () => source.readyState === EventSource.CLOSED && heard && location.reload());
  setInterval(tell, 1000);
  setTimeout(tell, PATIENCE_MS);
}

function tell() {
  const age = performance.now() - heard;
  if (!heard) {
    if (performance.now() > PATIENCE_MS) say("stream", "soon", words.slow, words.unheard);
  } else if (age > SILENT_MS) {
    say("stream", "soon", words.slow, words.unheard);
  } else if (blind) {
    say("stream", "soon", words.slow, words.blind);
  } else {
    say("stream", "ok", words.yes, fill(words.opened, opened, Math.round(age / 1000)));
  }
}

// -- the report -------------------------------------------------------------------------------------
document.getElementById("copy").addEventListener("click", async () => {
  const said = document.getElementById("copied");
  try {
    await navigator.clipboard.writeText(report.textContent);
    said.textContent = words.copied;
  } catch {
    document.querySelector(".status details").open = true;
    getSelection().selectAllChildren(report);
    said.textContent = words.select;
  }
});

network();
if (section.dataset.ticket) listen();
else document.getElementById("stream").remove();
