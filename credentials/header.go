package credentials

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// readHeader reads the protected header of either kind of envelope.
func (e *Envelope) readHeader(protected string) (node, error) {
	if len(protected) > maxHeaderBytes {
		return node{}, badFormat("header", "the protected header is larger than %d bytes", maxHeaderBytes)
	}
	raw, err := decodeBase64URL(protected)
	if err != nil {
		return node{}, badFormat("header", "the protected header is not canonical base64url")
	}
	h, err := readJSON(raw)
	if err != nil {
		return node{}, badFormat("header", "the protected header cannot be read: %v", err)
	}
	for _, m := range h.members() {
		if m.kind == isNull {
			return node{}, badFormat("header", "the header %q is null", h.t.nameOf(m.name))
		}
	}
	e.protected = protected
	e.Algorithm, _ = h.get("alg").str()
	e.Type, _ = h.get("typ").str()
	if err := e.readB64(h); err != nil {
		return node{}, err
	}
	if err := checkCritical(h); err != nil {
		return node{}, err
	}
	if err := e.readSealedAt(h); err != nil {
		return node{}, err
	}
	if n := h.get("adoTst"); n.present() {
		if e.ContentStamps = stampsOf(n); e.ContentStamps == nil {
			return node{}, badFormat("header", "the content time stamp of the seal cannot be read")
		}
	}
	return h, e.readChain(h)
}

// readB64 holds to RFC 7797 clause 6: b64 is a boolean, and critical whenever
// it is present.
func (e *Envelope) readB64(h node) error {
	n := h.get("b64")
	e.Attached = true
	if !n.present() {
		return nil
	}
	if !n.is(isTrue) && !n.is(isFalse) || !h.get("crit").has("b64") {
		return badFormat("header", "the header b64 is not a boolean or not critical")
	}
	e.Attached = n.is(isTrue)
	return nil
}

// checkCritical holds to RFC 7515 clause 4.1.11: a critical header that is not
// understood, absent or listed twice makes the whole thing invalid.
func checkCritical(h node) error {
	n := h.get("crit")
	if !n.present() {
		return nil
	}
	if !n.is(isList) || n.count() == 0 {
		return badFormat("header", "the header crit is not a list of names")
	}
	var seen []string
	for v := range n.every() {
		name, _ := v.str()
		switch name {
		case "b64", "sigT", "iat", "adoTst":
		default:
			return badFormat("header", "the critical header %q is not understood", name)
		}
		if slices.Contains(seen, name) || !h.get(name).present() {
			return badFormat("header", "the critical header %q is listed twice or absent", name)
		}
		seen = append(seen, name)
	}
	return nil
}

// sigTLayout is the form of sigT.
const sigTLayout = "2006-01-02T15:04:05Z"

// readSealedAt reads the claimed signing time: sigT (ETSI TS 119 182-1 clause
// 5.2.1) or, as newer seals have it, iat in seconds since 1970. A JAdES seal has
// one of the two.
func (e *Envelope) readSealedAt(h node) error {
	older, newer := h.get("sigT"), h.get("iat")
	switch {
	case older.present() && newer.present():
		return badFormat("header", "the seal states its time twice, in sigT and in iat")
	case older.present():
		text, _ := older.str()
		at, err := time.Parse(sigTLayout, text)
		if err != nil || at.Format(sigTLayout) != text {
			return badFormat("header", "the signing time %q is not a UTC date and time", text)
		}
		e.SealedAt = at
	case newer.present():
		seconds, err := strconv.ParseInt(newer.number(), 10, 64)
		if err != nil || seconds < 0 || seconds > latestSecond {
			return badFormat("header", "the signing time iat is not a number of seconds since 1970")
		}
		e.SealedAt = time.Unix(seconds, 0).UTC()
	case e.jades:
		return badFormat("header", "the seal does not say when it was made")
	}
	return nil
}

// latestSecond is the last second of the year 9999.
const latestSecond = 253402300799

