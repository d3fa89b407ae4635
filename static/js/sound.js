// Three families of short sounds, made here: rising (recorded), level (look), falling (no). A tick for a repeat;
// one note for a scan that is kept here; rising and a tick for one that is recorded with a warning.
import { recall, remember } from "./remember.js";

const TUNES = {
  rising: [[660, 0, 0.09], [990, 0.1, 0.13]],
  one: [[660, 0, 0.12]],
  level: [[740, 0, 0.09], [740, 0.13, 0.09]],
  falling: [[740, 0, 0.1], [520, 0.12, 0.13]],
  tick: [[880, 0, 0.03]],
  warned: [[660, 0, 0.09], [990, 0.1, 0.13], [880, 0.32, 0.03]],
};

export class Sound {
  constructor(onState) {
    this.onState = onState;
    this.muted = recall("muted") === "1";
    this.context = null;
  }

  get on() {
    return this.context?.state === "running" && !this.muted;
  }

  // Browsers stay silent until somebody has touched the page once.
  async wake() {
    try {
      this.context ??= new AudioContext();
      if (this.context.state !== "running") await this.context.resume();
    } catch {
      // No audio here: colour, shape and words remain.
    }
    this.onState(this.on);
  }

  async toggle() {
    const wasOn = this.on;
    this.muted = wasOn;
    remember("muted", this.muted ? "1" : "0");
    await this.wake();
  }

  play(family) {
    document.dispatchEvent(new CustomEvent("jitapp:sound", { detail: family }));
    if (!this.on) return;
    const start = this.context.currentTime + 0.005;
    for (const [pitch, after, length] of TUNES[family] ?? []) {
      const tone = this.context.createOscillator();
      const volume = this.context.createGain();
      tone.type = "triangle";
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, start + after);
      volume.gain.exponentialRampToValueAtTime(0.5, start + after + 0.01);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + after + length);
      tone.connect(volume).connect(this.context.destination);
      tone.start(start + after);
      tone.stop(start + after + length + 0.02);
    }
  }
}
