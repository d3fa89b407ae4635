// What every page has: the choice of theme, kept in a cookie of this device so that the server draws it at once.
const ORDER = ["auto", "day", "dim", "sun"];
const button = document.querySelector("[data-theme-switch]");

function label() {
  const theme = document.documentElement.dataset.theme;
  button.querySelector(".which").textContent = button.dataset[theme];
}

if (button) {
  button.hidden = false;
  label();
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(document.documentElement.dataset.theme) + 1) % ORDER.length];
    document.documentElement.dataset.theme = next;
    document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax`;
    label();
  });
}
