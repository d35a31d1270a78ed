// The button of a list to confirm says how many are ticked.
document.querySelector("form[data-ticks]")?.addEventListener("change", ({ currentTarget: list }) => {
  const n = list.querySelectorAll('[name="keys"]:checked').length;
  for (const place of list.querySelectorAll("[data-ticked]")) place.textContent = portal.word(n === 1 ? "confirm_one" : "confirm_many", { n });
});
