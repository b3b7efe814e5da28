#!/bin/sh
# Finds a Chromium for the browser tests; on Debian it installs one where it may.
set -eu
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing Debian's chromium for the browser tests …"
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
  exit 0
fi
echo "The browser tests need Chromium. Install it with:" >&2
echo "    sudo apt-get install -y chromium" >&2
echo "or name one with CHROMIUM=/path/to/chrome, or leave them out with: make test SKIP_BROWSER=1" >&2
exit 1
