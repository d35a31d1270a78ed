// Show a password while it is typed. The button is there only when this script is.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-reveal]")) {
    const field = document.getElementById(button.dataset.reveal);
    if (!field) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
      button.textContent = shown ? "Show password" : "Hide password";
    });
    // What is sent is never left in clear for the browser to remember as text.
    field.form?.addEventListener("submit", () => (field.type = "password"));
  }
})();
