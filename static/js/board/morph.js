// Makes a row on the page equal to a fresh drawing by touching only what differs, so that the focus, a selection and
// whatever points into the row stay where they are.
export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType === Node.TEXT_NODE) {
    old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [have, want] = [[...old.childNodes], [...fresh.childNodes]];
  const alike = have.length === want.length && have.every((node, i) => node.nodeName === want[i].nodeName);
  if (alike) have.forEach((node, i) => morph(node, want[i]));
  else old.replaceChildren(...want);
}

// Puts the rows into this order. Rows that stand right are not touched; the selection and the focus survive.
export function arrange(body, order) {
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  const selection = getSelection();
  const { anchorNode, anchorOffset, focusNode, focusOffset } = selection ?? {};
  const selected = anchorNode && !selection.isCollapsed && body.contains(anchorNode);
  order.forEach((row, i) => {
    if (body.rows[i] !== row) body.insertBefore(row, body.rows[i] ?? null);
  });
  if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
  if (selected) selection.setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
}
