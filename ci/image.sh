#!/usr/bin/env bash
# Builds the image of ci/Containerfile for both processors from a release's static tarballs, as the manifest IMAGE:VERSION:
# `image.sh DIST IMAGE VERSION`. It runs nothing of the image, so it needs no emulator.
set -euo pipefail
dist=$1 image=$2 version=$3
recipe=$(cd "$(dirname "$0")" && pwd)/Containerfile
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
for pair in amd64=x86_64 arm64=aarch64; do
    mkdir "$context/${pair%=*}"
    tar -xzf "$dist/lamstream-${pair#*=}-unknown-linux-musl.tar.gz" -C "$context/${pair%=*}" --strip-components 1
done
podman build --file "$recipe" --platform linux/amd64,linux/arm64 --manifest "$image:$version" "$context"
