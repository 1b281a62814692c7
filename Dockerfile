# The image, and with `--target static` the one without a shell. docs/containers.md says which is for what.
#
#   docker build .                                                              # for this machine
#   docker buildx build --platform linux/amd64,linux/arm64 --target static .    # compiled across, not emulated
#
# A release's images are made of the last two stages, with the program of its archive instead of `build`'s (ci/images).
#
# Bases have a tag on a branch. A release's commit has their digests too: `ci/prepare-release pin` writes them, like SHA256SUMS.

FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-bookworm AS base

FROM base AS build
ARG BUILDARCH
ARG TARGETARCH
WORKDIR /maestro-gate
# A compiler of the other architecture, for ring's C. Its version is Debian's stable one.
# hadolint ignore=DL3008
RUN set -eu; \
    if [ "${TARGETARCH:-$BUILDARCH}" != "$BUILDARCH" ]; then \
      case $TARGETARCH in \
        amd64) gcc=gcc-x86-64-linux-gnu libc=libc6-dev-amd64-cross ;; \
        arm64) gcc=gcc-aarch64-linux-gnu libc=libc6-dev-arm64-cross ;; \
        *) echo "no image is made for $TARGETARCH" >&2; exit 1 ;; \
      esac; \
      apt-get update -qq; \
      apt-get install -qq -y --no-install-recommends "$gcc" "$libc"; \
      rm -rf /var/lib/apt/lists/*; \
    fi
RUN set -eu; \
    case ${TARGETARCH:-$BUILDARCH} in \
      amd64) target=x86_64-unknown-linux-musl ;; \
      arm64) target=aarch64-unknown-linux-musl ;; \
      *) echo "no image is made for $TARGETARCH" >&2; exit 1 ;; \
    esac; \
    echo "$target" >/target; \
    if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then rustup target add "$target"; fi
COPY . .
RUN set -eu; \
    program=$(ci/build "$(cat /target)"); \
    mkdir /out; \
    cp "$program" /out/maestro-gate

# The program alone: `docker build --target program --output DIR .`
FROM scratch AS program
COPY --from=build /out/maestro-gate /

# For Kubernetes, Tekton and Argo: nothing but the program, and no right to anything.
FROM scratch AS static
ARG VERSION=
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="maestro-gate" \
      org.opencontainers.image.description="Waits for Dadosfera Maestro pipeline runs and lets a CI job go on only if they succeeded" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.source=$SOURCE
COPY --from=base /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/maestro-gate /usr/local/bin/maestro-gate
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/maestro-gate"]

# For everything else. The user is root and the folder is the CI's choice: GitHub mounts its files for a user of its own.
FROM busybox:1.37.0-musl AS shell
ARG VERSION=
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="maestro-gate" \
      org.opencontainers.image.description="Waits for Dadosfera Maestro pipeline runs and lets a CI job go on only if they succeeded" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.source=$SOURCE
COPY --from=base /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/maestro-gate /usr/local/bin/maestro-gate
ENTRYPOINT ["/usr/local/bin/maestro-gate"]
