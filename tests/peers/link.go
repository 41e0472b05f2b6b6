// The other side of link.c by github.com/flynn/noise; the arguments and bytes are described there.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/flynn/noise"
	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/hkdf"
)

const (
	size    = 256
	member  = 1
	counter = 0x0102030405060708
)

var (
	lineID = bytes.Repeat([]byte{0x44}, 32)
	psk    = make([]byte, 32)
	suite  = noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256)
)

func check(err error, status int) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "link.go:", err)
		os.Exit(status)
	}
}

func expect(got, want []byte) {
	if !bytes.Equal(got, want) {
		check(fmt.Errorf("something else arrived than was sent"), 1)
	}
}

func readExactly() []byte {
	data := make([]byte, size)
	_, err := io.ReadFull(os.Stdin, data)
	check(err, 3)
	return data
}

func write(data []byte) {
	_, err := os.Stdout.Write(data)
	check(err, 1)
}

func keypair(secret []byte) noise.DHKey {
	public, err := curve25519.X25519(secret, curve25519.Basepoint)
	check(err, 1)
	return noise.DHKey{Private: secret, Public: public}
}

func keypairOf(value byte) noise.DHKey {
	return keypair(bytes.Repeat([]byte{value}, 32))
}

func start(pattern noise.HandshakePattern, initiator bool, prologue []byte, random io.Reader, own noise.DHKey,
	other []byte) *noise.HandshakeState {
	state, err := noise.NewHandshakeState(noise.Config{CipherSuite: suite, Random: random, Pattern: pattern,
		Initiator: initiator, Prologue: prologue, PresharedKey: psk, StaticKeypair: own, PeerStatic: other})
	check(err, 1)
	return state
}

// The ephemeral key is read from `random`, which may therefore be known before.
func outer(initiator bool, random io.Reader, own noise.DHKey, other []byte) *noise.HandshakeState {
	return start(noise.HandshakeXK, initiator, append([]byte("liaison/link/v1"), lineID...), random, own, other)
}

func inner(initiator bool, named byte, ephemeral []byte, own noise.DHKey, other []byte) *noise.HandshakeState {
	prologue := append(append([]byte("liaison/link-first/v1"), lineID...), named)
	return start(noise.HandshakeK, initiator, append(prologue, ephemeral...), rand.Reader, own, other)
}

func innerPayload() []byte {
	payload := make([]byte, 159)
	binary.BigEndian.PutUint64(payload[1:], counter)
	return payload
}

func frame(text string) []byte {
	plain := make([]byte, size-16)
	copy(plain, append([]byte{2, 0, byte(len(text))}, text...))
	return plain
}

func begin(own noise.DHKey, responder []byte) {
	ephemeral := make([]byte, 32)
	_, err := rand.Read(ephemeral)
	check(err, 1)
	state := outer(true, bytes.NewReader(ephemeral), own, responder)
	first, _, _, err := inner(true, member, keypair(ephemeral).Public, own, responder).WriteMessage(
		[]byte{member}, innerPayload())
	check(err, 1)
	message, _, _, err := state.WriteMessage(nil, first)
	check(err, 1)
	write(message)
	zeros, _, _, err := state.ReadMessage(nil, readExactly())
	check(err, 3)
	expect(zeros, make([]byte, 208))
	message, send, receive, err := state.WriteMessage(nil, make([]byte, 192))
	check(err, 1)
	message, err = send.Encrypt(message, nil, frame("We begin."))
	check(err, 1)
	write(message)
	got, err := receive.Decrypt(nil, nil, readExactly())
	check(err, 3)
	expect(got, frame("We answer."))
}

func answer(own noise.DHKey, initiator []byte) {
	state := outer(false, rand.Reader, own, nil)
	wire := readExactly()
	first, _, _, err := state.ReadMessage(nil, wire)
	check(err, 3)
	payload, _, _, err := inner(false, first[0], wire[:32], own, initiator).ReadMessage(nil, first[1:])
	check(err, 3)
	expect(first[:1], []byte{member})
	expect(payload, innerPayload())
	message, _, _, err := state.WriteMessage(nil, make([]byte, 208))
	check(err, 1)
	write(message)
	zeros, receive, send, err := state.ReadMessage(nil, readExactly())
	check(err, 3)
	expect(zeros, make([]byte, 192))
	expect(state.PeerStatic(), initiator)
	got, err := receive.Decrypt(nil, nil, readExactly())
	check(err, 3)
	expect(got, frame("We begin."))
	message, err = send.Encrypt(nil, nil, frame("We answer."))
	check(err, 1)
	write(message)
}

func main() {
	secret, err := strconv.Atoi(os.Args[2])
	check(err, 2)
	_, err = io.ReadFull(hkdf.New(sha256.New, bytes.Repeat([]byte{0x33}, 32), nil, []byte("liaison/courier-link/v1")), psk)
	check(err, 1)
	if os.Args[1] == "initiator" {
		begin(keypairOf(byte(secret)), keypairOf(0x22).Public)
	} else {
		answer(keypairOf(0x22), keypairOf(0x11).Public)
	}
}
