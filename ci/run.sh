#!/usr/bin/env bash
# Runs lamstream as an event asks for. All values come from the environment, so that none is taken for code:
#   LAMSTREAM_COMMAND  auto, preview, or a command of lamstream    LAMSTREAM_STAGE, LAMSTREAM_ARGS  as the action's inputs
#   EVENT, EVENT_ACTION, PULL_REQUEST                              what GitHub says of the event
set -euo pipefail

fail() {
    echo "${GITHUB_ACTIONS:+::error::}$1" >&2
    exit 2
}

done_with() {
    echo "$1"
    exit 0
}

command=${LAMSTREAM_COMMAND:-auto}
stage=${LAMSTREAM_STAGE:-}
pull_request=${PULL_REQUEST:-}
is_closed=false
if [[ ${EVENT:-} == pull_request* && ${EVENT_ACTION:-} == closed ]]; then is_closed=true; fi

case "$command" in
auto)
    if $is_closed; then done_with "The pull request is closed: nothing to do."; fi
    # What a merge queue tests is not merged yet.
    if [[ ${EVENT:-} == pull_request* || ${EVENT:-} == merge_group ]]; then command=plan; else command=deploy; fi
    ;;
preview)
    [[ $pull_request =~ ^[0-9]+$ ]] || fail "\`preview\` is for events of pull requests"
    stage=${stage:-pr-$pull_request}
    # A stage that other pull requests or production use must not be removed with this one.
    [[ $stage =~ (^|[^A-Za-z0-9])pr-"$pull_request"($|[^0-9]) ]] ||
        fail "the stage \`$stage\` of a preview must contain \`pr-$pull_request\`, for the number of its pull request"
    # `args` is for the deploy; the whole stage goes.
    if $is_closed; then command=destroy LAMSTREAM_ARGS=; else command=deploy; fi
    ;;
esac

# `destroy` names a stage that is gone as well; the others refuse one that the manifest does not have.
export LAMSTREAM_STAGE=$stage
# Words as a shell splits them, but nothing in them is run.
# macOS has a bash without `mapfile`, in which an empty list counts as unset.
arguments=()
if [[ ${LAMSTREAM_ARGS:-} == *[![:space:]]* ]]; then
    words=$(xargs printf '%s\n' <<<"$LAMSTREAM_ARGS") || fail "\`args\` has a quote without its end"
    while IFS= read -r word; do arguments+=("$word"); done <<<"$words"
fi
read -r -d '' -a words <<<"$command" || true
[ "${#words[@]}" -gt 0 ] || fail "\`command\` is empty"
case "${words[0]}" in
deploy | rollback | destroy) words+=(--yes) ;;
esac
if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "command=${words[0]}" >>"$GITHUB_OUTPUT"; fi
exec lamstream "${words[@]}" ${arguments[@]+"${arguments[@]}"}
