// What every page needs: theme without a reload, sign-out that forgets drafts, focus on the error summary,
// character counts, menus that close, unsent messages, what sends files. Offers window.portal to the other scripts. Nothing here is needed to use a page.
(() => {
  "use strict";
  const doc = document;

  // The only door for markup from our own server under Trusted Types. Scripts parsed this way never run.
  const doors = {
    createHTML: (text) => text,
    createScriptURL(url) {
      if (!/^\/static\/js\/\w+\.js\?v=\w+$/.test(url)) throw new TypeError(url);
      return url;
    },
  };
  const policy = window.trustedTypes ? trustedTypes.createPolicy("portal", doors) : doors;
  const parse = (text) => new DOMParser().parseFromString(policy.createHTML(text), "text/html");

  // Fetches one of our own scripts when it is needed for the first time.
  const { nonce } = doc.currentScript;
  const load = (url) => {
    if (doc.querySelector(`script[src="${CSS.escape(url)}"]`)) return;
    const script = doc.createElement("script");
    script.nonce = nonce;
    script.src = policy.createScriptURL(url);
    script.onerror = () => script.remove(); // the next need tries again
    doc.head.append(script);
  };

  const csrf = () => doc.querySelector('meta[name="csrf-token"]')?.content ?? "";

  // After signing in again the old token is worthless: read the new one from this page's own address.
  const renewCsrf = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (!answer.ok) return false;
    const fresh = parse(await answer.text());
    const token = fresh.querySelector('meta[name="csrf-token"]')?.content;
    // Somebody else may have signed in meanwhile: what waits on this page is never sent under another name.
    const whose = (page) => page.querySelector('meta[name="session"]')?.dataset.holder;
    if (!token || whose(fresh) !== whose(doc)) return false;
    doc.querySelector('meta[name="csrf-token"]').content = token;
    for (const field of doc.querySelectorAll('input[name="csrf_token"]')) field.value = token;
    return true;
  };

  // The page's own words for scripts: <meta name="words" content='{"saving": "Saving…"}'>, with %(name)s for values.
  const known = Object.assign({}, ...[...doc.querySelectorAll('meta[name="words"]')].map((each) => JSON.parse(each.content)));
  const word = (key, values = {}) =>
    (known[key] ?? key).replace(/%\((\w+)\)s|%%/g, (all, name) => (name ? (values[name] ?? all) : "%"));

  const wake = (root) => {
    for (const area of root.querySelectorAll("[data-limit]")) count(area);
    doc.dispatchEvent(new CustomEvent("portal:swapped", { detail: root }));
  };

  // Replace what the answer names: each of its top-level elements takes the place of the one with the same id.
  // Where somebody is typing, only the parts marked data-swap change, so that no key and no focus is lost.
  const swap = (text, { keep = () => false } = {}) => {
    const replaced = [];
    for (const fresh of [...parse(text).body.children]) {
      const old = fresh.id && doc.getElementById(fresh.id);
      if (!old) continue;
      if (keep(old) || old.contains(doc.activeElement)) {
        for (const part of fresh.querySelectorAll("[data-swap][id]")) {
          const place = doc.getElementById(part.id);
          if (place && old.contains(place) && !place.contains(doc.activeElement)) {
            place.replaceWith(part);
            wake(part);
          }
        }
        for (const name of ["version"]) {
          const from = fresh.querySelector(`input[name="${name}"]`);
          const to = old.querySelector(`input[name="${name}"]`);
          if (from && to) to.value = from.value;
        }
      } else {
        old.replaceWith(fresh);
        wake(fresh);
      }
      replaced.push(fresh.id);
    }
    return replaced;
  };

  function count(area) {
    const place = doc.querySelector(`[data-count-of="${CSS.escape(area.id)}"]`);
    const limit = Number(area.dataset.limit);
    if (!place || !limit) return;
    const n = (x) => x.toLocaleString(doc.documentElement.lang);
    place.textContent = word("count", { n: n(area.value.length), most: n(limit) });
    place.classList.toggle("count-over", area.value.length > limit);
  }

  doc.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-limit]")) count(event.target);
  });

  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-sign-out]")) {
      sessionStorage.clear();
    } else if (form.matches("[data-theme-form]") && event.submitter) {
      event.preventDefault();
      const theme = event.submitter.value;
      const secure = location.protocol === "https:" ? "; Secure" : "";
      doc.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
      doc.documentElement.dataset.theme = theme;
      doc.querySelector('meta[name="color-scheme"]').content = theme;
      form.querySelector(theme === "dark" ? ".to-light" : ".to-dark")?.focus();
    }
  });

  const closeMenus = (except) => {
    for (const menu of doc.querySelectorAll("details[data-menu][open]")) if (menu !== except) menu.open = false;
  };
  doc.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
  doc.addEventListener("keydown", (event) => {
    const open = doc.querySelector("details[data-menu][open]");
    if (event.key === "Escape" && open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });

  // What stands in <form data-draft> stays in this browser until it is sent; the store is emptied at sign-out.
  const holder = doc.querySelector('meta[name="session"]')?.dataset.holder;
  const draft = (field) => `letter:${holder}:${location.pathname}:${field.id}`;
  const drafts = "[data-draft] textarea";
  for (const field of doc.querySelectorAll(drafts)) {
    field.value ||= sessionStorage.getItem(draft(field)) ?? "";
    if (field.value) field.closest("details")?.setAttribute("open", "");
  }
  doc.addEventListener("input", ({ target }) => {
    if (target.matches(drafts)) sessionStorage.setItem(draft(target), target.value);
  });
  doc.addEventListener("submit", ({ target }) => {
    for (const field of target.querySelectorAll(drafts)) sessionStorage.removeItem(draft(field));
  });

  window.portal = Object.freeze({ parse, load, csrf, renewCsrf, swap, wake, word });
  wake(doc);
  doc.querySelector("[data-error-summary]")?.focus();

  // What sends files comes when a file is about to be chosen, or when one waits that was sent in part. Then it takes over.
  const sender = doc.querySelector('meta[name="sender"]');
  if (sender) {
    const bring = () => sender.isConnected && load(sender.content);
    const near = ({ type, target }) => (type === "dragenter" || target.closest?.("[data-upload]")) && bring();
    const chosen = () => [...doc.querySelectorAll('[data-upload] [type="file"]')].some((field) => field.files.length) && bring();
    for (const name of ["focusin", "pointerover", "change", "dragenter"]) doc.addEventListener(name, near);
    doc.addEventListener("drop", (event) => {
      const field = event.target.closest?.("[data-drop]")?.closest("[data-upload]")?.querySelector('[type="file"]');
      if (!field || !sender.isConnected) return;
      event.preventDefault();
      field.files = event.dataTransfer.files;
      bring();
    });
    addEventListener("online", chosen);
    chosen();
    if (doc.querySelector("[data-unfinished]") || Object.keys(sessionStorage).some((key) => key.startsWith("upload:"))) bring();
  }
})();

