package auditlog

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is how far a log has come, as C2SP tlog-checkpoint writes it.
type Checkpoint struct {
	Origin string // names the log: Origin of its public address
	Size   uint64
	Root   Hash
}

// Origin names the log of an installation by its public address: host and path
// without the scheme, such as attestati.example.org/log.
func Origin(publicURL string) (string, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("naming the log: %q is no address: %w", publicURL, ErrInvalid)
	}
	return u.Host + strings.TrimSuffix(u.Path, "/") + "/log", nil
}

// Text is what is signed: origin, size and root, each with its line end.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// parseCheckpoint is the inverse of Text. Lines that extend a checkpoint are
// refused: this program writes none, and would not know what they mean.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: it has not three lines: %w", ErrInvalid)
	}
	c := Checkpoint{Origin: lines[0]}
	var err error
	if c.Size, err = strconv.ParseUint(lines[1], 10, 64); err != nil || c.Size > maxSize {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: its second line is no size: %w", ErrInvalid)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: its third line is no hash: %w", ErrInvalid)
	}
	copy(c.Root[:], root)
	if c.Origin == "" || c.Text() != text {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: it is not written as a log writes it: %w", ErrInvalid)
	}
	return c, nil
}

// Private is the key that signs checkpoints. It stays where it is.
type Private interface {
	Sign(message []byte) ([]byte, error) // Ed25519 (RFC 8032)
	Public() ed25519.PublicKey
}

// VerifierKey is the public key of a log in the form of C2SP signed-note:
// origin, the start of a hash, and the key, with + between them.
func VerifierKey(origin string, public ed25519.PublicKey) (string, error) {
	text, err := note.NewEd25519VerifierKey(origin, public)
	if err == nil {
		_, err = note.NewVerifier(text)
	}
	if err != nil {
		return "", fmt.Errorf("writing the key of the log %s: %w", origin, err)
	}
	return text, nil
}

// SignCheckpoint returns a checkpoint as a signed note (C2SP signed-note).
func SignCheckpoint(c Checkpoint, key Private) ([]byte, error) {
	text, err := VerifierKey(c.Origin, key.Public())
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer{verifier, key})
	if err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return signed, nil
}

// signer is a private key under the name and the hash of its public one.
type signer struct {
	note.Verifier
	Private
}

// maxNote bounds a signed checkpoint, with room for the signatures of others.
const maxNote = 64 << 10

// ErrSigner is wrapped when a checkpoint does not bear a good signature of the
// key that is asked for.
var ErrSigner = errors.New("it is not signed by the key of the log")

// OpenCheckpoint returns what a signed checkpoint says if the key signed it and
// has the name of its log. Signatures of others beside it do not matter. What is
// no checkpoint wraps ErrInvalid, and a key that is none is ErrKey.
func OpenCheckpoint(signed []byte, key string) (Checkpoint, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return Checkpoint{}, ErrKey
	}
	if len(signed) > maxNote {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: it is too long: %w", ErrInvalid)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if _, unverified := errors.AsType[*note.UnverifiedNoteError](err); unverified {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: %w", ErrSigner)
	}
	if _, bad := errors.AsType[*note.InvalidSignatureError](err); bad {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: its signature is broken: %w", ErrSigner)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: it is no signed note: %w", ErrInvalid)
	}
	c, err := parseCheckpoint(opened.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != verifier.Name() {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: it is of the log %q and the key of %q: %w", c.Origin, verifier.Name(), ErrSigner)
	}
	return c, nil
}

// ErrKey is returned for a key of a log that is none.
var ErrKey = errors.New("it is no key of a log: one looks like attestati.example.org/log+1a2b3c4d+ and then letters")

// Unverified returns what a signed checkpoint says whoever signed it.
func Unverified(signed []byte) (Checkpoint, error) {
	if len(signed) > maxNote {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: it is too long: %w", ErrInvalid)
	}
	_, err := note.Open(signed, nil)
	open, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: it is no signed note: %w", ErrInvalid)
	}
	return parseCheckpoint(open.Note.Text)
}
