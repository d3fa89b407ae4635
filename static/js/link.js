// Whether the server answers: a sign of life every few seconds, whether anybody scans or not.
const EVERY_MS = 3000;
const HIDDEN_MS = 15_000;
const TIMEOUT_MS = 2500;
const SLOW_MS = 2000;

export class Link {
  // `told()` what the tablet says of itself, `onBeat(answer)` what the server says, `onChange()` look again.
  constructor({ clock, told, onBeat, onChange }) {
    Object.assign(this, { clock, told, onBeat, onChange });
    this.state = "live"; // live, slow, offline, device
    this.heard = performance.now();
    this.timer = 0;
  }

  start() {
    this.beat();
    addEventListener("online", () => this.soon());
    addEventListener("offline", () => this.soon());
    document.addEventListener("visibilitychange", () => document.hidden || this.soon());
  }

  // Seconds since the server was last heard.
  get age() {
    return (performance.now() - this.heard) / 1000;
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.beat(), 50);
  }

  async beat() {
    clearTimeout(this.timer);
    const sent = performance.now();
    try {
      const answer = await fetch("/s/beat", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...this.told(), sent_at: new Date().toISOString() }),
        redirect: "manual",
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const got = performance.now();
      if (answer.status === 401 || answer.status === 403) {
        this.set("device");
      } else if (answer.ok) {
        const said = await answer.json();
        this.heard = got;
        const measured = this.clock.heard(said.now, sent, got);
        this.set(got - sent > SLOW_MS ? "slow" : "live");
        this.onBeat(said, measured);
      } else {
        this.set("offline");
      }
    } catch {
      this.set("offline");
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.beat(), document.hidden ? HIDDEN_MS : EVERY_MS);
  }

  set(state) {
    this.state = state;
    this.onChange();
  }
}
