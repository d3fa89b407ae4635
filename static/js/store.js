// What this tablet keeps: the scans that wait, one record each, and a few facts (where it stands, the card list, the
// clock). A scan is on the disk before anybody is told that it is saved.
const NAME = "jitapp";
const VERSION = 1;
const BEFORE = { waiting: "jitapp.waiting", aside: "jitapp.aside" }; // lists of the version that kept them in localStorage

// The browser refuses to keep anything, or has no room left.
export class NoStore extends Error {}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function connect() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, VERSION);
    opening.onupgradeneeded = () => {
      const db = opening.result;
      // The key is the device's own counter: given once, never used again.
      const scans = db.createObjectStore("scans", { keyPath: "seq", autoIncrement: true });
      scans.createIndex("id", "id", { unique: true });
      scans.createIndex("waits", "waits"); // 1 for what is to be sent; what a person must look at has none
      db.createObjectStore("kept").put(crypto.randomUUID?.() ?? String(Math.random()).slice(2), "epoch");
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

// A list as the version before kept it. What cannot be read stays under another name, for whoever looks for it.
function listed(name) {
  const text = localStorage.getItem(name);
  try {
    const list = JSON.parse(text ?? "[]");
    if (Array.isArray(list)) return list;
  } catch {
    // Torn.
  }
  localStorage.setItem(`${name}.unread`, text);
  return [];
}

export class Store {
  constructor() {
    this.db = null;
  }

  async open() {
    if (this.db) return this.db;
    try {
      this.db = await connect();
    } catch (error) {
      throw new NoStore(error?.message ?? "IndexedDB is closed to this page");
    }
    // Another tab brings a newer version: it must not wait for this one. The next use opens it again.
    this.db.onversionchange = () => this.close();
    this.db.onclose = () => (this.db = null);
    return this.db;
  }

  close() {
    this.db?.close();
    this.db = null;
  }

  // One transaction, on the disk when the promise is fulfilled. `work(stores)` returns a request, or a promise of one.
  async write(names, work) {
    for (let again = 0; ; again += 1) {
      const db = await this.open();
      try {
        const transaction = db.transaction(names, "readwrite", { durability: "strict" });
        const ended = new Promise((resolve, reject) => {
          transaction.oncomplete = resolve;
          transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
        });
        const stores = names.map((name) => transaction.objectStore(name));
        const result = work(...stores);
        await ended;
        return result && "result" in result ? result.result : result;
      } catch (error) {
        this.close();
        if (error.name === "InvalidStateError" && !again) continue; // closed by another tab's upgrade
        throw new NoStore(error.message);
      }
    }
  }

  async read(name, ask) {
    for (let again = 0; ; again += 1) {
      const db = await this.open();
      try {
        return await done(ask(db.transaction(name).objectStore(name)));
      } catch (error) {
        this.close();
        if (error.name !== "InvalidStateError" || again) throw new NoStore(error.message);
      }
    }
  }

  // -- scans ---------------------------------------------------------------------------------------
  // Gives the scan its place in this device's sequence; NoStore if it could not be kept.
  async add(scan) {
    const record = { ...scan, waits: 1 };
    record.seq = await this.write(["scans"], (scans) => scans.add(record));
    return record;
  }

  waiting(most) {
    return this.read("scans", (scans) => scans.index("waits").getAll(1, most));
  }

  count() {
    return this.read("scans", (scans) => scans.index("waits").count(1));
  }

  async aside() {
    return (await this.read("scans", (scans) => scans.getAll())).filter((scan) => !scan.waits);
  }

  remove(seqs) {
    return this.write(["scans"], (scans) => seqs.forEach((seq) => scans.delete(seq)));
  }

  replace(scan) {
    return this.write(["scans"], (scans) => scans.put(scan));
  }

  // A person sends it again from the tray: it goes to the end of the queue, under a new number of the sequence.
  again(scan) {
    const { seq, refusal, waits, ...told } = scan;
    return this.write(["scans"], (scans) => {
      scans.delete(seq);
      return scans.add({ ...told, waits: 1 });
    });
  }

  // -- facts ---------------------------------------------------------------------------------------
  get(name) {
    return this.read("kept", (kept) => kept.get(name));
  }

  put(name, value) {
    return this.write(["kept"], (kept) => kept.put(value, name));
  }

  // One holder at a time where the browser has no locks (pages without TLS); true if it is `holder`.
  async lease(holder, now, milliseconds) {
    let mine = false;
    await this.write(["kept"], (kept) => {
      const asked = kept.get("lease");
      asked.onsuccess = () => {
        const held = asked.result;
        mine = !held || held.holder === holder || held.until < now || held.until > now + 10 * milliseconds;
        if (mine) kept.put({ holder, until: now + milliseconds }, "lease");
      };
    });
    return mine;
  }

  // Scans that the version before kept as one list in localStorage; the list goes when they are on the disk.
  async adopt(fields) {
    const lists = Object.entries(BEFORE).map(([kind, name]) => [kind, name, listed(name)]);
    const of = ({ occurred_at, ...scan }) => ({ ...fields, ...scan, at: Date.parse(occurred_at) || fields.at });
    const found = lists.flatMap(([kind, , list]) =>
      list.map((item) =>
        kind === "waiting" ? { ...of(item), waits: 1 } : { ...of(item.scan), refusal: { status: item.status, message: item.message } },
      ),
    );
    if (found.length) {
      const known = new Set((await this.read("scans", (scans) => scans.getAll())).map((scan) => scan.id));
      await this.write(["scans"], (scans) => found.filter((scan) => !known.has(scan.id)).forEach((scan) => scans.add(scan)));
    }
    for (const [, name] of lists) localStorage.removeItem(name);
  }
}
