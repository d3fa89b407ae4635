// What a wall knows of its areas: by channel (an area in a language) the worst rows, what is left out as numbers, and the
// open calls. Nothing here is on the page.
import { compare } from "../board/order.js";

export const SHOWN = ["out", "act", "soon"];
const COUNTED = [...SHOWN, "late"];
const MOST_KNOWN = 60;
const FACT = /\sdata-([a-z]+)="([^"]*)"/g;

const parser = document.createElement("template");

function parsed(html) {
  parser.innerHTML = html;
  const found = document.importNode(parser.content, true);
  parser.innerHTML = "";
  return found;
}

// Who stands before a wall has no session: nothing on it leads anywhere.
function unlinked(element) {
  for (const link of element.querySelectorAll("a[href]")) link.removeAttribute("href");
  return element;
}

// A row as the board draws it; its element is made when it is looked at, because of a burst most are never shown.
class Row {
  #html = "";
  #element = null;

  constructor(html, element = null) {
    this.#html = html;
    this.#element = element;
    const head = element ? null : html.slice(0, html.indexOf(">"));
    this.id = element ? element.id : /\sid="([^"]*)"/.exec(head)?.[1];
    this.dataset = element ? { ...element.dataset } : Object.fromEntries([...head.matchAll(FACT)].map(([, name, value]) => [name, value]));
    this.isFresh = false;
  }

  get element() {
    this.#element ??= parsed(this.#html).firstElementChild;
    this.#html = "";
    return this.#element;
  }

  querySelector(selector) {
    return this.element.querySelector(selector);
  }
}

const number = (row, name) => Number(row.dataset[name] ?? 0);

export function isNewer(fresh, old) {
  for (const by of ["era", "v"]) if (number(fresh, by) !== number(old, by)) return number(fresh, by) > number(old, by);
  return number(fresh, "at") > number(old, "at");
}

export const needsSomebody = (row) => SHOWN.includes(row.dataset.state) || number(row, "late") > 0;

export class Store {
  // `links`: whether what the rows lead to may be opened here.
  constructor({ links = false } = {}) {
    this.areas = new Map();
    this.links = links;
  }

  // All sections as the server drew them; a row that came later by the stream stays. Returns the answer as nodes.
  all(html) {
    const before = this.areas;
    const found = parsed(html);
    this.areas = new Map();
    for (const section of found.querySelectorAll("section")) {
      const { channel, language, area: code, name, loops } = section.dataset;
      const rows = new Map();
      for (const drawn of section.querySelectorAll("tr[data-loop]")) {
        const fresh = new Row("", drawn);
        const old = before.get(channel)?.rows.get(fresh.id);
        rows.set(fresh.id, old && !isNewer(fresh, old) ? old : fresh);
      }
      const rest = Object.fromEntries(COUNTED.map((state) => [state, number(section, state)]));
      const next = section.dataset.next ? { kind: section.dataset.next, at: number(section, "nextAt"), part: section.dataset.nextPart } : null;
      const calls = [...section.querySelectorAll(".calls > li")];
      this.areas.set(channel, { channel, language, code, name, loops: Number(loops), rows, rest, next, calls, number: null });
    }
    return found;
  }

  // One row by the stream; whether it says that the calls of its area are others now.
  row({ channel, html }) {
    const area = this.areas.get(channel);
    if (!area || !html) return false; // numbers of a wide area come with the next reading
    const fresh = new Row(html);
    if (fresh.id === "calls-number") {
      area.number = { count: number(fresh, "n"), red: fresh.dataset.red === "1" };
      return true;
    }
    const old = area.rows.get(fresh.id);
    if (old && !isNewer(fresh, old)) return false;
    fresh.isFresh = Boolean(old) && old.dataset.v !== fresh.dataset.v;
    area.rows.set(fresh.id, fresh);
    if (area.rows.size > MOST_KNOWN) this.#forget(area);
    return false;
  }

  // Calm rows that came by the stream and that nobody sees; the worst are never among them.
  #forget(area) {
    const calm = [...area.rows.values()].filter((row) => !needsSomebody(row)).sort(compare);
    for (const row of calm.slice(-10)) area.rows.delete(row.id);
  }

  // The element of a row, as it may stand on this page.
  show(row) {
    return this.links ? row.element : unlinked(row.element);
  }

  // How many loops are in each state, as known here and as the server counted the others; the calls.
  counts(area) {
    const found = { ...area.rest };
    for (const row of area.rows.values()) {
      if (row.dataset.state in found) found[row.dataset.state] += 1;
      found.late += number(row, "late");
    }
    found.call = area.number?.count ?? area.calls.length;
    found.red = area.number?.red ?? area.calls.some((call) => call.dataset.red === "1");
    return found;
  }

  // The rows that need somebody, worst first.
  worst(area) {
    return [...area.rows.values()].filter(needsSomebody).sort(compare);
  }
}
