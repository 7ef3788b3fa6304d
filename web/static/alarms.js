// Alarms on every page: a banner until it is seen or the cause is gone, and a sound for who has switched it on.
(() => {
  const place = document.getElementById("alarms");
  if (!place) return;
  const EVERY_MS = 5000;
  const bell = document.getElementById("alarm-sound");
  const kept = (key) => new Set(JSON.parse(sessionStorage.getItem(key) || "[]"));
  const keep = (key, names) => sessionStorage.setItem(key, JSON.stringify([...names]));
  let shown = "";
  let context = null;

  const loud = () => localStorage.getItem("ocm-alarm-sound") === "on";

  function mark() {
    bell.hidden = false;
    bell.setAttribute("aria-pressed", String(loud()));
    bell.classList.toggle("btn-primary", loud());
    bell.classList.toggle("btn-ghost-secondary", !loud());
  }

  // Two tones, up and down. A browser lets a page sound only after somebody has touched it.
  function ring() {
    context ??= new AudioContext();
    context.resume();
    [880, 660].forEach((hertz, place) => {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const begins = context.currentTime + place * 0.25;
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.2, begins);
      volume.gain.exponentialRampToValueAtTime(0.001, begins + 0.24);
      tone.connect(volume).connect(context.destination);
      tone.start(begins);
      tone.stop(begins + 0.25);
    });
  }

  function show(html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const seen = kept("ocm-alarms-seen");
    const heard = kept("ocm-alarms-heard");
    const names = new Set();
    for (const alarm of fresh.content.querySelectorAll(".alarm")) {
      names.add(alarm.dataset.alarm);
      if (seen.has(alarm.dataset.alarm)) alarm.remove();
    }
    // What is over may come again, and is a new alarm then.
    keep("ocm-alarms-seen", [...seen].filter((name) => names.has(name)));
    if (loud() && [...names].some((name) => !heard.has(name))) ring();
    keep("ocm-alarms-heard", names);
    const left = fresh.innerHTML;
    if (left === shown) return; // nothing is read out twice
    shown = left;
    place.replaceChildren(fresh.content);
  }

  async function ask() {
    try {
      const answer = await fetch(place.dataset.alarms, { headers: { "HX-Request": "true" } });
      if (answer.status === 401) return location.reload();
      if (answer.ok && !answer.redirected) show(await answer.text());
    } catch {
      // The server is away: the page says so elsewhere, and it is asked again.
    }
    setTimeout(ask, EVERY_MS);
  }

  place.addEventListener("click", (event) => {
    const alarm = event.target.closest(".alarm-seen")?.closest(".alarm");
    if (!alarm) return;
    keep("ocm-alarms-seen", kept("ocm-alarms-seen").add(alarm.dataset.alarm));
    alarm.remove();
    shown = "";
  });

  bell.addEventListener("click", () => {
    localStorage.setItem("ocm-alarm-sound", loud() ? "off" : "on");
    mark();
    if (loud()) ring();
  });

  mark();
  ask();
})();
