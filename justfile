# The shared conformance material, beside the checkout.
shared := env("SHARED", "../shared")

# What CI runs.
ready:
    .ci/run

# All tests, or those whose name contains the filter.
test filter="":
    cargo test --workspace {{ filter }}

# Record golden files from a Helm 4.2.4 binary; the filter names cases. Cases of other versions are
# recorded by `cargo run -p bowsprit-dev -- golden --helm HELM --helm HELM-3.22 --helm HELM-4.1`.
golden helm=env("HELM", "helm") filter="":
    cargo run --package bowsprit-dev -- golden --helm "{{ helm }}" {{ filter }}

# Ask what Helm's own tests ask; `source` is a folder with Helm's source.
helm-tests source:
    cargo build --package bowsprit-cli
    cargo run --package bowsprit-dev -- helm-tests --bowsprit target/debug/bowsprit --source "{{ source }}"

# Run the shared checks, write the report and raise the scores that are held.
conformance:
    cargo build --release --package bowsprit-cli
    -python3 "{{ shared }}/vectors/check" --cmd 'target/release/bowsprit eval --jsonl' --json target/vectors.json
    -python3 "{{ shared }}/corpus/check" --bowsprit target/release/bowsprit --json target/corpus.json
    cargo run --package bowsprit-dev -- conformance --write --vectors target/vectors.json --corpus target/corpus.json

# What a render costs, stage by stage, of our charts or of those given.
bench *charts:
    cargo bench --package bowsprit-benches -- {{ charts }}

# Count instructions and allocations and hold them; CI compares with what is held.
counts:
    cargo run --package bowsprit-dev -- counts --write

# Writes down which functions renders call, so that the linker lays them side by side (needs valgrind).
link-order:
    cargo rustc --release --package bowsprit-cli --bin bowsprit -- -C strip=none
    cargo run --package bowsprit-dev -- link-order --bowsprit target/release/bowsprit

# Measure against Helm 4.2.4 and write docs/benchmarks.md; takes most of an hour.
versus-helm *args="--families":
    cargo run --release --package bowsprit-dev -- versus-helm {{ args }}

# Measure a fleet's renders beside Helm's and write docs/fleet-benchmarks.md; takes a few minutes.
fleet-versus-helm *args="":
    cargo build --release --package bowsprit-cli
    cargo run --release --package bowsprit-dev -- fleet-versus-helm {{ args }}

# Write docs/commands from the program's own help.
commands:
    cargo build --workspace --bin bowsprit
    cargo run --package bowsprit-dev -- commands --write

# Build the core crates for wasm32-unknown-unknown.
wasm:
    .ci/wasm.sh

# Each feature alone, none, and all.
features:
    .ci/run features

# What compilers do not check: arrows, licences, sizes, headers.
tidy:
    cargo run --quiet --package bowsprit-dev -- tidy

# Licences, duplicates, sources and advisories of dependencies.
deny:
    cargo deny check
