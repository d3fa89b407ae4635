// Small things that a page remembers, where the browser lets it; forbidden, they hold as long as the page.
// `kind`: "localStorage" for this device, "sessionStorage" for this tab.
export function recall(name, kind = "localStorage") {
  try {
    return globalThis[kind].getItem(name);
  } catch {
    return null;
  }
}

// null forgets it.
export function remember(name, value, kind = "localStorage") {
  try {
    if (value === null) globalThis[kind].removeItem(name);
    else globalThis[kind].setItem(name, value);
  } catch {
    // Full or forbidden.
  }
}
