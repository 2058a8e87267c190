// Sends many files in small groups, on the page of the check and nowhere else, and
// fills a table as the answers come. Few files go the way of the form, which needs
// no script. Nothing is kept here either: what a page shows is gone with it.
"use strict";

(() => {
  const by = (id) => document.getElementById(id);
  const box = by("many"), form = by("check"), chosen = by("file"), saves = by("many-form");
  const bar = by("many-bar"), said = by("many-said"), cancel = by("many-cancel"), again = by("many-again");
  if (!box || !form || !chosen) return;

  const few = 5; // files that the form sends at once
  const groupFiles = 20;
  const groupBytes = 3500000; // below what the site takes for large
  const together = 2;
  const pause = 2000; // milliseconds between two sentences
  const tries = 4; // of a group that the site asks to send later
  const longest = 90; // seconds that are waited for that

  let groups = [], stop = null, running = false, spoken = 0, due = 0;

  const fill = (what, values) => box.dataset[what].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const say = (what, values) => {
    clearTimeout(due);
    spoken = Date.now();
    said.textContent = fill(what, values) + ".";
  };

  const count = (which) => groups.filter(which).reduce((sum, group) => sum + group.files.length, 0);
  const numbers = () => ({ done: count((group) => group.answer), all: count(() => true) });

  // divide puts files into groups, in their order.
  function divide(files) {
    const made = [];
    let bytes = 0;
    for (const file of files) {
      let last = made.at(-1);
      if (!last || last.files.length === groupFiles || bytes + file.size > groupBytes) {
        last = { files: [], answer: null, body: document.createElement("tbody") };
        last.body.setAttribute("role", "rowgroup");
        made.push(last);
        bytes = 0;
      }
      last.files.push(file);
      bytes += file.size;
    }
    return made;
  }

  // later waits as long as the site asks, unless that is stopped.
  function later(seconds, signal) {
    return new Promise((done, failed) => {
      const timer = setTimeout(done, seconds * 1000);
      signal.addEventListener("abort", () => { clearTimeout(timer); failed(signal.reason); }, { once: true });
    });
  }

  async function ask(group, signal) {
    for (let turn = 1; ; turn++) {
      const body = new FormData();
      const day = form.elements.namedItem("at");
      if (day && day.value) body.append("at", day.value);
      for (const file of group.files) body.append("file", file, file.name);
      const answer = await fetch(box.dataset.groups, { method: "POST", body, signal, headers: { Accept: "application/json" } });
      if (answer.ok) return answer.json();
      const wait = Number(answer.headers.get("Retry-After"));
      if ((answer.status !== 429 && answer.status !== 503) || !(wait > 0 && wait <= longest) || turn === tries) {
        const problem = await answer.json().catch(() => ({}));
        throw new Error(problem.detail || box.dataset.failed);
      }
      say("waiting", { n: wait });
      await later(wait, signal);
    }
  }

  // blank shows the files of a group that has no answer, and why.
  function blank(group, why) {
    const label = (cell) => by("many-table").tHead.rows[0].cells[cell].textContent;
    group.body.replaceChildren(...group.files.map((file) => {
      const row = document.createElement("tr"), name = document.createElement("th"), cell = document.createElement("td");
      const word = document.createElement("span"), because = document.createElement("bdi"), text = document.createElement("bdi");
      row.setAttribute("role", "row");
      row.className = "undone";
      name.setAttribute("role", "rowheader");
      name.scope = "row";
      name.className = "file";
      name.dataset.label = label(0);
      text.textContent = file.name;
      name.append(text);
      cell.setAttribute("role", "cell");
      cell.className = "answer";
      cell.dataset.label = label(1);
      word.className = "word";
      word.textContent = box.dataset.undone;
      because.className = "because";
      because.textContent = why;
      cell.append(word, " ", because);
      row.append(name, cell);
      for (let rest = 2; rest < 6; rest++) row.append(document.createElement("td"));
      return row;
    }));
  }

  function show(group) {
    const rows = document.createElement("template");
    rows.innerHTML = group.answer.html; // of this site's own template
    group.body.replaceChildren(rows.content);
    const { done, all } = numbers();
    bar.max = all;
    bar.value = done;
    for (const place of by("many-counts").children) {
      const sum = groups.reduce((n, other) => n + (other.answer?.counts[place.dataset.name] ?? 0), 0);
      place.hidden = sum === 0;
      place.textContent = place.dataset.word + ": " + sum;
    }
    clearTimeout(due); // no more than a sentence now and then
    due = setTimeout(() => { if (running) say("progress", numbers()); }, Math.max(0, spoken + pause - Date.now()));
  }

  async function work(waiting, signal) {
    for (let group; (group = waiting.shift());) {
      try {
        group.answer = await ask(group, signal);
        show(group);
      } catch (reason) {
        if (signal.aborted) return;
        blank(group, reason instanceof TypeError ? box.dataset.failed : reason.message);
      }
    }
  }

  // run checks the groups that have no answer yet.
  async function run() {
    if (running) return;
    running = true;
    stop = new AbortController();
    cancel.hidden = false;
    again.hidden = true;
    saves.hidden = true;
    say("progress", numbers());
    const waiting = groups.filter((group) => !group.answer);
    await Promise.all(Array.from({ length: together }, () => work(waiting, stop.signal)));
    running = false;
    const { done, all } = numbers(), held = document.activeElement === cancel;
    cancel.hidden = true;
    again.hidden = done === all;
    saves.hidden = done === 0;
    if (held) (again.hidden ? by("many-title") : again).focus();
    say(stop.signal.aborted ? "stopped" : done < all ? "part" : "done", { done, all });
  }

  function begin(files) {
    if (running) return;
    form.before(box);
    box.hidden = false;
    document.body.classList.add("wide");
    by("many-title").focus();
    groups.forEach((group) => group.body.remove());
    groups = [];
    const most = Number(box.dataset.files);
    if (files.length > most) {
      cancel.hidden = true;
      again.hidden = true;
      saves.hidden = true;
      return say("toomany", { n: files.length, all: most });
    }
    groups = divide(files);
    by("many-table").append(...groups.map((group) => group.body));
    bar.max = files.length;
    bar.value = 0;
    for (const place of by("many-counts").children) place.hidden = true;
    run();
  }

  cancel.addEventListener("click", () => stop?.abort());
  again.addEventListener("click", run);

  form.addEventListener("submit", (event) => {
    const text = form.elements.namedItem("text");
    if (chosen.files.length <= few || (text && text.value.trim() !== "")) return;
    event.preventDefault();
    begin([...chosen.files]);
  });

  // A table is posted in the parts in which it came.
  saves.addEventListener("submit", () => {
    saves.querySelectorAll("input[name=table]").forEach((part) => part.remove());
    for (const group of groups) {
      if (!group.answer) continue;
      const part = document.createElement("input");
      part.type = "hidden";
      part.name = "table";
      part.value = group.answer.table;
      saves.append(part);
    }
  });

  const finger = matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches;
  by("drop-hint").hidden = finger; // which drags no files
  const carries = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = running ? "none" : "copy";
  });
  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    if (running || event.dataTransfer.files.length === 0) return;
    chosen.files = event.dataTransfer.files;
    form.requestSubmit();
  });
})();
