#!/usr/bin/env bash
# Puts lamstream on the PATH of the steps that follow: a release whose checksum is right, or the one in LAMSTREAM_PATH.
#   LAMSTREAM_RELEASES  the address of the releases, such as https://github.com/OWNER/lamstream/releases
#   LAMSTREAM_VERSION   `latest`, or a version such as 1.2.3
# GitHub's runner names the file GITHUB_PATH. Without it, the directory is printed.
set -euo pipefail

fail() {
    echo "${GITHUB_ACTIONS:+::error::}$1" >&2
    exit 1
}

add_to_path() {
    if [ -n "${GITHUB_PATH:-}" ]; then echo "$1" >>"$GITHUB_PATH"; else echo "$1"; fi
}

if [ -n "${LAMSTREAM_PATH:-}" ]; then
    [ -x "$LAMSTREAM_PATH" ] && [ -f "$LAMSTREAM_PATH" ] || fail "\`$LAMSTREAM_PATH\` is not a program"
    [ "$(basename "$LAMSTREAM_PATH")" = lamstream ] || fail "\`$LAMSTREAM_PATH\` is not named \`lamstream\`"
    add_to_path "$(cd "$(dirname "$LAMSTREAM_PATH")" && pwd)"
    exit 0
fi

case "$(uname -sm)" in
"Linux x86_64") target=x86_64-unknown-linux-musl ;;
"Linux aarch64") target=aarch64-unknown-linux-musl ;;
"Darwin arm64") target=aarch64-apple-darwin ;;
"Darwin x86_64") target=x86_64-apple-darwin ;;
*) fail "no release of lamstream for $(uname -sm)" ;;
esac
case "${LAMSTREAM_VERSION:-latest}" in
latest) releases="$LAMSTREAM_RELEASES/latest/download" ;;
*) releases="$LAMSTREAM_RELEASES/download/v${LAMSTREAM_VERSION#v}" ;;
esac

tarball="lamstream-$target.tar.gz"
directory=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/lamstream.XXXXXX")
cd "$directory"
for file in "$tarball" "$tarball.sha256"; do
    curl --fail --silent --show-error --location --retry 3 --output "$file" "$releases/$file" ||
        fail "cannot download $releases/$file"
done
# The checksum alone: what the file names must not matter.
expected=$(cut -d ' ' -f 1 "$tarball.sha256")
if command -v sha256sum >/dev/null; then found=$(sha256sum "$tarball"); else found=$(shasum -a 256 "$tarball"); fi
[ "${found%% *}" = "$expected" ] || fail "the checksum of $tarball is ${found%% *}, expected $expected"
tar -xzf "$tarball"
program=$(find "$directory" -type f -name lamstream | head -n 1)
[ -n "$program" ] || fail "$tarball contains no lamstream"
chmod +x "$program"
add_to_path "$(dirname "$program")"
