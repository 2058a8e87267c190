package keys

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
)

// ErrRecipient is an age recipient or identity that is none, or one that does
// not fit what is to be opened.
var ErrRecipient = errors.New("not the right age key")

// EncryptTo returns a writer that encrypts to the owner of a recipient of the
// form age1..., with age. What it wrote is whole only after Close.
func EncryptTo(w io.Writer, recipient string) (io.WriteCloser, error) {
	to, err := age.ParseX25519Recipient(strings.TrimSpace(recipient))
	if err != nil {
		return nil, fmt.Errorf("reading the recipient: it is not of the form age1...: %w", ErrRecipient)
	}
	out, err := age.Encrypt(w, to)
	if err != nil {
		return nil, fmt.Errorf("encrypting to the recipient: %w", err)
	}
	return out, nil
}

// EncryptedStart is how everything begins that EncryptTo wrote.
const EncryptedStart = "age-encryption.org/v1"

// DecryptWith returns a reader of what EncryptTo wrote, opened with one of the
// identities in a file as age-keygen writes it. What was changed or cut short
// gives an error while it is read: nothing counts before its end.
func DecryptWith(r io.Reader, identityFile string) (io.Reader, error) {
	file, err := os.Open(identityFile)
	if err != nil {
		return nil, fmt.Errorf("reading the identity: %w", err)
	}
	defer func() { _ = file.Close() }()
	identities, err := age.ParseIdentities(io.LimitReader(file, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the identity: the file holds no line of the form AGE-SECRET-KEY-...: %w", ErrRecipient)
	}
	plain, err := age.Decrypt(r, identities...)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return nil, fmt.Errorf("decrypting: it was encrypted to another recipient: %w", ErrRecipient)
	}
	if err != nil {
		return nil, fmt.Errorf("decrypting: %w", err)
	}
	return plain, nil
}
