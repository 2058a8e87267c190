package credentials

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

type edc struct{ shared *shared }

func (edc) Name() string      { return "edc" }
func (edc) MediaType() string { return "application/ld+json" }

// Seal writes the general JWS JSON serialization with the payload first, one
// signature and no line break: a JAdES baseline B signature over an unencoded
// payload (ETSI TS 119 182-1 clause 6.3, RFC 7797).
func (f edc) Seal(d Document, s Sealer, at time.Time) ([]byte, error) {
	chain := s.Chain()
	if len(chain) == 0 {
		return nil, fmt.Errorf("sealing the document: the key has no certificate")
	}
	if !algorithmFits(s.Algorithm(), chain[0].PublicKey) {
		return nil, fmt.Errorf("sealing the document: algorithm %q does not fit the certificate", s.Algorithm())
	}
	if !utf8.Valid(d) {
		return nil, fmt.Errorf("sealing the document: it is not valid UTF-8")
	}
	kid, err := issuerSerial(chain[0])
	if err != nil {
		return nil, fmt.Errorf("sealing the document: %w", err)
	}
	header := appendProtected(nil, s.Algorithm(), kid, chain, at)
	e := Envelope{payload: d, protected: base64.RawURLEncoding.EncodeToString(header)}
	buffer := f.shared.buffer()
	*buffer = e.appendInput((*buffer)[:0])
	signature, err := s.Sign(*buffer)
	f.shared.takeBack(buffer)
	if err != nil {
		return nil, fmt.Errorf("signing the document: %w", err)
	}
	e.encodedSignature = base64.RawURLEncoding.EncodeToString(signature)
	return e.file(nil), nil
}

// appendProtected writes the protected header with the members in the order in
// which the Commission's software writes them. The time of sealing stands in iat:
// sigT is no longer allowed in seals made since 15 July 2025 (ETSI TS 119 182-1
// v1.2.1 clause 5.1.11), and a seal with both has none. All values are base64 or fixed
// words: none needs an escape.
func appendProtected(b []byte, alg string, kid []byte, chain []*x509.Certificate, at time.Time) []byte {
	thumb := sha256.Sum256(chain[0].Raw)
	b = append(append(b, `{"alg":"`...), alg...)
	b = base64.StdEncoding.AppendEncode(append(b, `","cty":"octet-stream","kid":"`...), kid)
	b = base64.RawURLEncoding.AppendEncode(append(b, `","x5t#S256":"`...), thumb[:])
	b = append(b, `","x5c":["`...)
	for n, c := range chain {
		if n > 0 {
			b = append(b, `","`...)
		}
		b = base64.StdEncoding.AppendEncode(b, c.Raw)
	}
	b = append(b, `"],"typ":"jose+json","b64":false,"iat":`...)
	b = strconv.AppendInt(b, at.Unix(), 10)
	return append(b, `,"crit":["b64"]}`...)
}

// Parse reads a sealed European Digital Credential. It is stricter than the
// shapes: what the Commission's own readers refuse is refused here too.
func (f edc) Parse(data []byte) (*Parsed, error) {
	e, err := parseSealed(data, f.shared)
	if err != nil {
		return nil, err
	}
	content, err := readText(e.content())
	if err != nil {
		return nil, badFormat("payload", "the sealed content cannot be read: %v", err)
	}
	p := &Parsed{Format: "edc", Envelope: e, content: content}
	for t := range content.get("type").every() {
		p.Types = append(p.Types, t.text())
	}
	if err := checkKind(content); err != nil {
		return nil, err
	}
	issuer := content.get("issuer")
	p.Issuer = Signer{
		LegalID:      issuer.at("eIDASIdentifier", "notation").text(),
		Organisation: issuer.get("legalName").any(),
	}
	return p, nil
}

func anyText(t Text) string {
	s, _ := t.In("it", "en")
	return s
}

// checkKind holds the content to what makes a file a European Digital
// Credential for every reader: the shapes do not even look at a file without
// the right type, and other contexts would give the names other meanings.
func checkKind(content node) error {
	types := content.get("type")
	if !types.has(typeEDC) || !types.has(typeW3C) {
		return badFormat("payload", "the sealed content is not a European Digital Credential: its type lacks %s or %s", typeW3C, typeEDC)
	}
	contexts := content.get("@context")
	if contexts.count() != 2 || !contexts.has(contextW3C) || !contexts.has(contextEDC) {
		return badFormat("payload", "the sealed content has other contexts than %s and %s", contextW3C, contextEDC)
	}
	if !content.get("credentialSubject").is(isObject) {
		return badFormat("payload", "the sealed content does not have exactly one subject")
	}
	if !content.get("issuer").is(isObject) {
		return badFormat("payload", "the sealed content does not describe its issuer")
	}
	if content.get("proof").present() {
		return badFormat("payload", "the sealed content has the member proof, which is not accepted")
	}
	if name := content.keyword(); name != "" {
		return badFormat("payload", "the sealed content has the member %s, which is not accepted", name)
	}
	for _, name := range []string{"issued", "issuanceDate", "validFrom", "expirationDate", "validUntil"} {
		n := content.get(name)
		if _, ok := n.str(); n.present() && (!ok || readTime(n).IsZero()) {
			return badFormat("payload", "the sealed content has a %s that is not one date and time", name)
		}
	}
	return nil
}

// keyword returns a member whose name is a keyword of JSON-LD, other than the
// context of the whole: with it the names below could mean something else to a
// reader of linked data than to one of JSON.
func (n node) keyword() (found string) {
	if n.t.at == 0 || n.t.at == 1 && n.t.member(n.v, symContext) != nil {
		return ""
	}
	return n.t.keyword(n.v)
}

// keyword returns the first in the order of bytes of those that stand alone or
// first below each member.
func (t *tree) keyword(v *value) (least string) {
	below := t.below(v)
	for i := range below {
		name, found := "", ""
		if v.kind == isObject {
			name = t.nameOf(below[i].name)
		}
		switch {
		case strings.HasPrefix(name, "@") && !(v == &t.root && name == "@context"):
			found = name
		case below[i].kind == isObject || below[i].kind == isList:
			found = t.keyword(&below[i])
		}
		if found != "" && v.kind == isList {
			return found
		}
		if found != "" && (least == "" || found < least) {
			least = found
		}
	}
	return least
}
