package credentials

import (
	"bytes"
	"crypto/x509"
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
	maxCompactBytes = 2 << 20 // a status list of ten million entries, a third of them set, sealed
	maxHeaderBytes  = 64 << 10
	maxChain        = 5
)

// FormatError says why presented bytes cannot be read as what they claim to
// be. Code is stable; the words are for logs and command lines.
type FormatError struct {
	Code   string // too_large, empty, not_json, not_sealed, header, certificate, payload; of a token sdjwt, unread
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
	payload   []byte // nil where it is clear
	clear     string // a payload that a file has in clear
	signature []byte
	// encodedSignature is the signature as transmitted: time stamps are over
	// these characters.
	encodedSignature string
	jades            bool // in JSON serialization: kid names the certificate
	otherUnprotected bool // headers beside etsiU stand outside the signature
	shared           *shared

	Algorithm     string
	Type          string // typ
	Attached      bool   // false for an unencoded payload (b64 false)
	SealedAt      time.Time
	Chain         []*x509.Certificate // x5c, leaf first
	ContentStamps [][]byte            // adoTst: DER tokens over the payload, inside the seal
	Unsigned      []Unsigned          // etsiU, in order: what was added after sealing
}

// Payload returns the exact signed bytes. They are not to be changed.
func (e *Envelope) Payload() []byte {
	if e.payload == nil {
		return []byte(e.clear)
	}
	return e.payload
}

// content is the payload as text.
func (e *Envelope) content() string {
	if e.payload == nil {
		return e.clear
	}
	return string(e.payload)
}

// Leaf is the certificate of the key that made the signature.
func (e *Envelope) Leaf() *x509.Certificate { return e.Chain[0] }

// Verify checks the signature with the key of the leaf certificate. It says
// nothing about whether that certificate deserves trust. An ECDSA signature has a
// second form (r, n-s) that anybody can write and that holds as well: two files
// may differ in the bytes of their signature and carry one sealed content, so
// those bytes name nothing.
func (e *Envelope) Verify() error {
	buffer := e.shared.buffer()
	*buffer = e.appendInput((*buffer)[:0])
	err := verifySignature(e.Algorithm, e.Leaf().PublicKey, *buffer, e.signature)
	e.shared.takeBack(buffer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return nil
}

// appendInput writes the signing input (RFC 7515 clause 5.1, RFC 7797 clause 3).
func (e *Envelope) appendInput(b []byte) []byte {
	b = slices.Grow(b, len(e.protected)+1+len(e.clear)+len(e.payload)*4/3+4)
	return e.appendPayload(append(append(b, e.protected...), '.'))
}

// appendPayload writes the payload as the signature covers it.
func (e *Envelope) appendPayload(b []byte) []byte {
	if e.Attached {
		return base64.RawURLEncoding.AppendEncode(b, e.payload)
	}
	return append(append(b, e.clear...), e.payload...)
}

// ParseSealed takes apart a JAdES seal in JSON serialization, general or
// flattened, with the payload as its first member, as the Commission's own
// software writes and detects it. A payload in base64url, which that software
// does not recognise, is read too: Attached tells.
func ParseSealed(data []byte) (*Envelope, error) { return parseSealed(data, nil) }

func parseSealed(data []byte, shared *shared) (*Envelope, error) {
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
	buffer := shared.buffer()
	w := &walker{tree: &tree{text: string(data), values: make([]value, 0, few)}, buffer: *buffer}
	outer, err := w.whole()
	*buffer = w.buffer
	shared.takeBack(buffer)
	if err != nil {
		return nil, badFormat("not_json", "the sealed file cannot be read: %v", err)
	}
	payload, ok := outer.get("payload").str()
	if !ok {
		return nil, badFormat("not_sealed", "the member \"payload\" is not a string")
	}
	signature, err := onlySignature(outer)
	if err != nil {
		return nil, err
	}
	e := &Envelope{jades: true, shared: shared}
	if err := e.readSignature(signature); err != nil {
		return nil, err
	}
	if !e.Attached {
		e.clear = payload
	} else if e.payload, err = decodeBase64URL(payload); err != nil {
		return nil, badFormat("payload", "the payload is not canonical base64url, as its seal says")
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
	list := outer.get("signatures")
	if !list.is(isList) {
		return outer, outer.onlyMembers("payload", "protected", "header", "signature")
	}
	if list.count() != 1 {
		return node{}, badFormat("not_sealed", "the file has %d signatures, exactly one is accepted", list.count())
	}
	one := list.nth(0)
	if !one.is(isObject) {
		return node{}, badFormat("not_sealed", "the signature of the file is not an object")
	}
	if err := outer.onlyMembers("payload", "signatures"); err != nil {
		return node{}, err
	}
	return one, one.onlyMembers("protected", "header", "signature")
}

func (n node) onlyMembers(known ...string) error {
	for _, m := range n.members() {
		if name := n.t.nameOf(m.name); !slices.Contains(known, name) {
			return badFormat("not_sealed", "the file has the unknown member %q", name)
		}
	}
	return nil
}

func (e *Envelope) readSignature(n node) error {
	protected, ok1 := n.get("protected").str()
	signature, ok2 := n.get("signature").str()
	if !ok1 || !ok2 || protected == "" || signature == "" {
		return badFormat("not_sealed", "the file has no protected header or no signature")
	}
	var err error
	if e.signature, err = decodeBase64URL(signature); err != nil {
		return badFormat("header", "the signature is not canonical base64url")
	}
	e.encodedSignature = signature
	header, err := e.readHeader(protected)
	if err != nil {
		return err
	}
	if err := e.checkUnprotected(n.get("header"), header); err != nil {
		return err
	}
	return e.readUnsigned(n.at("header", "etsiU"))
}

// checkUnprotected holds what stands outside the signature to RFC 7515 clause
// 7.2.1: no header stands twice, and none from which this reader draws anything
// stands there at all.
func (e *Envelope) checkUnprotected(n, protected node) error {
	if n.present() && !n.is(isObject) {
		return badFormat("header", "the unprotected header is not an object")
	}
	for _, m := range n.members() {
		name := n.t.nameOf(m.name)
		switch name {
		case "alg", "b64", "crit", "typ", "cty", "kid", "x5c", "x5t#S256", "x5t#o", "sigT", "iat", "adoTst":
			return badFormat("header", "the header %q stands outside the seal", name)
		}
		e.otherUnprotected = e.otherUnprotected || name != "etsiU"
		if protected.get(name).present() {
			return badFormat("header", "the header %q stands inside and outside the seal", name)
		}
	}
	return nil
}
