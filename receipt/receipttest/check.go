// Package receipttest holds receipts against their signatures, as a reader of PDFs
// does, with another library than the one that wrote them.
package receipttest

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/smallstep/pkcs7"
)

var byteRange = regexp.MustCompile(`/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]\n/Contents <([0-9a-f]+)>`)

// Check returns the one signature of a PDF if it covers every byte of the file but
// its own and is good at a moment, by a key that a root vouches for. It finds the
// ranges itself and trusts no offset of the file.
func Check(pdf []byte, root *x509.Certificate, at time.Time) (*pkcs7.PKCS7, error) {
	found := byteRange.FindAllSubmatchIndex(pdf, -1)
	if len(found) != 1 {
		return nil, fmt.Errorf("looking for the signature: there are %d", len(found))
	}
	place := found[0]
	number := func(n int) int { v, _ := strconv.Atoi(string(pdf[place[2*n]:place[2*n+1]])); return v }
	before, after := place[10]-1, place[11]+1
	if number(1) != 0 || number(2) != before || number(3) != after || number(3)+number(4) != len(pdf) {
		return nil, errors.New("reading the ranges: they are not all but the signature")
	}
	raw, err := hex.DecodeString(string(pdf[place[10]:place[11]]))
	if err != nil {
		return nil, fmt.Errorf("reading the signature: %w", err)
	}
	var cms asn1.RawValue
	if _, err := asn1.Unmarshal(raw, &cms); err != nil { // zeros follow it
		return nil, fmt.Errorf("reading the signature: %w", err)
	}
	p, err := pkcs7.Parse(cms.FullBytes)
	if err != nil {
		return nil, fmt.Errorf("reading the signature: %w", err)
	}
	p.Content = slices.Concat(pdf[:before], pdf[after:])
	roots := x509.NewCertPool()
	roots.AddCert(root)
	if err := p.VerifyWithChainAtTime(roots, at); err != nil {
		return nil, fmt.Errorf("checking the signature: %w", err)
	}
	return p, nil
}
