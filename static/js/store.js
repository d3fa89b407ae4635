// What this tablet keeps: the scans that wait, one record each, and a few facts (where it stands, the card list, the
// clock). A scan is on the disk before anybody is told that it is saved.
const NAME = "jitapp";
const OPEN_MS = 4000; // another tab that does not let go of an older version may take for ever
const BEFORE = { waiting: "jitapp.waiting", aside: "jitapp.aside" }; // lists of the version that kept them in localStorage

// One step for each version of the database. A step only adds, so that a page of an older version, still open in another
// tab, goes on with the newer database.
export const UPGRADES = [
  (db) => {
    // The key is the order of the queue: given once, never used again.
    const scans = db.createObjectStore("scans", { keyPath: "seq", autoIncrement: true });
    scans.createIndex("id", "id", { unique: true });
    scans.createIndex("waits", "waits"); // 1 for what is to be sent; what a person must look at has none
    db.createObjectStore("kept").put(crypto.randomUUID?.() ?? String(Math.random()).slice(2), "epoch");
  },
];

// The browser refuses to keep anything, or has no room left.
export class NoStore extends Error {}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

// Without `upgrades` the database as it is.
function connect(upgrades) {
  return new Promise((resolve, reject) => {
    const opening = upgrades ? indexedDB.open(NAME, upgrades.length) : indexedDB.open(NAME);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new Error("another tab holds an older version open"));
    }, OPEN_MS);
    opening.onupgradeneeded = ({ oldVersion }) => {
      for (const step of (upgrades ?? []).slice(oldVersion)) step(opening.result, opening.transaction);
    };
    opening.onsuccess = () => {
      clearTimeout(timer);
      if (isLate) opening.result.close();
      else resolve(opening.result);
    };
    opening.onerror = () => {
      clearTimeout(timer);
      reject(opening.error);
    };
  });
}

// A list as the version before kept it. What cannot be read stays under another name, for whoever looks for it.
function listed(name) {
  let text = null;
  try {
    text = localStorage.getItem(name);
    const list = JSON.parse(text ?? "[]");
    if (Array.isArray(list) && list.every((item) => (item?.scan ?? item)?.id)) return list;
  } catch {
    // Torn, or forbidden.
  }
  if (text !== null) localStorage.setItem(`${name}.unread`, text);
  return [];
}

// At the end of the queue, under the next number of this device's sequence, by which the server notices what never came.
// A call for help is no scan and has none.
function place(scans, kept, record) {
  scans.add(record).onsuccess = ({ target: { result: seq } }) => {
    record.seq = seq;
    kept.get("number").onsuccess = ({ target: { result: last } }) => {
      const before = last ?? seq - 1; // a version before this one counted by the key
      if (!record.help) scans.put(Object.assign(record, { number: before + 1 }));
      kept.put(record.number ?? before, "number");
    };
  };
}

export class Store {
  constructor(upgrades = UPGRADES) {
    this.upgrades = upgrades;
    this.opening = null;
  }

  open() {
    this.opening ??= this.connect();
    return this.opening;
  }

  async connect() {
    try {
      const db = await connect(this.upgrades).catch((error) => {
        if (error.name !== "VersionError") throw error;
        return connect(null); // a newer version is in use
      });
      // Another tab brings a newer version: it must not wait for this one. The next use opens it again.
      db.onversionchange = () => this.close();
      db.onclose = () => (this.opening = null);
      return db;
    } catch (error) {
      this.opening = null;
      throw new NoStore(error?.message ?? "IndexedDB is closed to this page");
    }
  }

  close() {
    this.opening?.then((db) => db.close()).catch(() => {});
    this.opening = null;
  }

  // One transaction, on the disk when the promise is fulfilled. `work(stores)` returns a request, or a value.
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
  // {record, waiting}: the scan with its place, and how many wait with it. NoStore if it could not be kept.
  async add(scan) {
    const record = { ...scan, waits: 1 };
    const waiting = await this.write(["scans", "kept"], (scans, kept) => {
      place(scans, kept, record);
      return scans.index("waits").count(1);
    });
    return { record, waiting };
  }

  waiting(most) {
    return this.read("scans", (scans) => scans.index("waits").getAll(1, most));
  }

  // {first, waiting, aside}: the oldest scan that waits, how many do, and how many a person must look at.
  async look() {
    let first = null;
    let waiting = 0;
    const all = await this.read("scans", (scans) => {
      scans.index("waits").get(1).onsuccess = ({ target }) => (first = target.result ?? null);
      scans.index("waits").count(1).onsuccess = ({ target }) => (waiting = target.result);
      return scans.count();
    });
    return { first, waiting, aside: all - waiting };
  }

  async aside() {
    return (await this.read("scans", (scans) => scans.getAll())).filter((scan) => !scan.waits);
  }

  remove(seqs) {
    return this.write(["scans"], (scans) => seqs.forEach((seq) => scans.delete(seq)));
  }

  // In one transaction: `decide(scan)`, called with each scan as it lies here now, says {forget}, {keep: record} instead,
  // or {follow: record} that goes to the end of the queue in its place. A scan that another tab has settled is left out.
  settle(seqs, decide) {
    return this.write(["scans", "kept"], (scans, kept) => {
      for (const seq of seqs) {
        scans.get(seq).onsuccess = ({ target: { result: scan } }) => {
          const { forget, keep, follow } = scan ? decide(scan) : {};
          if (keep) scans.put(keep);
          if (forget || follow) scans.delete(seq);
          if (follow) place(scans, kept, Object.assign(follow, { waits: 1 }));
        };
      }
    });
  }

  // Takes back a scan that was not sent yet; null if it is not waiting here any more.
  async withdraw(id, withdrawn) {
    let found = null;
    await this.write(["scans"], (scans) => {
      scans.index("id").get(id).onsuccess = ({ target: { result: scan } }) => {
        if (!scan?.waits) return;
        found = { ...scan, withdrawn: scan.withdrawn ?? withdrawn };
        scans.put(found);
      };
    });
    return found;
  }

  // A person sends it again from the tray: in its old place, or at the end of the queue as a scan of its own (`id`).
  again(scan, id = scan.id) {
    const { refusal, waits, faults, withdrawn, ...told } = scan;
    return this.write(["scans", "kept"], (scans, kept) => {
      if (id === scan.id) return scans.put({ ...told, waits: 1 });
      const { seq, number, ...anew } = told;
      scans.delete(seq);
      return place(scans, kept, { ...anew, id, waits: 1 });
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

  // Scans that the version before kept as one list in localStorage; the list goes when they are on the disk. Tabs that
  // do it at once add each scan once.
  async adopt(fields) {
    const lists = Object.entries(BEFORE).map(([kind, name]) => [kind, name, listed(name)]);
    const of = ({ occurred_at, ...scan }) => ({ ...fields, ...scan, at: Date.parse(occurred_at) || fields.at });
    const found = lists.flatMap(([kind, , list]) =>
      list.map((item) =>
        kind === "waiting" ? { ...of(item), waits: 1 } : { ...of(item.scan), refusal: { status: item.status, message: item.message } },
      ),
    );
    if (!found.length) return;
    await this.write(["scans"], (scans) => {
      for (const scan of found) {
        scans.index("id").getKey(scan.id).onsuccess = ({ target }) => target.result === undefined && scans.add(scan);
      }
    });
    for (const [, name] of lists) localStorage.removeItem(name);
  }
}
