// The editor of a scenario: numbers of lines, the way from a fault or a box to its line, and a word before what is typed is lost.
(() => {
  const text = document.getElementById("scenario-text");
  const lines = document.getElementById("scenario-lines");
  const form = document.getElementById("scenario-form");
  let saved = text.value;

  const wrong = () => new Set([...document.querySelectorAll("#checked .text-danger [data-line]")].map((one) => Number(one.dataset.line)));

  const number = () => {
    const bad = wrong();
    const count = text.value.split("\n").length;
    lines.replaceChildren();
    for (let line = 1; line <= count; line += 1) {
      const part = document.createElement("span");
      part.textContent = line;
      if (bad.has(line)) part.className = "line-wrong";
      lines.append(part, "\n");
    }
    lines.scrollTop = text.scrollTop;
  };

  const goTo = (line) => {
    const all = text.value.split("\n");
    const start = all.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (all[line - 1] || "").length);
    text.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(text).lineHeight));
  };

  document.getElementById("checked").addEventListener("click", (event) => {
    const link = event.target.closest("[data-line], [data-step]");
    if (!link) return;
    event.preventDefault();
    if (link.dataset.line) return goTo(Number(link.dataset.line));
    const all = text.value.split("\n");
    const found = all.findIndex((one, place) => one.replaceAll(" ", "").startsWith(`name="${link.dataset.step}"`) && all.slice(0, place).some((before) => before.trim().startsWith("[[step]]")));
    if (found >= 0) goTo(found + 1);
  });

  text.addEventListener("input", number);
  text.addEventListener("scroll", () => { lines.scrollTop = text.scrollTop; });
  document.body.addEventListener("htmx:afterSwap", number);
  form.addEventListener("submit", () => { saved = text.value; });
  window.addEventListener("beforeunload", (event) => {
    if (text.value !== saved) event.preventDefault();
  });
  number();
})();
