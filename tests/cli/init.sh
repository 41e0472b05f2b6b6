#!/bin/sh
# liaison init: what it makes, with which modes, and that a failure leaves nothing. Prints TAP lines.
#
# usage: init.sh LIAISON
liaison=$(realpath "$1")
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset LIAISON_OFFICE
umask 022
failed=0

# check NAME COMMAND...: the command must succeed.
check() {
    name=$1
    shift
    if "$@"; then
        echo "ok - cli/init: $name"
    else
        echo "not ok - cli/init: $name"
        failed=1
    fi
}
mode_is() { [ "$(stat -c %a "$2")" = "$1" ]; }
same() { [ "$1" = "$2" ]; }

"$liaison" init washington.example --office w --key-file w.key --recovery-sheet sheet --languages en,fr >out 2>err
check 'an office is made with a key file' same "$?" 0
check 'nothing is said on stderr' same "$(cat err)" ''
check 'the office is private' mode_is 700 w
for file in w/liaison.db w/card w.mark w.key sheet; do
    check "$file is private" mode_is 600 "$file"
done
check 'nothing else is in the office' same "$(ls w | tr '\n' ' ')" 'card liaison.db '
check 'what to do next is said' grep -q '^Next: liaisond --office w --key-file w.key ' out
check 'the card is printed without a daemon' same "$("$liaison" card --office w)" "$(cat w/card)"
check 'the office is found in the environment' same "$(LIAISON_OFFICE=w "$liaison" card)" "$(cat w/card)"
check 'the card says the languages' grep -qx 'languages en,fr' w/card

sed 's/^languages en,fr/languages en,de/' w/card >edited
cp w/card good
cp edited w/card
"$liaison" card --office w >out 2>err
check 'a card that was edited is not printed' same "$? $(cat out)" '1 '
cp good w/card

before=$(cat w.key w/card w.mark | sha256sum)
"$liaison" init washington.example --office w --key-file w.key >out 2>err
check 'an office is never made over another' same "$? $(cat out)" '1 '
check 'and that one is as before' same "$(cat w.key w/card w.mark | sha256sum)" "$before"

mkdir empty
"$liaison" init seoul.example --office empty/ --key-file w.key --mark other.mark --json >out 2>err
check 'an empty directory is taken, and a key file that exists' same "$?" 0
check 'the mark is where it was wanted' mode_is 600 other.mark
check 'an empty directory becomes private' mode_is 700 empty
check 'what was made is told as JSON' grep -q '"office":"seoul.example".*"mark":"other.mark"' out

"$liaison" init pyongyang.example --office p --passphrase-file pass >out 2>err
check 'an office is made with a passphrase' same "$?" 0
check 'the passphrase is private' mode_is 600 pass
check 'that it was made up is said' grep -q 'pass holds its passphrase, made up just now' out
check 'it is long' grep -Eqx '([a-z0-9]{5}-){5}[a-z0-9]{5}' pass

echo other >taken
"$liaison" init rome.example --office r --key-file r.key --mark taken >out 2>err
check 'a mark that exists is refused' grep -q '^liaison: taken exists: it is the mark of another office' err
"$liaison" init rome.example --office r --key-file r.key --recovery-sheet taken >out 2>err
check 'so is a recovery sheet' grep -q '^liaison: taken exists; a recovery sheet never replaces a file' err
check 'and it is as before' same "$(cat taken)" other

# Locking with a passphrase takes a while: an office is whole or not there when a signal comes then.
"$liaison" init rome.example --office r --passphrase-file r.pass >out 2>err &
tries=0
until [ -e r.pass ] || [ $tries = 500 ]; do
    sleep 0.01
    tries=$((tries + 1))
done
kill -TERM $! 2>kill.err
wait $!
code=$?
check 'a signal does not leave half an office' same "$code $(ls r | tr '\n' ' ')" '0 card liaison.db '

mkdir home
HOME=$scratch/home XDG_DATA_HOME='' "$liaison" init tokyo.example --key-file tokyo.key >out 2>err
code=$?
if [ -e /var/lib/liaison ]; then
    echo 'ok - cli/init: without --office it is in the data folder # SKIP /var/lib/liaison exists'
else
    check 'without --office it is in the data folder' same "$code" 0
    check 'whose folders are made' mode_is 700 home/.local/share/liaison
fi

# A failure in the middle: the last file cannot be made.
rm -rf home
mkdir home
HOME=$scratch/home XDG_DATA_HOME='' LIAISON_OFFICE="$scratch/home/x" "$liaison" init rome.example --key-file rome.key \
    --recovery-sheet absent/sheet >out 2>err
check 'a failure is exit code 1' same "$? $(cat out)" '1 '
check 'and leaves nothing' same "$(ls -A home; ls rome.key 2>/dev/null)" ''

exit $failed
