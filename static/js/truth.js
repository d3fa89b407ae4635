// How old what a page shows is, and the times on it that go on between two answers of the server. One clock of age for
// every page: boards whose rows come by a stream (`truthOf`), and lists that htmx renews (`Truth`).
import { span, tickText } from "./span.js";

const STALE_SECONDS = 14; // pages look once a second: it shows within fifteen
const BANNER_SECONDS = 40;
const OLD_SECONDS = 300;

export function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What may be said of something that was heard so many seconds ago: "" (true), "stale", "dead" or "old".
export function ageOf(silent) {
  return silent > OLD_SECONDS ? "old" : silent > BANNER_SECONDS ? "dead" : silent > STALE_SECONDS ? "stale" : "";
}

const DAY_MS = 86_400_000;

const hoursIn = (zone) => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });

const dayIn = (zone) => new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone });

// A list: it says by its instant when the server drew it.
export class Truth {
  // `banner` is shown while nothing was heard for long; its <b> says since when.
  constructor(words, banner = null) {
    Object.assign(this, { words, banner });
    this.offset = 0; // the server's clock minus ours, in ms
    this.heardAt = Date.now();
    this.newest = "";
  }

  // `at`: milliseconds since 1970 by the server, of the list that is on the page now.
  heard(at) {
    if (at !== this.newest) {
      this.newest = at;
      this.heardAt = Date.now();
      this.offset = Number(at) - this.heardAt;
    }
    if (!this.banner) return;
    this.banner.hidden = !["dead", "old"].includes(ageOf(this.silent));
    show(this.banner.querySelector("b"), this.words.dead.replace("{}", hoursIn(undefined).format(this.heardAt)));
  }

  // Seconds since the server drew what is shown.
  get silent() {
    return (Date.now() - this.heardAt) / 1000;
  }

  get stale() {
    return ageOf(this.silent) !== "";
  }

  get age() {
    return span(this.silent, this.words);
  }

  tick(root) {
    tickAll(root, (Date.now() + this.offset) / 1000, this.words);
  }
}

// The times that go on, at `seconds` since 1970 by the server.
export function tickAll(root, seconds, words) {
  for (const time of root.querySelectorAll(".tick")) {
    show(time, tickText(time.dataset.tick, Number(time.dataset.t), seconds, words));
  }
}

// A board: `link` is its connection. `zone` is the plant's; `say(words)` speaks another language from then on.
// Returns {show(link), stands(said), time(ms, now), say(words)}; `time` is that of the day, on another day than `now` with
// the weekday, farther away the date.
export function truthOf(words, zone) {
  const truth = document.getElementById("truth");
  const banner = document.getElementById("stale");
  const clock = document.getElementById("clock");
  const stood = document.getElementById("stands");
  const hours = hoursIn(zone);
  const days = dayIn(zone);
  let stands = null;

  function showAge(link) {
    const silent = (Date.now() - link.heardAt()) / 1000;
    const age = ageOf(silent);
    const dead = age === "dead" || age === "old";
    const known = link.state();
    truth.dataset.state = dead ? "dead" : age || (known === "live" ? "live" : "slow");
    show(truth.querySelector(".word"), words[age ? "stale" : known]);
    show(truth.querySelector(".age"), words.ago.replace("{}", span(silent, words)));
    if (clock) show(clock, hours.format(link.now()));
    banner.hidden = !dead;
    if (dead) show(banner.querySelector("b"), words.dead.replace("{}", hours.format(link.now() - silent * 1000)));
    document.body.classList.toggle("old", age === "old");
  }

  // The first of these that the server names; the others follow when it is mended.
  function showStands(said) {
    if (!said || !stood) return;
    stands = said;
    const word = ["web", "signals", "given_up"].find((one) => said[one]);
    if (!stood.children.length) stood.append(document.createElement("b"), document.createElement("span"));
    stood.hidden = !word;
    if (!word) return;
    const value = word === "given_up" ? said[word] : hours.format(said[word]);
    show(stood.querySelector("b"), words[`stands_${word}`].replace("{}", value));
    show(stood.querySelector("span"), words[`stands_${word}_do`]);
  }

  function say(others) {
    words = others;
    showStands(stands);
  }

  function time(ms, now = ms) {
    const [day, today] = [days.format(ms), days.format(now)];
    if (day === today) return hours.format(ms);
    const apart = (Date.parse(day) - Date.parse(today)) / DAY_MS;
    if (Math.abs(apart) >= 7 || !words.days) return day;
    return `${words.days.split(" ")[(new Date(day).getUTCDay() + 6) % 7]} ${hours.format(ms)}`;
  }

  return { show: showAge, stands: showStands, time, say };
}
