# shellcheck shell=bash
# Sourced by local.sh and train.sbatch: starts the ranks and turns a signal to the script into an orderly stop.
#
#   launch COMMAND...    runs COMMAND (mpirun or srun with its arguments) and returns its exit code. Afterwards
#                        `stopped_by` names the signal that this script received, or is empty; `began` is yes if rank 0
#                        ran on this host and all ranks joined it.
#   refuse_nothing_done  sets `code` to 1 if the launch exited with 0 although no rank started.
#   hosts_options        options that mpirun needs when ranks are on several hosts.
#   fill_in ARGUMENTS... sets `arguments` to them, with %a in each replaced by the task of a job array.
#
# The signal is passed on as SIGUSR1, which mpirun and srun forward to every rank. SIGTERM is unsuitable: mpirun kills the
# ranks soon after it.

if [ "${BASH_VERSINFO[0]}" -lt 4 ] || { [ "${BASH_VERSINFO[0]}" -eq 4 ] && [ "${BASH_VERSINFO[1]}" -lt 4 ]; }; then
  echo "${0##*/}: bash $BASH_VERSION is too old; 4.4 or newer is needed" >&2
  exit 69
fi

# The name in messages; Slurm runs a copy of a batch script under a name of its own.
script=${script:-${0##*/}}

# shellcheck disable=SC2034  # read by those who source this
hosts_options=(
  # By default mpirun waits forever for a host whose link is cut. These settings detect it after 20 + 6 x 5 seconds.
  --mca oob_tcp_keepalive_time 20 --mca oob_tcp_keepalive_intvl 5 --mca oob_tcp_keepalive_probes 6
  # `scancel` sends SIGTERM to mpirun as well as to the ranks. They get twice five seconds to save, instead of two.
  --mca odls_base_sigkill_timeout 5
  -x OPENBLAS_NUM_THREADS
)

# mpirun's exit code when it can no longer reach one of its helpers on other hosts.
lost_a_host=205
# The exit code of the ranks when one of them makes no progress, for example because its host is gone.
# shellcheck disable=SC2034  # read by train.sbatch
was_stuck=75

stopped_by=

# Ranks compute with one thread each. OpenBLAS would start one a core when it is loaded, and crash where that many are
# not allowed.
export OPENBLAS_NUM_THREADS=1

# A reader that goes away (`| head`, `| tee` after Ctrl-C, a terminal that is closed) must not end this script: the ranks
# would run on without anybody to stop them. It stays ignored in what is started here.
trap '' PIPE

# Messages of this script; that nobody can read them is no reason to stop.
_tell() { printf '%s: %s\n' "$script" "$*" >&2 || true; }

# A signal that arrives before all ranks catch signals is held back: mpirun would lose it, or exit with 0 and nothing
# done, or the ranks would die. Rank 0 creates the file; where this host does not see it, half a minute has to suffice.
_pass_on() {
  if [ -n "$stopped_by" ]; then
    kill -TERM "$_launcher" 2>/dev/null || true
    _tell "second signal ($1): ending the job at once"
    return
  fi
  stopped_by=$1
  (
    until [ -e "$SQAIR_READY_FILE" ] || [ $((SECONDS - _began)) -ge 30 ]; do
      kill -0 "$_launcher" 2>/dev/null || exit 0
      sleep 0.2
    done
    kill -USR1 "$_launcher" 2>/dev/null || true
  ) &
  _tell "$1: asking the ranks to save and stop"
}

# Sets `_relay` to the process that copies what it is given on file descriptor $2 to descriptor $1, and keeps taking it
# when it cannot be written: mpirun ends the job when its output is a broken pipe. A session of its own keeps the keyboard
# and the end of the terminal away from it. What goes to a file needs no relay.
_start_relay() {
  _relay=
  if [ -f "/dev/fd/$1" ]; then
    eval "exec $2>&$1"
  else
    eval "exec $2> >(exec setsid tee /dev/null >&$1 2>/dev/null 7>&- 8>&-)"
    _relay=$!
  fi
}

# Waits for a relay to write what it has, but not for ever: a helper of mpirun may hold the other end open.
_end_relay() {
  local limit=$((SECONDS + 5))
  [ -n "$1" ] || return 0
  while kill -0 "$1" 2>/dev/null; do
    [ "$SECONDS" -lt "$limit" ] || return 0
    sleep 0.05
  done
  wait "$1" 2>/dev/null
}

launch() {
  local code=0 before signal output_relay error_relay same
  stopped_by=
  SQAIR_READY_FILE=$(mktemp -u "${TMPDIR:-/tmp}/sqair-ready.XXXXXX")
  export SQAIR_READY_FILE
  _began=$SECONDS
  _signals=0
  _start_relay 1 7
  output_relay=$_relay
  _start_relay 2 8
  error_relay=$_relay
  "$@" </dev/null >&7 2>&8 7>&- 8>&- &
  _launcher=$!
  exec 7>&- 8>&-
  for signal in USR1 TERM INT HUP; do
    # shellcheck disable=SC2064  # the name is meant to be filled in now
    trap "_signals=\$((_signals + 1)); _pass_on SIG$signal" "$signal"
  done
  # A trap interrupts `wait`; waiting again returns the exit code even if the launcher has ended meanwhile.
  while true; do
    before=$_signals
    code=0
    wait "$_launcher" || code=$?
    [ "$_signals" -ne "$before" ] || break
  done
  trap - USR1 TERM INT HUP
  _end_relay "$error_relay" || true
  if ! _end_relay "$output_relay" && [ "$code" -eq 0 ]; then
    _tell "what the job printed could not be written to standard output"
    code=1
  fi
  if [ -e "$SQAIR_READY_FILE" ]; then began=yes; else began=; fi
  rm -f "$SQAIR_READY_FILE"
  if [ "$code" -eq "$lost_a_host" ] && [ -z "$stopped_by" ]; then
    case " $* " in
      *" --fresh "*) same="The same command without --fresh" ;;
      *) same="The same command" ;;
    esac
    _tell "mpirun lost the host named above, or the network to it." \
      "$same resumes from the latest checkpoint, with that host or without it."
  fi
  return "$code"
}

# Happens when something disturbs mpirun before it has reached all hosts. Only for launches whose rank 0 is on this host.
refuse_nothing_done() {
  if [ "$code" -eq 0 ] && [ -z "$began" ]; then
    _tell "the launcher exited with 0, but the ranks never started; see above, and start again"
    code=1
  fi
}

fill_in() {
  local argument
  arguments=()
  for argument in "$@"; do
    [ -z "${SLURM_ARRAY_TASK_ID:-}" ] || argument=${argument//%a/$SLURM_ARRAY_TASK_ID}
    arguments+=("$argument")
  done
}
