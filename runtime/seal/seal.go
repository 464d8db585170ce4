package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	keyBytes = 32
	format   = "1:"
)

// Ring is a list of keys, the first of which seals.
type Ring struct {
	keys []key
	from string // where the keys come from, for people
}

type key struct {
	id   string
	aead cipher.AEAD
}

var _ core.Sealer = (*Ring)(nil)

// New makes a ring of keys of 32 bytes; from tells people where to look.
func New(from string, keys ...[]byte) (*Ring, error) {
	r := &Ring{from: from}
	for _, k := range keys {
		if len(k) != keyBytes {
			return nil, core.Errorf(
				core.EInvalid,
				"a key in %s has %d bytes instead of %d; make one: openssl rand -base64 32",
				from,
				len(k),
				keyBytes,
			)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(k)
		r.keys = append(r.keys, key{hex.EncodeToString(sum[:4]), aead})
	}
	if len(r.keys) == 0 {
		return nil, core.Errorf(core.EInvalid, "there is no key in %s; make one: openssl rand -base64 32", from)
	}
	return r, nil
}

// From is where the keys come from, for people.
func (r *Ring) From() string { return r.from }

// Ephemeral is a ring that is gone with the process: for data that is, too.
func Ephemeral() *Ring {
	k := make([]byte, keyBytes)
	_, _ = rand.Read(k) // never fails
	r, err := New("memory", k)
	if err != nil {
		panic(err)
	}
	return r
}

// Parse reads keys as base64 or hex, separated by commas, blanks or lines;
// lines that begin with # are skipped.
func Parse(from, text string) (*Ring, error) {
	var keys [][]byte
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }) {
			k, ok := decode(word)
			if !ok {
				return nil, core.Errorf(core.EInvalid, "a key in %s is not 32 bytes as base64 or hex; make one: openssl rand -base64 32", from)
			}
			keys = append(keys, k)
		}
	}
	return New(from, keys...)
}

func decode(word string) ([]byte, bool) {
	if k, err := hex.DecodeString(word); err == nil && len(k) == keyBytes {
		return k, true
	}
	word = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(word), "=")
	k, err := base64.RawStdEncoding.DecodeString(word)
	return k, err == nil && len(k) == keyBytes
}

func (r *Ring) Prefix() string { return format + r.keys[0].id + ":" }

func (r *Ring) Seal(id core.UUID, plain []byte) (string, error) {
	k := r.keys[0]
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(plain)+k.aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return r.Prefix() + base64.RawStdEncoding.EncodeToString(k.aead.Seal(nonce, nonce, plain, id[:])), nil
}

func (r *Ring) Open(id core.UUID, sealed string) ([]byte, error) {
	rest, known := strings.CutPrefix(sealed, format)
	name, text, split := strings.Cut(rest, ":")
	if !known || !split {
		return nil, core.Errorf(core.EConflict, "block document %s is sealed in a way that this flowlite does not know; use a newer one", id)
	}
	for _, k := range r.keys {
		if k.id != name {
			continue
		}
		b, err := base64.RawStdEncoding.DecodeString(text)
		if err == nil && len(b) >= k.aead.NonceSize() {
			n := k.aead.NonceSize()
			if plain, err := k.aead.Open(nil, b[:n], b[n:], id[:]); err == nil {
				return plain, nil
			}
		}
		return nil, core.Errorf(
			core.EConflict,
			"the sealed data of block document %s was changed outside of flowlite and cannot be opened; save the block again",
			id,
		)
	}
	return nil, core.Errorf(
		core.EConflict,
		"block document %s is sealed with the key %s, which is not in %s; put that key back, as the first or a later one",
		id,
		name,
		r.from,
	)
}
