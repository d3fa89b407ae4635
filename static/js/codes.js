// What the text of one scanner read says, as jitapp/symbology does (tests/symbology/reads.json). See docs/scanners.md.
export const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
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

const LENGTH = 11;
const SHAPE = /^K[BC][0-9A-HJKMNP-TV-Z]{9}$/;
const COMMANDS = { BK: "UNDO", HP: "HELP", QT: "QTY", HD: "HOLD", VR: "OVERRIDE", ES: "END_SHIFT", BR: "BRIGHT" };
const COMMAND = /^KC([A-Z]{2})(\d{6}).$/;

const checks = (code) => SHAPE.test(code) && checkSymbol(code.slice(2, -1)) === code.at(-1);

export const isCardCode = (text) => text.startsWith("KB") && checks(text);

export function readCommand(code) {
  const [, symbols, number] = (checks(code) && COMMAND.exec(code)) || [];
  return COMMANDS[symbols] ? { name: COMMANDS[symbols], number: Number(number) } : null;
}

// ASCII only, so that every character keeps its place.
const upper = (text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase());

// Keys in one order, without and with Shift. The UK's and Spain's letters and digits are those of US.
const CODES = "` 1 2 3 4 5 6 7 8 9 0 Minus Equal Q W E R T Y U I O P BracketLeft BracketRight A S D F G H J K L Semicolon Quote"
  .concat(" Backslash IntlBackslash Z X C V B N M Comma Period Slash")
  .replace("`", "Backquote")
  .split(" ")
  .map((name) => (name.length > 1 ? name : `${/\d/.test(name) ? "Digit" : "Key"}${name}`));
const KEYS = {
  us: ["`1234567890-=qwertyuiop[]asdfghjkl;'\\\\zxcvbnm,./", '~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"||ZXCVBNM<>?'],
  de: ["^1234567890ß´qwertzuiopü+asdfghjklöä#<yxcvbnm,.-", "°!\"§$%&/()=?`QWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_"],
  fr: ["²&é\"'(-è_çà)=azertyuiop^$qsdfghjklmù*<wxcvbn,;:!", "²1234567890°+AZERTYUIOP¨£QSDFGHJKLM%µ>WXCVBN?./§"],
  cz: [";+ěščřžýáíé=´qwertzuiopú)asdfghjklů§¨\\yxcvbnm,.-", "°1234567890%ˇQWERTZUIOP/(ASDFGHJKL\"!'|YXCVBNM?:_"],
};
// The letter or digit of each key, else its sign.
const bases = ([plain, shifted]) =>
  plain.split("").map((sign, key) => (/[a-z]/.test(sign) ? upper(sign) : /\d/.test(shifted[key]) ? shifted[key] : sign));

// What `text`, written by the layout `from`, is by the layout `to` for the same keys: [as it was shifted, base signs].
export function through(from, to, text) {
  const keys = new Map();
  const add = (sign, place) => keys.has(sign) || keys.set(sign, place);
  const each = (act) => KEYS[from].forEach((level, shift) => level.split("").forEach((sign, key) => act(sign, [key, shift])));
  each(add);
  each((sign, place) => [sign.toUpperCase(), sign.toLowerCase()].forEach((other) => add(other, place)));
  const base = bases(KEYS[to]);
  const places = text.split("").map((sign) => keys.get(sign) ?? sign);
  const write = (of) => places.map((place) => (typeof place === "string" ? place : of(place))).join("");
  return [write(([key, shift]) => KEYS[to][shift][key]), write(([key]) => base[key])];
}

// What a key means on a US keyboard; "" for other keys.
export function usSign(code, shift) {
  if (/^Numpad\d$/.test(code)) return code.at(-1);
  const others = { NumpadDivide: "/", NumpadSubtract: "-", NumpadDecimal: ".", Space: " " };
  return others[code] ?? KEYS.us[Number(shift)][CODES.indexOf(code)] ?? "";
}

