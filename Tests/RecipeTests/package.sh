#!/usr/bin/env bash
# The folder of scripts/package on a machine without Swift, which is a mount namespace of this one.
here=$(cd -- "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support.sh
source "$here/support.sh"
part=package

command -v unshare >/dev/null || skip "unshare not installed; \`scripts/install --cluster\` does it"
test_case "a package is complete without Swift, trains, and has the same bits on one and on two ranks"
code=0
"$root/scripts/package" --check "$folder/package" >package.log 2>&1 || code=$?
case $code in
  0) pass ;;
  77) skip "$(tail -n 1 package.log)" ;;
  *) fail "exit code $code" "$(tail -n 40 package.log)" ;;
esac
echo "$part: $passed passed, $failed failed"
