#!/usr/bin/env bash
# Build the wheels and try them in clean environments: packaging/test_wheel.sh [PYTHON ...], by default the lowest and highest that are supported.
# That for all platforms first; where kernels can be compiled ahead, then the one that brings them. Where uv or pipx are installed, they install it too.
# WHEELS=FOLDER keeps the wheels.
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

# The first selections after an installation that brings compiled kernels compile nothing.
try_first_selections() {
    craig=$1
    (
        cd "$work"
        unset PYTHONPATH
        export CRAIG_CACHE_DIR="$work/nothing-compiled"
        for data in elsewhere/sample.csv elsewhere/sample.libsvm; do
            begun=$(date +%s%N)
            "$craig" select "$data" --fraction 0.1 --json -o cs.parquet > report.json
            echo "first select of $data: $((($(date +%s%N) - begun) / 1000000)) ms"
            ! grep '"compile"' report.json
            rm cs.parquet report.json
        done
    )
}

for python in "${pythons[@]}"; do
    echo "== $python"
    bin="$work/env-$(basename "$python")/bin"
    "$python" -m venv "${bin%/bin}"
    if [ ! -d "$work/dist" ]; then
        "$bin/python" -m pip wheel --quiet --no-deps --wheel-dir "$work/dist" "$work"
    fi
    "$bin/python" -m pip install --quiet --disable-pip-version-check "$work"/dist/craig_cli-*-none-any.whl
    "$bin/python" -m pip check
    try_it "$bin/craig"
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        wheel=$(cd "$work/elsewhere" && "$bin/python" -P "$work/packaging/compile_wheel.py" "$work"/dist/craig_cli-*-none-any.whl "$work/dist" | tail -n 1)
        "$bin/python" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"
        "$bin/python" -m pip check
        try_it "$bin/craig"
        try_first_selections "$bin/craig"
    fi
done
if command -v uv > /dev/null; then
    echo "== uv tool"
    UV_TOOL_DIR="$work/uv" UV_TOOL_BIN_DIR="$work/uv-bin" uv tool install --quiet "$work"/dist/craig_cli-*-none-any.whl
    try_it "$work/uv-bin/craig"
fi
if command -v pipx > /dev/null; then
    echo "== pipx"
    PIPX_HOME="$work/pipx" PIPX_BIN_DIR="$work/pipx-bin" pipx install "$work"/dist/craig_cli-*-none-any.whl
    try_it "$work/pipx-bin/craig"
fi
if [ -n "${WHEELS:-}" ]; then
    mkdir -p "$WHEELS"
    cp "$work"/dist/*.whl "$WHEELS"
fi
echo "The wheels work."
