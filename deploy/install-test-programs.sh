#!/usr/bin/env bash
# Installs what the browser and PostgreSQL tests need, if this machine lets us. Never fails: tests whose program is
# missing are skipped by name, with the reason in the summary.
set -u
missing=()
command -v chromium >/dev/null 2>&1 || missing+=(chromium)
command -v chromedriver >/dev/null 2>&1 || missing+=(chromium-driver)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null 2>&1 || missing+=(postgresql)
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root=(sudo -n); else
    echo "Not installed: ${missing[*]} (needs root). The tests that use them will be skipped."
    exit 0
  fi
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "Not installed: ${missing[*]} (no apt-get here). The tests that use them will be skipped."
  exit 0
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get -qq update && "${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
  echo "Could not install ${missing[*]}. The tests that use them will be skipped."
exit 0
