#!/usr/bin/env bash
# Brings the programs that the tests against real components need into target/tools, or the folder
# that BOWSPRIT_TOOLS names. What is there already is kept; what could not be had is named in FILE.missing.
#
#     .ci/tools.sh             all of them
#     .ci/tools.sh helm wds    these only
#
# Needs Go; the modules come from the Go module proxy. Each tool is one function named after it.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
tools=${BOWSPRIT_TOOLS:-$root/target/tools}
mkdir -p "$tools"
tools=$(cd "$tools" && pwd)

# go_install PACKAGE@VERSION: the program is called as the package's last part.
go_install() { GOBIN=$tools go install "$1"; }

# Helm itself, which says how things must be.
helm() { go_install helm.sh/helm/v4/cmd/helm@v4.2.4; }

# Helm's engine behind a pipe.
oracle() { (cd tools/oracle && go build -o "$tools/oracle" .); }

# A real kube-apiserver with etcd.
wds() { tools/wds/build.sh "$tools/wds"; }

# A kubectl of a known version, for the walk-throughs.
kubectl() {
  local at=k8s.io/component-base/version
  (cd tools/kubectl && go build -o "$tools/kubectl" \
    -ldflags "-s -w -X $at.gitVersion=v1.36.1 -X $at.gitMajor=1 -X $at.gitMinor=36" .)
}

# KubeStellar's and Karmada's controllers.
kubestellar() { (cd tools/kubestellar && go build -ldflags '-s -w' -o "$tools/kubestellar" .); }
karmada() { (cd tools/karmada && go build -ldflags '-s -w' -o "$tools/karmada" .); }

# The kustomize whose library helm-controller 1.6.3 uses.
kustomize() { go_install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1; }

# Keys and signatures, from Debian.
gpg() {
  type -P gpg > /dev/null || { apt-get update; apt-get install --yes gnupg; }
  ln -sf "$(type -P gpg)" "$tools/gpg"
}

# debian PROGRAM PACKAGE: a program from Debian, installed if need be.
debian() {
  PATH=$PATH:/usr/sbin type -P "$1" > /dev/null || { apt-get update; apt-get install --yes "$2"; }
  ln -sf "$(PATH=$PATH:/usr/sbin type -P "$1")" "$tools/$1"
}

# The CNCF's registry, a web server for chart repositories, and certificates for both.
docker-registry() { debian docker-registry docker-registry; }
nginx() { debian nginx nginx-light; }
openssl() { debian openssl openssl; }

# Unit tests of charts. Its go.mod replaces a module, so that it has to be built where it lies.
helm-unittest() {
  module=github.com/helm-unittest/helm-unittest@v1.1.2
  dir=$(go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  (cd "$dir" && go build -mod=readonly -o "$tools/helm-unittest" ./cmd/helm-unittest)
}

# Checks objects against Kubernetes' schemas.
kubeconform() { go_install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0; }

# Encrypted values, and keys for them.
sops() { go_install github.com/getsops/sops/v3/cmd/sops@v3.13.3; }
age-keygen() { go_install filippo.io/age/cmd/age-keygen@v1.2.1; }

# A browser that shows reports.
chromium() { debian chromium chromium; }

# Git repositories as sources of charts.
git() { debian git git; }

# The Lua that Karmada runs its interpreters with.
glua() { go_install github.com/yuin/gopher-lua/cmd/glua@v1.1.1; }

# Checks of pipelines: GitHub's workflows, and schemas of other files.
actionlint() { go_install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12; }
check-jsonschema() {
  python3 -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet check-jsonschema==0.39.0
  ln -sf python/bin/check-jsonschema "$tools/check-jsonschema"
}

# Shells for completion scripts, and what draws manual pages.
fish() { debian fish fish; }
zsh() { debian zsh zsh; }
groff() { debian groff groff-base; }

all=(helm oracle wds kubectl kubestellar karmada kustomize gpg docker-registry nginx openssl actionlint check-jsonschema sops age-keygen helm-unittest kubeconform chromium git glua fish zsh groff)
[ $# -gt 0 ] || set -- "${all[@]}"

# Without these nothing can be compared; a network that lacks one of the others costs its tests alone.
needed=(helm oracle wds)

missing=()
for tool in "$@"; do
  if [ -x "$tools/$tool" ]; then continue; fi
  rm -f "$tools/$tool.missing"
  start=$SECONDS
  # A subshell with its own errexit: `set -e` does not hold in the condition of an if.
  set +e
  (set -e; "$tool")
  status=$?
  set -e
  echo "tools: $tool in $((SECONDS - start)) s, status $status"
  if [ "$status" -ne 0 ]; then
    printf '%s\n' "${needed[@]}" | grep -qx -- "$tool" && exit "$status"
    echo "!!!! $tool could not be had: the tests that need it are going to be SKIPPED !!!!"
    touch "$tools/$tool.missing"
    missing+=("$tool")
  fi
done
# What .ci/run lists among the skipped steps.
[ "${#missing[@]}" -eq 0 ] || exit 75
