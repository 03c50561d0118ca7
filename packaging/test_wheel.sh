#!/usr/bin/env bash
# Build a wheel and try it in clean environments: packaging/test_wheel.sh [PYTHON ...], by default the lowest and highest that are supported.
# Where uv or pipx are installed, they install it too.
set -euo pipefail
cd "$(dirname "$0")/.."
pythons=("${@:-}")
[ -n "${pythons[0]}" ] || pythons=(python3.11 python3.14)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z | xargs -0 -I{} cp --parents {} "$work"
cp -r sample_data "$work/elsewhere"

try_it() {
    craig=$1
    (
        cd "$work"
        unset PYTHONPATH
        "$craig" --version
        "$craig" doctor
        "$craig" select elsewhere/sample.csv --fraction 0.1 --quiet -o cs.parquet
        "$craig" verify elsewhere/sample.libsvm cs.parquet > verified.txt || { cat verified.txt; exit 1; }
        "$craig" apply elsewhere/sample.csv cs.parquet --quiet --force -o subset.csv
        test "$(wc -l < subset.csv)" = 61
        rm cs.parquet subset.csv
    )
}

for python in "${pythons[@]}"; do
    echo "== $python"
    bin="$work/env-$(basename "$python")/bin"
    "$python" -m venv "${bin%/bin}"
    if [ ! -d "$work/dist" ]; then
        "$bin/python" -m pip wheel --quiet --no-deps --wheel-dir "$work/dist" "$work"
    fi
    "$bin/python" -m pip install --quiet --disable-pip-version-check "$work"/dist/craig_cli-*.whl
    "$bin/python" -m pip check
    try_it "$bin/craig"
done
if command -v uv > /dev/null; then
    echo "== uv tool"
    UV_TOOL_DIR="$work/uv" UV_TOOL_BIN_DIR="$work/uv-bin" uv tool install --quiet "$work"/dist/craig_cli-*.whl
    try_it "$work/uv-bin/craig"
fi
if command -v pipx > /dev/null; then
    echo "== pipx"
    PIPX_HOME="$work/pipx" PIPX_BIN_DIR="$work/pipx-bin" pipx install "$work"/dist/craig_cli-*.whl
    try_it "$work/pipx-bin/craig"
fi
echo "The wheel works."
