// The login: a browser that is no device (any more) may still keep scans. Whoever stands before it is told so.
import { Store } from "./store.js";

const line = document.getElementById("left-behind");
const { waiting } = await new Store().look().catch(() => ({ waiting: 0 })); // no storage: nothing was kept
line.hidden = !waiting;
line.querySelector("b").textContent = waiting;
