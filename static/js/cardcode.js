// Card codes, exactly as jitapp/symbology/cardcode.py: `KB`, eight symbols and a check symbol over GF(32).
export const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SHAPE = /^KB[0-9A-HJKMNP-TV-Z]{9}$/;
const LENGTH = 11;
const POWER = [1];
for (let i = 0; i < 30; i += 1) {
  const doubled = POWER[i] << 1;
  POWER.push(doubled & 0b100000 ? doubled ^ 0b100101 : doubled);
}
const LOG = new Map(POWER.map((power, exponent) => [power, exponent]));

export function checkSymbol(body) {
  let total = 0;
  [...body].forEach((symbol, place) => {
    const value = ALPHABET.indexOf(symbol);
    if (value > 0) total ^= POWER[(LOG.get(value) + place + 1) % 31];
  });
  return ALPHABET[total];
}

export function isCardCode(text) {
  return SHAPE.test(text) && checkSymbol(text.slice(2, -1)) === text.at(-1);
}

// The first valid card code inside what was read (a URL, half-typed rubbish before it), or null.
export function findCardCode(raw) {
  const text = raw.toUpperCase();
  // The last one counts: rubbish stands in front. (lastIndexOf takes -1 for 0, so the start of the text ends it.)
  for (let start = text.lastIndexOf("KB"); start >= 0; start = start ? text.lastIndexOf("KB", start - 1) : -1) {
    const candidate = text.slice(start, start + LENGTH);
    if (isCardCode(candidate)) return candidate;
  }
  return null;
}

export function looksLikeCardCode(raw) {
  return /KB[0-9A-HJKMNP-TV-Z]{9}/.test(raw.toUpperCase());
}

// A command card: {name, number}, or null; exactly as jitapp/symbology/commandcode.py.
export function readCommand(raw) {
  const found = /^KC([0-9A-HJKMNP-TV-Z]{2})([0-9]{6})([0-9A-HJKMNP-TV-Z])$/.exec(raw.trim().toUpperCase());
  return found && checkSymbol(found[1] + found[2]) === found[3] ? { name: found[1], number: Number(found[2]) } : null;
}
