package credentials

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Limits on what is read. A sealed file of the Commission with all its time
// stamps and pictures is 1.3 MB.
const (
	MaxSealedBytes  = 4 << 20
	maxCompactBytes = 1 << 20 // a status list of a million entries, sealed
	maxHeaderBytes  = 64 << 10
	maxChain        = 5
)

// FormatError says why presented bytes cannot be read as what they claim to
// be. Code is stable; the words are for logs and command lines.
type FormatError struct {
	Code   string // too_large, empty, not_json, not_sealed, header, certificate, payload
	Detail string
}

func (e *FormatError) Error() string { return e.Detail }

func badFormat(code, format string, args ...any) error {
	return &FormatError{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// ErrSeal is wrapped by every error that says a seal does not hold.
var ErrSeal = errors.New("the seal does not hold")

// Envelope is a JWS that has been taken apart under strict rules (RFC 7515,
// RFC 7797 and, for sealed files, ETSI TS 119 182-1): one signature, canonical
// base64url, every name once, every critical header known. Nothing in it is to
// be believed before Verify.
type Envelope struct {
	protected string // as transmitted: the signature is over these characters
	payload   []byte
	signature []byte

	Algorithm      string
	Type           string // typ
	Attached       bool   // false for an unencoded payload (b64 false)
	SealedAt       time.Time
	Chain          []*x509.Certificate // x5c, leaf first
	Unsigned       []string            // names in etsiU, in order: sigTst, xVals, …
	ContentStamped bool                // a content time stamp (adoTst) stands in the seal
}

// Payload returns the exact signed bytes. They are not to be changed.
func (e *Envelope) Payload() []byte { return e.payload }

// Leaf is the certificate of the key that made the signature.
func (e *Envelope) Leaf() *x509.Certificate { return e.Chain[0] }

// Verify checks the signature with the key of the leaf certificate. It says
// nothing about whether that certificate deserves trust.
func (e *Envelope) Verify() error {
	input := make([]byte, 0, len(e.protected)+1+len(e.payload)*4/3+4)
	input = append(append(input, e.protected...), '.')
	if e.Attached {
		input = base64.RawURLEncoding.AppendEncode(input, e.payload)
	} else {
		input = append(input, e.payload...)
	}
	if err := verifySignature(e.Algorithm, e.Leaf().PublicKey, input, e.signature); err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return nil
}

// ParseSealed takes apart a JAdES seal in JSON serialization, general or
// flattened, with the payload as its first member and not base64url-encoded,
// as the Commission's own software writes and detects it.
func ParseSealed(data []byte) (*Envelope, error) {
	if len(data) == 0 {
		return nil, badFormat("empty", "the file is empty")
	}
	if len(data) > MaxSealedBytes {
		return nil, badFormat("too_large", "the file is larger than %d bytes", MaxSealedBytes)
	}
	if !startsWithPayload(data) {
		if _, err := readJSON(data); err != nil {
			return nil, badFormat("not_json", "the file is not a sealed credential: %v", err)
		}
		return nil, badFormat("not_sealed", "the file has no seal: its first member is not \"payload\"")
	}
	outer, err := readJSON(data)
	if err != nil {
		return nil, badFormat("not_json", "the sealed file cannot be read: %v", err)
	}
	payload, ok := outer.get("payload").v.(string)
	if !ok {
		return nil, badFormat("not_sealed", "the member \"payload\" is not a string")
	}
	signature, err := onlySignature(outer)
	if err != nil {
		return nil, err
	}
	e := &Envelope{payload: []byte(payload)}
	if err := e.readSignature(signature); err != nil {
		return nil, err
	}
	if e.Attached {
		return nil, badFormat("header", "the seal encodes its payload; a European Digital Credential has b64 false")
	}
	return e, nil
}

// startsWithPayload is the test by which the Commission's software recognises
// a sealed credential.
func startsWithPayload(data []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
	return ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(`"payload"`))
}

// onlySignature finds the one signature of a general or flattened JWS.
func onlySignature(outer node) (node, error) {
	members, _ := outer.v.(map[string]any)
	if list, ok := members["signatures"].([]any); ok {
		if len(list) != 1 {
			return node{}, badFormat("not_sealed", "the file has %d signatures, exactly one is accepted", len(list))
		}
		one, ok := list[0].(map[string]any)
		if !ok {
			return node{}, badFormat("not_sealed", "the signature of the file is not an object")
		}
		if err := onlyMembers(members, "payload", "signatures"); err != nil {
			return node{}, err
		}
		return node{one}, onlyMembers(one, "protected", "header", "signature")
	}
	return outer, onlyMembers(members, "payload", "protected", "header", "signature")
}

func onlyMembers(members map[string]any, known ...string) error {
	for _, name := range sortedKeys(members) {
		if !slices.Contains(known, name) {
			return badFormat("not_sealed", "the file has the unknown member %q", name)
		}
	}
	return nil
}

func (e *Envelope) readSignature(n node) error {
	protected, ok1 := n.get("protected").v.(string)
	signature, ok2 := n.get("signature").v.(string)
	if !ok1 || !ok2 || protected == "" || signature == "" {
		return badFormat("not_sealed", "the file has no protected header or no signature")
	}
	var err error
	if e.signature, err = decodeBase64URL(signature); err != nil {
		return badFormat("header", "the signature is not canonical base64url")
	}
	header, err := e.readHeader(protected)
	if err != nil {
		return err
	}
	if err := checkUnprotected(n.get("header"), header); err != nil {
		return err
	}
	for _, entry := range n.at("header", "etsiU").each() {
		e.Unsigned = append(e.Unsigned, unsignedName(entry))
	}
	return nil
}

// checkUnprotected holds what stands outside the signature to RFC 7515 clause
// 7.2.1: no header stands twice, and none from which this reader draws anything
// stands there at all.
func checkUnprotected(n, protected node) error {
	members, ok := n.v.(map[string]any)
	if n.present() && !ok {
		return badFormat("header", "the unprotected header is not an object")
	}
	for _, name := range sortedKeys(members) {
		switch name {
		case "alg", "b64", "crit", "typ", "cty", "kid", "x5c", "x5t#S256", "sigT", "adoTst":
			return badFormat("header", "the header %q stands outside the seal", name)
		}
		if protected.get(name).present() {
			return badFormat("header", "the header %q stands inside and outside the seal", name)
		}
	}
	return nil
}

// unsignedName names an entry of etsiU. It is outside the signature: whatever
// it holds cannot break a seal, so an unreadable one is only named so.
func unsignedName(entry node) string {
	if encoded, ok := entry.v.(string); ok {
		raw, err := decodeBase64URL(encoded)
		if err != nil {
			return "unreadable"
		}
		if entry, err = readJSON(raw); err != nil {
			return "unreadable"
		}
	}
	members, _ := entry.v.(map[string]any)
	if len(members) != 1 {
		return "unreadable"
	}
	return sortedKeys(members)[0]
}

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
	members, _ := h.v.(map[string]any)
	for _, name := range sortedKeys(members) {
		if members[name] == nil {
			return node{}, badFormat("header", "the header %q is null", name)
		}
	}
	e.protected = protected
	e.Algorithm, _ = h.get("alg").v.(string)
	e.Type, _ = h.get("typ").v.(string)
	if err := e.readB64(h); err != nil {
		return node{}, err
	}
	if err := checkCritical(h); err != nil {
		return node{}, err
	}
	if err := e.readSigT(h); err != nil {
		return node{}, err
	}
	e.ContentStamped = h.get("adoTst").present()
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
	b64, ok := n.v.(bool)
	if !ok || !h.get("crit").has("b64") {
		return badFormat("header", "the header b64 is not a boolean or not critical")
	}
	e.Attached = b64
	return nil
}

