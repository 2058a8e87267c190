package credentials

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

type edc struct{}

func (edc) Name() string      { return "edc" }
func (edc) MediaType() string { return "application/ld+json" }

// protectedHeader is the protected header of a JAdES baseline B signature over
// an unencoded payload (ETSI TS 119 182-1 clause 6.3, RFC 7797), with the
// members in the order in which the Commission's software writes them.
type protectedHeader struct {
	Alg     string   `json:"alg"`
	Cty     string   `json:"cty"`
	Kid     string   `json:"kid"`
	X5tS256 string   `json:"x5t#S256"`
	X5c     []string `json:"x5c"`
	Typ     string   `json:"typ"`
	B64     bool     `json:"b64"`
	SigT    string   `json:"sigT"`
	Crit    []string `json:"crit"`
}

// Seal writes the general JWS JSON serialization with the payload first, one
// signature and no line break.
func (edc) Seal(d Document, s Sealer, at time.Time) ([]byte, error) {
	chain := s.Chain()
	if len(chain) == 0 {
		return nil, fmt.Errorf("sealing the document: the key has no certificate")
	}
	if !algorithmFits(s.Algorithm(), chain[0].PublicKey) {
		return nil, fmt.Errorf("sealing the document: algorithm %q does not fit the certificate", s.Algorithm())
	}
	kid, err := issuerSerial(chain[0])
	if err != nil {
		return nil, fmt.Errorf("sealing the document: %w", err)
	}
	thumb := sha256.Sum256(chain[0].Raw)
	header := protectedHeader{
		Alg: s.Algorithm(), Cty: "octet-stream", Typ: "jose+json",
		Kid:     base64.StdEncoding.EncodeToString(kid),
		X5tS256: base64.RawURLEncoding.EncodeToString(thumb[:]),
		SigT:    at.UTC().Format(sigTLayout),
		Crit:    []string{"b64", "sigT"},
	}
	for _, c := range chain {
		header.X5c = append(header.X5c, base64.StdEncoding.EncodeToString(c.Raw))
	}
	raw, err := marshalPlain(header)
	if err != nil {
		return nil, fmt.Errorf("writing the header of the seal: %w", err)
	}
	protected := base64.RawURLEncoding.EncodeToString(raw)
	input := make([]byte, 0, len(protected)+1+len(d))
	input = append(append(append(input, protected...), '.'), d...)
	signature, err := s.Sign(input)
	if err != nil {
		return nil, fmt.Errorf("signing the document: %w", err)
	}
	payload, err := marshalPlain(string(d))
	if err != nil {
		return nil, fmt.Errorf("writing the seal: %w", err)
	}
	var b strings.Builder
	b.Grow(len(payload) + len(protected) + 256)
	b.WriteString(`{"payload":`)
	b.Write(payload)
	b.WriteString(`,"signatures":[{"protected":"`)
	b.WriteString(protected)
	b.WriteString(`","signature":"`)
	b.WriteString(base64.RawURLEncoding.EncodeToString(signature))
	b.WriteString(`"}]}`)
	return []byte(b.String()), nil
}

// Parse reads a sealed European Digital Credential. It is stricter than the
// shapes: what the Commission's own readers refuse is refused here too.
func (edc) Parse(data []byte) (*Parsed, error) {
	e, err := ParseSealed(data)
	if err != nil {
		return nil, err
	}
	content, err := readJSON(e.payload)
	if err != nil {
		return nil, badFormat("payload", "the sealed content cannot be read: %v", err)
	}
	p := &Parsed{Format: "edc", Envelope: e, content: content}
	for _, t := range content.get("type").each() {
		p.Types = append(p.Types, t.text())
	}
	if err := checkKind(content); err != nil {
		return nil, err
	}
	issuer := content.get("issuer")
	p.Issuer = Signer{
		LegalID:      issuer.at("eIDASIdentifier", "notation").text(),
		Organisation: anyText(issuer.get("legalName").texts()),
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
	contexts := content.get("@context").each()
	if len(contexts) != 2 || !content.get("@context").has(contextW3C) || !content.get("@context").has(contextEDC) {
		return badFormat("payload", "the sealed content has other contexts than %s and %s", contextW3C, contextEDC)
	}
	if subject, ok := content.get("credentialSubject").v.(map[string]any); !ok || subject == nil {
		return badFormat("payload", "the sealed content does not have exactly one subject")
	}
	if issuer, ok := content.get("issuer").v.(map[string]any); !ok || issuer == nil {
		return badFormat("payload", "the sealed content does not describe its issuer")
	}
	if content.get("proof").present() {
		return badFormat("payload", "the sealed content has the member proof, which is not accepted")
	}
	if name := keyword(content.v, true); name != "" {
		return badFormat("payload", "the sealed content has the member %s, which is not accepted", name)
	}
	for _, name := range []string{"issued", "issuanceDate", "validFrom", "expirationDate", "validUntil"} {
		n := content.get(name)
		if text, _ := n.v.(string); n.present() && readTime(node{text}).IsZero() {
			return badFormat("payload", "the sealed content has a %s that is not one date and time", name)
		}
	}
	return nil
}

// keyword returns a member whose name is a keyword of JSON-LD, other than the
// context of the whole: with it the names below could mean something else to a
// reader of linked data than to one of JSON.
func keyword(v any, top bool) string {
	switch v := v.(type) {
	case []any:
		for _, child := range v {
			if found := keyword(child, false); found != "" {
				return found
			}
		}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			if strings.HasPrefix(name, "@") && !(top && name == "@context") {
				return name
			}
			if found := keyword(v[name], false); found != "" {
				return found
			}
		}
	}
	return ""
}
