// Show a password while it is typed. The button is there only when this script is. A new account takes the zone along.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-reveal]")) {
    const field = document.getElementById(button.dataset.reveal);
    if (!field) continue;
    const show = button.textContent;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
      button.textContent = shown ? show : button.dataset.hide;
    });
    // What is sent is never left in clear for the browser to remember as text.
    field.form?.addEventListener("submit", () => (field.type = "password"));
  }
  // Where the person is, for the times on pages and in mails.
  for (const field of document.querySelectorAll("input[data-zone]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
})();
