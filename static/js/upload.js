// Sends files from the browser to the store, in parts that go on where they stopped. Without it the form posts multipart.
// <form data-upload data-reserve-url data-hasher data-max-bytes data-into?> with a file input and the fields sent along.
// POST reserve → {id, finalise_url, cancel_url} and upload: {method, url, headers} or parts: {size, count, have, url, at_once};
//   reserving the same file again finds the same place: that is resuming. POST finalise_url → {html, state}.
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;
  const KINDS = ["pdf", "docx", "xlsx", "csv", "png", "jpg", "jpeg"];
  const PIECE = 1_000_000; // hashed at a time: a few milliseconds, so that the page stays quick
  const WHOLE = 8_000_000; // up to here the browser hashes by itself
  const PAINT_EVERY = 200;
  const TRIES = 6;
  const KEY = "upload:";

  if (!window.crypto?.subtle) return; // not a secure origin: the plain form does it

  // state: "refused" (this file is not taken), "stop" (somebody has to do something first), "retry" (by itself).
  const halt = (state, words = "", after = 0) => Object.assign(new Error(words), { state, after: Number(after) });
  const word = portal.word;
  const LANG = doc.documentElement.lang;

  const tenths = (number) => number.toLocaleString(LANG, { minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: false });
  const size = (bytes) => (bytes < 100_000 ? `${Math.round(bytes / 1000)} kB` : `${tenths(bytes / 1e6)} MB`);
  const of = (some, all) => word("some_of_all", { some: all < 100_000 ? size(some) : tenths(some / 1e6), all: size(all) });
  const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
  const subtle = async (blob) => hex(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  const text = (element, words) => element && (element.textContent = words);
  // Ends early when the connection returns or the upload is stopped.
  const wait = (ms, signal) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms);
      addEventListener("online", resolve, { once: true });
      signal?.addEventListener("abort", resolve);
    });

  const check = (box, file) => {
    const most = Number(box.dataset.maxBytes);
    if (!KINDS.includes(file.name.split(".").pop().toLowerCase())) return word("wrong_type");
    if (file.size === 0) return word("empty");
    return file.size > most ? word("too_large", { most: most / 1e6, size: Math.ceil(file.size / 1e6) }) : "";
  };
  const fields = (box) => {
    const data = Object.fromEntries(new FormData(box));
    for (const field of box.querySelectorAll('[type="file"], [name="csrf_token"]')) delete data[field.name];
    return data;
  };

  async function hash(box, file, signal, told) {
    if (file.size <= WHOLE) return subtle(file);
    const digest = (await import(box.dataset.hasher)).sha256.create();
    for (let at = 0; at < file.size; at += PIECE) {
      signal.throwIfAborted();
      digest.update(await file.slice(at, at + PIECE).arrayBuffer());
      told(Math.floor((100 * at) / file.size));
    }
    return digest.hex();
  }

  async function ask(url, payload, { signal, renewed = false, keepalive = false } = {}) {
    let answer;
    try {
      answer = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": portal.csrf() },
        body: JSON.stringify(payload),
        redirect: "manual",
        signal,
        keepalive,
      });
    } catch (error) {
      throw error.name === "AbortError" ? error : halt("retry");
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) throw halt("stop", word("signed_out"));
    if (answer.status === 400 && !renewed && (await portal.renewCsrf())) return ask(url, payload, { signal, renewed: true, keepalive });
    if (answer.status === 204) return {};
    let told = {};
    try {
      told = await answer.json();
    } catch {
      // The words below are ours.
    }
    if (answer.ok) return told;
    const { status } = answer;
    if (status >= 500 || status === 429 || status === 410) throw halt("retry", told.detail, answer.headers.get("Retry-After"));
    throw halt(status === 409 ? "stop" : "refused", told.detail || word("not_kept"));
  }

  function send(blob, { method, url, headers }, progress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      if (new URL(url, location.href).origin === location.origin) request.setRequestHeader("X-CSRFToken", portal.csrf());
      request.upload.onprogress = (event) => progress(event.loaded);
      // 409 and 412: these bytes are there already, only the answer was lost.
      request.onload = () =>
        request.status < 300 || [409, 412].includes(request.status)
          ? resolve()
          : reject(request.status === 401 ? halt("stop", word("signed_out")) : halt("retry", "", request.getResponseHeader("Retry-After")));
      request.onerror = () => reject(halt("retry"));
      request.onabort = () => reject(signal.reason);
      signal.addEventListener("abort", () => request.abort());
      request.send(blob);
    });
  }

  class Row {
    // was: an upload begun before, {id, name, size, sha256, cancel_url, fields}.
    constructor(box, file, was, old) {
      Object.assign(this, { box, file, was, got: 0, flying: new Map(), quarter: 0 });
      this.name = (was ?? file).name;
      this.size = (file ?? was).size;
      this.element = (box.querySelector("template[data-upload-row]") ?? doc.querySelector("template[data-upload-row]")).content.firstElementChild.cloneNode(true);
      text(this.find("[data-name]"), this.name);
      for (const place of this.element.querySelectorAll("[data-of]")) place.textContent = ` ${word("upload_of", { name: this.name })}`;
      this.element.addEventListener("click", (event) => {
        const does = event.target.closest("[data-do]")?.dataset.do;
        if (does) this[does]();
      });
      if (old) old.replaceWith(this.element);
      else box.querySelector("[data-upload-rows]").append(this.element);
    }
    find(selector) {
      return this.element.querySelector(selector);
    }
    speak(words) {
      text(this.box.querySelector("[data-upload-spoken]"), `${this.name}: ${words}`);
    }
    show(state, words) {
      const held = this.element.contains(doc.activeElement);
      this.state = state;
      for (const button of this.element.querySelectorAll("[data-do]")) button.hidden = !button.dataset.in.split(" ").includes(state);
      if (held && !this.element.contains(doc.activeElement)) this.find("[data-do]:not([hidden])")?.focus();
      const bad = state === "refused" || (state === "stop" && !this.paused);
      this.find("[data-words]").classList.toggle("c-bad", bad);
      this.find("[data-fill]").setAttribute("class", bad ? "v v-bad" : state === "send" ? "v" : "v v-off");
      this.find("[data-bar]").toggleAttribute("hidden", state === "refused");
      const use = this.find("use");
      const picture = { send: "cloud-upload", refused: "file-x", check: "scan-line" }[state] ?? "circle-pause";
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#i-${picture}`));
      text(this.find("[data-words]"), words);
    }
    get percent() {
      const flying = [...this.flying.values()].reduce((sum, each) => sum + each, 0);
      this.loaded = Math.min(this.got + flying, this.size);
      return Math.floor((100 * this.loaded) / this.size);
    }
    paint(now = performance.now()) {
      const percent = this.percent;
      const quarter = 25 * Math.floor(percent / 25);
      if (quarter > this.quarter) this.speak(word("percent", { percent: (this.quarter = quarter) }));
      if (now - this.painted < PAINT_EVERY && percent < 100) return;
      this.painted = now;
      const rate = (this.loaded - this.from) / (now - this.began);
      const seconds = Math.ceil((this.size - this.loaded) / rate / 1000);
      const known = rate > 0 && seconds > 0 && seconds < 86_400;
      const unit = seconds === 1 ? "second_left" : seconds < 90 ? "seconds_left" : "minutes_left";
      const arrived = of(this.loaded, this.size);
      const n = seconds < 90 ? seconds : Math.ceil(seconds / 60);
      text(this.find("[data-words]"), known ? word(unit, { arrived, n }) : word("arriving", { arrived }));
      this.bar(percent);
    }
    bar(percent) {
      this.find("[data-fill]").setAttribute("width", String(percent));
      this.find("[data-bar]").setAttribute("aria-label", word("percent_arrived", { percent }));
    }

    async run() {
      const { signal } = (this.stopping = new AbortController());
      this.paused = false;
      this.fields = { ...fields(this.box), ...this.was?.fields };
      this.show("send", word("reading"));
      try {
        const wrong = check(this.box, this.file);
        if (wrong) throw halt("refused", wrong);
        this.sha256 ??= await hash(this.box, this.file, signal, (percent) => this.show("send", word("reading_percent", { percent })));
        if (this.was && this.was.sha256 !== this.sha256) return this.other();
        for (let tries = 0; ; ) {
          const before = this.got;
          try {
            return await this.pass(signal);
          } catch (error) {
            if (error.state !== "retry") throw error;
            signal.throwIfAborted();
            tries = this.got > before ? 0 : tries + 1;
            if (navigator.onLine && tries >= TRIES) throw error;
            const ms = Math.max(500 * 2 ** tries, 1000 * Math.min(error.after, 8));
            if (!navigator.onLine) this.show("send", word("upload_offline", { arrived: of(this.got, this.size) }));
            else this.show("send", word("trying", { why: error.message || word("lost") }));
            await wait(navigator.onLine ? ms : 60_000, signal);
          }
        }
      } catch (error) {
        if (this.gone) return;
        this.flying.clear();
        this.bar(this.percent);
        if (signal.aborted) return this.show("stop", word("paused", { percent: this.percent }));
        if (/^Not(Readable|Found)Error/.test(error.name)) error = halt("refused", word("unreadable"));
        const told = error.state ? error.message : "";
        const state = error.state === "refused" ? "refused" : "stop";
        const words = error.state && error.state !== "retry" ? told : `${told && `${told}. `}${word("stopped", { percent: this.percent })}`;
        if (state === "refused") this.forget();
        this.show(state, words);
        this.speak(words);
      }
    }
    async pass(signal) {
      const { name } = this.file;
      const slot = await ask(this.box.dataset.reserveUrl, { ...this.fields, name, size: this.size, sha256: this.sha256 }, { signal });
      this.slot = slot;
      doc.getElementById(`unfinished-${slot.id}`)?.remove();
      try {
        const { id, cancel_url } = slot;
        sessionStorage.setItem(KEY + id, JSON.stringify({ id, cancel_url, url: slot.parts?.url, box: this.box.id, name, size: this.size, sha256: this.sha256, fields: this.fields }));
      } catch {
        // The library page lists the upload all the same.
      }
      const parts = slot.parts ?? { size: this.size, count: 1, have: [], at_once: 1 };
      const span = (number) => [(number - 1) * parts.size, Math.min(number * parts.size, this.size)];
      const todo = [];
      this.flying.clear();
      this.got = 0;
      for (let number = 1; number <= parts.count; number++) {
        const [from, to] = span(number);
        if (parts.have.includes(number)) this.got += to - from;
        else todo.push(number);
      }
      Object.assign(this, { from: this.got, began: performance.now(), painted: 0 });
      this.show("send", "");
      this.paint();
      let broken = false;
      const lane = async () => {
        for (let number; !broken && (number = todo.shift()); ) {
          try {
            const blob = this.file.slice(...span(number));
            const told = slot.upload ?? (await ask(parts.url, { parts: [{ number, sha256: await subtle(blob) }] }, { signal })).parts[0];
            await send(blob, told, (loaded) => (this.flying.set(number, Math.min(loaded, blob.size)), this.paint()), signal);
            this.flying.delete(number);
            this.got += blob.size;
            this.paint();
          } catch (error) {
            this.flying.delete(number);
            broken = true; // the others finish the part they are at
            throw error;
          }
        }
      };
      const ends = await Promise.allSettled(Array.from({ length: parts.at_once }, lane));
      const failed = ends.find((end) => end.status === "rejected");
      if (failed) throw failed.reason;
      this.show("check", word("checking"));
      this.done(await ask(slot.finalise_url, { id: slot.id }, { signal }));
    }
    done({ html, state }) {
      this.forget();
      const swapped = new Set(portal.swap(html));
      const rest = [...portal.parse(html).body.children].filter((element) => !swapped.has(element.id));
      const into = this.box.dataset.into && doc.querySelector(this.box.dataset.into);
      if (into) into.append(...rest);
      else this.element.before(...rest);
      this.element.remove();
      this.speak(word("uploaded"));
      if (state === "received") this.look(5000);
    }
    async look(ms) {
      await wait(ms);
      try {
        const { html, state } = await ask(this.slot.finalise_url, {});
        if (state !== "received") return portal.swap(html);
      } catch (error) {
        if (error.state === "refused") return text(doc.querySelector(`#evidence-${this.slot.id} small`), error.message);
      }
      if (ms < 300_000) this.look(ms * 1.5);
    }
    other() {
      this.file = this.sha256 = null;
      this.show("again", word("other_file", { name: this.was.name }));
    }
    forget() {
      if (this.slot) sessionStorage.removeItem(KEY + this.slot.id);
    }
    pause() {
      this.paused = true;
      this.stopping.abort();
    }
    resume() {
      this.run();
    }
    another() {
      pick(this);
    }
    again() {
      pick(this);
    }
    cancel() {
      this.gone = true;
      this.stopping?.abort();
      const { id, cancel_url } = this.slot ?? this.was ?? {};
      if (id) sessionStorage.removeItem(KEY + id);
      if (cancel_url && this.state !== "refused") ask(cancel_url, {}, { keepalive: true }).catch(() => {}); // arrives though the page is left; if it fails, the place ends by itself
      this.element.remove();
      this.box.querySelector('input[type="file"]').focus();
      this.speak(word("cancelled"));
    }
  }

  // The row that the next chosen file is for.
  let picking = null;
  const pick = (row) => {
    picking = row;
    row.box.querySelector('input[type="file"]').click();
  };

  // One after another: the link is the bottleneck, and a half-sent row is worse than a waiting one.
  let queue = Promise.resolve();
  const take = (box, files) => {
    const chosen = [...files];
    const old = picking?.box === box && chosen.length ? picking : null;
    picking = null;
    for (const file of chosen) {
      const mine = file === chosen[0] ? old : null;
      const row = new Row(box, file, mine?.was, mine?.element);
      if (mine && mine.was && mine.was.size !== file.size) {
        row.other();
        continue;
      }
      const kind = !mine?.was && box.querySelector("select");
      if (kind && !kind.value) {
        row.show("wait", word("choose_type"));
        kind.focus();
        kind.addEventListener("change", () => line(row), { once: true });
      } else line(row);
    }
  };
  const line = (row) => {
    row.show("wait", word("waiting"));
    queue = queue.then(() => !row.gone && row.run());
  };

  const chosen = ({ target }) => {
    const box = target.matches?.('input[type="file"]') && target.closest("[data-upload]");
    if (!box || !target.files.length) return;
    take(box, target.files);
    target.value = "";
  };
  doc.addEventListener("change", chosen);
  doc.addEventListener("cancel", (event) => event.target.matches?.('[data-upload] input[type="file"]') && (picking = null), true);
  for (const name of ["dragover", "dragleave", "drop"]) {
    doc.addEventListener(name, (event) => {
      const drop = event.target.closest?.("[data-drop]");
      const box = drop?.closest("[data-upload]");
      if (!box) return;
      event.preventDefault();
      drop.toggleAttribute("data-over", name === "dragover");
      if (name === "drop") take(box, event.dataTransfer.files);
    });
  }

  // What was begun before this page was loaded: told by the server, or by this tab.
  const waiting = async (box, was, place) => {
    const row = new Row(box, null, was, place);
    row.show("again", word("not_in_full", { size: size(was.size) }));
    if (!was.url) return;
    try {
      const { size: each, count, have } = await ask(was.url, { parts: [] });
      row.got = have.reduce((sum, number) => sum + (number < count ? each : was.size - each * (count - 1)), 0);
      row.bar(row.percent);
      text(row.find("[data-words]"), word("arrived_again", { arrived: of(row.got, was.size) }));
    } catch (error) {
      if (!["refused", "stop"].includes(error.state)) return;
      sessionStorage.removeItem(KEY + was.id);
      row.element.remove();
    }
  };
  const kept = Object.keys(sessionStorage).filter((key) => key.startsWith(KEY)).map((key) => JSON.parse(sessionStorage.getItem(key)));
  for (const element of doc.querySelectorAll("[data-unfinished]")) {
    const { unfinished: id, form, name, size: bytes, sha256, kind, supersedes } = element.dataset;
    const box = doc.getElementById(form);
    const told = supersedes ? { kind, supersedes } : { kind };
    const was = { id, name, size: Number(bytes), sha256, fields: { ...kept.find((each) => each.id === id)?.fields, ...told } };
    if (box) waiting(box, { ...was, cancel_url: element.querySelector("form").action, url: element.dataset.parts }, element);
  }
  for (const was of kept) {
    const box = doc.getElementById(was.box);
    if (box?.matches(".up-c")) waiting(box, was);
  }
  // And what was chosen while this script was on its way; from here on it is asked directly.
  doc.querySelector('meta[name="sender"]')?.remove();
  for (const target of doc.querySelectorAll('[data-upload] input[type="file"]')) chosen({ target });
})();
