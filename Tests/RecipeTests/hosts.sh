#!/usr/bin/env bash
# Training across three hosts without a scheduler, over TCP, with links that are cut. The hosts are network
# namespaces of this machine on a switch of their own; they share its disk and its processors.
here=$(cd -- "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support.sh
source "$here/support.sh"
part=hosts

network=10.77.0
prefix=sqair-$$

teardown() {
  local name
  find_stragglers
  [ ${#stragglers[@]} -eq 0 ] || kill -KILL "${stragglers[@]}" 2>/dev/null
  for name in 1 2 3 switch; do ip netns del "$prefix-$name" 2>/dev/null; done
}

require_namespaces() {
  local name missing=()
  PATH=$PATH:/usr/sbin:/sbin
  for name in ip unshare mpirun; do
    command -v "$name" >/dev/null || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] || skip "${missing[*]} not installed; \`scripts/install --cluster\` does it"
  [ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
  {
    ip netns add "$prefix-switch" \
      && ip -n "$prefix-switch" link add name bridge type bridge \
      && ip -n "$prefix-switch" link add name port0 type veth peer name other
  } 2>netns.log || skip "this machine makes no virtual networks: $(cat netns.log)"
}

# Three hosts of the addresses $network.1 to .3, and `rsh`, which mpirun calls instead of ssh.
make_hosts() {
  local host
  ip -n "$prefix-switch" link set bridge up
  for host in 1 2 3; do
    ip netns add "$prefix-$host"
    ip -n "$prefix-switch" link add "port$host" type veth peer name network netns "$prefix-$host"
    ip -n "$prefix-switch" link set "port$host" master bridge
    ip -n "$prefix-switch" link set "port$host" up
    ip -n "$prefix-$host" address add "$network.$host/24" dev network
    ip -n "$prefix-$host" link set network up
    ip -n "$prefix-$host" link set lo up
  done
  cat >rsh <<RSH
#!/usr/bin/env bash
# rsh ADDRESS COMMAND...: runs a command on the host of this address.
host=\${1##*.}
shift
exec ip netns exec $prefix-\$host unshare --uts bash -c "hostname node0\$host; \$*"
RSH
  chmod +x rsh
  for host in 1 2 3; do echo "$network.$host slots=1"; done >three-hosts
  head -n 2 three-hosts >two-hosts
  # The hosts have no other network, but a real one has: choose as README.md says.
  export OMPI_MCA_btl_tcp_if_include=$network.0/24 OMPI_MCA_oob_tcp_if_include=$network.0/24
  export OMPI_MCA_plm_rsh_agent=$folder/rsh
}

# start RUN HOSTS STEPS: trains from host 1, in the background as $job, with its output in RUN.log.
start() {
  ./rsh $network.1 exec "$root/cluster/local.sh" --hostfile "$2" train "${train[@]}" \
    --set checkpoint.interval="$every" --run "$1" --steps "$3" >>"$1.log" 2>&1 &
  job=$!
}

# finish SECONDS: waits for the job's end and sets $code to its exit code.
finish() {
  eventually "$1" has_left || { fail "not ended after $1 s"; return 1; }
  code=0
  wait "$job" || code=$?
}

has_left() { ! kill -0 "$job" 2>/dev/null; }

says() { grep -qF -- "$2" "$1.log" || fail "it does not say '$2':" "$(tail -n 40 "$1.log")"; }

# reaches HOST OTHER: a packet goes there and back. A link that is up is not enough: where sockets of a killed job still
# asked for the other host's address before that, the next connection may fail as "no route to host". Nobody listens at
# port 9, so the host that is reached refuses.
reaches() {
  local answer
  answer=$(timeout 2 ip netns exec "$prefix-$1" bash -c ": </dev/tcp/$network.$2/9" 2>&1) || true
  [[ $answer == *"Connection refused"* ]]
}

third_host_is_back() { reaches 3 1 && reaches 3 2 && reaches 1 3 && reaches 2 3; }

three_hosts_train() {
  test_case "three hosts over TCP: $steps updates, with the bits of one process"
  "$program" train "${train[@]}" --run whole --steps "$steps" >whole.log 2>&1 || { fail "$(cat whole.log)"; return; }
  start three three-hosts "$steps"
  finish 500 || return
  [ "$code" -eq 0 ] || { fail "exit code $code" "$(cat three.log)"; return; }
  says three "processes   3 on node01 and others" || return
  same_bits three || return
  pass
}

a_link_is_cut() {
  test_case "the link to the third host is cut: the job ends within a time limit and reports the cause"
  start cut three-hosts "$steps"
  eventually 200 has_updates "cut" $((every + 1)) || { fail "$(cat "cut.log")"; return; }
  ip -n "$prefix-switch" link set port3 down
  local cut_at=$SECONDS
  finish 120 || return
  echo "         exit code $code after $((SECONDS - cut_at)) s"
  [ "$code" -eq 205 ] || { fail "exit code $code" "$(cat "cut.log")"; return; }
  says cut "Remote daemon:" || return
  says cut "on node $network.3" || return
  says cut "The same command resumes from the latest checkpoint" || return
  eventually 200 no_ranks || { fail "ranks that still run"; return; }
  echo "         no rank is left on any host after $((SECONDS - cut_at)) s"
  pass
}

two_hosts_go_on() {
  test_case "the two remaining hosts resume and stop when asked to; with the link restored, three end with equal bits"
  local had
  had=$(updates cut)
  start cut two-hosts "$steps"
  eventually 200 has_updates cut $((had + 1)) || { fail "$(cat cut.log)"; return; }
  kill -USR1 "$job"
  finish 200 || return
  [ "$code" -eq 85 ] || { fail "exit code $code" "$(cat cut.log)"; return; }
  says cut "resumed from cut/checkpoints" || return
  says cut "processes   2 on node01 and others" || return
  ip -n "$prefix-switch" link set port3 up
  eventually 30 third_host_is_back || { fail "the link does not come back up"; return; }
  start cut three-hosts "$steps"
  finish 500 || return
  [ "$code" -eq 0 ] || { fail "exit code $code" "$(cat cut.log)"; return; }
  same_bits cut || return
  pass
}

# ----------------------------------------------------------------------------------------------------------------------

main() {
  require_namespaces
  make_hosts
  make_toy || exit 1
  choose_steps
  steps=$((steps / 3))
  every=$((steps / 10))
  three_hosts_train
  a_link_is_cut
  two_hosts_go_on
  echo "$part: $passed passed, $failed failed"
}

main
