// Enters what was written on state sheets. Each line is kept by the server as it is left, and checked by the same rules
// that will book it; a line that cannot be sent stays in this browser until it can.
import { uuid7 } from "./ids.js";

const FIELDS = ["code", "day", "time", "what", "quantity", "by", "note"];
const CARRIED = ["day", "by"]; // what the next line begins with
const PATIENCE_MS = 15_000;

const words = JSON.parse(document.getElementById("words").textContent);
const form = document.getElementById("sheet");
const body = document.getElementById("lines");
const blank = document.getElementById("blank");
const said = document.getElementById("said");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const field = (row, name) => row.querySelector(`[name="${name}"]`);
const valuesOf = (row) => Object.fromEntries(FIELDS.map((name) => [name, field(row, name).value]));
const isEmpty = (row) => ["code", "time", "quantity", "note"].every((name) => !field(row, name).value.trim());
const idOf = (row) => field(row, "id").value;

// -- what could not be sent yet --------------------------------------------------------------------
function unsent() {
  try {
    return JSON.parse(localStorage.getItem(form.dataset.draft)) ?? {};
  } catch {
    return {};
  }
}

function remember(id, line) {
  const waiting = unsent();
  if (line) waiting[id] = line;
  else delete waiting[id];
  try {
    localStorage.setItem(form.dataset.draft, JSON.stringify(waiting));
  } catch {
    // No room or forbidden: the line stays on the page.
  }
}

// -- lines ------------------------------------------------------------------------------------------
function addRow(values = {}, id = uuid7(), place = body.rows.length) {
  const row = blank.content.querySelector("tr").cloneNode(true);
  field(row, "id").value = id;
  field(row, "position").value = place;
  for (const name of FIELDS) field(row, name).value = values[name] ?? "";
  body.append(row);
  dress(row);
  return row;
}

// The number of a line and the button that takes it away.
function dress(row) {
  const cell = row.querySelector(".n");
  const number = Number(field(row, "position").value) + 1;
  for (const node of [...cell.childNodes]) if (node.nodeType === Node.TEXT_NODE) node.remove();
  cell.prepend(String(number));
  row.setAttribute("aria-label", words.line.replace("{}", number));
  const away = document.createElement("button");
  away.type = "button";
  away.className = "plain away";
  away.textContent = "×";
  away.setAttribute("aria-label", words.remove.replace("{}", number));
  away.addEventListener("click", () => takeAway(row));
  cell.append(away);
}

function nextRow(row) {
  const next = row?.nextElementSibling;
  if (next) return next;
  const carried = row ? valuesOf(row) : {};
  const values = Object.fromEntries(CARRIED.map((name) => [name, carried[name] ?? ""]));
  values.day ||= form.dataset.day;
  return addRow(values, uuid7(), lastPlace() + 1);
}

const lastPlace = () => Math.max(-1, ...[...body.rows].map((row) => Number(field(row, "position").value)));

async function takeAway(row) {
  const after = row.nextElementSibling ?? row.previousElementSibling;
  row.dataset.gone = "1";
  if ((await send(row, true)) !== false) {
    row.remove();
    remember(idOf(row), null);
    field(after ?? nextRow(null), "code").focus();
  }
}

function show(lines) {
  for (const line of lines) {
    const row = [...body.rows].find((each) => idOf(each) === line.id);
    if (row) tell(row, line.look, line.text);
  }
}

function tell(row, look, text) {
  row.className = `line${look ? ` l-${look}` : ""}`;
  row.querySelector("output").textContent = text;
}

// -- to the server ----------------------------------------------------------------------------------
async function post(address, values) {
  const answer = await fetch(address, {
    method: "POST",
    body: new URLSearchParams(values),
    headers: { "X-CSRFToken": token },
    redirect: "error",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const told = await answer.json();
  if (answer.status >= 500) throw new Error(String(answer.status));
  return { ok: answer.ok, told };
}

let under = Promise.resolve(); // one after the other, so that the newest answer is the last one
let asked = 0;

function send(row, remove = false) {
  const mine = ++asked;
  const values = { ...valuesOf(row), id: idOf(row), position: field(row, "position").value };
  if (!remove) remember(values.id, values);
  under = under.then(async () => {
    try {
      said.textContent = words.keeping;
      const { ok, told } = await post(form.dataset.line, remove ? { ...values, remove: "1" } : values);
      if (!ok) {
        tell(row, "act", told.message);
        said.textContent = "";
        return false;
      }
      remember(values.id, null);
      if (mine === asked) {
        show(told.lines);
        said.textContent = words.kept;
      }
      return true;
    } catch {
      said.textContent = words.offline;
      return false;
    }
  });
  return under;
}

function leave(row) {
  if (row.dataset.gone || (isEmpty(row) && !row.dataset.sent)) return;
  const now = JSON.stringify(valuesOf(row));
  if (row.dataset.sent === now) return;
  row.dataset.sent = now;
  send(row);
}

// -- keyboard and scanner ---------------------------------------------------------------------------
// A scanner ends with Enter or Tab; Enter goes to the next field, behind the time and what happened to the next line.
body.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.closest("button")) return;
  event.preventDefault();
  const row = event.target.closest("tr");
  const at = FIELDS.indexOf(event.target.name);
  const next = FIELDS.slice(at + 1).find((name) => !field(row, name).value);
  const complete = ["code", "day", "time", "what"].every((name) => field(row, name).value);
  if (complete && (event.target.name === "note" || !["code", "day", "time", "what"].includes(next))) {
    leave(row);
    field(nextRow(row), "code").focus();
  } else {
    field(row, next ?? "code").focus();
  }
});

body.addEventListener("focusout", (event) => {
  const row = event.target.closest("tr");
  if (row && !row.contains(event.relatedTarget)) leave(row);
});
body.addEventListener("change", (event) => leave(event.target.closest("tr")));
addEventListener("online", sendWaiting);

async function sendWaiting() {
  for (const [id, line] of Object.entries(unsent())) {
    const row = [...body.rows].find((each) => idOf(each) === id) ?? addRow(line, id, Number(line.position));
    for (const name of FIELDS) field(row, name).value = line[name];
    row.dataset.sent = JSON.stringify(valuesOf(row));
    await send(row);
  }
}

// -- booked -----------------------------------------------------------------------------------------
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const book = event.submitter?.id === "book";
  for (const row of body.rows) leave(row);
  await under;
  if (Object.keys(unsent()).length) return sendWaiting();
  if (!book) return;
  const button = document.getElementById("book");
  button.disabled = true;
  let booked = 0;
  const refused = [];
  try {
    for (;;) {
      const values = [["booked", booked], ["refused", refused.length], ...refused.map((id) => ["after", id])];
      const { ok, told } = await post(form.dataset.book, values);
      if (!ok) {
        said.textContent = told.message;
        break;
      }
      booked += told.booked;
      refused.push(...told.refused);
      if (!told.left) return location.reload();
      said.textContent = words.booking.replace("{}", told.left);
    }
  } catch {
    said.textContent = words.fault;
  }
  button.disabled = false;
});

// With JavaScript one empty line is enough, the next one comes by itself.
for (const row of [...body.rows]) {
  if (isEmpty(row) && !row.querySelector("output").textContent) row.remove();
  else {
    dress(row);
    row.dataset.sent = JSON.stringify(valuesOf(row));
  }
}
document.getElementById("keep").hidden = true;
await sendWaiting();
field(nextRow(body.rows[body.rows.length - 1]), "code").focus();
