/* An upgrade of the console under an open page. A page with nobody in front of it (the wall display) loads itself anew; every
   other page says so quietly and leaves the moment to whoever uses it. */
(() => {
  const ui = (window.consoleUi = window.consoleUi || {});
  const loaded = document.documentElement.dataset.fingerprint;
  const TRY_EVERY_MS = 10_000;
  const RELOAD_EVERY_MS = 5 * 60_000;
  // Behind a proxy two versions may run side by side for a while: a page that has just loaded itself anew waits.
  let nextAt = performance.getEntriesByType("navigation")[0]?.type === "reload" ? RELOAD_EVERY_MS : 0;

  /** Load the page anew once it would come as announced: an answer of a proxy in its place could never leave again. */
  const reload = async (fingerprint) => {
    if (performance.now() < nextAt) return;
    nextAt = performance.now() + TRY_EVERY_MS;
    try {
      const page = await fetch(location.href, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(TRY_EVERY_MS) });
      if ((await page.text()).includes(`data-fingerprint="${fingerprint}"`)) location.reload();
    } catch {
      // It goes on as it is, and tries again.
    }
  };

  /** Compare what the server serves with what this page was loaded with; the heartbeat calls it with every answer. */
  ui.noteFingerprint = (fingerprint) => {
    const isOther = Boolean(fingerprint) && fingerprint !== loaded;
    document.getElementById("upgrade-notice").hidden = !isOther;
    if (isOther && document.querySelector("[data-unattended]")) reload(fingerprint);
  };

  document.addEventListener("click", (event) => event.target.closest?.("#upgrade-reload-button") && location.reload());
})();
