#!/usr/bin/env bash
# Runs a command of bowsprit on the charts that files belong to, as pre-commit calls it:
#
#     charts.sh lint [ARGUMENT...] FILE...
#
# Arguments that begin with a dash are handed on. A subchart is a part of the chart that it is in.
set -euo pipefail

if ! command -v bowsprit > /dev/null; then
  echo "bowsprit is not on the PATH" >&2
  exit 127
fi

command=$1
shift
arguments=() charts=()
for word in "$@"; do
  if [[ $word == -* ]]; then
    arguments+=("$word")
    continue
  fi
  found=
  folder=$(dirname -- "$word")
  while :; do
    if [ -f "$folder/Chart.yaml" ]; then found=$folder; fi
    case $folder in . | /) break ;; esac
    folder=$(dirname -- "$folder")
  done
  if [ -n "$found" ]; then charts+=("$found"); fi
done
if [ ${#charts[@]} -eq 0 ]; then exit 0; fi
mapfile -t charts < <(printf '%s\n' "${charts[@]}" | sort -u)
exec bowsprit "$command" "${arguments[@]}" "${charts[@]}"
