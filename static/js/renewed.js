// A list that htmx renews every ten seconds (`data-renewed`, with `data-at` the server's clock). One that has not been
// renewed says so in the element `data-renewed` names: it would look true for ever.
import { ageOf } from "./truth.js";

let newest = "";
let heardAt = 0;

function look() {
  const { at, renewed } = document.querySelector("[data-renewed]").dataset;
  if (at !== newest) {
    newest = at;
    heardAt = performance.now();
  }
  document.getElementById(renewed).hidden = !["dead", "old"].includes(ageOf((performance.now() - heardAt) / 1000));
}

look();
setInterval(look, 1000);
