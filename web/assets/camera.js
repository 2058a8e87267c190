// Reads a QR with the camera, on the page of the check and nowhere else. What is
// read is sent to the page as if it had been typed: nothing is opened from here.
"use strict";

(() => {
  const by = (id) => document.getElementById(id);
  const box = by("camera"), view = by("camera-view"), video = by("camera-picture");
  const start = by("camera-start"), stop = by("camera-stop"), said = by("camera-said");
  if (!box) return;

  const pause = 120; // milliseconds between two pictures
  const patience = 90000; // milliseconds until the camera is switched off
  const largest = 1280; // pixels: no QR needs more
  let stream = null, turn = 0;

  const say = (what) => { said.textContent = box.dataset[what]; };

  // platform is the reader that some browsers bring, or null.
  async function platform() {
    try {
      if ("BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
        const detector = new BarcodeDetector({ formats: ["qr_code"] });
        return async (picture) => (await detector.detect(picture)).map((found) => found.rawValue);
      }
    } catch { /* as if there was none */ }
    return null;
  }

  function load(address) {
    return new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = done;
      script.onerror = () => failed(new Error("the reader did not load"));
      document.head.append(script);
    });
  }

  // ours is the reader that this site brings.
  async function ours() {
    if (!window.ZXingWASM) await load(box.dataset.reader);
    const { prepareZXingModule, readBarcodes } = window.ZXingWASM;
    await prepareZXingModule({ overrides: { locateFile: () => box.dataset.program }, fireImmediately: true });
    const options = { formats: ["QRCode"], maxNumberOfSymbols: 1, tryHarder: true };
    return async (picture) => (await readBarcodes(picture, options)).filter((found) => found.isValid).map((found) => found.text);
  }

  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d", { willReadFrequently: true });

  function picture() {
    const scale = Math.min(1, largest / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    brush.drawImage(video, 0, 0, canvas.width, canvas.height);
    return brush.getImageData(0, 0, canvas.width, canvas.height);
  }

  function off() {
    turn++;
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    const held = view.contains(document.activeElement);
    view.hidden = true;
    start.hidden = false;
    if (held) start.focus();
  }

  function end(what) {
    off();
    say(what);
  }

  const reasons = {
    NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing",
    OverconstrainedError: "missing", NotReadableError: "busy", AbortError: "busy",
  };

  async function look(read, mine) {
    const until = Date.now() + patience;
    while (mine === turn) {
      if (Date.now() > until) return end("nothing");
      if (video.videoWidth > 0) {
        const texts = (await read(picture())).filter((text) => text.trim() !== "");
        if (mine !== turn) return;
        if (texts.length > 0) {
          end("read");
          const found = new CustomEvent("scanned", { detail: texts[0], bubbles: true, cancelable: true });
          if (!box.dispatchEvent(found)) return; // the page takes it itself
          by("camera-found").value = texts[0];
          by("camera-form").submit();
          return;
        }
      }
      await new Promise((done) => setTimeout(done, pause));
    }
  }

  async function on() {
    if (stream) return;
    const mine = ++turn;
    start.hidden = true;
    view.hidden = false;
    stop.focus();
    say("starting");
    try {
      const asked = navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } });
      const got = await asked;
      if (mine !== turn) { // stopped while the visitor was asked
        got.getTracks().forEach((track) => track.stop());
        return;
      }
      stream = got;
      video.srcObject = stream;
      await video.play();
      const read = (await platform()) ?? (await ours());
      if (mine !== turn) return;
      say("ready");
      await look(read, mine);
    } catch (reason) {
      if (mine === turn) end(reasons[reason.name] ?? "failed");
    }
  }

  async function begin() {
    box.hidden = false;
    if (!window.isSecureContext || !navigator.mediaDevices) {
      start.hidden = true;
      return say("insecure");
    }
    if (!box.dataset.reader && !(await platform())) {
      start.hidden = true;
      return say("without");
    }
    start.addEventListener("click", on);
    stop.addEventListener("click", () => end("stopped"));
    box.addEventListener("keydown", (key) => { if (key.key === "Escape" && !view.hidden) end("stopped"); });
    document.addEventListener("visibilitychange", () => { if (document.hidden && !view.hidden) end("stopped"); });
    window.addEventListener("pagehide", () => { off(); said.textContent = ""; });
  }

  begin();
})();
