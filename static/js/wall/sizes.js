// How large type must be to be read from a distance: the height of a capital seen under an angle (16 minutes of arc are
// the floor, 20 the usual size; FAA and ISO 9241-3), which is 0.72 of the size of the type. Pure.
const CAPITAL = 0.72;
const MM_PER_INCH = 25.4;
export const USUAL = 20;
const FEWEST_LINES = 9; // a screen that is too small for its distance shows at least so many lines, as large as they go

// Pixels of type for an angle in minutes of arc, `metres` away from a screen of `inches` across with so many pixels.
export function typeFor(minutes, metres, inches, width, height) {
  const perPixel = (inches * MM_PER_INCH) / Math.hypot(width, height);
  const capital = 2 * metres * 1000 * Math.tan(((minutes / 60) * Math.PI) / 360);
  return Math.ceil(capital / CAPITAL / perPixel);
}

// The size of the page's text for a wall: what the distance asks for, as far as the screen has room.
export function sizeFor({ metres, inches }, screen, window) {
  const wanted = typeFor(USUAL, Number(metres), Number(inches), screen.width, screen.height);
  return Math.max(12, Math.min(wanted, Math.floor(window.innerHeight / FEWEST_LINES), Math.floor(window.innerWidth / 16)));
}
