// Sends a file from the browser to the store: hash, reserve, transfer, finalise. Without it the same form posts multipart.
//
// <form data-upload data-reserve-url="…" data-max-bytes="…" [data-into="#list"]>, or any element with these attributes
//   (inside another form, where a form cannot be), holding <input type="file"> and the fields sent along.
//   POST reserve JSON {name, size, sha256, type, …fields} with X-CSRFToken
//     → 201 {id, upload: {method, url, headers}, finalise_url}
//   PUT the bytes → POST finalise_url → 200 {html} or a problem {title, detail}
// html: elements whose id is on the page take its place, others go into data-into, else where the row was.
// Starts when a file is chosen or dropped; with a visible select (the type of evidence) it waits for the button.
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;
  const KINDS = ["pdf", "docx", "xlsx", "csv", "png", "jpg", "jpeg"];
  const PAINT_EVERY = 250;
  const QUARTERS = [25, 50, 75, 100];

  if (!window.crypto?.subtle) return; // not a secure origin: the plain form does it

  class Refusal extends Error {}

  const size = (bytes) => (bytes < 100_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
  const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");

  const check = (box, file) => {
    const most = Number(box.dataset.maxBytes || 200_000_000);
    if (!KINDS.includes(file.name.split(".").pop().toLowerCase())) return "The file must be PDF, DOCX, XLSX, CSV, PNG or JPG";
    if (file.size === 0) return "The file is empty";
    if (file.size > most) return `The file must be smaller than ${Math.round(most / 1e6)} MB; this one is ${Math.ceil(file.size / 1e6)} MB`;
    return "";
  };
  const fields = (box) => {
    const data = {};
    for (const field of box.querySelectorAll("input[name], select[name], textarea[name]")) {
      if (field.type === "file" || field.name === "csrf_token" || field.disabled) continue;
      if ((field.type === "radio" || field.type === "checkbox") && !field.checked) continue;
      data[field.name] = field.value;
    }
    return data;
  };

  async function ask(url, payload, signal) {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": portal.csrf() },
      body: JSON.stringify(payload ?? {}),
      redirect: "manual",
      signal,
    });
    if (answer.type === "opaqueredirect" || answer.status === 401) throw new Refusal("You are signed out. Sign in in another tab, then press Try again");
    let told = {};
    try {
      told = await answer.json();
    } catch {
      // Neither an answer nor a problem document: the words below are ours.
    }
    if (!answer.ok) throw new Refusal(told.detail || told.title || "We could not keep that file. Press Try again");
    return told;
  }

  function transfer(file, { method = "PUT", url, headers = {} }, progress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let sent = 0;
      const stopped = () => new Refusal(`The upload stopped at ${Math.floor((100 * sent) / file.size)} %. Press Try again`);
      request.open(method, url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      if (new URL(url, location.href).origin === location.origin) request.setRequestHeader("X-CSRFToken", portal.csrf());
      request.upload.onprogress = (event) => {
        sent = event.loaded;
        progress(event.loaded);
      };
      request.onload = () => (request.status < 300 ? resolve() : reject(stopped()));
      request.onerror = () => reject(stopped());
      request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
      signal.addEventListener("abort", () => request.abort());
      request.send(file);
    });
  }

  class Row {
    constructor(box, file) {
      this.box = box;
      this.file = file;
      this.spoken = box.querySelector("[data-upload-spoken]");
      this.element = box.querySelector("template[data-upload-row]").content.firstElementChild.cloneNode(true);
      this.find("[data-name]").textContent = file.name;
      for (const place of this.element.querySelectorAll("[data-of]")) place.textContent = ` upload of ${file.name}`;
      this.find("[data-cancel]").addEventListener("click", () => this.cancel());
      this.find("[data-retry]").addEventListener("click", () => this.start());
      box.querySelector("[data-upload-rows]").append(this.element);
    }
    find(selector) {
      return this.element.querySelector(selector);
    }
    say(words) {
      this.find("[data-words]").textContent = words;
    }
    speak(words) {
      if (this.spoken) this.spoken.textContent = `${this.file.name}: ${words}`;
    }
    paint(loaded) {
      const now = performance.now();
      const percent = Math.floor((100 * loaded) / this.file.size);
      const quarter = QUARTERS.filter((q) => q <= percent).pop() ?? 0;
      if (quarter > this.quarter) {
        this.quarter = quarter;
        this.speak(`${quarter} percent`);
      }
      if (now - this.painted < PAINT_EVERY && loaded < this.file.size) return;
      this.painted = now;
      const seconds = Math.ceil(((this.file.size - loaded) * (now - this.began)) / Math.max(loaded, 1) / 1000);
      const left = loaded < this.file.size && seconds < 3600 ? `, about ${seconds === 1 ? "1 second" : `${seconds} seconds`} left` : "";
      this.say(`${size(loaded)} of ${size(this.file.size)}${left}. You can keep working.`);
      this.find("[data-fill]").setAttribute("width", String(percent));
      this.find("[data-bar]").setAttribute("aria-label", `Uploading, ${percent} percent`);
    }
    async start() {
      this.stop = new AbortController();
      this.began = performance.now();
      this.painted = 0;
      this.quarter = 0;
      this.find("[data-retry]").hidden = true;
      this.find("[data-words]").classList.remove("c-bad");
      this.find("[data-fill]").setAttribute("class", "v");
      this.find("[data-bar]").setAttribute("aria-label", "Uploading, 0 percent");
      this.say("Reading the file");
      try {
        const wrong = check(this.box, this.file);
        if (wrong) throw new Refusal(wrong);
        const sha256 = hex(await crypto.subtle.digest("SHA-256", await this.file.arrayBuffer()));
        const { name, size: bytes, type } = this.file;
        const slot = await ask(this.box.dataset.reserveUrl, { ...fields(this.box), name, size: bytes, sha256, type }, this.stop.signal);
        this.began = performance.now();
        await transfer(this.file, slot.upload, (loaded) => this.paint(loaded), this.stop.signal);
        this.say("Uploaded. Checking the file.");
        this.find("[data-cancel]").hidden = true;
        const { html = "" } = await ask(slot.finalise_url, { id: slot.id }, this.stop.signal);
        this.done(html);
      } catch (error) {
        if (error.name === "AbortError") this.element.remove();
        else this.fail(error instanceof Refusal ? error.message : "You are offline. Press Try again when the connection returns");
      }
    }
    cancel() {
      this.stop?.abort();
      this.element.remove();
      this.box.querySelector('input[type="file"]')?.focus();
    }
    fail(words) {
      this.say(words);
      this.speak(words);
      this.find("[data-words]").classList.add("c-bad");
      this.find("[data-fill]").setAttribute("class", "v v-bad");
      this.find("[data-retry]").hidden = false;
      this.find("[data-cancel]").hidden = false;
    }
    done(html) {
      const swapped = new Set(portal.swap(html));
      const rest = [...portal.parse(html).body.children].filter((element) => !swapped.has(element.id));
      const into = this.box.dataset.into && doc.querySelector(this.box.dataset.into);
      if (into) into.append(...rest);
      else this.element.before(...rest);
      this.element.remove();
      this.speak("uploaded");
    }
  }

  // One after another: the link is the bottleneck, and a half-sent row is worse than a waiting one.
  let queue = Promise.resolve();
  const take = (box, files) => {
    for (const file of files) {
      const row = new Row(box, file);
      row.say("Waiting");
      queue = queue.then(() => row.element.isConnected && row.start());
    }
  };
  const waits = (box) => box.matches("form") && box.querySelector("select") !== null;

  doc.addEventListener("change", (event) => {
    const box = event.target.matches?.('input[type="file"]') && event.target.closest("[data-upload]");
    if (!box || waits(box) || !event.target.files.length) return;
    take(box, [...event.target.files]);
    event.target.value = "";
  });
  doc.addEventListener("submit", (event) => {
    const box = event.target;
    if (!box.matches("[data-upload]")) return;
    const input = box.querySelector('input[type="file"]');
    if (!input.files.length) return; // the server says what is missing, in the words of the page
    event.preventDefault();
    take(box, [...input.files]);
    input.value = "";
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    doc.addEventListener(name, (event) => {
      const drop = event.target.closest?.("[data-drop]");
      const box = drop?.closest("[data-upload]");
      if (!box) return;
      event.preventDefault();
      drop.toggleAttribute("data-over", name === "dragover");
      if (name !== "drop") return;
      if (waits(box)) box.querySelector('input[type="file"]').files = event.dataTransfer.files;
      else take(box, [...event.dataTransfer.files]);
    });
  }
})();
