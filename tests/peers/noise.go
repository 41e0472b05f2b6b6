// The other side of noise.c by github.com/flynn/noise; the arguments and bytes are described there.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/ioutil"
	"os"
	"strconv"

	"github.com/flynn/noise"
	"golang.org/x/crypto/curve25519"
)

const rounds = 6

func check(err error, status int) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "noise.go:", err)
		os.Exit(status)
	}
}

func readMessage() []byte {
	var size [2]byte
	_, err := io.ReadFull(os.Stdin, size[:])
	check(err, 1)
	message := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err = io.ReadFull(os.Stdin, message)
	check(err, 1)
	return message
}

func writeMessage(message []byte) {
	size := []byte{byte(len(message) >> 8), byte(len(message))}
	_, err := os.Stdout.Write(append(size, message...))
	check(err, 1)
}

func keypair(value byte) noise.DHKey {
	secret := bytes.Repeat([]byte{value}, 32)
	public, err := curve25519.X25519(secret, curve25519.Basepoint)
	check(err, 1)
	return noise.DHKey{Private: secret, Public: public}
}

func expect(got, want []byte) {
	if !bytes.Equal(got, want) {
		check(fmt.Errorf("another text arrived than was sent"), 1)
	}
}

func main() {
	pattern, initiator := os.Args[1], os.Args[2] == "initiator"
	psk, err := strconv.Atoi(os.Args[3])
	check(err, 2)
	own, other := keypair(0x22), keypair(0x11)
	if initiator {
		own, other = other, own
	}
	config := noise.Config{
		CipherSuite:   noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256),
		Pattern:       noise.HandshakeXK,
		Initiator:     initiator,
		Prologue:      []byte("liaison peers"),
		PresharedKey:  bytes.Repeat([]byte{byte(psk)}, 32),
		StaticKeypair: own,
	}
	oneWay := pattern == "Kpsk0"
	if oneWay {
		config.Pattern = noise.HandshakeK
	}
	if initiator || oneWay {
		config.PeerStatic = other.Public
	}
	state, err := noise.NewHandshakeState(config)
	check(err, 1)

	var first, second *noise.CipherState
	for number, writes := 0, initiator; first == nil; number, writes = number+1, !writes {
		text := []byte(fmt.Sprintf("handshake %d", number))
		var message []byte
		if writes {
			message, first, second, err = state.WriteMessage(nil, text)
			check(err, 1)
			writeMessage(message)
		} else {
			message, first, second, err = state.ReadMessage(nil, readMessage())
			check(err, 3)
			expect(message, text)
		}
	}

	send, receive := first, second
	if !initiator {
		send, receive = second, first
	}
	for i := 0; i < rounds; i++ {
		text := bytes.Repeat([]byte{byte(i)}, 100*i)
		if i == rounds/2 {
			send.Rekey()
			receive.Rekey()
		}
		for turn := 0; turn < 2 && (turn == 0 || !oneWay); turn++ {
			if initiator == (turn == 0) {
				message, err := send.Encrypt(nil, nil, text)
				check(err, 1)
				writeMessage(message)
			} else {
				got, err := receive.Decrypt(nil, nil, readMessage())
				check(err, 3)
				expect(got, text)
			}
		}
	}
	check(ioutil.WriteFile(os.Args[4], []byte(hex.EncodeToString(state.ChannelBinding())+"\n"), 0600), 1)
}
