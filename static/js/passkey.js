// Asks the browser for a passkey. Buttons stay hidden where that cannot work; a password and a code always can.
//
// <button data-passkey="get" | "create" data-options-url data-verify-url hidden>
//   POST options-url (JSON {email} of the form's e-mail field, if any) → the options as WebAuthn's JSON
//   POST verify-url (the credential as JSON) → 200 {location} or a problem {title, detail}
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;
  const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON;

  async function post(url, payload) {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": portal.csrf() },
      body: JSON.stringify(payload),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail || told.title || "We could not check that passkey. Try again, or use your password and a code");
    return told;
  }

  async function run(button) {
    const scope = button.closest("form") ?? doc;
    const problem = scope.querySelector("[data-passkey-error]");
    if (problem) problem.hidden = true;
    button.setAttribute("aria-disabled", "true");
    try {
      const email = scope.querySelector('input[type="email"]')?.value;
      const options = await post(button.dataset.optionsUrl, email ? { email } : {});
      const credential =
        button.dataset.passkey === "create"
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      const name = scope.querySelector('input[name="label"]')?.value;
      const next = scope.querySelector('input[name="next"]')?.value;
      const told = await post(button.dataset.verifyUrl, { credential: credential.toJSON(), ...(name && { label: name }), ...(next && { next }) });
      location.assign(told.location);
    } catch (error) {
      const words = error instanceof DOMException ? "No passkey was used. Try again, or use your password and a code" : error.message;
      if (problem) {
        problem.textContent = words;
        problem.hidden = false;
      }
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }

  for (const button of able ? doc.querySelectorAll("[data-passkey]") : []) {
    button.hidden = false;
    const or = button.closest("form")?.querySelector("[data-passkey-or]");
    if (or) or.hidden = false;
    button.addEventListener("click", () => button.getAttribute("aria-disabled") || run(button));
  }
})();
