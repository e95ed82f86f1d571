# shellcheck shell=bash
# Sourced by the tests of the recipes in cluster/, which set $part to their name: what they share.
#
#   test_case TEXT        begins a test: a sentence that the steps below it must make true
#   pass                  ends it; a test case that ends otherwise has failed
#   fail TEXT             ends it as failed, with what was seen
#   skip TEXT             ends this file: TEXT says what the machine lacks
#   eventually SECONDS COMMAND...   waits until COMMAND succeeds
#
# Everything lives in $folder, which goes in the end. Every process that a test starts carries SQAIR_RECIPE_TEST=$folder
# in its environment, so that the end finds them all, whatever became of their parents.

set -uo pipefail
unset CDPATH
root=$(cd -- "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export SQAIR_DIST=${SQAIR_DIST:-$root/.build/release/sqair-dist}
program=$SQAIR_DIST
# Short, because sockets live below it. Slurm and MPI want no group or others to write there.
folder=$(mktemp -d "${TMPDIR:-/tmp}/sqair-recipes.XXXXXX")
chmod 755 "$folder"
export SQAIR_RECIPE_TEST=$folder
cd "$folder" || exit 1
export OMPI_MCA_mpi_yield_when_idle=1
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

passed=0
failed=0
_test_case=
_began=

test_case() {
  _test_case=$*
  _began=$SECONDS
}

pass() { _end ok "$((SECONDS - _began)) s"; passed=$((passed + 1)); }

# Returns 1, so that `... || { fail ...; return; }` reads well. Says all at once: others speak at the same time.
fail() {
  printf '%s\n' "$(_end FAILED "$((SECONDS - _began)) s"; printf '%s\n' "$@" | sed 's/^/         /')"
  failed=$((failed + 1))
  return 1
}

_end() { printf '%-7s  %s (%s)\n' "$1" "$_test_case" "$2"; }

skip() {
  printf 'skipped  %s: %s\n' "${part:-}" "$*"
  exit 77
}

eventually() {
  local limit=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$limit" ] || return 1
    sleep 0.2
  done
}

# Sets $stragglers to the ids of the processes of this test that still run, but for this shell.
find_stragglers() {
  local process
  stragglers=()
  for process in /proc/[0-9]*; do
    [ "${process#/proc/}" -ne $$ ] || continue
    if grep -qzxF "SQAIR_RECIPE_TEST=$folder" "$process/environ" 2>/dev/null; then
      stragglers+=("${process#/proc/}")
    fi
  done
}

# No process of this test runs the trainer.
no_ranks() {
  local process
  find_stragglers
  for process in "${stragglers[@]}"; do
    [ "$(readlink "/proc/$process/exe")" != "$(readlink -f "$program")" ] || return 1
  done
}

# Ends what is left, removes the folder, and turns the count of failures into the exit code.
_finish() {
  local code=$?
  trap - EXIT
  trap '' INT TERM HUP  # A second signal must not leave daemons behind.
  if declare -F teardown >/dev/null; then teardown; fi
  find_stragglers
  [ ${#stragglers[@]} -eq 0 ] || kill -KILL "${stragglers[@]}" 2>/dev/null
  cd /
  if [ -n "${SQAIR_KEEP:-}" ]; then  # to look at the logs
    echo "kept     $folder"
  else
    rm -rf "$folder"
  fi
  [ "$code" -ne 0 ] || [ "$failed" -eq 0 ] || code=1
  exit "$code"
}
trap _finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Training that costs little: moving digits of 3 frames, hidden 32. The batch is large enough that ranks which outnumber
# the processors do not wait for each other most of the time. Without a schedule of the learning rate, which would make
# the first updates depend on --steps. $train holds the arguments but for --run and --steps.
make_toy() {
  "$program" data moving-digits --out train.h5 --sequences 128 --frames 3 --canvas 32 >data.log 2>&1 \
    || { cat data.log; return 1; }
  cat >toy.json <<'JSON'
{
  "model": {
    "hiddenSize": 32, "appearanceSize": 8, "glimpseHeight": 8, "glimpseWidth": 8, "maskHiddenSize": 16,
    "whereBiasHiddenSize": 16, "wherePriorHiddenSize": 16
  },
  "training": {
    "batchSize": 64, "particles": 3, "frames": { "start": 3, "end": 3 },
    "optimizer": { "schedule": { "boundaries": [], "factors": [] } }
  },
  "logging": { "interval": 1 }, "validation": { "interval": 0 }, "pictures": { "interval": 0 },
  "generation": { "interval": 0 },
  "checkpoint": { "interval": 1000000, "keepLast": 3 }
}
JSON
  train=(--config "$folder/toy.json" --data "$folder/train.h5")
}

# updates RUN: how many updates its log tells of.
updates() {
  local file=$1/metrics.jsonl
  if [ -f "$file" ]; then grep -c '"train/bound"' "$file"; else echo 0; fi
}

has_updates() { [ "$(updates "$1")" -ge "$2" ]; }

# digest RUN: what its latest checkpoint holds: step, digest of the parameters, digest of the optimizer's state.
digest() { "$program" inspect "$1" --digest 2>&1; }

digest_step() { digest "$1" | sed -n 's/^step *//p'; }

# losses RUN: number, bound and gradient norm of each update in its log.
losses() {
  sed -n 's|^{"step":\([0-9]*\),"train/bound":\([^,]*\),.*"train/gradient_norm":\([^,]*\),.*|\1 \2 \3|p' "$1/metrics.jsonl"
}

# Sets $steps to as many updates as two ranks do in about five seconds when nothing else runs, so that there is time to
# disturb them. It counts the processor's time, because tests run beside each other.
choose_steps() {
  local TIMEFORMAT='%3U' seconds
  seconds=$({ time "$program" train "${train[@]}" --run pace --steps 40 >pace.log 2>&1; } 2>&1) \
    || { cat pace.log; exit 1; }
  steps=$((10#${seconds/./}))  # milliseconds of 40 updates on one processor
  steps=$((40 * 2 * 5000 / steps))
}

# same_bits RUN [OTHER]: the run has the metrics and the parameters of another, by default the undisturbed one.
same_bits() {
  local other=${2:-whole}
  if [ "$(digest "$1")" != "$(digest "$other")" ]; then
    fail "other parameters:" "$(digest "$other")" "$(digest "$1")"
    return 1
  fi
  if ! cmp -s <(losses "$other") <(losses "$1"); then
    fail "different metrics in the log:" "$(diff <(losses "$other") <(losses "$1") | head)"
    return 1
  fi
}
