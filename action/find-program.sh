#!/bin/sh
# The action's first step: finds the gate's program and tells the next step its path. It sees no secret. The step's shell reads
# this file itself: it could find another `sh`.
#
# It looks in this order, and an error never leads to the next place:
#   1. `binary-path`, if the step names one
#   2. the release that this commit names: its version in VERSION, a checksum for each system in SHA256SUMS. The file comes
#      from the runner's tool cache or from `download-url`, and is unpacked only if it has that checksum. So whoever pins this
#      commit by SHA has pinned the program too
#   3. a build of this commit's source, if the commit names no release (a branch)
#
# Every failure is red, sets the outputs `verdict` and `exit-code`, and says why. POSIX sh and commands that every image has,
# because job containers may have no bash; on Windows it is Git's sh.

set -eu

# Start again with these variables of the job only. The others can change what a shell, curl or cargo does, and may be
# secrets, which a child could read from its parent. The shell's keywords, `exec` and special built-ins come before any
# function that the job exported, so nothing else is used until then. Windows needs its own names; the last one can't be
# read here.
#
# An empty or relative entry of PATH would run a `curl` or `tar` out of the workspace, so these entries are left out first.
if case ${1-} in restarted) false ;; esac; then
    rest=${PATH-}:
    absolute=
    while case $rest in '') ! : ;; esac; do
        case $rest in /*) absolute=${absolute:+$absolute:}${rest%%:*} ;; esac
        rest=${rest#*:}
    done
    PATH=$absolute
    set --
    for name in PATH HOME TMPDIR LANG LC_ALL \
        GITHUB_OUTPUT GITHUB_STEP_SUMMARY GITHUB_SERVER_URL RUNNER_ARCH RUNNER_TEMP RUNNER_TOOL_CACHE \
        INPUT_BINARY_PATH INPUT_DOWNLOAD_URL INPUT_SUMMARY MAESTRO_SUMMARY MAESTRO_GATE_REPOSITORY \
        http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY CURL_CA_BUNDLE SSL_CERT_DIR SSL_CERT_FILE \
        CARGO_HOME RUSTUP_HOME \
        SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT TEMP TMP USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES; do
        eval "case \${$name+set} in set) set -- \"\$@\" \"$name=\$$name\" ;; esac"
    done
    case ${PROGRAMFILES+set} in set) set -- "$@" "PROGRAMFILES(X86)=$PROGRAMFILES (x86)" ;; esac
    exec env -i "$@" sh "$GITHUB_ACTION_PATH/action/find-program.sh" restarted
fi

here=${0%/action/find-program.sh}
private=
aside=
child=

# One line of printable ASCII in which no runner finds a command: inputs and paths may hold anything.
plain() {
    printf '%s\n' "$(printf '%s' "$1" | LC_ALL=C tr -c '\040-\176' '?' | sed 's/##/#?/g' | cut -c 1-1000)"
}

warn() {
    printf '::warning title=maestro-gate::%s\n' "$1"
}

# output NAME VALUE: for the steps after this one.
output() {
    [ -n "${GITHUB_OUTPUT:-}" ] && { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; } 2>/dev/null
}

# leave VERDICT CODE WHY
leave() {
    trap '' INT TERM HUP
    { output verdict "$1" && output exit-code "$2"; } || warn "the outputs can't be written"
    why=$(plain "$3")
    case ${INPUT_SUMMARY:-${MAESTRO_SUMMARY:-}} in
    false | False | FALSE) ;;
    *)
        # Indented: code, in which nothing is markup.
        [ -z "${GITHUB_STEP_SUMMARY:-}" ] || {
            printf '## maestro-gate: %s\n\nThe gate did not run:\n\n    %s\n' "$1" "$why" >>"$GITHUB_STEP_SUMMARY"
        } 2>/dev/null || warn "the summary can't be written"
        ;;
    esac
    printf '::error title=maestro-gate%%3A %s::%s\n' "$1" "$(printf '%s' "$why" | sed 's/%/%25/g')"
    [ -z "$child" ] || wait "$child" || :
    [ -z "$private$aside" ] || rm -rf "$private" "$aside"
    exit "$2"
}

input_error() {
    leave invalid-input 2 "$1"
}

fail() {
    leave internal-error 70 "$1"
}

# Runs something long so that a cancelled job need not wait for it: a shell sees to signals between its commands only.
attend() {
    "$@" &
    child=$!
    status=0
    wait "$child" || status=$?
    child=
    return "$status"
}

stopped() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || :
    leave interrupted "$1" "the job was stopped before the gate began"
}

# A path of the runner's as sh writes it: on Windows they come with backslashes.
path() {
    case $(uname -s) in
    MINGW* | MSYS* | CYGWIN*) printf '%s' "$1" | tr '\134' / ;;
    *) printf '%s' "$1" ;;
    esac
}

# An input without the blanks, tabs and line breaks around it, as the gate reads its own.
trimmed() {
    blank=$(printf ' \n\r\t')
    text=$1
    while :; do
        case $text in
        ["$blank"]*) text=${text#?} ;;
        *["$blank"]) text=${text%?} ;;
        *) break ;;
        esac
    done
    printf '%s' "$text"
}

# --- 2: the release ---------------------------------------------------------------------------------------------------

# Sets `target`, `arch` (the tool cache's word), `archive` and `exe`. What `uname` says is what this very shell runs on,
# so a program for it runs too, whatever the runner around the container is.
name_system() {
    archive=tar.gz
    exe=
    case $(uname -s) in
    Linux) system=unknown-linux-musl ;;
    Darwin) system=apple-darwin ;;
    MINGW* | MSYS* | CYGWIN*)
        system=pc-windows-msvc
        archive=zip
        exe=.exe
        ;;
    *) fail "there is no release for $(uname -s): build maestro-gate and name it in binary-path" ;;
    esac
    machine=$(uname -m)
    # Git's sh may be an x86-64 one on an arm64 Windows.
    [ "$archive" != zip ] || [ "${RUNNER_ARCH:-}" != ARM64 ] || machine=aarch64
    case $machine in
    x86_64 | amd64)
        target=x86_64-$system
        arch=x64
        ;;
    aarch64 | arm64)
        target=aarch64-$system
        arch=arm64
        ;;
    *) fail "there is no release for $machine: build maestro-gate and name it in binary-path" ;;
    esac
}

# Sets `expected`, from the one line of SHA256SUMS about this asset.
expect() {
    expected=
    [ -f "$here/SHA256SUMS" ] || fail "this commit names release $version and no checksums"
    while read -r sum name rest || [ -n "$sum" ]; do
        if [ "$name" = "$asset" ] && [ -z "$rest" ]; then
            [ -z "$expected" ] || fail "SHA256SUMS names $asset twice"
            expected=$sum
        fi
    done <"$here/SHA256SUMS"
    [ -n "$expected" ] ||
        fail "SHA256SUMS does not name $asset: for this system build maestro-gate and name it in binary-path"
    case $expected in
    *[!0-9a-f]*) fail "the checksum of $asset in SHA256SUMS is none" ;;
    esac
    [ "${#expected}" -eq 64 ] || fail "the checksum of $asset in SHA256SUMS is none"
}

# verify FILE WHENCE: ends the step unless it is the release.
verify() {
    if command -v sha256sum >/dev/null 2>&1; then
        sum=$(sha256sum <"$1") || sum=
    elif command -v shasum >/dev/null 2>&1; then
        sum=$(shasum -a 256 <"$1") || sum=
    elif command -v openssl >/dev/null 2>&1; then
        sum=$(openssl dgst -sha256 -r <"$1") || sum=
    else
        fail "none of sha256sum, shasum and openssl is here to check the download: name a program in binary-path"
    fi
    sum=${sum%% *}
    [ "$sum" = "$expected" ] ||
        fail "$2 is not release $version: its SHA-256 is ${sum:-unknown}, and this commit names $expected"
}

# Sets `base`, under which a release's files lie as on GitHub, Gitea and Forgejo: vVERSION/ASSET.
name_base() {
    base=$(trimmed "${INPUT_DOWNLOAD_URL:-}")
    scheme=https
    if [ -z "$base" ]; then
        # Of the action itself; empty if it is used from the workspace.
        repository=${MAESTRO_GATE_REPOSITORY:-}
        case $repository in
        '') fail "where to download release $version is unknown for an action out of the workspace: say download-url" ;;
        http://* | https://*) base=$repository/releases/download ;;
        *) base=${GITHUB_SERVER_URL:-}/$repository/releases/download ;;
        esac
        # The action itself came from there.
        [ "${base#http:}" = "$base" ] || scheme=http
    fi
    base=${base%/}
    # What it says is not repeated: user info would be a password.
    case $base in
    *[!A-Za-z0-9._~:/%+,=-]*)
        input_error "download-url has a character that it can't have: no user info (curl reads ~/.netrc), query or fragment"
        ;;
    esac
    case $base/ in
    http://localhost/* | http://localhost:*/* | http://127.0.0.1/* | http://127.0.0.1:*/*) scheme=http ;;
    "$scheme"://[!/]*) ;;
    *) input_error "download-url is no https address" ;;
    esac
}

