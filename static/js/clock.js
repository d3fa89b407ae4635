// The server's time on this tablet: its own clock and how far that is off, measured with every sign of life.
const BEST_FOR_MS = 600_000; // after that a slower answer counts again

export class Clock {
  constructor() {
    this.offset = null; // server minus this clock, in milliseconds; null until it was measured once
    this.width = Infinity; // half of the way there and back: how wrong the measurement may be
    this.at = 0;
  }

  // `sent` and `got` by performance.now(), `server` in milliseconds since 1970, all of one question.
  heard(server, sent, got, wall = Date.now()) {
    const width = (got - sent) / 2;
    const measured = server + width - wall;
    const jumped = this.offset !== null && Math.abs(measured - this.offset) > this.width + width + 1000;
    if (width > this.width && got - this.at < BEST_FOR_MS && !jumped) return false;
    this.offset = Math.round(measured);
    this.width = width;
    this.at = got;
    return true;
  }

  now() {
    return Date.now() + (this.offset ?? 0);
  }
}

// When a kept scan happened, and what this clock says now, both by the same clock: the server's where it was known when
// the scan was made, else this tablet's own, which the server then compares with its clock.
export function instants(scan, clock) {
  const known = scan.offset !== null && scan.offset !== undefined;
  return {
    occurred_at: new Date(scan.at + (known ? scan.offset : 0)).toISOString(),
    sent_at: new Date(known ? clock.now() : Date.now()).toISOString(),
  };
}
