#!/usr/bin/env bash
# Writes crates/bowsprit-validate/schemas.zz: the schemas of Kubernetes' last versions, from the OpenAPI
# documents in its repository (Apache License 2.0), which the Go module proxy serves. Needs Go.
#
#     tools/schemas/bundle.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

versions=(v1.36.3 v1.35.4 v1.34.4 v1.33.13 v1.32.13 v1.31.14)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'module schemas\n\ngo 1.24\n' > "$work/go.mod"

arguments=()
for version in "${versions[@]}"; do
  folder=$(cd "$work" && go mod download -json "k8s.io/kubernetes@$version" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
  short=${version#v}
  arguments+=("${short%.*}=$folder/api/openapi-spec/v3")
done
cargo run --quiet --package bowsprit-dev -- schemas "${arguments[@]}"