# fetch URL FILE
fetch() {
    if command -v curl >/dev/null 2>&1; then
        # -q: not what ~/.curlrc says. This machine is never reached through a proxy.
        attend curl -q --fail --silent --show-error --location --globoff --netrc-optional --proto "=$scheme" --tlsv1.2 \
            --noproxy localhost,127.0.0.1 --connect-timeout 10 --max-time 300 --retry 3 --output "$2" "$1"
    elif command -v wget >/dev/null 2>&1; then
        # GNU's reads this instead of ~/.wgetrc; BusyBox's reads neither.
        WGETRC=/dev/null attend wget -q -T 30 -O "$2" "$1"
    else
        fail "neither curl nor wget is here to download release $version: name a program in binary-path"
    fi
}

unpack() {
    if [ "$archive" = tar.gz ]; then
        tar -xzf "$1"
    elif command -v unzip >/dev/null 2>&1; then
        unzip -q "$1"
    else
        # The tar that comes with Windows reads zip, Git's own does not.
        "$(path "${SYSTEMROOT:-C:/Windows}")/System32/tar.exe" -xf "$1"
    fi
}

# Sets `program` and `whence`.
use_release() {
    name_system
    asset=maestro-gate-$version-$target.$archive
    expect
    temp=$(path "${RUNNER_TEMP:-${TMPDIR:-/tmp}}")
    private=$(mktemp -d "$temp/maestro-gate.XXXXXX") || fail "no folder can be made in $temp"
    cached=
    if [ -n "${RUNNER_TOOL_CACHE:-}" ]; then
        cached=$(path "$RUNNER_TOOL_CACHE")/maestro-gate/$version/$arch/$asset
    fi
    # A cache lives longer than a job and others write into it. So it keeps what can be checked, and it is checked
    # each time; a copy, so that what is checked is what is used.
    if [ -n "$cached" ] && [ -f "$cached" ]; then
        whence="from the tool cache"
        cp "$cached" "$private/$asset" || fail "$cached can't be read"
        verify "$private/$asset" "$cached"
    else
        name_base
        url=$base/v$version/$asset
        whence="downloaded from $url"
        fetch "$url" "$private/$asset" ||
            fail "$url could not be downloaded; download-url may name a mirror, binary-path a program that is here"
        verify "$private/$asset" "$url"
        keep
    fi
    (cd "$private" && unpack "$asset") || fail "$asset can't be unpacked"
    program=$private/maestro-gate$exe
    [ -f "$program" ] || fail "$asset does not hold maestro-gate$exe"
    chmod u+x "$program" || fail "$program can't be made executable"
}

