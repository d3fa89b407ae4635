// The worker that reads pictures, as promises. It starts with the first picture and keeps the compiled reader.
const LONGEST_MS = 60_000;

export class Reader {
  // `script` is the worker's address, if it is not the file beside this one.
  constructor(script = new URL("./decoder.js", import.meta.url)) {
    this.script = script;
    this.worker = null;
    this.asked = new Map();
    this.last = 0;
  }

  // {found: [{text, format, corners}], unread: [{corners}], width, height, ms} of a Blob or an ImageBitmap (which is given
  // away). Rejects if the picture cannot be read at all.
  read(picture, { live = false } = {}) {
    this.start();
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.end("the reader does not answer"), LONGEST_MS);
      this.asked.set(id, { resolve, reject, timer });
      this.worker.postMessage({ id, picture, live }, picture instanceof ImageBitmap ? [picture] : []);
    });
  }

  start() {
    if (this.worker) return;
    this.worker = new Worker(this.script);
    this.worker.addEventListener("message", ({ data }) => {
      const { resolve, reject, timer } = this.asked.get(data.id) ?? {};
      this.asked.delete(data.id);
      clearTimeout(timer);
      if (data.fault) reject?.(new Error(data.fault));
      else resolve?.(data);
    });
    this.worker.addEventListener("error", (event) => this.end(event.message || "the reader did not start"));
  }

  // Ends the worker; whoever waits is told why.
  end(why = "closed") {
    this.worker?.terminate();
    this.worker = null;
    for (const { reject, timer } of this.asked.values()) {
      clearTimeout(timer);
      reject(new Error(why));
    }
    this.asked.clear();
  }
}
