#!/usr/bin/env bash
# The batch scripts of cluster/ under a real Slurm of two virtual nodes: jobs that are warned, preempted, cancelled and
# thrown off a node, and that end with the bits of a run that nothing disturbed:
# slurm.sh users|urgency|nodes|TEST_CASE..., where a test case is a function below.
here=$(cd -- "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support.sh
source "$here/support.sh"
part="slurm $*"
# shellcheck source=mini-slurm.sh
source "$here/mini-slurm.sh"

teardown() { stop_slurm; }

export SQAIR_HOME=$root

# submit NAME OPTIONS OF sbatch... [-- OPTIONS OF train]: a run in the folder NAME, its log in NAME.log. Sets $job.
submit() {
  local name=$1 options=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  [ $# -eq 0 ] || shift
  job=$(sbatch --parsable --job-name="$name" --output=%x.log --ntasks=2 --mem-per-cpu=500M "${options[@]}" \
    "$root/cluster/train.sbatch" "${train[@]}" --run "$name" --steps "$steps" "$@")
}

state() { scontrol -o show job "$1" 2>/dev/null | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p'; }
restarts() { scontrol -o show job "$1" | sed -n 's/.* Restarts=\([0-9]*\).*/\1/p'; }
exit_code() { scontrol -o show job "$1" | sed -n 's/.* ExitCode=\([0-9]*\):.*/\1/p'; }

has_ended() {
  case $(state "$1") in PENDING | RUNNING | COMPLETING | CONFIGURING | REQUEUED | SIGNALING) return 1 ;; *) return 0 ;; esac
}

# under_way NAME: waits until the run has learned a little.
under_way() {
  eventually 200 has_begun "$1" || true
  has_updates "$1" $((steps / 10)) || fail "$1 did not begin to learn:" "$(tail -n 20 "$1.log")"
}

has_begun() { has_updates "$1" $((steps / 10)) || has_ended "$job"; }

# ends_well JOB NAME TIMES: waits for the end of a job that must have been queued again so many times at least.
ends_well() {
  local job=$1 name=$2 least=$3
  eventually 500 has_ended "$job" || { fail "job $job has not ended: $(state "$job")" "$(tail -n 20 "$name.log")"; return 1; }
  if [ "$(state "$job")" != COMPLETED ] || [ "$(restarts "$job")" -lt "$least" ]; then
    fail "job $job: $(state "$job"), started again $(restarts "$job") times" "$(tail -n 40 "$name.log")"
    return 1
  fi
  same_bits "$name"
}

# begin TEXT: begins a test case on an empty cluster. One that failed may have left jobs, which would hold the nodes.
begin() {
  scancel --user="$(id -un)"
  eventually 60 no_jobs
  test_case "$@"
}

no_jobs() { [ -z "$(squeue -h)" ]; }

says() { grep -qF -- "$2" "$1.log" || fail "$1.log does not say '$2':" "$(tail -n 40 "$1.log")"; }

# --- Test cases ------------------------------------------------------------------------------------------------------

a_run_that_nothing_disturbs() {
  begin "an undisturbed run: $steps updates on 2 ranks"
  mpirun --oversubscribe --bind-to none -np 2 "$program" train "${train[@]}" --run whole --steps "$steps" >whole.log 2>&1 \
    || { fail "$(tail -n 20 whole.log)"; exit 1; }
  pass
}

the_time_is_over() {
  begin "time limit: Slurm warns, the job saves, is requeued and resumes with the same bits"
  local last
  # Without an end, so that it is under way whenever Slurm's warning comes; stopped once it has been started again.
  submit limit --time=60 --signal=B:USR1@119 -- --steps 1000000
  under_way limit || return
  # Slurm looks at time limits every 30 seconds. One to two minutes are left now: it warns when it looks next.
  scontrol update jobid="$job" timelimit=$(($(minutes_run "$job") + 2))
  eventually 200 is_queued_again "$job" || { fail "not queued again: $(state "$job")" "$(tail -n 30 limit.log)"; return; }
  scontrol update jobid="$job" timelimit=60
  eventually 200 has_resumed limit || { fail "$(tail -n 30 limit.log)"; return; }
  scancel --signal=USR1 "$job"
  eventually 200 has_ended "$job" || { fail "not ended: $(state "$job")"; return; }
  says limit "the time limit is near: requeueing job $job" || return
  says limit "start 1, " || return
  last=$(digest_step limit)
  mpirun --oversubscribe --bind-to none -np 2 "$program" train "${train[@]}" --run unlimited --steps "$last" \
    >unlimited.log 2>&1
  same_bits limit unlimited || return
  pass
}

# minutes_run JOB: how many whole minutes it has run.
minutes_run() {
  local seconds=$(($(date +%s) - $(date +%s -d "$(scontrol -o show job "$1" | sed -n 's/.* StartTime=\([^ ]*\).*/\1/p')")))
  echo $((seconds / 60))
}

is_queued_again() { [ "$(restarts "$1")" -ge 1 ]; }

# has_resumed NAME: it resumed, and has made some updates since.
has_resumed() { grep -q "resumed from" "$1.log" && has_updates "$1" $(($(digest_step "$1") + 20)); }

a_more_urgent_job_comes() {
  local name=urgent-$1
  begin "preemption, $1: a job of higher priority takes the nodes, the job saves, waits and ends with the same bits"
  SQAIR_LAUNCHER=$1 submit "$name" --nodes=2
  under_way "$name" || return
  local urgent
  urgent=$(sbatch --parsable --partition=urgent --nodes=2 --exclusive --output=urgent.log --wrap "sleep 1")
  ends_well "$job" "$name" 1 || return
  [ "$(state "$urgent")" = COMPLETED ] || { fail "the urgent job: $(state "$urgent")"; return; }
  says "$name" "the job was preempted: requeueing job $job" || return
  says "$name" "resumed from $name/checkpoints" || return
  pass
}

a_signal_comes_early() {
  begin "signals while the ranks are starting: held back until they can save"
  local delay
  for delay in 0.3 0.7 1.1; do
    submit "early-$delay" --nodes=2
    eventually 60 says_start "early-$delay" || { fail "not started"; return; }
    sleep "$delay"
    scancel --batch --signal=TERM "$job"
    eventually 200 has_ended "$job" || { fail "not ended: $(state "$job")"; return; }
    [ "$(exit_code "$job")" -eq 85 ] || { fail "after $delay s: exit code $(exit_code "$job")" "$(cat "early-$delay.log")"; return; }
  done
  pass
}

says_start() { grep -qs "start 1," "$1.log"; }

a_user_stops_it() {
  begin "scancel --signal=USR1: the ranks save and stop; another sbatch resumes with 3 ranks and ends with the same bits"
  submit stopped
  under_way stopped || return
  scancel --signal=USR1 "$job"
  eventually 200 has_ended "$job" || { fail "not ended: $(state "$job")"; return; }
  [ "$(exit_code "$job") $(restarts "$job")" = "85 0" ] \
    || { fail "exit code $(exit_code "$job"), started again $(restarts "$job") times" "$(tail -n 20 stopped.log)"; return; }
  submit stopped --ntasks=3
  ends_well "$job" stopped 0 || return
  says stopped "resumed from stopped/checkpoints" || return
  pass
}

a_user_cancels_it() {
  local name=cancelled-$1
  begin "scancel, $1: the latest update is saved, and the same sbatch resumes"
  SQAIR_LAUNCHER=$1 submit "$name"
  under_way "$name" || return
  scancel "$job"
  eventually 200 has_ended "$job" || { fail "not ended: $(state "$job")"; return; }
  [ "$(state "$job")" = CANCELLED ] || { fail "$(state "$job")" "$(tail -n 20 "$name.log")"; return; }
  eventually 30 no_ranks || { fail "ranks still run"; return; }
  [ "$(digest_step "$name")" = "$(updates "$name")" ] \
    || { fail "latest checkpoint: $(digest_step "$name"); updates in the log: $(updates "$name")" "$(tail -n 20 "$name.log")"; return; }
  SQAIR_LAUNCHER=$1 submit "$name"
  ends_well "$job" "$name" 0 || return
  says "$name" "resumed from $name/checkpoints" || return
  pass
}

a_node_dies() {
  begin "power cut on n2: the job is requeued, resumes from its latest checkpoint on n1, with the same bits"
  submit dead --nodes=1-2 --spread-job -- --set checkpoint.interval=$((steps / 20))
  under_way dead || return
  kill_node n2
  ends_well "$job" dead 1
  local code=$?
  slurmd -N n2
  restore_node n2 || return
  [ "$code" -eq 0 ] || return
  says dead "ranks on n[1-2]" || return
  says dead "2 ranks on n1" || return
  says dead "resumed from dead/checkpoints" || return
  pass
}

a_node_is_set_down() {
  begin "n1 drained: the job of 3 ranks saves, waits, is given 2 ranks on n2 and ends with the same bits"
  submit down --ntasks=3
  under_way down || return
  # As a disk server does that has not heard of the end: the lock of the run is held for a while after it.
  flock down/.lock sleep 25 &
  scontrol update nodename=n1 state=down reason=test
  eventually 200 is_queued_again "$job" || { fail "not queued again: $(state "$job")" "$(tail -n 20 down.log)"; return; }
  scontrol update jobid="$job" numtasks=2 numcpus=2 numnodes=1
  ends_well "$job" down 1
  local code=$?
  restore_node n1 || return
  [ "$code" -eq 0 ] || return
  says down "ranks on n[1-2]" || return
  says down "2 ranks on n2" || return
  says down "resumed from down/checkpoints" || return
  pass
}

restore_node() {
  eventually 10 scontrol update nodename="$1" state=resume
  eventually 30 both_idle || fail "$1 does not come back:" "$(sinfo -h -N)"
}

an_array_over_seeds() {
  begin "array: one run per seed, one of them requeued individually"
  local seed array
  submit array --array=0-2 --ntasks=1 --output=array-%a.log -- --run array-%a --seed %a
  array=$job
  eventually 200 has_updates array-2 $((steps / 10)) || { fail "$(tail -n 20 array-2.log)"; return; }
  scancel --batch --signal=USR1 "${array}_2"
  for seed in 0 1 2; do
    eventually 500 has_ended "${array}_$seed" || { fail "task $seed has not ended"; return; }
    [ "$(state "${array}_$seed")" = COMPLETED ] || { fail "task $seed: $(state "${array}_$seed")" "$(tail array-$seed.log)"; return; }
  done
  same_bits array-0 || return
  says array-2 "requeueing job ${array}_2" || return
  [ "$(for seed in 0 1 2; do digest array-$seed; done | sort -u | grep -c parameters)" -eq 3 ] \
    || { fail "seeds with the same parameters:" "$(for seed in 0 1 2; do digest array-$seed; done)"; return; }
  submit same --array=0-1
  eventually 200 has_ended "${job}_1" || { fail "not ended"; return; }
  [ "$(exit_code "${job}_1")" -eq 64 ] || { fail "an array in one folder: exit code $(exit_code "${job}_1")"; return; }
  says same "all tasks of the array would train in the same folder" || return
  pass
}

a_launch_that_does_nothing() {
  begin "mpirun that exits with 0 before the ranks start: the job does not count as complete"
  SQAIR_DIST=/bin/true submit nothing
  eventually 200 has_ended "$job" || { fail "not ended: $(state "$job")"; return; }
  [ "$(state "$job") $(exit_code "$job")" = "FAILED 1" ] || { fail "$(state "$job") $(exit_code "$job")"; return; }
  says nothing "the ranks never started" || return
  pass
}

a_run_is_measured() {
  begin "evaluate.sbatch: evaluates the run and prints JSON"
  job=$(sbatch --parsable --output=measure.log --mem-per-cpu=500M "$root/cluster/evaluate.sbatch" --checkpoint whole \
    --data "$folder/train.h5")
  eventually 200 has_ended "$job" || { fail "not ended: $(state "$job")"; return; }
  [ "$(state "$job")" = COMPLETED ] || { fail "$(state "$job")" "$(cat measure.log)"; return; }
  says measure '"bound' || return
  pass
}

# ----------------------------------------------------------------------------------------------------------------------

main() {
  require_slurm
  test_case "a Slurm of two virtual nodes starts"
  start_slurm || { fail "$(tail -n 5 "$slurm"/log/*.log)"; exit 1; }
  pass
  make_toy || exit 1
  choose_steps

  a_run_that_nothing_disturbs
  for name in "$@"; do "$name"; done
  echo "$part: $passed passed, $failed failed"
}

users() {
  a_run_is_measured
  a_launch_that_does_nothing
  a_user_stops_it
  a_signal_comes_early
  a_user_cancels_it mpirun
  ! has_pmix || a_user_cancels_it srun
  an_array_over_seeds
}

urgency() {
  the_time_is_over
  a_more_urgent_job_comes mpirun
  if has_pmix; then a_more_urgent_job_comes srun; else echo "skipped  test cases with srun: this Slurm lacks --mpi=pmix"; fi
}

nodes() {
  a_node_is_set_down
  a_node_dies
}

has_pmix() { srun --mpi=list 2>&1 | grep -q pmix; }

main "$@"