# Puts the checked archive into the tool cache, complete or not at all: it is written into a folder of its own, whose name
# nobody can know before, and then renamed. Without a cache the next job downloads again.
keep() {
    [ -n "$cached" ] || return 0
    {
        [ ! -e "$cached" ] && [ ! -L "$cached" ] && mkdir -p "${cached%/*}" && aside=$(mktemp -d "${cached%/*}/.XXXXXX") &&
            cp "$private/$asset" "$aside/$asset" && mv -f "$aside/$asset" "$cached"
    } 2>/dev/null || warn "the tool cache can't be written, so the next job downloads the program again"
    [ -z "$aside" ] || rm -rf "$aside"
    aside=
}

# --- 3: the source ----------------------------------------------------------------------------------------------------

# In the action's own folder: whoever can prepare that can change this script too. The files that the runner reads are not
# for a library's build script.
build() {
    cd "$here" || exit
    unset GITHUB_OUTPUT GITHUB_STEP_SUMMARY
    exec cargo build --release --locked --bin maestro-gate --target-dir target
}

use_source() {
    printf '::notice title=maestro-gate::%s\n' \
        "built from source, for this commit of the action names no release: use a release's tag or commit to skip that"
    command -v cargo >/dev/null 2>&1 ||
        fail "this commit names no release and no cargo is here to build it: use a release, or name a program in binary-path"
    whence="built from $here"
    attend build || fail "cargo could not build maestro-gate; its messages stand above"
    program=$here/target/release/maestro-gate
    [ -f "$program" ] || program=$program.exe
}

# ----------------------------------------------------------------------------------------------------------------------

trap 'stopped 130' INT
trap 'stopped 143' TERM HUP
here=$(path "$here")
version=
if [ -f "$here/VERSION" ]; then
    version=$(cat "$here/VERSION") || fail "VERSION can't be read"
fi

named=$(trimmed "${INPUT_BINARY_PATH:-}")
if [ -n "$named" ]; then
    program=$(path "$named")
    case $program in
    */*) ;;
    *) program=./$program ;;
    esac
    whence="binary-path"
    [ -f "$program" ] || input_error "binary-path: there is no file $program"
    [ -x "$program" ] || input_error "binary-path: $program is not executable"
elif [ -n "$version" ]; then
    case $version in
    [!0-9]* | *[!0-9A-Za-z.+-]*) fail "VERSION of this commit is no version: $version" ;;
    esac
    use_release
else
    use_source
fi

# Something else might end with 0 as well, and a shell takes an executable file that is no program for a script.
name=$("$program" --version </dev/null) || name=
case $name in
"maestro-gate $version") ;;
"maestro-gate "*) [ -z "$version" ] || [ "$whence" = binary-path ] || fail "$program is $name, not $version" ;;
*) fail "$program ($whence) is not a maestro-gate that runs on this machine" ;;
esac
case $program in
*[[:cntrl:]]*) fail "the path of the program has a control character: $program" ;;
esac
plain "$name, $whence"
output program "$program" || fail "the output \`program\` can't be written: is \$GITHUB_OUTPUT a file?"
