// Go's side of the conversation with tests/peers/tlog.c, on golang.org/x/mod/sumdb: "check" judges what we wrote,
// "emit" writes what we are to judge. The lines are described there.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type line struct {
	Kind    string      `json:"kind"`
	OK      bool        `json:"ok"`
	Leaf    tlog.Hash   `json:"leaf"`
	Index   int64       `json:"index"`
	OldSize int64       `json:"old_size"`
	OldRoot tlog.Hash   `json:"old_root"`
	Size    int64       `json:"size"`
	Root    tlog.Hash   `json:"root"`
	Hashes  []tlog.Hash `json:"-"`
	Proof   any         `json:"proof"`
	Policy  string      `json:"policy"`
}

// cosigner verifies C2SP tlog-cosignature v1.0.1, which sumdb does not have.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(c.key, cosigned(binary.BigEndian.Uint64(sig), msg), sig[8:])
}

func cosigned(time uint64, msg []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), msg...)
}

func keyID(name string, kind byte, key []byte) uint32 {
	h := sha256.Sum256(append([]byte(name+"\n"+string([]byte{kind})), key...))
	return binary.BigEndian.Uint32(h[:])
}

func verifierKey(name string, kind byte, key []byte) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyID(name, kind, key),
		base64.StdEncoding.EncodeToString(append([]byte{kind}, key...)))
}

func parseCosigner(vkey string) (note.Verifier, error) {
	part := strings.SplitN(vkey, "+", 3)
	if len(part) != 3 {
		return nil, fmt.Errorf("no verifier key")
	}
	id, err := hex.DecodeString(part[1])
	if err != nil || len(id) != 4 {
		return nil, fmt.Errorf("no key id")
	}
	key, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(key) != 33 || key[0] != 4 || keyID(part[0], 4, key[1:]) != binary.BigEndian.Uint32(id) {
		return nil, fmt.Errorf("no key of a cosigner")
	}
	return cosigner{part[0], binary.BigEndian.Uint32(id), key[1:]}, nil
}

