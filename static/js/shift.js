// A handover on paper, and notes that are not lost with the page.
const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

// What was typed stays in this browser until it is signed.
const notes = document.querySelector("textarea[data-keep]");
if (notes) {
  const name = notes.dataset.keep;
  if (!notes.value) notes.value = localStorage.getItem(name) ?? "";
  notes.addEventListener("input", () => localStorage.setItem(name, notes.value));
}
const signed = document.querySelector("[data-signed]");
if (signed) localStorage.removeItem(signed.dataset.signed);
