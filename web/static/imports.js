// A file is sent as it is, with how far it has come; without this script the form does it.
(() => {
  const form = document.getElementById("bring");
  if (form) {
    const file = form.elements.file;
    const drop = document.getElementById("drop");
    const fault = document.getElementById("sending-fault");
    const sending = document.getElementById("sending");

    const say = (words) => {
      fault.textContent = words;
      fault.hidden = !words;
    };

    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add("drop-over");
      });
    }
    for (const name of ["dragleave", "drop"]) {
      drop.addEventListener(name, () => drop.classList.remove("drop-over"));
    }
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      const files = event.dataTransfer.files;
      if (files.length > 1) return say(form.dataset.one);
      if (files.length) send(files[0]);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (file.files.length) send(file.files[0]);
    });

    function send(chosen) {
      if (chosen.size > Number(form.dataset.largest) * 1024 * 1024) return say(form.dataset.tooLarge);
      say("");
      drop.hidden = true;
      sending.hidden = false;
      document.getElementById("sending-name").textContent = chosen.name;
      const progress = document.getElementById("sending-progress");
      const words = document.getElementById("sending-words");
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("X-File-Name", encodeURIComponent(chosen.name));
      request.setRequestHeader("X-CSRFToken", form.elements.csrf_token.value);
      request.setRequestHeader("HX-Request", "true");
      request.upload.addEventListener("progress", (event) => {
        if (!event.lengthComputable) return;
        progress.value = Math.floor((100 * event.loaded) / event.total);
        words.textContent = `${Math.floor(event.loaded / 1048576)} / ${Math.ceil(event.total / 1048576)} MB`;
      });
      const failed = (what) => {
        say(what || form.dataset.lost);
        drop.hidden = false;
        sending.hidden = true;
      };
      request.addEventListener("load", () => {
        if (request.status === 401) return location.reload();
        if (request.status === 201) return location.assign(request.getResponseHeader("Location"));
        const answer = new DOMParser().parseFromString(request.responseText, "text/html").body.textContent.trim();
        failed(request.status === 413 ? form.dataset.tooLarge : answer);
      });
      request.addEventListener("error", () => failed(""));
      request.send(chosen);
    }
  }

  // The name of a variable is asked for where the column is one.
  const named = (select) => {
    const name = select.parentElement.querySelector("input");
    if (name) name.hidden = select.value !== "variable";
  };
  const all = () => document.querySelectorAll(".column select").forEach(named);
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".column select")) return;
    named(event.target);
    if (event.target.value === "variable") event.target.parentElement.querySelector("input").focus();
  });
  document.addEventListener("htmx:afterSettle", all);
  all();
})();
