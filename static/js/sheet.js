// A sheet to print: its button opens the browser's print dialogue.
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => print());
