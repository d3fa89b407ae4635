// What this tablet knows of cards and people without asking: the list of its area, kept for the time without a network.
const REFRESH_MS = 60_000;

// Where each step leaves a card, and the step that is expected where it stands (as the server decides without an intent).
export const LEADS_TO = {
  activate: "EMPTY", open: "IN_USE", empty: "EMPTY", start: "IN_PROCESS", complete: "COMPLETED", load: "IN_TRANSIT",
  ship: "IN_TRANSIT", receive: "FULL",
};
const AT_SUPPLY = { EMPTY: "start", IN_PROCESS: "complete", COMPLETED: "load" };
const AT_DEMAND = { FULL: "empty", IN_USE: "empty", COMPLETED: "receive", IN_TRANSIT: "receive" };

// FNV-1a, 64 bits, of a badge in small letters, as jitapp/pull/reading/tablet.py writes it.
export function badgeHash(badge) {
  let value = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(badge.trim().toLowerCase())) {
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  }
  return value.toString(16).padStart(16, "0");
}

export class Cards {
  constructor(store) {
    this.store = store;
    this.cards = new Map();
    this.people = new Map();
    this.etag = "";
    this.refreshed = 0;
  }

  async load() {
    const kept = await this.store.get("cards");
    if (kept) this.take(kept.list, kept.etag);
  }

  // From the server, if it has changed; at most once a minute unless `now`.
  async refresh(now = false) {
    if (!now && performance.now() - this.refreshed < REFRESH_MS && this.refreshed) return;
    this.refreshed = performance.now();
    try {
      const answer = await fetch("/s/cards", {
        headers: this.etag ? { "If-None-Match": this.etag } : {},
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(10_000),
      });
      if (answer.status !== 200) return;
      const list = await answer.json();
      this.take(list, answer.headers.get("ETag") ?? "");
      await this.store.put("cards", { list, etag: this.etag });
    } catch {
      this.refreshed = 0; // the list of before goes on
    }
  }

  take(list, etag) {
    this.etag = etag;
    this.loops = list.loops.map(([code, part, description, supply, demand, quantity, unit]) => ({
      code, part, description, supply, demand, quantity, unit, cards: [],
    }));
    this.cards = new Map(
      list.cards.map(([code, place, number, cardStatus, status, blocked]) => {
        const loop = this.loops[place];
        const card = { code, loop, number, cardStatus, status, blocked: Boolean(blocked) };
        loop.cards.push(card);
        return [code, card];
      }),
    );
    const idle_minutes = list.idle_minutes ?? null;
    this.people = new Map(
      list.people.map(([hash, uuid, name, language]) => [hash, { uuid, name, language, idle_minutes }]),
    );
  }

  find(code) {
    return this.cards.get(code) ?? null;
  }

  person(badge) {
    return this.people.get(badgeHash(badge)) ?? null;
  }

  // {intent, to, likely}: what the scan will probably do; `likely` is false where the rules will look twice.
  expects(card, station, intent = "") {
    const side = card.loop.demand === station ? AT_DEMAND : card.loop.supply === station ? AT_SUPPLY : null;
    const meant = intent || side?.[card.status] || "";
    const likely = Boolean(meant && side) && card.cardStatus === "IN_CIRCULATION" && !card.blocked;
    return { intent: meant, to: LEADS_TO[meant] ?? "", likely };
  }

  // So that the next scan of the card is seen as following this one.
  move(code, status) {
    const card = this.find(code);
    if (card && status) card.status = status;
  }

  // The containers of a card's loop, as the answer draws them: [card, number, status, is out of use].
  bins(card) {
    const usual = (each) => each.cardStatus === "IN_CIRCULATION" && !each.blocked;
    return card.loop.cards
      .filter((each) => each.cardStatus !== "NEW")
      .map((each) => [each.code, each.number, each.status, usual(each) ? 0 : 1]);
  }

  learn(bins) {
    for (const [code, , status] of bins ?? []) this.move(code, status);
  }
}
