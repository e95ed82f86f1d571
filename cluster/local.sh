#!/usr/bin/env bash
# Trains on this machine with several processes: cluster/local.sh [-n RANKS] ARGUMENTS OF sqair-dist
#
#   cluster/local.sh -n 4 train --data train.h5 --valid valid.h5 --run runs/first
#
# Without -n there is one rank a core. Ctrl-C (or SIGTERM, SIGUSR1) saves a checkpoint and ends with code 85; the same
# command goes on from there. A second Ctrl-C ends at once. The exit code is that of the job.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=launch.sh
source "$here/launch.sh"

cores=$(nproc)
ranks=$cores
if [ "${1:-}" = -n ]; then
  ranks=${2:-}
  shift $(($# > 1 ? 2 : 1))
fi
if ! [[ $ranks =~ ^[1-9][0-9]*$ ]] || [ $# -eq 0 ]; then
  echo "usage: cluster/local.sh [-n RANKS] ARGUMENTS OF sqair-dist   (RANKS is 1 or more)" >&2
  exit 64
fi
program=${SQAIR_DIST:-$here/../.build/release/sqair-dist}
if [ ! -x "$program" ]; then
  echo "local.sh: $program is not there; build it with \`swift build -c release\`, or name it in SQAIR_DIST" >&2
  exit 66
fi

options=(--bind-to none -np "$ranks")
[ "$ranks" -le "$cores" ] || options=(--oversubscribe "${options[@]}")
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1  # as in a container
fi

# In a session of its own, Ctrl-C reaches this script only, and not mpirun, which would kill the ranks.
code=0
launch setsid mpirun "${options[@]}" "$program" "$@" || code=$?
exit "$code"
