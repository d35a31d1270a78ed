// The button of a list to confirm says how many are ticked. Without script it says how many there are.
document.querySelector("form[data-ticks]")?.addEventListener("change", ({ currentTarget: list }) => {
  const n = list.querySelectorAll('input[name="keys"]:checked').length;
  for (const place of list.querySelectorAll("[data-ticked]")) place.textContent = n === 1 ? "1 answer" : `${n} answers`;
});