// readChain reads x5c and holds x5t#S256 and kid, where present, against the
// leaf (RFC 7515 clauses 4.1.6 and 4.1.8, ETSI TS 119 182-1 clause 5.1.4).
func (e *Envelope) readChain(h node) error {
	list := h.get("x5c")
	if !list.is(isList) || list.count() == 0 {
		return badFormat("certificate", "the seal carries no certificate")
	}
	if list.count() > maxChain {
		return badFormat("certificate", "the seal carries more than %d certificates", maxChain)
	}
	for v := range list.every() {
		encoded, _ := v.str()
		certificate, err := e.shared.certificate(encoded)
		if errors.Is(err, errNoBase64) {
			return badFormat("certificate", "a certificate of the seal is not base64")
		}
		if err != nil {
			return badFormat("certificate", "a certificate of the seal cannot be read: %v", err)
		}
		e.Chain = append(e.Chain, certificate)
	}
	if thumb := h.get("x5t#S256"); thumb.present() {
		want := sha256.Sum256(e.Leaf().Raw)
		text, _ := thumb.str()
		if got, err := decodeBase64URL(text); err != nil || !bytes.Equal(got, want[:]) {
			return badFormat("certificate", "the thumbprint does not belong to the certificate of the seal")
		}
	}
	if other := h.get("x5t#o"); other.present() && !e.namesLeaf(other) {
		return badFormat("certificate", "the digest x5t#o does not belong to the certificate of the seal")
	}
	if kid := h.get("kid"); kid.present() && e.jades {
		want, err := issuerSerial(e.Leaf())
		if err != nil {
			return badFormat("certificate", "the certificate of the seal cannot be named: %v", err)
		}
		text, _ := kid.str()
		if got, err := base64.StdEncoding.Strict().DecodeString(text); err != nil || !bytes.Equal(got, want) {
			return badFormat("certificate", "the key id does not belong to the certificate of the seal")
		}
	}
	if !algorithmFits(e.Algorithm, e.Leaf().PublicKey) {
		return badFormat("header", "the algorithm %q is not accepted for the key of the certificate", e.Algorithm)
	}
	return nil
}

// namesLeaf tells whether a digest with its algorithm is that of the leaf (ETSI
// TS 119 182-1 clause 5.2.2).
func (e *Envelope) namesLeaf(digest node) bool {
	text, _ := digest.get("digVal").str()
	got, err := decodeBase64URL(text)
	if err != nil {
		return false
	}
	algorithm, _ := digest.get("digAlg").str()
	raw := e.Leaf().Raw
	switch algorithm {
	case "S256":
		want := sha256.Sum256(raw)
		return bytes.Equal(got, want[:])
	case "S384":
		want := sha512.Sum384(raw)
		return bytes.Equal(got, want[:])
	case "S512":
		want := sha512.Sum512(raw)
		return bytes.Equal(got, want[:])
	}
	return false
}

// issuerSerial is the DER value that JAdES puts, in base64, into kid: the
// sequence of the issuer's name and the serial number (RFC 5035 clause 4).
func issuerSerial(c *x509.Certificate) ([]byte, error) {
	serial, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		return nil, fmt.Errorf("encoding the serial number: %w", err)
	}
	const sequence, directoryName = 0x30, 0xa4 // the latter is [4], constructed
	names := appendDER(nil, sequence, appendDER(nil, directoryName, c.RawIssuer))
	return appendDER(nil, sequence, append(names, serial...)), nil
}

// appendDER writes a tag, the length and the content (X.690 clauses 8.1 and 10.1).
func appendDER(b []byte, tag byte, content []byte) []byte {
	b = append(b, tag)
	switch n := len(content); {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 0x100:
		b = append(b, 0x81, byte(n))
	case n < 0x10000:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, content...)
}

// decodeBase64URL decodes base64url without padding and refuses every form
// but the canonical one (RFC 7515 appendix C; RFC 4648 clause 3.5).
func decodeBase64URL(s string) ([]byte, error) {
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' {
			return nil, errors.New("line break in base64url")
		}
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}
