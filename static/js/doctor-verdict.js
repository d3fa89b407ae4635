// What is wrong with a scanner, from the keys that it pressed for six test codes. No page and no clock is needed here.
//
// A key is {type: "key" | "text" | "alt", key, code, shift, ctrl, alt, caps, numpad, at}; "text" is what arrived without
// keys (`key` holds it, pasted or typed by a soft keyboard), "alt" is the release of Alt.
import { through, usSign } from "./codes.js";

const CONTROLS = { "\\": 28, "]": 29, "^": 30, "_": 31 };
const PLACES = { Backslash: 28, BracketRight: 29 };
const SHIFTED_PLACES = { Digit6: 30, Minus: 31 };
const SUFFIXES = { Enter: "Enter", Tab: "Tab" };
const COMPUTERS = ["de", "fr", "cz"];
const SCANNERS = ["de", "fr", "cz"];
// Of these a scanner is of no use; of the others it is, with the limits that their sentences name.
const FAILS = ["nothing", "numlock", "lost", "layout_unknown"];
const ORDER = [...FAILS, "suffix_none", "suffix_mixed", "layout", "signs", "controls", "caps"];

const shown = (text) => text.replace(/\p{Cc}/gu, "");

function controlOf({ key, code, ctrl, alt, shift }, controls) {
  if (!ctrl || alt) return "";
  const number = CONTROLS[key] ?? (shift ? SHIFTED_PLACES : PLACES)[code];
  // Carriage return and line feed end a code; other letters with Ctrl are controls only among controls.
  const letter = (controls ? /^Key[A-Z]$/ : /^Key[JM]$/).test(code) ? code.charCodeAt(3) - 64 : 0;
  return number || letter ? String.fromCharCode(number ?? letter) : "";
}

// One read: {text, physical, parts (split at the suffixes), suffix, gaps, numpad, unnamed}.
export function readOf(keys) {
  const parts = [];
  const suffixes = [];
  let [text, physical, alt] = ["", "", ""];
  const end = (suffix) => {
    parts.push({ text, physical });
    suffixes.push(suffix);
    [text, physical] = ["", ""];
  };
  const add = (sign, us = sign) => [text, physical] = [text + sign, physical + us];
  for (const key of keys) {
    const control = controlOf(key, /\p{Cc}/u.test(text));
    if (key.type === "text") {
      const pieces = key.key.split(/\r\n|\r|\n|\t/);
      pieces.forEach((piece, place) => {
        for (const sign of piece) add(sign);
        if (place < pieces.length - 1) end(key.key.includes("\t") ? "Tab" : "Enter");
      });
    } else if (key.type === "alt") {
      if (alt) add(String.fromCharCode(Number(alt)));
      alt = "";
    } else if (control && !/[\r\n]/.test(control)) {
      add(control);
    } else if (SUFFIXES[key.key] || control) {
      end(SUFFIXES[key.key] ?? "Enter");
    } else if (key.alt && !key.ctrl && /^Numpad\d$/.test(key.code)) {
      alt += key.code.at(-1);
    } else if (key.key.length === 1 || key.key === "Dead") {
      add(key.key === "Dead" ? "\uFFFD" : key.key, usSign(key.code, key.shift) || key.key);
    }
  }
  if (text) parts.push({ text, physical });
  const named = keys.filter(({ type, key }) => type === "key" && key.length === 1);
  const times = named.map(({ at }) => at);
  return {
    text: parts.map((part) => part.text).join(""),
    physical: parts.map((part) => part.physical).join(""),
    parts: parts.map((part) => part.text).filter(Boolean),
    suffixes,
    suffix: parts.length > suffixes.length ? "" : (suffixes.at(-1) ?? ""),
    gaps: times.slice(1).map((at, place) => at - times[place]),
    numpad: named.some(({ code }) => /^Numpad\d$/.test(code)),
    unlocked: keys.some(({ key, code }) => /^Numpad\d$/.test(code ?? "") && key.length > 1),
    unnamed: keys.some(({ type }) => type === "text"),
    caps: keys.some(({ caps }) => caps),
  };
}

const same = (text, wanted) => text.toUpperCase().endsWith(wanted.toUpperCase());

