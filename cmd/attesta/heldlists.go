package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"attesta/accreditation"
	"attesta/keys"
)

// heldEnding ends the names of files that hold a list of accredited providers
// beside the anchors.
const heldEnding = ".accreditation"

// heldList is a list of accredited providers as it lies in a folder of anchors.
type heldList struct {
	file    string
	source  string // address or file it came from; "" for the one kept here
	signers []*x509.Certificate
	token   []byte
	list    *accreditation.List
}

// heldFile is how a list is written: the sealed list as it came, and who may
// seal it.
type heldFile struct {
	Source  string `json:"source,omitempty"`
	Signers string `json:"signers"` // PEM
	List    string `json:"list"`    // compact JWS
}

// heldIn reads the lists of a folder, each with its seal, and says what is wrong
// with those that cannot be used. A folder that is not there has none.
func heldIn(dir string) (all []heldList, bad []error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{fmt.Errorf("reading the folder of anchors: %w", err)}
	}
	var revoked []keys.RevokedKey
	own, err := keys.LoadTrust(filepath.Join(dir, filepath.Base(folder("").own())))
	for _, a := range own.Anchors {
		revoked = append(revoked, a.Revoked...)
	}
	if err != nil {
		bad = append(bad, err)
	}
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != heldEnding {
			continue
		}
		h, err := readHeld(filepath.Join(dir, e.Name()), revoked)
		if err != nil {
			bad = append(bad, fmt.Errorf("reading %s: %w", e.Name(), err))
			continue
		}
		all = append(all, h)
	}
	return all, bad
}

func readHeld(name string, revoked []keys.RevokedKey) (heldList, error) {
	h := heldList{file: name}
	raw, err := os.ReadFile(name)
	if err != nil {
		return h, err
	}
	var f heldFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return h, err
	}
	h.source, h.token = f.Source, []byte(f.List)
	if h.signers, err = certificatesOf([]byte(f.Signers)); err != nil {
		return h, err
	}
	h.list, err = accreditation.Read(h.token, alsoRevoked(signersTrust(h.signers), revoked), time.Time{})
	return h, err
}

func (h heldList) write() error {
	var signers strings.Builder
	for _, c := range h.signers {
		signers.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	raw, err := json.MarshalIndent(heldFile{h.source, signers.String(), string(h.token)}, "", " ")
	if err != nil {
		return fmt.Errorf("writing the list: %w", err)
	}
	return keys.WriteFile(h.file, append(raw, '\n'))
}

// own tells whether the list is kept in this installation.
func (h heldList) own() bool { return filepath.Base(h.file) == filepath.Base(folder("").ownList()) }

// signersTrust trusts the certificates that may sign one list, for that list.
func signersTrust(signers []*x509.Certificate) keys.Trust {
	var t keys.Trust
	for _, c := range signers {
		t.Anchors = append(t.Anchors, keys.Anchor{Name: nameOf(c), Level: keys.Advanced, Certificate: c})
	}
	return t
}

func certificatesOf(raw []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates of the signers: %w", err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("reading the certificates of the signers: there is none")
	}
	return all, nil
}

// asLists holds lists for asking, with days of Rome.
func asLists(all []heldList) (accreditation.Lists, error) {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return accreditation.Lists{}, fmt.Errorf("finding the time zone: %w", err)
	}
	var lists []*accreditation.List
	for _, h := range all {
		lists = append(lists, h.list)
	}
	return accreditation.NewLists(zone, lists...), nil
}

// heldFor reads the lists beside the anchors that a person names; a file of
// anchors has none. One that cannot be used is an error: without it a check
// would say less than the person expects.
func heldFor(path, data string) (accreditation.Lists, error) {
	if path == "" {
		if data == "" {
			return accreditation.Lists{}, nil
		}
		path = folder(data).trust()
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return accreditation.Lists{}, nil //nolint:nilerr // trusted says it
	}
	all, bad := heldIn(path)
	if len(bad) > 0 {
		return accreditation.Lists{}, &hinted{errors.Join(bad...), removeHeld}
	}
	return asLists(all)
}

const removeHeld = "import the list again; to do without it: attesta trust remove FILE"

// heldName is the file of the list with an id.
func heldName(dir string, l *accreditation.List) string {
	sum := sha256.Sum256([]byte(l.ID))
	word := fileWord(l.Authority.Name)
	if len(word) > 40 {
		word = word[:40]
	}
	return filepath.Join(dir, strings.Trim(word+"-"+hex.EncodeToString(sum[:4]), "-")+heldEnding)
}
