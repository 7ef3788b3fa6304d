// The people of a campaign are shown anew every few seconds: what is ticked stays ticked, what is typed stays typed.
(() => {
  const ticked = new Set();
  let kept = {};

  document.addEventListener("change", (event) => {
    if (event.target.name !== "task") return;
    if (event.target.checked) ticked.add(event.target.value);
    else ticked.delete(event.target.value);
  });

  document.addEventListener("htmx:beforeSwap", () => {
    kept = {};
    for (const id of ["all", "scenario", "stop-list"]) {
      const field = document.getElementById(id);
      if (field) kept[id] = field.type === "checkbox" ? field.checked : field.value;
    }
  });

  document.addEventListener("htmx:afterSettle", () => {
    for (const box of document.querySelectorAll('input[name="task"]')) box.checked = ticked.has(box.value);
    for (const [id, value] of Object.entries(kept)) {
      const field = document.getElementById(id);
      if (!field) continue;
      if (field.type === "checkbox") field.checked = value;
      else field.value = value;
    }
  });
})();
