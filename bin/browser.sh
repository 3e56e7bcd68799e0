#!/bin/sh
# The browser for the tests of the page: there already, or installed where that is possible, or asked for.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the tests of the page (once)"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji >/dev/null && exit 0
fi
echo "The tests of the page need Chromium; install it, for example with: sudo apt-get install chromium" >&2
exit 1
