// The studio: waveforms that show where the sound is, uploads with a notice, and the recorder.
(() => {
  const worklet = document.currentScript.dataset.worklet;
  const part = (id) => document.getElementById(id);
  let recording = null;
  const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

  // --- waveforms: the played part, and a click that leads there

  const soundOf = (node) => node.closest("[data-sound]");
  for (const name of ["timeupdate", "seeked", "ended"]) {
    document.addEventListener(name, (event) => {
      const audio = event.target, sound = soundOf(audio), wave = sound && sound.querySelector(".wave");
      if (!wave || !audio.duration) return;
      const share = audio.currentTime / audio.duration;
      wave.querySelector(".wave-played").setAttribute("width", share * wave.viewBox.baseVal.width);
      const lines = sound.parentElement.querySelectorAll(".script li");
      let now = null;
      for (const line of lines) if (Number(line.dataset.at) <= audio.currentTime + 0.05) now = line;
      for (const line of lines) line.classList.toggle("now", line === now && !audio.ended);
    }, true);
  }
  document.addEventListener("click", (event) => {
    const box = event.target.closest(".wave-box");
    if (box) {
      const audio = soundOf(box).querySelector("audio"), place = box.getBoundingClientRect();
      return play(audio, (event.clientX - place.left) / place.width);
    }
    const line = event.target.closest(".script li");
    if (line) {
      const audio = line.closest("#heard").querySelector("audio");
      audio.currentTime = Number(line.dataset.at);
      audio.play();
    }
  });
  function play(audio, share) {
    const seek = () => { audio.currentTime = share * audio.duration; audio.play(); };
    if (audio.readyState >= 1) return seek();
    audio.addEventListener("loadedmetadata", seek, { once: true });
    audio.preload = "auto";
    audio.load();
  }

  // --- what can't be heard says why in the place of the sound

  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([403, 404, 409, 503].includes(event.detail.xhr.status)) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  // --- what is brought, recorded or spoken becomes a message without leaving the page

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.matches(".sure") && !confirm(form.dataset.sure)) return event.preventDefault();
    if (!form.matches("form[method=post]") || !form.closest(".studio")) return;
    event.preventDefault();
    const body = new FormData(form);
    if (form.closest("#recorder")) body.set("file", recording, "recording.wav");
    const buttons = [...form.querySelectorAll("button")].filter((button) => !button.disabled);
    for (const button of buttons) button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRFToken": csrf() } });
      if (answer.status === 401) return location.reload();
      const place = document.getElementById("notices");
      place.innerHTML = await answer.text();
      place.scrollIntoView({ block: "nearest" });
      if (answer.ok) {
        form.reset();
        if (form.closest("#recorder")) {
          recording = null;
          part("recorded").hidden = part("record-keep").disabled = true;
          part("record-time").value = "0:00";
        }
        const list = document.getElementById("messages");
        htmx.ajax("GET", list.dataset.list, "#messages");
      }
    } finally {
      for (const button of buttons) button.disabled = button.id === "record-keep" && !recording;
    }
  });

  const drop = document.getElementById("drop");
  if (drop) {
    const field = drop.querySelector("input");
    for (const name of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length) field.files = event.dataTransfer.files;
      });
    }
  }

  // --- the recorder: 8 kHz, 16 bit, mono, made here

  const recorder = part("recorder");
  if (!recorder || !navigator.mediaDevices || !window.AudioWorkletNode) return;
  recorder.hidden = false;
  const RATE = 8000, LONGEST_S = 600;
  let stop = null;

  part("record").addEventListener("click", async () => {
    part("record-why").hidden = true;
    let stream, context;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
      context = new AudioContext();
      await context.audioWorklet.addModule(worklet);
    } catch (error) {
      if (stream) for (const track of stream.getTracks()) track.stop();
      return complain(`${recorder.dataset.denied} (${error.name})`);
    }
    const pieces = [];
    let length = 0;
    const node = new AudioWorkletNode(context, "ocm-recorder");
    node.port.onmessage = (event) => {
      pieces.push(event.data);
      length += event.data.length;
      let loudest = 0;
      for (const sample of event.data) loudest = Math.max(loudest, Math.abs(sample));
      part("level").value = Math.max(loudest, part("level").value * 0.9);
      const seconds = Math.floor(length / context.sampleRate);
      part("record-time").value = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (seconds >= LONGEST_S && stop) stop();
    };
    context.createMediaStreamSource(stream).connect(node);
    part("record").hidden = true;
    part("record-stop").hidden = false;
    stop = async () => {
      stop = null;
      for (const track of stream.getTracks()) track.stop();
      node.disconnect();
      const rate = context.sampleRate;
      await context.close();
      part("record").hidden = false;
      part("record-stop").hidden = true;
      part("level").value = 0;
      if (length < rate / 10) return complain(recorder.dataset.short);
      recording = wav(await resampled(pieces, length, rate));
      const audio = part("recorded");
      if (audio.src) URL.revokeObjectURL(audio.src);
      audio.src = URL.createObjectURL(recording);
      audio.hidden = false;
      part("record-keep").disabled = false;
    };
  });
  part("record-stop").addEventListener("click", () => stop && stop());

  async function resampled(pieces, length, rate) {
    const offline = new OfflineAudioContext(1, Math.max(1, Math.round(length * RATE / rate)), RATE);
    const whole = offline.createBuffer(1, length, rate);
    let at = 0;
    for (const piece of pieces) { whole.copyToChannel(piece, 0, at); at += piece.length; }
    const source = offline.createBufferSource();
    source.buffer = whole;
    source.connect(offline.destination);
    source.start();
    return (await offline.startRendering()).getChannelData(0);
  }

  function wav(samples) {
    const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
    const word = (at, text) => { for (let place = 0; place < text.length; place++) view.setUint8(at + place, text.charCodeAt(place)); };
    word(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); word(8, "WAVEfmt ");
    view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
    view.setUint32(24, RATE, true); view.setUint32(28, 2 * RATE, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
    word(36, "data"); view.setUint32(40, 2 * samples.length, true);
    samples.forEach((sample, place) => view.setInt16(44 + 2 * place, Math.round(32767 * Math.max(-1, Math.min(1, sample))), true));
    return new Blob([view], { type: "audio/wav" });
  }

  function complain(text) {
    part("record-why").textContent = text;
    part("record-why").hidden = false;
  }
})();
