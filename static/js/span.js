// Lengths of time in words, the same as jitapp/web/phrases.py writes them; `words` comes with the page.
export function span(seconds, words) {
  if (seconds < 60) return `${Math.max(Math.floor(seconds), 0)} ${words.s}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} ${words.min}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} ${words.h} ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(hours / 24)} ${words.d}`;
}

// One ticking element's text at `now` (seconds). "since" counts up; "in" counts down, then says how late; "out"
// counts down to less than a minute.
export function tickText(mode, at, now, words) {
  const past = now - at;
  if (mode === "since") return span(past, words);
  if (mode === "out") return past > -60 ? `< 1 ${words.min}` : span(-past, words);
  if (past >= 0 && past < 60) return words.any;
  return (past < 0 ? words.in : words.overdue).replace("{}", span(Math.abs(past), words));
}