// checkProof judges a tlog-proof under a policy in which every witness but the author is needed.
func checkProof(policy, text string) error {
	logs, witnesses := []note.Verifier{}, []note.Verifier{}
	party := map[string]string{}
	for _, row := range strings.Split(policy, "\n") {
		word := strings.Fields(row)
		switch {
		case len(word) == 3 && word[0] == "log":
			v, err := note.NewVerifier(word[1])
			if err != nil {
				return err
			}
			logs, party[v.Name()] = append(logs, v), strings.TrimPrefix(word[2], "liaison:")
		case len(word) == 3 && word[0] == "witness":
			v, err := parseCosigner(word[2])
			if err != nil {
				return err
			}
			witnesses, party[v.Name()] = append(witnesses, v), word[1]
		}
	}
	head, checkpoint, found := strings.Cut(text, "\n\n")
	rows := strings.Split(head, "\n")
	if !found || len(rows) < 3 || rows[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("no proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rows[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(rows[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	path := tlog.RecordProof{}
	for _, row := range rows[3:] {
		hash, err := tlog.ParseHash(row)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	opened, err := note.Open([]byte(checkpoint), note.VerifierList(append(logs, witnesses...)...))
	if err != nil {
		return err
	}
	body := strings.Split(opened.Text, "\n")
	if len(body) != 4 {
		return fmt.Errorf("no checkpoint")
	}
	author, held := "", map[string]bool{}
	for _, sig := range opened.Sigs {
		if sig.Name == body[0] {
			author = party[sig.Name]
		} else {
			held[party[sig.Name]] = true
		}
	}
	delete(held, author)
	if author == "" || len(held) != len(witnesses)-1 {
		return fmt.Errorf("signed by too few")
	}
	size, err := strconv.ParseInt(body[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(body[2])
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, size, root, index, tlog.RecordHash(entry))
}

func check() int {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	seen, wrong := map[string]int{}, map[string]int{}
	for in.Scan() {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			fmt.Println("not ok - peers/tlog: Go reads our JSON:", err)
			return 1
		}
		var err error
		if l.Kind == "proof" {
			err = checkProof(l.Policy, l.Proof.(string))
		} else {
			for _, text := range l.Proof.([]any) {
				hash, bad := tlog.ParseHash(text.(string))
				if bad != nil {
					err = bad
				}
				l.Hashes = append(l.Hashes, hash)
			}
			if l.Kind == "inclusion" {
				err = tlog.CheckRecord(l.Hashes, l.Size, l.Root, l.Index, l.Leaf)
			} else {
				err = tlog.CheckTree(l.Hashes, l.Size, l.Root, l.OldSize, l.OldRoot)
			}
		}
		seen[l.Kind]++
		if (err == nil) != l.OK {
			wrong[l.Kind]++
			fmt.Println("#", l.Kind, l.OldSize, l.Index, l.Size, err)
		}
	}
	status := 0
	for _, kind := range []string{"inclusion", "consistency", "proof"} {
		word := "ok"
		if seen[kind] == 0 || wrong[kind] > 0 {
			word, status = "not ok", 1
		}
		fmt.Printf("%s - peers/tlog: Go judges as we say: %s (%d, %d wrong)\n", word, kind, seen[kind], wrong[kind])
	}
	return status
}

// tree keeps the hashes of a log as tlog wants them.
type tree []tlog.Hash

func (t tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := []tlog.Hash{}
	for _, i := range indexes {
		out = append(out, t[i])
	}
	return out, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func say(object map[string]any) {
	os.Stdout.Write(append(must(json.Marshal(object)), '\n'))
}

// spoiled changes one hash of a proof; nil if it has none.
func spoiled(hashes []tlog.Hash) []tlog.Hash {
	if len(hashes) == 0 {
		return nil
	}
	out := append([]tlog.Hash{}, hashes...)
	out[len(out)/2][31] ^= 1
	return out
}

func emit() int {
	t, records := tree{}, [][]byte{}
	log := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	witness := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	public := func(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }
	const origin, cosigner = "example.org/go", "example.org/witness"
	skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", origin, keyID(origin, 1, public(log)),
		base64.StdEncoding.EncodeToString(append([]byte{1}, log.Seed()...)))
	signer := must(note.NewSigner(skey))
	policy := fmt.Sprintf("log %s liaison:go.example\nwitness other.example %s\nquorum other.example\n",
		verifierKey(origin, 1, public(log)), verifierKey(cosigner, 4, public(witness)))
	for size := int64(1); size <= 130; size++ {
		records = append(records, []byte(fmt.Sprintf("record %d", size-1)))
		t = append(t, must(tlog.StoredHashes(size-1, records[size-1], t))...)
		if size > 34 && size%16 != 0 {
			continue
		}
		root := must(tlog.TreeHash(size, t))
		for index := int64(0); index < size; index++ {
			proof := must(tlog.ProveRecord(size, index, t))
			leaf := tlog.RecordHash(records[index])
			say(map[string]any{"kind": "inclusion", "ok": true, "leaf": leaf, "index": index, "size": size,
				"root": root, "proof": proof})
			if bad := spoiled(proof); bad != nil {
				say(map[string]any{"kind": "inclusion", "ok": false, "leaf": leaf, "index": index, "size": size,
					"root": root, "proof": bad})
			}
		}
		for old := int64(1); old <= size; old++ {
			proof := must(tlog.ProveTree(size, old, t))
			oldRoot := must(tlog.TreeHash(old, t))
			say(map[string]any{"kind": "consistency", "ok": true, "old_size": old, "old_root": oldRoot,
				"size": size, "root": root, "proof": proof})
			if bad := spoiled(proof); bad != nil {
				say(map[string]any{"kind": "consistency", "ok": false, "old_size": old, "old_root": oldRoot,
					"size": size, "root": root, "proof": bad})
			}
		}
		body := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
		text := string(must(note.Sign(&note.Note{Text: body}, signer)))
		blob := make([]byte, 12)
		binary.BigEndian.PutUint32(blob, keyID(cosigner, 4, public(witness)))
		binary.BigEndian.PutUint64(blob[4:], 1795462028)
		blob = append(blob, ed25519.Sign(witness, cosigned(1795462028, []byte(body)))...)
		for index := int64(0); index < size; index += 5 {
			head := fmt.Sprintf("c2sp.org/tlog-proof@v1\nextra %s\nindex %d\n",
				base64.StdEncoding.EncodeToString(records[index]), index)
			for _, hash := range must(tlog.ProveRecord(size, index, t)) {
				head += hash.String() + "\n"
			}
			for _, good := range []bool{true, false} {
				line := fmt.Sprintf("\u2014 %s %s\n", cosigner, base64.StdEncoding.EncodeToString(blob))
				say(map[string]any{"kind": "proof", "ok": good, "policy": policy, "proof": head + "\n" + text + line})
				blob[20] ^= 1
			}
		}
	}
	return 0
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "emit" {
		os.Exit(emit())
	}
	os.Exit(check())
}
