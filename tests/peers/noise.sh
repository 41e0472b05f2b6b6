#!/bin/sh
# Noise handshakes between our side (noise.c, built as $1) and two that others wrote: flynn/noise in Go and
# dissononce in Python. Prints TAP lines; exits 1 if one is "not ok".
set -u

ours=$1
test=peers/noise
. "$(dirname "$0")/foreign"

meet() { # pattern initiator responder responder-psk
    rm -f "$work"/*.hash
    join "$2 $1 initiator 51 $work/initiator.hash" "$3 $1 responder $4 $work/responder.hash"
}

meets() { # pattern initiator responder
    meet "$1" "$2" "$3" 51
    [ "$initiator_status" -eq 0 ] && [ "$responder_status" -eq 0 ] && [ -s "$work/initiator.hash" ] &&
        cmp -s "$work/initiator.hash" "$work/responder.hash"
}

# With another psk the responder refuses the first message (3), and the initiator of XKpsk0 gets no answer.
refuses() { # pattern initiator responder
    meet "$1" "$2" "$3" 52
    [ "$responder_status" -eq 3 ] && { [ "$1" = Kpsk0 ] || [ "$initiator_status" -ne 0 ]; }
}

try() { # name command
    for pattern in XKpsk0 Kpsk0; do
        meets "$pattern" "$ours" "$2"
        report $? "$pattern, we begin, $1 answers"
        meets "$pattern" "$2" "$ours"
        report $? "$pattern, $1 begins, we answer"
        refuses "$pattern" "$ours" "$2"
        report $? "$pattern, $1 refuses another psk"
        refuses "$pattern" "$2" "$ours"
        report $? "$pattern, we refuse another psk from $1"
    done
}

foreign_run noise
