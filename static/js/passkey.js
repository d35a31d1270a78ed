// Asks the browser for a passkey. Buttons stay hidden where that cannot work; a password and a code always can.
//
// <button data-passkey="get" | "create" data-options-url data-verify-url hidden>
//   POST options-url (JSON, with {code} of the form if it asks for one) → the options as WebAuthn's JSON
//   POST verify-url (JSON: {credential, label, next, holder} as far as the form has them)
//     → 200 {location}, 204 with X-CSRFToken (the panel in place), or a problem {detail}
//   data-then="submit": the form itself is sent once the passkey was accepted (the session is fresh by then)
//   data-auto: the browser also offers passkeys in the field with autocomplete="… webauthn"
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;
  const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON && window.isSecureContext;
  if (!able) return;
  const RENEW = 240_000; // before the challenge of five minutes ends
  const said = (key, otherwise) => (portal.word(key) === key ? otherwise : portal.word(key));
  let waiting = null; // the request that the browser offers in the e-mail field

  async function post(scope, url, payload) {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "HX-Request": "true", "X-CSRFToken": valueOf(scope, "csrf_token") ?? portal.csrf() },
      body: JSON.stringify(payload),
    });
    if (answer.status === 204) return { answer };
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail || said("passkey-failed", "We could not check that passkey. Try again, or use your password and a code"));
    return told;
  }

  const scopeOf = (button) => button.closest("form, [data-passkey-scope]") ?? doc;
  const valueOf = (scope, name) => scope.querySelector(`input[name="${name}"]`)?.value;

  async function run(button, { auto = false, signal } = {}) {
    const scope = scopeOf(button);
    const making = button.dataset.passkey === "create";
    const options = await post(scope, button.dataset.optionsUrl, making ? { code: valueOf(scope, "code") } : {});
    const credential = making
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({
          publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
          ...(auto && { mediation: "conditional", signal }),
        });
    const payload = { credential: credential.toJSON() };
    for (const name of ["label", "next", "holder"]) if (valueOf(scope, name)) payload[name] = valueOf(scope, name);
    const told = await post(scope, button.dataset.verifyUrl, payload);
    if (told.answer) doc.dispatchEvent(new CustomEvent("portal:entered", { detail: told.answer }));
    else if (button.dataset.then === "submit") button.form.requestSubmit(button.form.querySelector("button[type=submit]"));
    else location.assign(told.location);
  }

  function show(button, words) {
    const problem = scopeOf(button).querySelector("[data-passkey-error]");
    if (!problem) return;
    problem.textContent = words;
    problem.hidden = !words;
  }

  async function pressed(button) {
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    waiting?.abort(); // one question at a time
    show(button, "");
    try {
      await run(button);
    } catch (error) {
      show(button, error instanceof DOMException ? said("passkey-none", "No passkey was used. Try again, or use your password and a code") : error.message);
    } finally {
      button.removeAttribute("aria-disabled");
      if (button.dataset.auto !== undefined) offer(button);
    }
  }

  // The browser's own offer in the e-mail field, for as long as the page is open.
  async function offer(button) {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    waiting?.abort();
    const mine = (waiting = new AbortController());
    const renew = setTimeout(() => offer(button), RENEW);
    try {
      await run(button, { auto: true, signal: mine.signal });
    } catch (error) {
      // Nothing was chosen, or another question took its place: the page goes on as it is.
      if (!(error instanceof DOMException)) show(button, error.message);
    } finally {
      if (mine.signal.aborted) clearTimeout(renew);
    }
  }

  function wire(root) {
    for (const button of root.querySelectorAll("[data-passkey]")) {
      if (!button.hidden) continue;
      button.hidden = false;
      for (const part of scopeOf(button).querySelectorAll("[data-passkey-or]")) part.hidden = false;
      button.addEventListener("click", (event) => {
        event.preventDefault();
        pressed(button);
      });
      if (button.dataset.auto !== undefined) offer(button);
    }
  }
  doc.addEventListener("portal:swapped", (event) => wire(event.detail));
  wire(doc);
})();
