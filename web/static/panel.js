// What every page has: CSRF tokens, notices, questions before a deed, and the live stream of the monitor.
(() => {
  const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrf();
  });

  // Parts that came by the live stream are the same for everybody: the token is put in when a form is sent.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const field = form.elements.csrf_token;
    if (field && !field.value) field.value = csrf();
    if (form.dataset.confirm && !confirm(form.dataset.confirm)) return event.preventDefault();
    if (!form.classList.contains("deed")) return;
    event.preventDefault();
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { "HX-Request": "true", "X-CSRFToken": csrf() },
      });
      if (answer.status === 401) return location.reload();
      notice(await answer.text());
    } finally {
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    }
  });

  function notice(html) {
    const place = document.getElementById("notices");
    place.innerHTML = html;
    const shown = place.firstElementChild;
    if (shown && shown.classList.contains("alert-success")) setTimeout(() => shown.remove(), 6000);
  }

  const state = document.getElementById("live-state");
  if (!state) return;
  const last = new Map();

  function show(frame) {
    const campaigns = document.getElementById("campaigns");
    if (campaigns && frame.shape !== campaigns.dataset.shape) {
      campaigns.dataset.shape = frame.shape;
      last.clear();
      htmx.trigger("#monitor", "ocm:reshape");
      return;
    }
    for (const [id, html] of Object.entries(frame.parts)) {
      const place = document.getElementById(id);
      if (!place || last.get(id) === html) continue;
      const inside = place.contains(document.activeElement) ? [...place.querySelectorAll("button")].indexOf(document.activeElement) : -1;
      place.innerHTML = html;
      last.set(id, html);
      if (inside >= 0) place.querySelectorAll("button")[inside]?.focus();
    }
  }

  function say(on) {
    state.textContent = on ? state.dataset.on : state.dataset.off;
    state.classList.toggle("live-on", on);
    state.classList.toggle("live-off", !on);
  }

  const stream = new EventSource(state.dataset.live);
  stream.addEventListener("frame", (event) => { say(true); show(JSON.parse(event.data)); });
  stream.addEventListener("over", () => location.reload());
  stream.addEventListener("error", () => say(false));
})();
