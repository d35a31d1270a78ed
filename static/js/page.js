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