// checkCritical holds to RFC 7515 clause 4.1.11: a critical header that is not
// understood, absent or listed twice makes the whole thing invalid.
func checkCritical(h node) error {
	n := h.get("crit")
	if !n.present() {
		return nil
	}
	names, ok := n.v.([]any)
	if !ok || len(names) == 0 {
		return badFormat("header", "the header crit is not a list of names")
	}
	var seen []string
	for _, v := range names {
		name, _ := v.(string)
		switch name {
		case "b64", "sigT", "adoTst":
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

// readSigT reads the claimed signing time (ETSI TS 119 182-1 clause 5.2.1).
func (e *Envelope) readSigT(h node) error {
	n := h.get("sigT")
	if !n.present() {
		return nil
	}
	text, _ := n.v.(string)
	at, err := time.Parse(sigTLayout, text)
	if err != nil || at.Format(sigTLayout) != text {
		return badFormat("header", "the signing time %q is not a UTC date and time", text)
	}
	e.SealedAt = at
	return nil
}

// readChain reads x5c and holds x5t#S256 and kid, where present, against the
// leaf (RFC 7515 clauses 4.1.6 and 4.1.8, ETSI TS 119 182-1 clause 5.1.4).
func (e *Envelope) readChain(h node) error {
	list, _ := h.get("x5c").v.([]any)
	if len(list) == 0 {
		return badFormat("certificate", "the seal carries no certificate")
	}
	if len(list) > maxChain {
		return badFormat("certificate", "the seal carries more than %d certificates", maxChain)
	}
	for _, v := range list {
		encoded, _ := v.(string)
		der, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil {
			return badFormat("certificate", "a certificate of the seal is not base64")
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return badFormat("certificate", "a certificate of the seal cannot be read: %v", err)
		}
		e.Chain = append(e.Chain, certificate)
	}
	if thumb := h.get("x5t#S256"); thumb.present() {
		want := sha256.Sum256(e.Leaf().Raw)
		text, _ := thumb.v.(string)
		if got, err := decodeBase64URL(text); err != nil || !bytes.Equal(got, want[:]) {
			return badFormat("certificate", "the thumbprint does not belong to the certificate of the seal")
		}
	}
	if kid := h.get("kid"); kid.present() && !e.Attached {
		want, err := issuerSerial(e.Leaf())
		if err != nil {
			return badFormat("certificate", "the certificate of the seal cannot be named: %v", err)
		}
		text, _ := kid.v.(string)
		if got, err := base64.StdEncoding.Strict().DecodeString(text); err != nil || !bytes.Equal(got, want) {
			return badFormat("certificate", "the key id does not belong to the certificate of the seal")
		}
	}
	if !algorithmFits(e.Algorithm, e.Leaf().PublicKey) {
		return badFormat("header", "the algorithm %q is not accepted for the key of the certificate", e.Algorithm)
	}
	return nil
}

// issuerSerial is the DER value that JAdES puts, in base64, into kid: the
// sequence of the issuer's name and the serial number (RFC 5035 clause 4).
func issuerSerial(c *x509.Certificate) ([]byte, error) {
	type issuerAndSerial struct {
		Names  []asn1.RawValue
		Serial asn1.RawValue
	}
	serial, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		return nil, fmt.Errorf("encoding the serial number: %w", err)
	}
	return asn1.Marshal(issuerAndSerial{
		Names:  []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: c.RawIssuer}},
		Serial: asn1.RawValue{FullBytes: serial},
	})
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
