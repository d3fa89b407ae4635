// The big answer: the part and what happened, its containers with this one marked, what to do next, and a way back.
const SHAPES = { ok: "tick", calm: "tick", amber: "sh-soon", red: "sh-act", saved: "tick", sending: "tick", ready: "sh-ok" };
const FADES_MS = 20_000;
const MOST_BINS = 24;

export class Panel {
  constructor(root, words, { onUndo }) {
    Object.assign(this, { root, words });
    this.at = (name) => root.querySelector(`.${name}`);
    this.checks = root.querySelector(".checks");
    this.work = root.querySelector(".work");
    this.bins = root.querySelector(".bins");
    this.undo = root.querySelector(".undo");
    this.undo.addEventListener("click", () => this.offered && onUndo(this.offered.id));
    this.clock = { now: () => Date.now() };
    this.timer = 0;
    this.about = null; // id of the scan that is shown, or was shown last: the one that the undo button takes back
    this.told = {}; // what was said with it beside its code
    setInterval(() => this.tick(), 500);
  }

  shape(look) {
    return `#${SHAPES[look] ?? "sh-soon"}`;
  }

  show(view) {
    const { root } = this;
    this.about = view.id ?? null;
    this.told = view.told ?? {};
    root.dataset.look = view.look;
    root.dataset.state = view.code;
    root.dataset.screen = view.state ?? view.look;
    root.setAttribute("role", view.look === "red" ? "alert" : "status");
    root.querySelector(".mark use").setAttribute("href", this.shape(view.look));
    const happened = view.headline;
    this.at("part").textContent = view.part ?? "";
    this.at("part").hidden = !view.part;
    this.at("happened").textContent = happened;
    this.at("headline").classList.toggle("long", `${view.part ?? ""} ${happened}`.length > 24);
    this.at("what").textContent = view.detail ?? view.message ?? "";
    this.at("next").textContent = view.next ?? "";
    this.drawBins(view.bins ?? [], view.mine);
    this.showPlace(view);
    this.offer(null); // whoever draws the list says whether there is a way back
    if (view.code !== "ready") this.last = `${view.part ? `${view.part} ` : ""}${happened}`;
    clearTimeout(this.timer);
    if (view.look !== "sending") {
      root.classList.remove("flash");
      void root.offsetWidth; // starts the one flash again
      root.classList.add("flash");
      this.timer = setTimeout(() => this.fade(), FADES_MS);
    }
  }

  // Nobody takes an old answer for a new one: after 20 s the page is ready again and names the last.
  fade() {
    if (!this.checks.hidden) return;
    const at = new Date(this.clock.now()).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    this.show({
      id: this.about, look: "ready", code: "ready", headline: this.words.ready, message: this.words.last.replace("{}", this.last).replace("{}", at), next: "",
    });
    this.root.classList.remove("flash");
    clearTimeout(this.timer);
  }

  drawBins(bins, mine) {
    const few = bins.length > MOST_BINS ? bins.filter(([code]) => code === mine) : bins;
    this.bins.hidden = !few.length;
    this.bins.replaceChildren(
      ...few.map(([code, number, status, isOut]) => {
        const bin = document.createElement("li");
        bin.dataset.status = isOut ? "OUT" : status;
        if (code === mine) bin.setAttribute("aria-current", "true");
        const drawn = document.createElement("span");
        drawn.textContent = number;
        const word = document.createElement("small");
        word.textContent = isOut ? this.words.held : (this.words.status[status] ?? status);
        bin.append(drawn, word);
        return bin;
      }),
    );
  }

  // What belongs to the answer at this place: how the work is done, or the checks that come before it.
  showPlace({ work, checks = [], card }) {
    this.work.hidden = !work;
    if (work) this.work.href = work;
    this.checks.hidden = !checks.length;
    this.checks.elements.namedItem("code").value = card?.code ?? "";
    this.checks.querySelector("span").replaceChildren(
      ...checks.map((check) => {
        const label = document.createElement("label");
        const box = document.createElement("input");
        Object.assign(box, { type: "checkbox", name: "checks", value: check });
        label.append(box, check);
        return label;
      }),
    );
  }

  // The button is there only while taking back would succeed, and counts down how long that is; a scan that still waits
  // here can be taken back as long as it does.
  offer(line) {
    this.offered = line;
    this.tick();
  }

  tick() {
    const { offered } = this;
    const left = offered && !offered.waits ? Math.floor((Date.parse(offered.undo_until) - this.clock.now()) / 1000) : 0;
    this.undo.hidden = left <= 0 && !offered?.waits;
    const minutes = Math.floor(left / 60);
    this.undo.querySelector("span").textContent = left > 0 ? `${minutes}:${String(left % 60).padStart(2, "0")}` : "";
  }
}
