#!/usr/bin/env bash
# Looks at reports in headless Chromium, at 360 and 1,400 px, light and dark: no console error, every chart there.
#
#     scripts/check-report.sh DESCENT     # the binary
#
# Chromium is Debian's, and is installed where that may be done; playwright-core comes from npm. Without them nothing is
# looked at, which is said, and is no failure.
set -euo pipefail
descent=$(realpath "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
chromium=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$chromium" ] && [ "$(id -u)" = 0 ]; then
    { apt-get update -qq && apt-get install -y -qq chromium; } >/dev/null 2>&1 || true
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if [ ! -x "$chromium" ] || ! npm install --silent --no-audit --no-fund playwright-core@1 >/dev/null 2>&1; then
    echo "without Chromium and npm the report is not looked at"
    exit 0
fi
ln -s "$here/tests" tests
train() { "$descent" train -q "$@" >/dev/null 2>&1; }
train --out mnist --set train.epochs=3
train --out larger --set train.epochs=3 --set train.batch_size=256
train "$here/configs/iris.toml" --out iris
train "$here/configs/diabetes.toml" --out diabetes
train "$here/configs/seattle-weather.toml" --out weather
sed 's|\.\./tests|tests|; s|iris.csv|good/escapes.csv|; s|"species"|"cl\\u009bass\\u0007"|; /split_column/d' "$here/configs/iris.toml" >hostile.toml
train hostile.toml --out '<b>hostile & "run"'
report() { "$descent" report -q "$@" 2>/dev/null; }
report mnist --output one.html
report mnist larger --output two.html
report iris diabetes weather --output tables.html
report '<b>hostile & "run"' --output hostile.html
report mnist larger --no-data --output curves.html
cp "$here/scripts/check-report.mjs" .
CHROMIUM=$chromium node check-report.mjs one.html two.html tables.html hostile.html curves.html
