// The camera as a panel of the page, loaded only when somebody opens it: single codes while it looks, a photograph of many
// cards, or a picture that is there already (which needs neither HTTPS nor leave to use the camera).
import { readCodes } from "../codes.js";
import { Photo } from "./photo.js";
import { Reader } from "./reader.js";

// A code that stays in sight is one scan. Gone for so long, and from two pictures (a slow tablet reads one a second), it is a
// new one.
const LOCKOUT_MS = 400;
const GONE_FROM = 2;
const PAUSE_MS = 60; // between pictures: the page has work of its own
const WANTED = { facingMode: { ideal: "environment" }, width: { ideal: 4096 }, height: { ideal: 3072 } };

export class Camera {
  // `onCodes(codes, meta)` as in capture.js, `record` and `name` as in photo.js, `onClose()` the panel was closed.
  // `script` is the address of the reading worker.
  constructor({ root, words, onCodes, record, name, script, onClose = () => {} }) {
    Object.assign(this, { root, words, onCodes, record, name, onClose });
    this.reader = new Reader(script);
    this.seen = new Map(); // code -> when it was last in sight, and on which picture
    this.looks = 0; // pictures read
    this.stream = null;
    this.running = false;
    this.build();
  }

  build() {
    style();
    const element = (tag, className, more = {}) => Object.assign(document.createElement(tag), { className, ...more });
    const button = (text, act, className = "") => {
      const made = element("button", className, { type: "button", textContent: text });
      made.addEventListener("click", act);
      return made;
    };
    this.video = element("video", "camera-sight", { muted: true, playsInline: true, hidden: true });
    this.said = element("p", "camera-said");
    this.said.setAttribute("role", "status");
    this.shoot = button(this.words.photograph, () => this.photograph(), "main");
    this.shoot.hidden = true;
    this.torch = button(this.words.torch, () => this.light());
    this.torch.hidden = true;
    this.torch.setAttribute("aria-pressed", "false");
    this.file = element("input", "unseen", { type: "file", accept: "image/*" });
    this.file.setAttribute("capture", "environment");
    this.file.setAttribute("aria-label", this.words.choose);
    this.file.addEventListener("change", () => this.chosen());
    const choose = element("label", "button camera-file", { textContent: this.words.choose });
    choose.append(this.file);
    const acts = element("div", "camera-acts");
    acts.append(this.shoot, choose, this.torch, button(this.words.close, () => this.close()));
    this.picture = element("div", "camera-photo", { hidden: true });
    this.live = element("div", "camera-live");
    this.live.append(this.video, this.said, acts);
    this.root.classList.add("camera");
    this.root.replaceChildren(this.live, this.picture);
  }

  // Shows the panel; without a camera, or without leave to use it, it says so and still takes pictures.
  async open() {
    this.root.hidden = false;
    this.said.textContent = this.words.starting;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: WANTED, audio: false });
    } catch (fault) {
      console.warn(fault);
      this.said.textContent = globalThis.isSecureContext ? this.words.no_camera : this.words.not_secure;
      this.root.dataset.state = "without";
      return;
    }
    if (this.root.hidden) {
      this.stop(); // closed meanwhile
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.video.hidden = this.shoot.hidden = false;
    this.torch.hidden = !this.stream.getVideoTracks()[0].getCapabilities?.().torch;
    this.said.textContent = this.words.looking;
    this.root.dataset.state = "live";
    this.look();
  }

  close() {
    this.stop();
    this.reader.end();
    this.root.hidden = true;
    this.onClose();
  }

  stop() {
    this.running = false;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  // One picture after the other, never two at once.
  async look() {
    this.running = true;
    while (this.running) {
      const frame = await createImageBitmap(this.video).catch(() => null);
      const read = frame && (await this.reader.read(frame, { live: true }).catch(() => null));
      if (read && this.running) this.found(read.found);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  found(symbols) {
    const now = performance.now();
    this.looks += 1;
    for (const { text } of symbols) {
      const { cards } = readCodes(text, { bare: false });
      const fresh = cards.filter((code) => {
        const { at, look } = this.seen.get(code) ?? { at: -Infinity, look: -Infinity };
        return now - at > LOCKOUT_MS && this.looks - look > GONE_FROM;
      });
      for (const code of cards) this.seen.set(code, { at: now, look: this.looks });
      if (!fresh.length) continue;
      this.onCodes(fresh, { how: "camera", text, at: Date.now() });
      this.said.textContent = fresh.join(" ");
    }
  }

  async light() {
    const on = this.torch.getAttribute("aria-pressed") !== "true";
    await this.stream?.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] }).catch(() => {});
    this.torch.setAttribute("aria-pressed", String(on));
  }

  // The whole sensor where the browser gives it, else the frame that is seen.
  async photograph() {
    const [track] = this.stream?.getVideoTracks() ?? [];
    const still = globalThis.ImageCapture && track ? await new ImageCapture(track).takePhoto().catch(() => null) : null;
    const picture = still ?? (await frameOf(this.video));
    if (picture) await this.show(picture);
  }

  async chosen() {
    const [picture] = this.file.files;
    this.file.value = ""; // the same picture may be chosen again
    if (picture) await this.show(picture);
  }

  // What is in a picture takes the place of what the camera sees, until it is closed.
  async show(picture) {
    this.running = false;
    this.live.hidden = true;
    this.picture.hidden = false;
    const back = () => {
      this.picture.hidden = true;
      this.live.hidden = false;
      if (this.stream) this.look();
    };
    const { words, name, record, reader } = this;
    this.photo = new Photo({ root: this.picture, words, name, record, reader, onClose: back });
    return this.photo.open(picture);
  }
}

async function frameOf(video) {
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
}

function style() {
  if (document.querySelector("link[data-camera]")) return;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet" });
  link.href = new URL("../../css/camera.css", import.meta.url).href;
  link.dataset.camera = "";
  document.head.append(link);
}
