// Lists and forms of master data with the keyboard: arrows between rows, Shift for a range of ticks, Ctrl+S to save, one
// more line in a table. Everything works without this file.

// -- lists ------------------------------------------------------------------------------------------
const form = document.getElementById("rows");
if (form) {
  const links = [...form.querySelectorAll("tbody th a")];
  const ticks = [...form.querySelectorAll("input[name=pick]")];
  const every = document.getElementById("tick-all");
  const count = form.querySelector("[data-ticked]");
  const go = form.querySelector("#doing button");
  const all = count?.textContent;
  let last = -1;

  function said() {
    const ticked = ticks.filter((tick) => tick.checked).length;
    every.checked = ticked === ticks.length;
    every.indeterminate = ticked > 0 && !every.checked;
    count.textContent = ticked ? count.dataset.ticked.replace("{}", String(ticked)) : all;
    go.disabled = !ticked;
  }

  if (every) {
    every.hidden = false;
    every.addEventListener("change", () => {
      for (const tick of ticks) tick.checked = every.checked;
      said();
    });
    for (const [at, tick] of ticks.entries()) {
      tick.addEventListener("click", (event) => {
        if (event.shiftKey && last >= 0) {
          for (const other of ticks.slice(Math.min(at, last), Math.max(at, last) + 1)) other.checked = tick.checked;
        }
        last = at;
        said();
      });
    }
    addEventListener("pageshow", said);
    said();
  }

  // A blank soon after another is taken for a scanner's (capture.js): here it ticks, however fast.
  const isTicking = (event) => event.key === " " && event.target.matches("input[type=checkbox]");
  form.addEventListener("keyup", (event) => {
    if (isTicking(event)) event.preventDefault();
  });
  form.addEventListener("keydown", (event) => {
    if (isTicking(event)) {
      event.preventDefault();
      if (!event.repeat) event.target.click();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("tbody tr");
    if (!step || !row || event.target.matches("select")) return;
    const from = links.indexOf(row.querySelector("th a"));
    const next = from + step;
    if (next < 0 || next >= links.length) return;
    event.preventDefault();
    const column = event.target.matches("input") ? ticks : links;
    column[next].focus();
  });
}

// -- forms ------------------------------------------------------------------------------------------
for (const table of document.querySelectorAll("[data-lines]")) {
  const add = table.querySelector("[data-add]");
  const count = table.querySelector(`[name="${table.dataset.lines}-there"]`);
  if (!add || table.querySelector(":disabled")) continue;
  add.hidden = false;
  add.addEventListener("click", () => {
    const lines = table.querySelectorAll(".row");
    const line = lines[lines.length - 1].cloneNode(true);
    const from = `${table.dataset.lines}-${lines.length - 1}-`;
    const to = `${table.dataset.lines}-${lines.length}-`;
    for (const one of line.querySelectorAll("*")) {
      for (const name of ["id", "for", "name", "list", "aria-describedby"]) {
        const value = one.getAttribute(name);
        if (value) one.setAttribute(name, value.replace(from, to));
      }
      if (one.matches("input[type=text]")) one.value = "";
      if (one.matches("input[type=checkbox]")) one.checked = false;
    }
    add.before(line);
    count.value = String(lines.length + 1);
    line.querySelector("input:not([type=hidden]), select")?.focus();
  });
}

const typed = document.querySelector("form.typed");
if (typed) {
  const before = () => new URLSearchParams(new FormData(typed)).toString();
  const first = before();
  let leaving = false;
  typed.addEventListener("submit", () => {
    leaving = true;
  });
  // Another plant has other rows to choose from.
  typed.querySelector("select[name=plant]")?.addEventListener("change", (event) => {
    leaving = true;
    location.assign(`?plant=${encodeURIComponent(event.target.value)}`);
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && before() !== first) event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      typed.requestSubmit(typed.querySelector("button.main"));
    }
  });
}

// What is wrong is looked at first.
document.querySelector("[aria-invalid=true]")?.focus();
