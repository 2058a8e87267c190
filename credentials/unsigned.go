package credentials

import (
	"encoding/base64"
	"fmt"
)

// Unsigned is one entry of etsiU: what was added to a seal after it was made
// (ETSI TS 119 182-1 clause 5.3). It stands outside the signature, so nothing
// in it can break a seal, and whatever it proves it must prove by itself.
type Unsigned struct {
	Name         string   // sigTst, xVals, rVals, arcTst, …; "unreadable" for what is none
	Stamps       [][]byte // DER time stamp tokens (RFC 3161)
	Certificates [][]byte // DER
	CRLs, OCSPs  [][]byte // DER
	encoded      string   // as transmitted; empty for an entry that is not base64url
}

// The names of the entries that this program reads and writes.
const (
	SignatureStamp = "sigTst"
	ChainValues    = "xVals"
	StatusValues   = "rVals"
	ArchiveStamp   = "arcTst"
)

// Bounds on what is read of the entries: a stranger writes them.
const (
	maxUnsigned = 64
	maxValuesIn = 256 // time stamps, certificates, lists and answers of one entry
)

func (e *Envelope) readUnsigned(etsiU node) error {
	if etsiU.count() > maxUnsigned {
		return badFormat("header", "the seal has more than %d additions", maxUnsigned)
	}
	for entry := range etsiU.every() {
		e.Unsigned = append(e.Unsigned, unsignedOf(entry))
	}
	return nil
}

func unsignedOf(entry node) Unsigned {
	u := Unsigned{Name: "unreadable"}
	if encoded, ok := entry.str(); ok {
		raw, err := decodeBase64URL(encoded)
		if err != nil {
			return u
		}
		if entry, err = readJSON(raw); err != nil {
			return u
		}
		u.encoded = encoded
	}
	members := entry.members()
	if len(members) != 1 {
		return Unsigned{Name: "unreadable"}
	}
	u.Name = entry.t.nameOf(members[0].name)
	content := entry.get(u.Name)
	switch u.Name {
	case SignatureStamp, ArchiveStamp:
		u.Stamps = stampsOf(content)
	case ChainValues:
		u.Certificates = certificatesOf(content)
	case StatusValues:
		u.CRLs, u.OCSPs = valuesOf(content.get("crlVals")), valuesOf(content.get("ocspVals"))
	case "tstVD", "anyValData": // validation data of time stamps, and of anything
		u.Certificates = certificatesOf(content.get(ChainValues))
		u.CRLs, u.OCSPs = valuesOf(content.at(StatusValues, "crlVals")), valuesOf(content.at(StatusValues, "ocspVals"))
	}
	return u
}

// stampsOf reads a container of time stamps, or nil when it holds none.
func stampsOf(container node) [][]byte { return valuesOf(container.get("tstTokens")) }

func certificatesOf(list node) [][]byte {
	var all [][]byte
	for c := range list.every() {
		if value := c.get("x509Cert"); value.present() {
			all = append(all, valuesOf(value)...)
		}
		if len(all) > maxValuesIn {
			return nil
		}
	}
	return all
}

// valuesOf reads a list of objects whose member val is DER in base64. One that
// cannot be read leaves its place out.
func valuesOf(list node) [][]byte {
	var all [][]byte
	for one := range list.every() {
		text, _ := one.get("val").str()
		if der, err := base64.StdEncoding.Strict().DecodeString(text); err == nil && len(der) > 0 {
			all = append(all, der)
		}
		if len(all) > maxValuesIn {
			return nil
		}
	}
	return all
}

// Stamped returns the bytes that the time stamps of an entry are over, or nil
// for an entry that carries none, or over bytes that this program cannot
// rebuild (ETSI TS 119 182-1 clauses 5.3.4 and 5.3.6.2).
func (e *Envelope) Stamped(entry int) []byte {
	switch e.Unsigned[entry].Name {
	case SignatureStamp:
		return []byte(e.encodedSignature)
	case ArchiveStamp:
		return e.archived(entry)
	}
	return nil
}

// archived is the message of an archive time stamp that stands at a place: the
// sealed content, the header, the signature and everything added before it.
func (e *Envelope) archived(place int) []byte {
	b := e.appendPayload(make([]byte, 0, 2*len(e.payload)+2*len(e.clear)))
	b = append(append(b, '.'), e.protected...)
	b = append(append(b, '.'), e.encodedSignature...)
	b = append(b, '.')
	for _, before := range e.Unsigned[:place] {
		if before.encoded == "" {
			return nil // in clear: its canonical form is not ours to guess
		}
		b = append(b, before.encoded...)
	}
	return b
}

// ContentStamped returns the bytes that ContentStamps are over (ETSI TS 119
// 182-1 clause 5.2.6).
func (e *Envelope) ContentStamped() []byte { return e.appendPayload(nil) }

