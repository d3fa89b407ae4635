// What every page has. The choice of theme and of density is kept in cookies of this device, so that the server draws
// them at once.
const CHOICES = { theme: ["auto", "day", "dim", "sun"], density: ["roomy", "compact"] };
const look = document.documentElement.dataset;

for (const [name, order] of Object.entries(CHOICES)) {
  const button = document.querySelector(`[data-${name}-switch]`);
  if (!button) continue;
  const label = () => {
    button.querySelector(".which").textContent = button.dataset[look[name]];
  };
  button.addEventListener("click", () => {
    look[name] = order[(order.indexOf(look[name]) + 1) % order.length];
    document.cookie = `${name}=${look[name]}; path=/; max-age=31536000; samesite=lax`;
    label();
  });
}

// On a phone the pages stand in one line that moves: where one is must be seen.
const here = document.querySelector(".top nav [aria-current]");
const line = here?.parentElement;
if (line && line.scrollWidth > line.clientWidth) here.scrollIntoView({ inline: "center", block: "nearest" });

// A table that is wider than its card can be moved with the keyboard too.
function reach() {
  for (const card of document.querySelectorAll(".card.flush")) {
    if (card.scrollWidth > card.clientWidth) card.tabIndex = 0;
    else card.removeAttribute("tabindex");
  }
}

reach();
addEventListener("resize", reach);
