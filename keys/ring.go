package keys

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"
)

// Ring is the folder of keys of one installation: one file a key, readable by
// its owner only, the private part encrypted to the master key. It is safe for
// concurrent use within one process.
type Ring struct {
	// Now is the clock that a key holds against its retirement when it signs;
	// time.Now when nil. It is set before the ring is used, or never.
	Now    func() time.Time
	dir    string
	master *age.X25519Identity
	mu     sync.RWMutex
	keys   []*Key
	files  seen // as they were when the keys were read
	list   signedList
	tokens tokens
}

// file is a key as it stands on disk.
type file struct {
	ID        string    `json:"id"`
	Purpose   Purpose   `json:"purpose"`
	Owner     string    `json:"owner,omitempty"`
	From      time.Time `json:"from"`
	Retired   time.Time `json:"retired,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	SelfMade  bool      `json:"self_made"`
	Chain     string    `json:"chain"`   // PEM, the key's own certificate first
	Private   []byte    `json:"private"` // PKCS #8, or the PIN of the device; encrypted with age to the master key
	Device    *Device   `json:"device,omitempty"`
}

// Open reads the ring in a folder; the folder is made when it is not there.
// The master key stands in masterFile and is made when that file is missing
// and the ring is empty. A ring without its master key is an error: nothing of
// it could be used again.
func Open(dir, masterFile string) (*Ring, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of keys: %w", err)
	}
	r := &Ring{dir: dir}
	files, err := r.look()
	if err != nil {
		return nil, err
	}
	secrets, err := filesIn(dir, secretEnding)
	if err != nil {
		return nil, fmt.Errorf("listing the secrets: %w", err)
	}
	if r.master, err = openMaster(masterFile, len(files)+len(secrets) == 0); err != nil {
		return nil, err
	}
	if r.keys, err = r.load(files, nil); err != nil {
		return nil, err
	}
	r.files = files
	r.sort()
	return r, nil
}

const secretEnding = ".secret.age"

// filesIn lists the files of a folder whose names have an ending, in order. A
// name in it or of it has no special meaning, as it would to filepath.Glob.
func filesIn(dir, ending string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ending) && !e.IsDir() {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil
}

func openMaster(name string, mayMake bool) (*age.X25519Identity, error) {
	raw, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if !mayMake {
			return nil, fmt.Errorf("reading the master key: %s is missing, and the keys beside it cannot be opened without it; put it back from where it is kept safe", name)
		}
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, fmt.Errorf("making the master key: %w", err)
		}
		return identity, WriteFile(name, []byte(identity.String()+"\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the master key: %w", err)
	}
	if err := onlyOwner(name); err != nil {
		return nil, err
	}
	identity, err := age.ParseX25519Identity(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, fmt.Errorf("reading the master key: %s is not an age identity", name)
	}
	return identity, nil
}

// onlyOwner refuses a secret that others on the machine may read.
func onlyOwner(name string) error {
	if runtime.GOOS == "windows" { // modes say nothing there: the folder's own permissions count
		return nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("looking at %s: %w", name, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("reading %s: other users of this machine may read it (mode %04o); run: chmod 600 %s", filepath.Base(name), info.Mode().Perm(), name)
	}
	return nil
}

// WriteFile writes a file that only its owner may read. Whoever looks finds the
// old one or the new one, whole; when it returns nil the new one is durable.
func WriteFile(name string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(name), err)
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(name), errors.Join(err, os.Remove(temporary.Name())))
	}
	if runtime.GOOS == "windows" { // folders cannot be synced there
		return nil
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(name), err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func (r *Ring) read(name string) (*Key, error) {
	if err := onlyOwner(name); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	chain, err := readPEM([]byte(f.Chain))
	if err != nil {
		return nil, err
	}
	if f.ID != keyID(chain[0]) {
		return nil, errors.New("the id does not belong to the certificate")
	}
	secret, err := r.decrypt(f.Private)
	if err != nil {
		return nil, err
	}
	signer, err := r.signerOf(secret, f.Device, chain[0])
	if err != nil {
		return nil, err
	}
	k, err := r.newKey(chain, signer)
	if err != nil {
		return nil, err
	}
	k.Purpose, k.Owner, k.SelfMade, k.device = f.Purpose, f.Owner, f.SelfMade, f.Device
	k.From, k.Retired, k.Revoked, k.RevokedAt = f.From, f.Retired, f.Revoked, f.RevokedAt
	return k, nil
}

// signerOf is the private key of a certificate: what the secret holds, or what
// the secret opens in a device, which is asked only when it is to sign.
func (r *Ring) signerOf(secret []byte, d *Device, leaf *x509.Certificate) (crypto.Signer, error) {
	if d != nil {
		d.PIN = string(secret)
		return &deviceSigner{tokens: &r.tokens, device: *d, public: leaf.PublicKey}, nil
	}
	private, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok || !samePublic(signer.Public(), leaf.PublicKey) {
		return nil, errors.New("the private key does not belong to the certificate")
	}
	return signer, nil
}

func samePublic(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// newKey is a key that stands in no ring yet and has no life.
func (r *Ring) newKey(chain []*x509.Certificate, signer crypto.Signer) (*Key, error) {
	jose, err := newJOSEKey(signer)
	if err != nil {
		return nil, err
	}
	k := &Key{ID: keyID(chain[0]), chain: chain, signer: signer, jose: jose, now: r.clock, latest: &atomic.Pointer[Key]{}}
	k.latest.Store(k)
	return k, nil
}

func (r *Ring) clock() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

func (r *Ring) write(k *Key) error {
	secret, err := k.secret()
	if err != nil {
		return fmt.Errorf("writing key %s: %w", k.ID, err)
	}
	sealed, err := r.encrypt(secret)
	if err != nil {
		return fmt.Errorf("encrypting key %s: %w", k.ID, err)
	}
	var chain bytes.Buffer
	for _, c := range k.chain {
		chain.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	raw, err := json.MarshalIndent(file{
		ID: k.ID, Purpose: k.Purpose, Owner: k.Owner, From: k.From, Retired: k.Retired, Revoked: k.Revoked, RevokedAt: k.RevokedAt,
		SelfMade: k.SelfMade, Chain: chain.String(), Private: sealed, Device: k.device,
	}, "", " ")
	if err != nil {
		return fmt.Errorf("writing key %s: %w", k.ID, err)
	}
	return WriteFile(r.fileOf(k.ID), raw)
}

// secret is what stands encrypted in the file of a key.
func (k *Key) secret() ([]byte, error) {
	if k.device != nil {
		return []byte(k.device.PIN), nil
	}
	return x509.MarshalPKCS8PrivateKey(k.signer)
}

// Secret returns a secret of 32 bytes by its name. It is made at the first call
// and stands encrypted beside the keys. The name is a word of a-z and dashes.
func (r *Ring) Secret(name string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := filepath.Join(r.dir, name+secretEnding)
	sealed, err := os.ReadFile(path)
	if err == nil {
		secret, err := r.decrypt(sealed)
		if err != nil {
			return nil, fmt.Errorf("reading the secret %s: %w", name, err)
		}
		return secret, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the secret %s: %w", name, err)
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("making the secret %s: %w", name, err)
	}
	if sealed, err = r.encrypt(secret); err != nil {
		return nil, fmt.Errorf("making the secret %s: %w", name, err)
	}
	return secret, WriteFile(path, sealed)
}

func (r *Ring) decrypt(sealed []byte) ([]byte, error) {
	plain, err := age.Decrypt(bytes.NewReader(sealed), r.master)
	if err != nil {
		return nil, fmt.Errorf("the master key does not open it: %w", err)
	}
	data, err := io.ReadAll(plain)
	if err != nil {
		return nil, fmt.Errorf("the master key does not open it: %w", err)
	}
	return data, nil
}

func (r *Ring) encrypt(data []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, r.master.Recipient())
	if err != nil {
		return nil, err
	}
	_, err = w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// sort puts the newest key of an owner for a purpose last. Of two that began
// in the same second the one that is to be retired is the older.
func (r *Ring) sort() {
	ending := func(k *Key) int {
		if k.Retired.IsZero() {
			return 1
		}
		return 0
	}
	slices.SortFunc(r.keys, func(a, b *Key) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Purpose, b.Purpose), a.From.Compare(b.From),
			cmp.Compare(ending(a), ending(b)), cmp.Compare(a.ID, b.ID))
	})
}

// All returns every key, ordered by owner, purpose and age.
func (r *Ring) All() []*Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.keys)
}

// Current returns the newest key of an owner that may sign at a moment. The
// error wraps ErrNoKey.
func (r *Ring) Current(p Purpose, owner string, at time.Time) (*Key, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.current(p, owner, at)
}

func (r *Ring) current(p Purpose, owner string, at time.Time) (*Key, error) {
	k, err := r.newest(at, func(k *Key) bool { return k.Purpose == p && k.Owner == owner })
	if err != nil {
		return nil, fmt.Errorf("looking for the %s key of %q: %w", p, owner, err)
	}
	return k, nil
}

// had tells whether an owner has or ever had a key for a purpose.
func (r *Ring) had(p Purpose, owner string) bool {
	return slices.ContainsFunc(r.keys, func(k *Key) bool { return k.Purpose == p && k.Owner == owner })
}

func (r *Ring) add(k *Key) error {
	if err := r.write(k); err != nil {
		return err
	}
	r.keys = append(r.keys, k)
	r.sort()
	return nil
}

func newPrivate() (crypto.Signer, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func readPEM(raw []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("reading certificates: a block of type %q stands among them", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading certificates: %w", err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("reading certificates: there is none")
	}
	return chain, nil
}