// The scanner's layout > the computer's: "" if they fit, "?" if nothing explains what came, "us>" if only the keys do.
function layoutOf(reads, wanted) {
  const all = (of) => reads.every((read, place) => same(of(read), wanted[place]));
  if (all(({ text }) => text)) return "";
  // Where each key writes what it does in the US, the computer's layout is that one and the scanner's is not.
  const plain = reads.every(({ text, physical, unnamed }) => !unnamed && text.toUpperCase() === physical.toUpperCase());
  for (const computer of plain ? [] : COMPUTERS) if (all(({ text }) => through(computer, "us", text)[1])) return `us>${computer}`;
  if (all(({ physical }) => through("us", "us", physical)[1])) return "us>";
  const fits = SCANNERS.filter((scanner) => all(({ text }) => through("us", scanner, text)[1]));
  // Without signs among them, letters and digits alone do not tell a German scanner from a Czech one.
  const signs = fits.find((scanner) => all(({ text }) => through("us", scanner, text)[0]));
  return fits.length ? `${signs ?? fits[0]}>us` : "?";
}

function mended(read, layout) {
  const [scanner, computer] = layout.split(">");
  if (layout === "us>") return read.physical;
  return computer ? through(computer, scanner, read.text)[0] : read.text;
}

function lettersOf(text, wanted) {
  const swapped = [...wanted].map((sign) => (sign === sign.toUpperCase() ? sign.toLowerCase() : sign.toUpperCase())).join("");
  if (text.endsWith(wanted)) return "kept";
  if (text.endsWith(wanted.toUpperCase())) return "upper";
  if (text.endsWith(wanted.toLowerCase())) return "lower";
  return text.endsWith(swapped) ? "swapped" : "changed";
}

function controlsOf(text, wanted) {
  const controls = (of) => of.replace(/[^\p{Cc}]/gu, "").replace(/\x04$/, "");
  if (controls(text) === controls(wanted)) return "kept";
  return same(shown(text), shown(wanted)) ? "lost" : "replaced";
}

function severalOf({ parts }, [first, second]) {
  const holds = (part, code) => part.toUpperCase().includes(code.toUpperCase());
  const both = parts.some((part) => holds(part, first) && holds(part, second));
  if (both) return "together";
  return parts.some((part) => holds(part, first)) && parts.some((part) => holds(part, second)) ? "apart" : "one";
}

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

// `keys` by test (letters, digits, address, controls, pair, card), `codes` what each code holds (a pair: two).
export function verdict(keys, codes) {
  const reads = Object.fromEntries(Object.keys(codes).map((name) => [name, readOf(keys[name] ?? [])]));
  const all = Object.values(reads);
  const layout = layoutOf([reads.letters, reads.digits], [codes.letters, codes.digits]);
  const fitting = { ...reads.pair, parts: reads.pair.parts.map((text) => mended({ text, physical: text }, layout === "us>" ? "" : layout)) };
  const found = {
    layout: layout === "?" ? "" : layout,
    suffix: middleSuffix(all),
    numpad: reads.digits.numpad,
    letters: lettersOf(mended(reads.address, layout), codes.address),
    controls: controlsOf(mended(reads.controls, layout), codes.controls),
    several: severalOf(fitting, codes.pair),
    gap: Math.round(middle(all.flatMap(({ gaps }) => gaps))),
    unidentified: all.some(({ unnamed }) => unnamed),
  };
  const suffixes = new Set(all.filter(({ parts }) => parts.length).map(({ suffix }) => suffix));
  const tells = {
    nothing: all.every(({ text }) => !text),
    lost: layout === "?" && [reads.letters, reads.digits].some((read, place) => read.text.length < [codes.letters, codes.digits][place].length),
    numlock: all.some(({ unlocked }) => unlocked),
    layout_unknown: layout === "?",
    suffix_none: !found.suffix,
    suffix_mixed: suffixes.size > 1,
    layout: layout !== "" && layout !== "?",
    signs: found.letters === "changed",
    controls: found.controls !== "kept",
    caps: found.letters === "swapped",
  };
  const first = ORDER.find((name) => tells[name]);
  const problems = FAILS.includes(first) ? [first] : ORDER.filter((name) => tells[name]);
  const stamp = FAILS.includes(first) ? "failed" : problems.length ? "usable" : "passed";
  return { stamp, problems, ...found };
}

// The suffix that most reads had.
function middleSuffix(reads) {
  const counts = { Enter: 0, Tab: 0, "": 0 };
  for (const { suffix, parts } of reads) if (parts.length) counts[suffix] += 1;
  return Object.entries(counts).sort((a, b) => b[1] - a[1])[0][0];
}
