// The stock over 30 days, to be zoomed: drag to see closer, double click to see all. uPlot is loaded when it is asked
// for, and only then.
const HEIGHT = 360;

// `before(fresh)` and `after()` stand around every renewal of the parts: an open picture survives it.
export function zoomable(parts, words, zone) {
  let chart = null;
  let box = null;

  const button = () => parts.querySelector("[data-zoom]");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function ready() {
    const at = button();
    if (!at) return;
    at.hidden = false;
    at.dataset.name ??= at.textContent;
    at.textContent = chart ? at.dataset.close : at.dataset.name;
  }

  function load(at) {
    if (window.uPlot) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const style = document.createElement("link");
      style.rel = "stylesheet";
      style.href = at.dataset.style;
      const script = document.createElement("script");
      script.src = at.dataset.script;
      script.addEventListener("load", resolve);
      script.addEventListener("error", () => {
        script.remove();
        reject(new Error("uPlot was not loaded"));
      });
      document.head.append(style, script);
    });
  }

  // Closed time and runouts as grounds, behind the line.
  function grounds(data) {
    const paint = (plot, spans, fill, alpha) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.globalAlpha = alpha;
      ctx.fillStyle = fill;
      for (const [begin, end] of spans) {
        const from = Math.max(plot.valToPos(begin, "x", true), bbox.left);
        const to = Math.min(plot.valToPos(end, "x", true), bbox.left + bbox.width);
        if (to > from) ctx.fillRect(from, bbox.top, Math.max(to - from, 2), bbox.height);
      }
      ctx.restore();
    };
    return (plot) => {
      paint(plot, data.closed, colour("--line-2"), 0.2);
      paint(plot, data.dry, colour("--out"), 0.7);
    };
  }

  async function open(at) {
    at.disabled = true;
    try {
      const [answer] = await Promise.all([fetch(at.dataset.zoom, { signal: AbortSignal.timeout(15_000) }), load(at)]);
      if (!answer.ok) throw new Error(String(answer.status));
      draw(await answer.json());
      at.textContent = at.dataset.close;
    } catch {
      at.textContent = at.dataset.failed;
    } finally {
      at.disabled = false;
    }
  }

  function draw(data) {
    box = document.createElement("div");
    box.className = "zoomed card";
    parts.querySelector(".chart-card").after(box);
    const { uPlot } = window;
    const ink = colour("--ink-2");
    const axis = { stroke: ink, grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line-2"), width: 1 } };
    chart = new uPlot(
      {
        width: box.clientWidth - 40,
        height: HEIGHT,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
        fmtDate: () => (date) => date.toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" }),
        cursor: { drag: { x: true, y: false } },
        scales: { y: { range: [0, data.most * 1.06 || 1] } },
        axes: [
          { ...axis, values: (_plot, splits) => splits.map(tick(zone)) },
          { ...axis, size: 60 },
        ],
        series: [{ label: words.time }, { label: words.pieces, stroke: colour("--ink"), width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }],
        hooks: { drawClear: [grounds(data)] },
      },
      [data.at, data.pieces],
      box,
    );
  }

  function close() {
    chart?.destroy();
    box?.remove();
    chart = box = null;
    ready();
  }

  parts.addEventListener("click", (event) => {
    const at = event.target.closest?.("[data-zoom]");
    if (!at) return;
    if (chart) close();
    else open(at);
  });
  addEventListener("resize", () => chart?.setSize({ width: box.clientWidth - 40, height: HEIGHT }));
  ready();
  return {
    before(fresh) {
      box?.remove();
      const at = fresh.querySelector("[data-zoom]");
      const old = button();
      if (at && old) {
        at.hidden = false;
        at.dataset.name = old.dataset.name ?? at.textContent;
        at.textContent = chart ? at.dataset.close : at.dataset.name;
      }
    },
    after() {
      if (box) parts.querySelector(".chart-card")?.after(box);
    },
  };
}

function tick(zone) {
  const days = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", timeZone: zone });
  const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  return (seconds) => {
    const at = new Date(seconds * 1000);
    const time = hours.format(at);
    return time === "00:00" ? days.format(at) : time;
  };
}
