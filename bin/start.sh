#!/bin/sh
# Starts the service with all that it needs; sets it up first where that is still to do.
set -eu
cd "$(dirname "$0")/.."

make --no-print-directory setup
exec .venv/bin/parley up
