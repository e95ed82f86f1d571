# shellcheck shell=bash
# Sourced by local.sh and train.sbatch: starts the ranks and turns a signal to the script into a calm stop.
#
#   launch COMMAND...    runs COMMAND (mpirun or srun with its arguments) to its end and returns its exit code.
#                        `stopped_by` then names the signal that came to this script, or is empty.
#
# The signal goes on as SIGUSR1, which mpirun and srun pass to every rank. SIGTERM would not do: mpirun kills the ranks
# a second later. A second signal ends the job at once.

stopped_by=

_pass_on() {
  if [ -n "$stopped_by" ]; then
    printf '%s: a second signal (%s): ending the job at once\n' "${0##*/}" "$1" >&2
    kill -TERM "$_launcher" 2>/dev/null || true
    return
  fi
  stopped_by=$1
  printf '%s: %s: asking the ranks to save and stop\n' "${0##*/}" "$1" >&2
  kill -USR1 "$_launcher" 2>/dev/null || true
}

launch() {
  local code=0 before
  stopped_by=
  "$@" </dev/null &
  _launcher=$!
  _signals=0
  for signal in USR1 TERM INT HUP; do
    # shellcheck disable=SC2064  # the name is meant to be filled in now
    trap "_signals=\$((_signals + 1)); _pass_on SIG$signal" "$signal"
  done
  # A trap interrupts `wait`; waiting again gives the exit code even when the launcher has ended meanwhile.
  while true; do
    before=$_signals
    code=0
    wait "$_launcher" || code=$?
    [ "$_signals" -ne "$before" ] || break
  done
  trap - USR1 TERM INT HUP
  return "$code"
}
