// The page by which a browser becomes a device: the touch that does it also lets the page make sounds, which browsers
// allow after a touch only. The page that follows has the same origin and inherits that.
import { Sound } from "./sound.js";

const form = document.getElementById("become");

if (form) {
  const sound = new Sound(() => {});
  form.addEventListener("submit", () => {
    sound.wake();
    sound.play("rising");
    for (const button of form.querySelectorAll("button")) setTimeout(() => (button.disabled = true));
  });
  navigator.storage?.persist?.().catch(() => {}); // keeps what waits here from being cleared away; refused is no harm
}
