// The order of a board's rows, and which of them may wait for their turn to move. Pure: the page is not touched here.
//
// Rows that need somebody (out, act) stand at their place at once. The calm ones below keep the order they have until
// they are sorted, so that nothing moves under the reader's hand for the sake of a forecast.
const URGENT = new Set(["out", "act"]);

export const isUrgent = (row) => URGENT.has(row.dataset.state);

const urgency = (row) => row.dataset.u.split(" ").map(Number);
const name = (row) => row.querySelector(".c-part b").textContent;

// The same order as the server's: the greater urgency, then the part, then the loop.
export function compare(a, b) {
  const [x, y] = [urgency(a), urgency(b)];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return y[i] - x[i];
  return name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : Number(a.dataset.loop) - Number(b.dataset.loop);
}

// The rows as they should stand: with `all` in full order, else the urgent ones in order and the others as they are.
export function wanted(rows, all) {
  if (all) return [...rows].sort(compare);
  const urgent = [...rows].filter(isUrgent).sort(compare);
  return [...urgent, ...[...rows].filter((row) => !isUrgent(row))];
}

export const stands = (rows, order) => order.every((row, i) => row === rows[i]);
