// The page of cards to print: how many are ticked, the preview of the first, and the list again after printing.
const printer = document.getElementById("printer");
const ticks = [...printer.querySelectorAll("input[name=card]")];
const all = document.getElementById("tick-all");
const whole = printer.querySelector("input[name=all]");
const go = document.getElementById("go");
const preview = document.getElementById("preview");
let printed = false;

function count() {
  if (!go || !all) return; // nothing to tick: an empty list, or somebody who does not print
  const ticked = ticks.filter((tick) => tick.checked);
  const number = whole?.checked ? Number(document.querySelector(".count").textContent) : ticked.length;
  go.disabled = number === 0;
  go.querySelector("span").textContent =
    number === 1 ? go.dataset.one : go.dataset.many.replace("{}", String(number));
  all.checked = ticked.length === ticks.length;
  all.indeterminate = ticked.length > 0 && ticked.length < ticks.length;
  const first = ticked[0];
  if (first && preview && preview.dataset.card !== first.value) {
    preview.dataset.card = first.value;
    show();
  }
}

function show() {
  if (!preview) return;
  const asked = new URLSearchParams({ card: preview.dataset.card });
  for (const name of ["paper", "carrier", "language"]) asked.set(name, printer.elements[name].value);
  preview.closest("figure").dataset.paper = printer.elements.paper.value;
  preview.src = `/print/preview?${asked}`;
}

// A label printer has no sheets: with ZPL only single cards and labels can be chosen.
function fit() {
  const single = printer.elements.form.value !== "pdf";
  const sheets = printer.querySelector("optgroup");
  sheets.disabled = single;
  const chosen = printer.elements.paper.selectedOptions[0];
  if (single && chosen.parentElement === sheets) printer.elements.paper.value = "100x50";
}

if (all) {
  all.closest("label").hidden = false;
  all.addEventListener("change", () => {
    for (const tick of ticks) tick.checked = all.checked;
    count();
  });
}
printer.addEventListener("change", (event) => {
  if (event.target.name === "card" || event.target.name === "all") count();
  if (event.target.name === "form") fit();
  if (["paper", "form", "carrier", "language"].includes(event.target.name)) show();
});
for (const form of document.querySelectorAll("form[target=_blank]")) {
  form.addEventListener("submit", () => {
    printed = true;
  });
}
// The file opened in a tab of its own; whoever comes back sees what is still to be printed.
document.addEventListener("visibilitychange", () => {
  if (printed && !document.hidden) location.reload();
});
count();
fit();
