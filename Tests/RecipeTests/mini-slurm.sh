# shellcheck shell=bash
# Sourced after support.sh: a Slurm of its own for a test, with two virtual nodes n1 and n2 of two cores on this machine.
#
#   require_slurm     skips the file where Slurm is not installed
#   start_slurm       starts munged, slurmctld and two slurmd in $slurm; their commands then speak to it
#   stop_slurm        ends all jobs and daemons

# shellcheck source=support.sh disable=SC2154  # $folder and $stragglers come from there
slurm=$folder/slurm

require_slurm() {
  local name missing=()
  PATH=$PATH:/usr/sbin:/sbin
  for name in munged slurmctld slurmd sbatch scontrol squeue scancel mpirun; do
    command -v "$name" >/dev/null || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] || skip "${missing[*]} not installed; \`scripts/install --cluster\` does it"
}

# A port on which nobody listens, and neither on the next two.
_free_ports() {
  local port
  for _ in {1..50}; do
    port=$((20000 + (RANDOM % 10000)))
    for offset in 0 1 2; do
      if (exec 3<>"/dev/tcp/127.0.0.1/$((port + offset))") 2>/dev/null; then continue 2; fi
    done
    echo "$port"
    return
  done
  return 1
}

start_slurm() {
  local user port
  user=$(id -un)
  port=$(_free_ports)
  mkdir -p "$slurm"/{munge,state,log,spool.n1,spool.n2,tmp.n1,tmp.n2}
  (umask 077 && head -c 1024 /dev/urandom >"$slurm/munge.key")
  export SLURM_CONF=$slurm/slurm.conf
  cat >"$SLURM_CONF" <<CONF
ClusterName=mini
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
# A requeued job starts when its credential has expired: usually two minutes, here five seconds.
AuthInfo=socket=$slurm/munge/munge.sock,cred_expire=5
CredType=cred/munge
SlurmctldPort=$port
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.%n.pid
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool.%n
TmpFS=$slurm/tmp.%n
SlurmctldLogFile=$slurm/log/slurmctld.log
SlurmdLogFile=$slurm/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
ReturnToService=0
KillWait=5
MessageTimeout=10
# A node that is silent for so long is down.
SlurmdTimeout=15
SlurmdParameters=config_overrides
JobRequeue=1
RebootProgram=/bin/true
# A job in the partition urgent takes the nodes of those in main, which hear SIGTERM first and have a minute.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n[1-2] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=60
PartitionName=urgent Nodes=n[1-2] MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
CONF
  munged --key-file="$slurm/munge.key" --socket="$slurm/munge/munge.sock" --pid-file="$slurm/munge/munged.pid" \
    --log-file="$slurm/log/munged.log" --seed-file="$slurm/munge/munged.seed" --num-threads=2
  slurmctld
  slurmd -N n1
  slurmd -N n2
  eventually 30 both_idle
}

both_idle() { [ "$(sinfo -h -N -p main -o %T 2>/dev/null | grep -c '^idle$')" -eq 2 ]; }

# Ends everything on a node without a word, as a power cut does.
kill_node() {
  local process victims=("$(cat "$slurm/slurmd.$1.pid")")
  find_stragglers
  # shellcheck disable=SC2154
  for process in "${stragglers[@]}"; do
    if grep -qzxF "SLURMD_NODENAME=$1" "/proc/$process/environ" 2>/dev/null; then victims+=("$process"); fi
  done
  # Stopped first, so that none can tell of the end of another.
  kill -STOP "${victims[@]}" 2>/dev/null
  kill -KILL "${victims[@]}" 2>/dev/null
}

stop_slurm() {
  [ -n "${SLURM_CONF:-}" ] || return 0
  scancel --full --signal=KILL --user="$(id -un)" 2>/dev/null
  scancel --user="$(id -un)" 2>/dev/null
  local file
  for file in "$slurm"/slurmd.*.pid "$slurm/slurmctld.pid" "$slurm/munge/munged.pid"; do
    [ ! -f "$file" ] || kill "$(cat "$file")" 2>/dev/null
  done
}
