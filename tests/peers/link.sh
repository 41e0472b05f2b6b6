#!/bin/sh
# Whole links, with the handshake within the first message, between our channel (link.c, built as $1) and two ends made of
# what others wrote: flynn/noise in Go and dissononce in Python. Prints TAP lines; exits 1 if one is "not ok".
set -u

ours=$1
test=peers/link
. "$(dirname "$0")/foreign"

# Joins two ends and compares their exit statuses with those wanted.
meets() { # initiator secret responder initiator-status responder-status
    join "$1 initiator $2" "$3 responder 0"
    [ "$initiator_status" -eq "$4" ] && [ "$responder_status" -eq "$5" ]
}

try() { # name command
    meets "$ours" 17 "$2" 0 0
    report $? "we begin, $1 answers"
    meets "$2" 17 "$ours" 0 0
    report $? "$1 begins, we answer"
    # Who holds the courier key, and not the link secret of the member that it names, gets no answer.
    meets "$ours" 18 "$2" 3 3
    report $? "$1 refuses another member than is named"
    meets "$2" 18 "$ours" 3 3
    report $? "we refuse another member than is named from $1"
}

foreign_run link
