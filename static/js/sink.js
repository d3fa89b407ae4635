// For devices whose keys have no names (soft keyboards): a field of one pixel takes what the scanner writes, and capture.js
// reads it from there. Loaded only where the scanner doctor found such a device.
const TYPED_IN = "input, textarea, select, [contenteditable]";

export function openSink(capture, target) {
  const sink = document.createElement("input");
  capture.sink = sink;
  Object.assign(sink, { type: "text", tabIndex: -1, autocomplete: "off", inputMode: "none" });
  sink.setAttribute("aria-label", capture.label);
  sink.style.cssText = "position:fixed;inset:auto 0 0 auto;width:1px;height:1px;min-height:0;padding:0;border:0;opacity:0";
  document.body.append(sink);
  // It has the focus whenever nothing else has. A button that was touched keeps the focus, and keys without names would be
  // lost there; one that was reached by the keyboard is left alone.
  const focus = (free) => setTimeout(() => free(document.activeElement ?? document.body) && sink.focus({ preventScroll: true }));
  const nothing = (element) => element === document.body;
  target.addEventListener("focusout", () => focus(nothing));
  target.addEventListener("click", () => focus((element) => !element.matches(TYPED_IN)));
  sink.addEventListener("beforeinput", (event) => {
    const data = /^insert(LineBreak|Paragraph)$/.test(event.inputType) ? "\n" : (event.data ?? "");
    const lines = data.split(/[\r\n\t]/); // several codes may come at once
    if (lines.length < 2) return;
    event.preventDefault();
    lines.forEach((line, place) => {
      if (place) capture.end(event, null, data.includes("\t") ? "Tab" : "Enter");
      sink.value += line;
    });
    capture.wait();
  });
  sink.addEventListener("input", () => capture.wait());
  focus(nothing);
}