// What stands around a code of its own; else it is part of a name.
const AFTER = /^(?:$|[\s\p{Cc}?#&]|K[BC]|HTTPS?:)/u;
const BEFORE = /(?:^|[\s\p{Cc}]|\/K\/|K[BC][0-9A-Z]{9})$/u;

// Valid codes in order and the places that only look like one. From the end: half of a code may stand in front.
function search(text) {
  const found = [];
  const bad = [];
  let free = text.length;
  for (let at = text.lastIndexOf("K"); at >= 0; at = at ? text.lastIndexOf("K", at - 1) : -1) {
    const end = at + LENGTH;
    const code = text.slice(at, end);
    if (end <= free && (isCardCode(code) || readCommand(code))) {
      found.unshift({ code, at, end });
      free = at;
    } else if (SHAPE.test(code) && (code[1] === "B" || COMMANDS[code.slice(2, 4)])) {
      if (BEFORE.test(text.slice(0, at)) && AFTER.test(text.slice(end))) bad.push(at);
    }
  }
  return { found, bad: bad.filter((at) => found.every((one) => one.at >= at + LENGTH || at >= one.end)) };
}

// A code that a person typed. Digits alone are no card: they are as likely a number of something else.
function typed(text, bare) {
  const last = text.slice(text.lastIndexOf("/") + 1);
  const tidy = upper(last).replace(/[\s\p{Pd}]/gu, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  const codes = [tidy, bare && tidy.length === 9 && /[A-Z]/.test(tidy) ? `KB${tidy}` : ""];
  const code = codes.find((one) => isCardCode(one) || readCommand(one));
  const found = code ? [{ code, at: 0, end: text.length }] : [];
  return { found, bad: !code && SHAPE.test(tidy) && tidy[1] === "B" ? [0] : [] };
}

// Whether the characters prove a layout: signs that no code has, or an address only when repaired.
function proves(text, shifted, { code, at, end }) {
  const was = upper(text.slice(at, end));
  const digits = was.split("").filter((sign, place) => /\d/.test(code[place]) && sign !== "1");
  const alike = digits.every((sign) => /\d/.test(sign)) || digits.every((sign) => !/\d/.test(sign));
  const address = (of) => /\/K\/$/.test(upper(of.slice(0, at)));
  return (alike && /[^0-9A-Z]/.test(was)) || (address(shifted) && !address(text));
}

const REPAIRS = [["de", "us"], ["fr", "us"], ["cz", "us"], ["us", "de"], ["us", "fr"], ["us", "cz"], ["fr", "fr"], ["cz", "cz"]];

// The repairs of a text whose layout is proved or known, "scanner>computer".
function repairs(text, known, pairs) {
  return pairs.flatMap(([computer, scanner]) => {
    const layout = `${scanner}>${computer}`;
    const [shifted, base] = through(computer, scanner, text);
    const { found, bad } = search(base);
    const sure = layout === known || found.every((one) => proves(text, shifted, one));
    return found.length && !bad.length && sure ? [{ found, layout, shifted }] : [];
  });
}

// An AIM identifier or an address before the first code belongs to it.
const start = (text, at) => at - (/(?:\][A-Z]\d)?(?:HTTPS?:\/\/\S*)?$/.exec(upper(text.slice(0, at)))?.[0].length ?? 0);

function told(text, { found, layout = "", shifted = text }) {
  const codes = [...new Set(found.map((one) => one.code))];
  const command = codes.find((code) => readCommand(code));
  return {
    codes,
    cards: codes.filter(isCardCode),
    command: command ? readCommand(command) : null,
    looksLikeCard: false,
    text,
    layout,
    start: start(shifted, found[0].at),
    end: found.at(-1).end,
  };
}

// {codes, cards, command, looksLikeCard, text, layout, start, end}. `physical` is the same read by usSign, `layout`
// what the scanner doctor found, `bare` whether KB may be left out. One wrong code refuses the whole read.
export function readCodes(text, { physical = "", capsLock = false, layout = "", bare = true } = {}) {
  const plain = search(upper(text));
  const whole = plain.found.length || plain.bad.length ? plain : typed(text, bare);
  if (whole.found.length && !whole.bad.length) return told(text, whole);
  const none = { codes: [], cards: [], command: null, looksLikeCard: whole.bad.length > 0, text, layout: "", start: 0, end: 0 };
  if (whole.found.length) return none;
  const keys = physical && upper(physical) !== upper(text) ? through("us", "us", physical) : null;
  const pressed = keys ? search(keys[1]) : { found: [], bad: [] };
  const first = pressed.found.length && !pressed.bad.length ? [{ ...pressed, layout: "us>", shifted: keys[0] }] : [];
  if (capsLock) first.push(...repairs(text, layout, REPAIRS.slice(-2)));
  const known = physical ? repairs(physical, layout, REPAIRS.slice(3, 6)) : repairs(text, layout, REPAIRS);
  const tried = first.length ? first : known;
  const results = new Set(tried.map((one) => one.found.map(({ code }) => code).join()));
  if (results.size === 1) return told(text, tried[0]);
  return { ...none, looksLikeCard: none.looksLikeCard || results.size > 1 || pressed.bad.length > 0 };
}

// The one card code in a text; of several none.
export function findCardCode(text) {
  const { cards } = readCodes(text);
  return cards.length === 1 ? cards[0] : null;
}
