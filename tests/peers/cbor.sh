#!/bin/sh
# Our CBOR against libcbor: cbor.c, built as $1 where libcbor was found.
if [ $# -eq 0 ]; then
    echo "ok - peers/cbor: libcbor # SKIP configured without libcbor-dev"
    exit 0
fi
exec "$1"
