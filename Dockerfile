# syntax=docker/dockerfile:1
# The program alone, as nobody in particular:
#
#     docker build -t bowsprit .
#     docker run --rm -v "$PWD:/work:ro" -w /work bowsprit template demo ./chart
#
# Further targets: `debug`, the same with busybox for pipelines that need a shell, and `label`, the KRM
# function.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --package bowsprit-cli \
    && install -D -m 755 target/release/bowsprit /out/bowsprit

# glibc, certificates and time zones, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot AS base
COPY --from=build /out/bowsprit /usr/local/bin/bowsprit
ENV HOME=/tmp
USER 65532:65532
WORKDIR /work

FROM base AS label
ENTRYPOINT ["/usr/local/bin/bowsprit", "label"]

FROM gcr.io/distroless/cc-debian12:debug-nonroot AS debug
COPY --from=build /out/bowsprit /usr/local/bin/bowsprit
ENV HOME=/tmp
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/bowsprit"]

FROM base
ENTRYPOINT ["/usr/local/bin/bowsprit"]
