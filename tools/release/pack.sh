#!/usr/bin/env bash
# pack.sh PROGRAM ARCHIVE: an archive of the program with completions, man pages, licence and README, and the
# archive's checksum beside it. The same files give the same bytes.
set -euo pipefail
program=${1:?usage: pack.sh PROGRAM ARCHIVE}
archive=${2:?usage: pack.sh PROGRAM ARCHIVE}
cd "$(dirname "$0")/../.."
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

install -m 755 "$program" "$stage/bowsprit"
cp LICENSE README.md CHANGELOG.md "$stage"
mkdir "$stage/completions"
for shell in bash fish powershell zsh; do
  "$stage/bowsprit" completion "$shell" > "$stage/completions/bowsprit.$shell"
done
"$stage/bowsprit" man --dir "$stage/man"

python3 - "$stage" "$archive" <<'EOF'
import gzip, os, sys, tarfile

stage, archive = sys.argv[1:]
epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))

def plain(info):
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = epoch
    return info

with open(archive, "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in sorted(os.listdir(stage)):
            tar.add(os.path.join(stage, name), name, filter=plain)
EOF
if command -v sha256sum > /dev/null; then sum=(sha256sum); else sum=(shasum --algorithm 256); fi
(cd "$(dirname "$archive")" && "${sum[@]}" "$(basename "$archive")" > "$(basename "$archive").sha256")
cat "$archive.sha256"
