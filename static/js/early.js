// Keeps what is scanned while the page loads, until capture.js takes it over. A classic script, first in <head>: it runs
// before anything is drawn, and without waiting for another file.
(() => {
  const field = (target) => (target?.matches?.("input, textarea") ? target : null);
  const list = []; // [event, what stood in the field before]
  let length = 0;
  const keep = (event) => {
    const within = field(event.target);
    list.push([event, within?.value]);
    if (within || event.ctrlKey || event.altKey || event.metaKey) return;
    const sign = event.key.length === 1;
    // A key of a scan neither scrolls nor presses a button.
    if ((sign && (event.key !== " " || length)) || (event.key === "Enter" && length > 2)) event.preventDefault();
    length = sign ? length + 1 : event.key === "Enter" ? 0 : length;
  };
  let before = null; // the begin of a scan that the page before this one saw
  try {
    before = JSON.parse(sessionStorage.getItem("jitapp.keys"));
    sessionStorage.removeItem("jitapp.keys");
  } catch {
    // Forbidden: then only what comes from here on.
  }
  for (const type of ["keydown", "keyup"]) document.addEventListener(type, keep, true);
  globalThis.earlyKeys = {
    list,
    before,
    stop() {
      for (const type of ["keydown", "keyup"]) document.removeEventListener(type, keep, true);
    },
  };
})();
