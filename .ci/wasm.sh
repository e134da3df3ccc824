#!/usr/bin/env bash
# Builds the core crates for wasm32-unknown-unknown, on a machine that may lack the target.
#
# 1. rustup has or gets the target: the plain way.
# 2. Otherwise a Rust new enough comes from Debian (rustc-web) with the sources of the standard
#    library (rust-web-src). The packages are unpacked into a folder of their own, so they get in
#    nobody's way, and Cargo builds the standard library from these sources. Libraries need no linker.
#
# WASM_WAY=rustup or WASM_WAY=debian takes one way only.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
way=${WASM_WAY:-any}
prefix=${WASM_PREFIX:-target/wasm-toolchain}

cargo build --quiet --workspace --bin bowsprit-dev
mapfile -t core < <(target/debug/bowsprit-dev core)
[ "${#core[@]}" -gt 0 ] || { echo "wasm: no core crates?" >&2; exit 1; }
packages=()
for crate in "${core[@]}"; do packages+=(--package "$crate"); done

with_rustup() {
  timeout 60 rustup target add "$target" || return 1
  # A release build, which also optimises, finds what only code generation refuses.
  cargo build --locked --release --target "$target" "${packages[@]}"
}

unpack_debian() {
  local found
  found=$(apt-cache policy rustc-web 2>/dev/null || true)
  if ! grep -q 'Candidate: [0-9]' <<<"$found"; then
    apt-get update -qq
  fi
  rm -rf "$prefix"
  mkdir -p "$prefix/debs/partial" "$prefix/root"
  # With the dependencies that the machine lacks, but without installing anything.
  apt-get install -y -qq --download-only --no-install-recommends \
    -o "Dir::Cache::archives=$PWD/$prefix/debs" -o APT::Sandbox::User=root \
    rustc-web rust-web-src
  local deb
  for deb in "$prefix"/debs/*.deb; do dpkg-deb -x "$deb" "$prefix/root"; done
  rm -rf "$prefix/debs"
}

with_debian() {
  [ -x "$prefix/root/usr/bin/rustc" ] || unpack_debian
  local root=$PWD/$prefix/root
  cat > "$prefix/rustc" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $root/usr/bin/rustc "\$@"
EOF
  chmod +x "$prefix/rustc"
  "$prefix/rustc" --version
  # A folder of its own, because the compiler is another. No debug info: nobody runs this.
  RUSTC="$PWD/$prefix/rustc" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/wasm-debian \
    CARGO_PROFILE_RELEASE_DEBUG=0 \
    cargo build --locked --release -Zbuild-std=std,panic_abort --target "$target" "${packages[@]}"
}

if [ "$way" != debian ]; then
  if (with_rustup); then
    echo "wasm: ${#core[@]} core crates build with rustup's $target"
    exit 0
  fi
  # Only a missing target is a reason to go on: with the target there, the core is what failed.
  if rustup target list --installed 2>/dev/null | grep -qx "$target" || [ "$way" = rustup ]; then
    echo "wasm: the core does not build for $target" >&2
    exit 1
  fi
  echo "wasm: rustup can't bring $target here; building the standard library with Debian's Rust"
fi
with_debian
echo "wasm: ${#core[@]} core crates build with Debian's Rust"
