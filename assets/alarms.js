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
    const tone = new OscillatorNode(audio, { frequency: 880 });
    tone.connect(new GainNode(audio, { gain: 0.2 })).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.5);
    tone.onended = () => audio.close();
  };

  const announce = (number) => {
    if (Date.now() - saidAt < BURST_MS) return;
    saidAt = Date.now();
    if (choice("sound") === "on") beep();
    if (choice("notify") !== "on" || window.Notification?.permission !== "granted") return;
    new Notification(`Alarms that wait for somebody: ${number}`, { tag: "console-alarms" });
  };

  document.addEventListener("console:drawn", (event) => {
    const cell = event.target.querySelector("[data-newest-alarm]");
    if (!cell) return;
    const newest = Number(cell.dataset.newestAlarm);
    if (seen !== null && newest > seen) announce(cell.dataset.alarms);
    seen = Math.max(seen ?? 0, newest);
  });

  const e = (...args) => window.React.createElement(...args);
  Object.assign((window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {}), {
    // First and last line are seen on a phone only, in place of columns.
    ConsoleAlarm: ({ data }) =>
      e("div", { className: "alarm-what" }, e("div", null, window.dashAgGridComponentFunctions.ConsoleStatus({ data }), e("b", null, data.subject)), data.text, e("div", null, `${data.session}, ${data.state}`)),
  });

  const parts = (button) => button.dataset.alarmChoice.split("-");

  /** Called by clock.js with everything else that shows a choice of this browser. */
  ui.paintAlarmChoices = () =>
    document.querySelectorAll("[data-alarm-choice]").forEach((button) => button.setAttribute("aria-pressed", String(choice(parts(button)[0]) === parts(button)[1])));

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-alarm-choice]");
    if (!button) return;
    ui.storage.set(`console-alarm-${parts(button)[0]}`, parts(button)[1]);
    if (parts(button)[1] === "on") parts(button)[0] === "sound" ? beep() : window.Notification?.requestPermission();
    ui.paint();
  });
})();
