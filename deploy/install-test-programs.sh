#!/usr/bin/env bash
# Installs what the browser, accessibility, PostgreSQL and Apache Kafka tests need, if this machine lets us. Never fails:
# tests whose program is missing are skipped by name, with the reason in the summary.
set -u
cd "$(dirname "$0")/.." || exit 0
kafka_pom=tests/apache_kafka/pom.xml
kafka_jars=.cache/apache-kafka
axe_lock=tests/axe/package-lock.json
axe_folder=.cache/axe

# Debian's packages of the programs that are not there.
install_packages() {
  local missing=() as_root=()
  command -v chromium >/dev/null 2>&1 || missing+=(chromium)
  command -v chromedriver >/dev/null 2>&1 || missing+=(chromium-driver)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null 2>&1 || missing+=(postgresql)
  command -v java >/dev/null 2>&1 || missing+=(default-jre-headless)
  has_kafka || command -v mvn >/dev/null 2>&1 || missing+=(maven)
  has_axe || command -v npm >/dev/null 2>&1 || missing+=(nodejs npm)
  [ ${#missing[@]} -gt 0 ] || return

  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root=(sudo -n); else
      echo "Not installed: ${missing[*]} (needs root). The tests that use them will be skipped."
      return
    fi
  fi
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Not installed: ${missing[*]} (no apt-get here). The tests that use them will be skipped."
    return
  fi
  echo "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get -qq update && "${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    echo "Could not install ${missing[*]}. The tests that use them will be skipped."
}

# The jars belong to the pom beside them.
has_kafka() {
  cmp -s "$kafka_pom" "$kafka_jars/pom.xml"
}

fetch_kafka() {
  has_kafka && return
  if ! command -v mvn >/dev/null 2>&1; then
    echo "No Apache Kafka: Maven is missing. The tests that use it will be skipped."
    return
  fi
  echo "Fetching Apache Kafka"
  rm -rf "$kafka_jars"
  # The pom comes last: without it the jars count as not there.
  mvn -B -q -f "$kafka_pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/$kafka_jars" &&
    cp "$kafka_pom" "$kafka_jars/pom.xml" ||
    echo "Could not fetch Apache Kafka. The tests that use it will be skipped."
}

# The lock names the one file that counts as axe-core, by its hash; it names no address.
has_axe() {
  cmp -s "$axe_lock" "$axe_folder/package-lock.json"
}

fetch_axe() {
  has_axe && return
  if ! command -v npm >/dev/null 2>&1; then
    echo "No axe-core: npm is missing. The tests that use it will be skipped."
    return
  fi
  echo "Fetching axe-core"
  rm -rf "$axe_folder" "$axe_folder.new"
  mkdir -p "$axe_folder.new"
  # Node.js brings its own list of authorities; a site's own ones stand in the system's.
  local system_authorities=/etc/ssl/certs/ca-certificates.crt
  [ -r "$system_authorities" ] && export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$system_authorities}"
  cp "${axe_lock%/*}"/package*.json "$axe_folder.new" &&
    npm ci --prefix "$axe_folder.new" --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null &&
    mv "$axe_folder.new" "$axe_folder" ||
    echo "Could not fetch axe-core. The tests that use it will be skipped."
}

install_packages
fetch_kafka
fetch_axe
exit 0
