package accreditation

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"attesta/keys"
)

// Held is a list as it lies beside anchors: the sealed list as it came, and who
// may seal it.
type Held struct {
	Source  string // address or file it came from; "" for the one kept here
	Signers []*x509.Certificate
	Token   []byte
	List    *List
}

// heldFile is how a list is written.
type heldFile struct {
	Source  string `json:"source,omitempty"`
	Signers string `json:"signers"` // PEM
	List    string `json:"list"`    // compact JWS
}

// ReadHeld reads what File wrote, and the seal in it. A signer whose key is among
// those that are revoked has sealed nothing.
func ReadHeld(raw []byte, revoked []keys.RevokedKey) (Held, error) {
	var f heldFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return Held{}, fmt.Errorf("reading a list that is held: %w", err)
	}
	signers, err := Signers([]byte(f.Signers))
	if err != nil {
		return Held{}, err
	}
	trust := SignersTrust(signers)
	for n := range trust.Anchors {
		trust.Anchors[n].Revoked = slices.Clone(revoked)
	}
	h := Held{Source: f.Source, Signers: signers, Token: []byte(f.List)}
	h.List, err = Read(h.Token, trust, time.Time{})
	return h, err
}

// File writes a list for ReadHeld.
func (h Held) File() ([]byte, error) {
	var signers strings.Builder
	for _, c := range h.Signers {
		signers.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	raw, err := json.MarshalIndent(heldFile{h.Source, signers.String(), string(h.Token)}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing a list: %w", err)
	}
	return append(raw, '\n'), nil
}

// SignersTrust trusts the certificates that may seal one list, for that list.
func SignersTrust(signers []*x509.Certificate) keys.Trust {
	var t keys.Trust
	for _, c := range signers {
		name := cmp.Or(c.Subject.CommonName, strings.Join(c.Subject.Organization, ", "))
		t.Anchors = append(t.Anchors, keys.Anchor{Name: name, Level: keys.Advanced, Certificate: c})
	}
	return t
}

// Signers reads certificates in PEM, at least one.
func Signers(raw []byte) ([]*x509.Certificate, error) {
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
