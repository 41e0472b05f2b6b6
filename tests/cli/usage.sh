#!/bin/sh
# Command lines that are wrong, and the exit code each must have. Prints TAP lines.
#
# usage: usage.sh LIAISON
liaison=$(realpath "$1")
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset LIAISON_OFFICE
failed=0

# expect CODE ARGUMENTS...: the exit code, something on stderr that begins with "liaison: ", nothing on stdout.
expect() {
    code=$1
    shift
    "$liaison" "$@" >out 2>err </dev/null
    got=$?
    if [ "$got" = "$code" ] && [ ! -s out ] && grep -q '^liaison: .' err; then
        echo "ok - cli/usage: $code $*"
    else
        echo "# exit code $got: $(cat err)"
        echo "not ok - cli/usage: $code $*"
        failed=1
    fi
}

# A usage error is 2, whatever else is wrong.
expect 2
expect 2 frobnicate
expect 2 --frobnicate
expect 2 --office
expect 2 --office '' status
expect 2 status --bogus
expect 2 status extra
expect 2 --json=yes status
expect 2 init
expect 2 init a b
expect 2 init a.example --office x --key-file k --passphrase-file p
expect 2 init a.example --office x --key-file
expect 2 init a.example --office x --key-file k --languages 'not a tag'
expect 2 unlock extra
expect 2 card extra
expect 2 line
expect 2 line frobnicate
expect 2 line found
expect 2 line found talks
expect 2 line found talks --with card --key k --no-courier-key
expect 2 line join
expect 2 line join charter
expect 2 line join charter --key k --no-courier-key
expect 2 line fingerprint
expect 2 line confirm talks
expect 2 line list extra
expect 2 line show
expect 2 line leave
expect 2 link
expect 2 link add talks pyongyang
expect 2 link remove talks pyongyang a b
expect 2 link test talks
expect 2 link stdio extra
expect 2 send
expect 2 send talks a b
expect 2 send talks -m
expect 2 send talks -m text file
expect 2 send talks -m text --precedence urgent
expect 2 send talks -m text --precedence FLAS
expect 2 send talks -m text --precedence FLASHY
expect 2 send talks -m text --wait forever
expect 2 send talks -m text --timeout 30
expect 2 send talks -m text --timeout -1s
expect 2 send talks -m text --answers 17
expect 2 send talks -m text --language 'not a tag'
expect 2 send talks -m text --token 0123
expect 2 ack talks
expect 2 ack talks 17
expect 2 ack talks washington/17 --as king
expect 2 inbox
expect 2 read
expect 2 read talks --from 17
expect 2 record
expect 2 record verify
expect 2 record policy talks
expect 2 record prove talks washington/17
expect 2 record prove talks 17 -o f
expect 2 record disclose talks washington/17
expect 2 record evidence talks
expect 2 record disclose talks washington/17-16 -o f
expect 2 record export talks -o f
expect 2 record export talks --format xml -o f

# What is refused is 1, and nothing has changed.
echo key >readable
chmod 644 readable
echo nonsense >nonsense
chmod 600 nonsense
echo short >short
chmod 600 short
mkdir full
touch full/file
touch mark
expect 1 init 'No Name' --office x --key-file k
expect 1 init none --office x --key-file k
expect 1 init a..b --office x --key-file k
expect 1 init a.example --office full --key-file k
expect 1 init a.example --office nonsense --key-file k
expect 1 init a.example --office absent/x --key-file k
expect 1 init a.example --office x --key-file readable
expect 1 init a.example --office x --key-file nonsense
expect 1 init a.example --office x --key-file absent/k
expect 1 init a.example --office x --passphrase-file short
expect 1 init a.example --office x --passphrase-file readable
expect 1 init a.example --office x --key-file k --mark mark
expect 1 init a.example --office x --key-file k --mark absent/mark
expect 1 init a.example --office x --key-file k --recovery-sheet nonsense
expect 1 init a.example --office x --key-file k --recovery-sheet absent/sheet
expect 1 init a.example --office "$(printf '%0100d' 0)" --key-file k
expect 1 line found Talks --with nonsense --office x
expect 1 line found talks --with absent --office x
expect 1 line join absent --no-courier-key --office x
expect 1 line join nonsense --key absent --office x
expect 1 send talks -m '' --office x
expect 1 send talks absent --office x
expect 1 unlock --passphrase-file absent --office x
expect 1 unlock --passphrase-file short --office x
found=$(ls | tr '\n' ' ')
if [ "$found" = "err full mark nonsense out readable short " ]; then
    echo "ok - cli/usage: what was refused has left nothing behind"
else
    echo "# $found"
    echo "not ok - cli/usage: what was refused has left nothing behind"
    failed=1
fi

# An answer that nobody got is not success.
"$liaison" --version >/dev/full 2>err
got=$?
if [ "$got" = 5 ] && grep -q '^liaison: the answer could not be written .* what was to be done is done$' err; then
    echo "ok - cli/usage: 5 --version, to a full disk"
else
    echo "# exit code $got: $(cat err)"
    echo "not ok - cli/usage: 5 --version, to a full disk"
    failed=1
fi

# Where no daemon answers, it is 4.
for words in status card 'line list' 'line show talks' 'link list' 'link stdio' 'send talks -m text' 'inbox talks' \
    'read talks' 'ack talks washington/17' 'record verify talks' 'record export talks --format text -o f'; do
    # shellcheck disable=SC2086
    expect 4 $words --office absent
done

exit $failed
