#!/bin/sh
# Starts Anneal on the Node beside it. Needs nothing of the host but this shell; a link to this file may lie anywhere.
ANNEAL_CALLED_AS=$0
export ANNEAL_CALLED_AS
self=$0
case $self in */*) ;; *) self=$(command -v -- "$self") ;; esac
if [ -h "$self" ]; then
  command -v readlink >/dev/null || { echo "error: $self is a link, and there is no readlink to follow it" >&2; exit 2; }
  self=$(readlink -f -- "$self")
fi
exec "${self%/*}/bin/node" "${self%/*}/agent/lib/main.js" "$@"
