// A board that keeps itself true: rows come by the connection, stand in an order that can be trusted, and the page says
// how old it is. A row replaces the one on the page if its version is newer.
import { arrange, morph } from "./board/morph.js";
import { connect } from "./board/connection.js";
import { compare, isUrgent, stands, wanted } from "./board/order.js";
import { show, truthOf } from "./truth.js";
import { tickText } from "./span.js";

const SORT_SECONDS = 10; // calm rows move no more often than this
const HAND_SECONDS = 10; // and not while the reader's hand is at the table; a hand that rests does not count
const MOST_ANIMATED = 150;
const MARGIN_PX = 100; // rows further out of sight move at once
const ASK_MS = 1000; // a page of a wide area is asked for no more often than this

const table = document.getElementById("loops");
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
if (table) start();

function start() {
  const body = table.tBodies[0];
  const heldBack = document.querySelector(".held-back");
  const said = document.getElementById("said");
  const well = document.getElementById("well");
  const where = document.getElementById("where");
  const noneFit = document.getElementById("none-fit");
  const truth = truthOf(words, table.dataset.zone);
  // "": all rows of the board are here; "top": the first page of a wide one; "part": another page, or what was looked for.
  const { part, filter } = table.dataset;
  const most = Number(table.dataset.most); // rows on a page of a wide area
  let about = JSON.parse(table.dataset.about); // what this page cannot count itself
  let countedAt = 0; // when the server counted, on its clock
  let askedAt = 0;
  let asking = 0;
  const waiting = new Set(); // ids of calm rows that changed and wait for their turn to move
  let announced = "";
  let announcedAt = 0;
  let sortedAt = Date.now();
  let handAt = 0;
  let link = null;

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
      waiting.add(fresh.id);
      return;
    }
    if (!isNewer(fresh, old)) return;
    const changed = fresh.dataset.v !== old.dataset.v || fresh.dataset.state !== old.dataset.state;
    if (old.dataset.u !== fresh.dataset.u) waiting.add(fresh.id);
    morph(old, fresh);
    if (changed) {
      old.classList.add("fresh");
      setTimeout(() => old.classList.remove("fresh"), 2000);
    }
  }

  function takeAll(html) {
    const fresh = drawn(html);
    const head = parser.content.querySelector("tr.about");
    if (head) about = JSON.parse(head.dataset.about);
    const ids = new Set(fresh.map((row) => row.id));
    for (const row of [...body.rows]) if (!ids.has(row.id) && !row.contains(document.activeElement)) row.remove();
    for (const row of fresh) place(row);
    afterChange();
  }

  // One row changed. Where not all rows are here, it may belong on this page now, or no longer.
  function takeRow(fresh) {
    const isHere = Boolean(document.getElementById(fresh.id));
    if (isHere || !part || (part === "top" && isBefore(fresh, body.rows[most - 1]))) {
      place(fresh);
      afterChange();
      if (part === "top") trim();
    }
    if (part && (isHere ? hasLeft(fresh) : part === "part" && isBefore(fresh, body.rows[most - 1]))) askSoon();
  }

  const fits = (row) => !filter || (filter === "late" ? Number(row.dataset.late) > 0 : row.dataset.state === filter);
  const isBefore = (row, last) => fits(row) && (!last || compare(row, last) < 0);

  // Whether a row of this page belongs on another now: it no longer fits, or all others here are more or less urgent.
  function hasLeft(fresh) {
    const row = document.getElementById(fresh.id);
    const others = [...body.rows].filter((other) => other !== row);
    const isFirst = about.first > 1 && others.every((other) => compare(row, other) < 0);
    return !fits(row) || isFirst || (others.length >= most - 1 && others.every((other) => compare(other, row) < 0));
  }

  function trim() {
    const extra = [...body.rows].sort(compare).slice(most);
    for (const row of extra) if (!row.contains(document.activeElement)) row.remove();
  }

  function askSoon() {
    if (asking) return;
    asking = setTimeout(
      () => {
        asking = 0;
        askedAt = Date.now();
        link.ask();
      },
      Math.max(0, ASK_MS - (Date.now() - askedAt)),
    );
  }

  function afterChange() {
    sort(false);
    count();
    tickAll();
  }

  // -- order ---------------------------------------------------------------------------------------
  const isHandThere = () => Date.now() - handAt < HAND_SECONDS * 1000;
  for (const kind of ["pointermove", "pointerdown", "keydown", "focusin"]) {
    table.addEventListener(kind, () => {
      handAt = Date.now();
    });
  }

  // Urgent rows always; calm ones too with `all`.
  function sort(all) {
    const order = wanted(body.rows, all);
    const isRight = stands(body.rows, order);
    if (!isRight) move(order);
    for (const row of body.rows) if (isUrgent(row)) waiting.delete(row.id);
    if (all || stands(body.rows, wanted(body.rows, true))) waiting.clear();
    if (all) sortedAt = Date.now();
    showHeld();
  }

  function move(order) {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden || order.length > MOST_ANIMATED;
    const before = isStill ? null : new Map(order.map((row) => [row, row.getBoundingClientRect().top]));
    arrange(body, order);
    const isSeen = (top) => top > -MARGIN_PX && top < innerHeight + MARGIN_PX;
    const after = before && order.map((row) => [row, row.getBoundingClientRect().top]); // all read before any moves
    for (const [row, top] of after ?? []) {
      const moved = before.get(row) - top;
      if (moved && (isSeen(top) || isSeen(top + moved))) row.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], { duration: 450, easing: "ease" });
    }
  }

  function showHeld() {
    const button = heldBack.querySelector("button");
    heldBack.hidden = !waiting.size;
    if (waiting.size) show(button, button.dataset[waiting.size === 1 ? "one" : "text"].replace("{}", waiting.size));
  }

  heldBack.querySelector("button").addEventListener("click", () => sort(true));

  // -- numbers on top ---------------------------------------------------------------------------
  function count() {
    const numbers = part ? about.counts : { late: 0 };
    for (const row of part ? [] : body.rows) {
      numbers[row.dataset.state] = (numbers[row.dataset.state] ?? 0) + 1;
      numbers.late += Number(row.dataset.late);
    }
    for (const box of document.querySelectorAll(".number")) {
      const n = String(numbers[box.dataset.state] ?? 0);
      if (box.dataset.n !== n) {
        box.dataset.n = n;
        box.querySelector("b").textContent = n;
      }
    }
    announce(numbers);
    showWell(numbers);
    showWhere();
  }

  function showWhere() {
    noneFit.hidden = body.rows.length > 0;
    if (!part) return;
    const unmeasured = about.unmeasured ? ` ${words.unmeasured.replace("{}", about.unmeasured)}` : "";
    const first = body.rows.length ? about.first : 0;
    const rows = words.rows_of.replace("{first}", first).replace("{last}", body.rows.length ? about.first + body.rows.length - 1 : 0);
    show(where, rows.replace("{all}", Math.max(about.fitting, body.rows.length)) + unmeasured);
  }

  function takeCounts({ counts, at }) {
    if (!part || at < countedAt) return;
    countedAt = at;
    about = { ...about, counts };
    count();
  }

  function announce(numbers) {
    const text = ["out", "act"].map((state) => `${words[`state_${state}`]} ${numbers[state] ?? 0}`).join(", ");
    if (text !== announced && Date.now() - announcedAt > 10_000) {
      announced = text;
      announcedAt = Date.now();
      said.textContent = text;
    }
  }

  // When nothing needs anybody: one sentence, and what is expected next.
  function showWell(numbers) {
    const troubles = ["out", "act", "soon", "late"].some((state) => numbers[state]);
    well.hidden = troubles || part === "part" || !body.rows.length;
    if (well.hidden) return;
    const nearest = (name) =>
      [...body.rows].filter((row) => row.dataset[name]).sort((a, b) => Number(a.dataset[name]) - Number(b.dataset[name]))[0];
    const next = ["back", "dry"].map((name) => [name, nearest(name)]).find(([, row]) => row);
    show(well.querySelector("b"), words.well);
    const [name, row] = next ?? [];
    const what = row?.querySelector(".c-part b").textContent;
    const text = row ? words[`well_${name}`].replace("{part}", what).replace("{time}", truth.time(row.dataset[name] * 1000, link?.now())) : "";
    show(well.querySelector("span"), text);
  }

  // -- time goes on ----------------------------------------------------------------------------------
  function tickAll() {
    const seconds = (link?.now() ?? Date.now()) / 1000;
    for (const time of table.querySelectorAll(".tick")) {
      show(time, tickText(time.dataset.tick, Number(time.dataset.t), seconds, words));
    }
  }

  link = connect(table.dataset, {
    row(data) {
      if (data.counts) takeCounts(data);
      const fresh = data.html ? drawn(data.html)[0] : null;
      if (fresh) takeRow(fresh);
    },
    all: takeAll,
    stands: truth.stands,
    heard: () => link && truth.show(link),
  });

  setInterval(() => {
    tickAll();
    truth.show(link);
    link.look();
    if (waiting.size && Date.now() - sortedAt > SORT_SECONDS * 1000 && !isHandThere()) sort(true);
  }, 1000);
  count();
  truth.show(link);
}
