/* Announces alarms where this browser asked for it: one sound and one desktop notification a burst, also from a hidden
   tab. The strip's cell carries how many wait and the newest id; what was there when the page came is not announced. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  const BURST_MS = 10000;
  let seen = null;
  let saidAt = 0;

  const choice = (name) => ui.storage.get(`console-alarm-${name}`) || "off";

  const beep = () => {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = 880;
    volume.gain.setValueAtTime(0.2, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.6);
    tone.onended = () => audio.close();
  };

  const announce = (number) => {
    if (Date.now() - saidAt < BURST_MS) return;
    saidAt = Date.now();
    if (choice("sound") === "on") beep();
    if (choice("notify") === "on" && window.Notification?.permission === "granted")
      new Notification(`${number} ${number === "1" ? "alarm waits" : "alarms wait"} for somebody`, { tag: "console-alarms" });
  };

  const paint = () =>
    document.querySelectorAll("[data-alarm-choice]").forEach((button) => {
      const [name, word] = button.dataset.alarmChoice.split("-");
      button.setAttribute("aria-pressed", String(choice(name) === word));
    });

  document.addEventListener("console:drawn", (event) => {
    const cell = event.target.querySelector("[data-newest-alarm]");
    if (!cell) return;
    const newest = Number(cell.dataset.newestAlarm);
    if (seen !== null && newest > seen) announce(cell.dataset.alarms);
    seen = Math.max(seen ?? 0, newest);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-alarm-choice]");
    if (!button) return;
    const [name, word] = button.dataset.alarmChoice.split("-");
    ui.storage.set(`console-alarm-${name}`, word);
    if (word === "on") name === "sound" ? beep() : window.Notification?.requestPermission();
    paint();
  });
  new MutationObserver(() => document.querySelector("[data-alarm-choice][aria-pressed=false]") && paint()).observe(document.documentElement, { childList: true, subtree: true });
})();