// NextArchived returns the message for an archive time stamp to be added now,
// or nil when an earlier entry cannot be rebuilt.
func (e *Envelope) NextArchived() []byte { return e.archived(len(e.Unsigned)) }

// EncodedSignature returns the characters that a signature time stamp is over.
func (e *Envelope) EncodedSignature() []byte { return []byte(e.encodedSignature) }

// Baseline is the level of the seal by what it carries: B, T with a signature
// time stamp, LT with the values that its certificates are checked against, LTA
// with an archive time stamp over all of it (ETSI TS 119 182-1 clause 6). It
// says nothing about whether what it carries holds.
func (e *Envelope) Baseline() string {
	has := map[string]bool{}
	status := false
	for _, u := range e.Unsigned {
		has[u.Name] = true
		status = status || len(u.CRLs)+len(u.OCSPs) > 0
	}
	switch {
	case !has[SignatureStamp]:
		return "B"
	case !status:
		return "T"
	case !has[ArchiveStamp]:
		return "LT"
	}
	return "LTA"
}

// val is how a value stands in an entry.
type val struct {
	Val string `json:"val"`
}

func vals(ders [][]byte) []val {
	var all []val
	for _, der := range ders {
		all = append(all, val{base64.StdEncoding.EncodeToString(der)})
	}
	return all
}

// write gives an entry its text.
func (u Unsigned) write() (string, error) {
	type stamps struct {
		Tokens []val `json:"tstTokens"`
	}
	type certificate struct {
		Certificate val `json:"x509Cert"`
	}
	var entry any
	switch u.Name {
	case SignatureStamp:
		entry = struct {
			C stamps `json:"sigTst"`
		}{stamps{vals(u.Stamps)}}
	case ArchiveStamp:
		entry = struct {
			C stamps `json:"arcTst"`
		}{stamps{vals(u.Stamps)}}
	case ChainValues:
		var all []certificate
		for _, v := range vals(u.Certificates) {
			all = append(all, certificate{v})
		}
		entry = struct {
			C []certificate `json:"xVals"`
		}{all}
	case StatusValues:
		type status struct {
			CRLs  []val `json:"crlVals,omitempty"`
			OCSPs []val `json:"ocspVals,omitempty"`
		}
		entry = struct {
			C status `json:"rVals"`
		}{status{vals(u.CRLs), vals(u.OCSPs)}}
	default:
		return "", fmt.Errorf("writing an addition to the seal: %q is none that is written", u.Name)
	}
	raw, err := marshalPlain(entry)
	if err != nil {
		return "", fmt.Errorf("writing an addition to the seal: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Extend returns a sealed file with entries added after those it has. The
// signature and what it covers stay as they are. The file must be one that
// ParseSealed reads and that carries nothing outside its signature but etsiU.
func Extend(sealed []byte, added ...Unsigned) ([]byte, error) {
	e, err := ParseSealed(sealed)
	if err != nil {
		return nil, fmt.Errorf("extending the seal: %w", err)
	}
	if e.otherUnprotected {
		return nil, fmt.Errorf("extending the seal: it carries unprotected headers that would be lost")
	}
	texts := make([]string, 0, len(e.Unsigned)+len(added))
	for _, u := range e.Unsigned {
		if u.encoded == "" {
			return nil, fmt.Errorf("extending the seal: its entry %q is not encoded, and writing it anew could change it", u.Name)
		}
		texts = append(texts, u.encoded)
	}
	for _, u := range added {
		text, err := u.write()
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	extended := e.file(texts)
	if len(extended) > MaxSealedBytes {
		return nil, fmt.Errorf("extending the seal: the file would be larger than %d bytes", MaxSealedBytes)
	}
	return extended, nil
}

// file writes the general JWS JSON serialization with the payload first, one
// signature and no line break.
func (e *Envelope) file(etsiU []string) []byte {
	payload := e.Payload()
	size := len(payload) + escapes(payload) + len(e.protected) + len(e.encodedSignature) + 128
	if e.Attached {
		size += len(payload) / 2
	}
	for _, text := range etsiU {
		size += len(text) + 3
	}
	b := append(make([]byte, 0, size), `{"payload":`...)
	if e.Attached {
		b = append(base64.RawURLEncoding.AppendEncode(append(b, '"'), payload), '"')
	} else {
		b = appendQuoted(b, payload)
	}
	b = append(append(b, `,"signatures":[{"protected":"`...), e.protected...)
	for n, text := range etsiU {
		if n == 0 {
			b = append(b, `","header":{"etsiU":["`...)
		} else {
			b = append(b, `","`...)
		}
		b = append(b, text...)
	}
	if len(etsiU) > 0 {
		b = append(b, `"]},"signature":"`...)
	} else {
		b = append(b, `","signature":"`...)
	}
	return append(append(b, e.encodedSignature...), `"}]}`...)
}