// The session of a signed-in page: says five minutes before it ends, and signs in again in place.
//
// <meta name="session" content="<seconds left>" data-holder="<whose page>" data-passkey="<address of passkey.js>">
// "portal:signed-out" on document opens the panel (in [data-sign-in-place]); "portal:signed-in" says to repeat what waited.
(() => {
  "use strict";
  const doc = document;
  const { csrf, load, parse, wake, word } = window.portal;
  const meta = doc.querySelector('meta[name="session"]');
  if (!meta) return;
  const { holder, passkey } = meta.dataset;
  const main = doc.querySelector("#main");
  const SOON = 300_000;
  const LASTS = 1800_000; // at most; the server is asked before anything is said
  let ends = Date.now() + meta.content * 1000;
  let timer = 0;
  let bar = null;

  const ask = (url, options = {}) => fetch(url, { ...options, headers: { "HX-Request": "true", ...options.headers } });
  // Short timers: a sleeping machine holds them back.
  const plan = (wait = ends - Date.now() - SOON) => {
    clearTimeout(timer);
    timer = setTimeout(look, Math.min(Math.max(wait, 1000), 60_000));
  };
  const goOn = () => {
    ends = Date.now() + LASTS;
    tell("");
    plan();
  };

  async function look() {
    if (ends - Date.now() > SOON) return plan();
    try {
      const told = await (await ask("/session")).json();
      ends = Date.now() + told.left * 1000;
      if (told.holder !== holder) return tell(word("session-over"), "session-again", () => open(true));
      const time = new Date(ends).toLocaleTimeString(doc.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      if (ends - Date.now() > SOON) tell("");
      else if (told.more) tell(word("session-soon", { time }), "session-stay", stay);
      else tell(word("session-last", { time }));
    } catch {
      // Offline nothing is known; the next look asks again.
    }
    plan(30_000);
  }

  async function stay() {
    const answer = await ask("/session", { method: "POST", headers: { "X-CSRFToken": csrf() } }).catch(() => ({}));
    if (answer.status !== 204) return look();
    goOn();
    main.focus();
  }

  function tell(words, label, act) {
    if (bar?.dataset.words === words) return;
    bar?.remove();
    bar = null;
    if (!words) return;
    bar = doc.createElement("div");
    bar.className = "savenote";
    bar.dataset.words = words;
    bar.setAttribute("role", "status");
    main.append(bar);
    const note = doc.createElement("div");
    note.className = "note n-warn note-bare";
    note.append(words);
    if (act) {
      const button = doc.createElement("button");
      button.className = "btn btn-s";
      button.type = "button";
      button.textContent = word(label);
      button.addEventListener("click", act);
      note.append(button);
    }
    bar.append(note);
  }

  // --- the panel ---
  const panel = () => doc.getElementById("sign-in-panel");
  let opening = false;
  async function open(focus) {
    if (opening) return;
    opening = true;
    const answer = await ask(`/sign-in/panel?holder=${encodeURIComponent(holder)}`).catch(() => ({}));
    opening = false;
    await received(answer, focus && "#panel-password");
  }
  async function received(answer, focus) {
    if (answer.status === 204) return entered(answer);
    if (![200, 409, 422, 429].includes(answer.status)) return;
    const fresh = parse(await answer.text()).getElementById("sign-in-panel");
    if (panel()) panel().replaceWith(fresh);
    else (doc.querySelector("[data-sign-in-place]") ?? main).prepend(fresh);
    wake(fresh);
    if (passkey && fresh.querySelector("[data-passkey]")) load(passkey);
    if (focus) (fresh.querySelector(focus) ?? fresh.querySelector("a, button"))?.focus();
  }
  function entered(answer) {
    const token = answer.headers.get("X-CSRFToken");
    doc.querySelector('meta[name="csrf-token"]').content = token;
    for (const field of doc.querySelectorAll('input[name="csrf_token"]')) field.value = token;
    const had = panel()?.contains(doc.activeElement);
    panel()?.remove();
    if (had) main.focus();
    goOn();
    doc.dispatchEvent(new CustomEvent("portal:signed-in"));
  }

  doc.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("[data-sign-in-panel]")) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    const answer = await ask(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => ({}));
    delete form.dataset.busy;
    if (answer.status === 400) return open(true); // the form itself was too old
    await received(answer, "[aria-invalid]");
  });
  doc.addEventListener("click", (event) => {
    if (!event.target.closest("[data-reload]")) return;
    event.preventDefault();
    location.reload();
  });
  doc.addEventListener("portal:signed-out", () => open());
  doc.addEventListener("portal:entered", (event) => entered(event.detail)); // a passkey opened the door
  doc.addEventListener("visibilitychange", () => doc.hidden || look());
  plan();
})();
