// The three questions of a new shop: the time zone of this browser is proposed, the code follows the name until somebody
// types it, and whoever stays needs no new user name.
const form = document.getElementById("first");
const zone = form.elements.namedItem("time_zone");
const plant = form.elements.namedItem("plant");
const code = form.elements.namedItem("code");
const LONGEST = 20;

if ("guess" in zone.dataset) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...zone.options].some((option) => option.value === here)) zone.value = here;
}

// As the server derives it (web/first/asked.py).
function derived(name) {
  const plain = name.replaceAll("ß", "ss").replace(/ł/gi, "l").normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase();
  const joined = plain.replace(/[^A-Z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return joined.slice(0, LONGEST).replace(/-+$/, "");
}

let own = code.value !== "" && code.value !== derived(plant.value);
code.addEventListener("input", () => (own = code.value !== ""));
function followName() {
  if (!own) code.value = derived(plant.value);
}
plant.addEventListener("input", followName);
followName(); // what was typed before this script was there

function showNewOnly() {
  const stays = form.querySelector("[data-who=me]")?.checked ?? false;
  for (const field of form.querySelectorAll("[data-new-only]")) field.hidden = stays;
}

form.addEventListener("change", showNewOnly);
showNewOnly();

form.addEventListener("submit", () => {
  const button = form.querySelector("button[type=submit]");
  setTimeout(() => {
    button.disabled = true;
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
