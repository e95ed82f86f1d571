#!/usr/bin/env bash
# Trains without a scheduler, on this machine or on the hosts of a file:
# cluster/local.sh [-n RANKS] [--hostfile FILE] ARGUMENTS OF sqair-dist
#
#   cluster/local.sh -n 4 train --data train.h5 --valid valid.h5 --run runs/first
#   cluster/local.sh --hostfile hosts train --data train.h5 --valid valid.h5 --run runs/first
#
# Without -n there is one rank per core that this shell may use, or one per slot in the file. Ctrl-C (or
# SIGTERM, SIGUSR1, a closed terminal) saves a checkpoint and ends with code 85; the same command resumes from there. A
# second Ctrl-C ends at once. The exit code is that of the job.
set -euo pipefail
unset CDPATH
here=$(cd -- "$(dirname "${BASH_SOURCE[0]}")" && pwd)
script=local.sh
# shellcheck source=launch.sh
source "$here/launch.sh"

usage() {
  echo "usage: cluster/local.sh [-n RANKS] [--hostfile FILE] ARGUMENTS OF sqair-dist   (RANKS is 1 or more)" >&2
  exit 64
}

ranks=
hostfile=
while [ $# -gt 0 ]; do
  case $1 in
    -n) ranks=${2:-0} ;;
    --hostfile) hostfile=${2:-} ;;
    *) break ;;
  esac
  shift $(($# > 1 ? 2 : 1))
done
[ $# -gt 0 ] || usage
if [ -n "$ranks" ] && ! [[ $ranks =~ ^[1-9][0-9]*$ ]]; then usage; fi
# In a folder of scripts/package the program is in bin.
home=$(dirname "$here")
built=$home/bin/sqair-dist
[ -x "$built" ] || built=$home/.build/release/sqair-dist
program=${SQAIR_DIST:-$built}
if [ ! -x "$program" ]; then
  echo "local.sh: $program does not exist; build it with \`swift build -c release\`, or name it in SQAIR_DIST" >&2
  exit 66
fi

if [ -n "$hostfile" ]; then
  if [ ! -r "$hostfile" ]; then
    echo "local.sh: the host file '$hostfile' cannot be read; cluster/hostfile.example shows its format" >&2
    exit 66
  fi
  options=(--hostfile "$hostfile" "${hosts_options[@]}")
  [ -z "$ranks" ] || options+=(-np "$ranks")
else
  # Cores that this process may run on, fewer where a container or a control group gives it less of their time.
  cores=$("$program" doctor --ranks 2>/dev/null) || cores=$(nproc)
  ranks=${ranks:-$cores}
  options=(--bind-to none -np "$ranks")
  [ "$ranks" -le "$cores" ] || options=(--oversubscribe "${options[@]}")
fi
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1  # as in a container
fi

# In a session of its own, mpirun does not receive Ctrl-C, on which it would kill the ranks; only this script does.
code=0
launch setsid mpirun "${options[@]}" "$program" "$@" || code=$?
# Ranks of these commands do not meet, so nobody knows whether they started.
case " $* " in
  *" --help "* | *" -h "* | *" --version "*) exit "$code" ;;
esac
case $1 in
  config | data | export | generate | help | inspect | reconstruct | replay | report | sample) exit "$code" ;;
esac
first=$([ -z "$hostfile" ] || sed -n 's/^[[:space:]]*\([^#[:space:]]\{1,\}\).*/\1/p' "$hostfile" | head -n 1)
case " localhost $(hostname) $(hostname -I 2>/dev/null) " in
  *" ${first:-localhost} "*) refuse_nothing_done ;;  # The first host is this one.
esac
exit "$code"
