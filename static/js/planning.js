// A new loop: the picture and the figures follow what is typed, and a draft stays in this browser until the loop is made.
const form = document.getElementById("wizard");
const DRAFT = "loop-draft";

function told(data) {
  const pairs = [...data].filter(([name, value]) => name !== "csrfmiddlewaretoken" && typeof value === "string");
  return new URLSearchParams(pairs);
}

function draft() {
  try {
    return new URLSearchParams(localStorage.getItem(DRAFT) ?? "");
  } catch {
    return new URLSearchParams(); // a browser that keeps nothing
  }
}

function keep(text) {
  try {
    if (text) localStorage.setItem(DRAFT, text);
    else localStorage.removeItem(DRAFT);
  } catch {
    // nothing is kept there
  }
}

if (form) {
  const aside = document.getElementById("look");
  const note = document.getElementById("draft");
  const first = told(new FormData(form)).toString();
  let asked = 0;
  let timer = 0;

  async function look() {
    const mine = ++asked;
    try {
      const answer = await fetch(`${form.dataset.look}?${told(new FormData(form))}`);
      if (!answer.ok || answer.redirected || mine !== asked) return;
      aside.innerHTML = await answer.text();
      document.getElementById("cards").placeholder = aside.querySelector(".big-number b")?.textContent ?? "";
      aside.removeAttribute("data-old");
    } catch {
      aside.dataset.old = ""; // no connection: the figures are those of before
    }
  }

  // Another plant has other stations.
  form.querySelector("select[name=plant]")?.addEventListener("change", (event) => {
    location.assign(`?plant=${encodeURIComponent(event.target.value)}`);
  });
  form.addEventListener("input", () => {
    keep(told(new FormData(form)).toString());
    clearTimeout(timer);
    timer = setTimeout(look, 250);
  });
  form.addEventListener("submit", () => {
    sessionStorage.setItem("loop-made", "1");
  });
  note.querySelector("[data-afresh]").addEventListener("click", () => {
    keep("");
    location.assign(location.pathname);
  });

  const kept = draft();
  if (form.dataset.fresh === "1" && !location.search && [...kept].length && kept.toString() !== first) {
    for (const [name, value] of kept) {
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (field.type === "radio") field.checked = field.value === value;
        else field.value = value;
      }
    }
    note.hidden = false;
    look();
  }
  document.querySelector("[aria-invalid=true]")?.focus();
} else {
  // The page of the loop that was made of the draft.
  if (sessionStorage.getItem("loop-made")) {
    sessionStorage.removeItem("loop-made");
    keep("");
  }
  document.querySelector("[aria-invalid=true]")?.focus();
}
