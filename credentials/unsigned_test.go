package credentials

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// added are additions of every kind that is written.
func added() []Unsigned {
	return []Unsigned{
		{Name: SignatureStamp, Stamps: [][]byte{{1}}},
		{Name: ChainValues, Certificates: [][]byte{{2}, {3}}},
		{Name: StatusValues, CRLs: [][]byte{{4}}, OCSPs: [][]byte{{5}, {6}}},
		{Name: ArchiveStamp, Stamps: [][]byte{{7}}},
	}
}

// What is added is read back, and the seal stays what it was: the same content,
// header and signature, and the signature holds.
func TestExtendKeepsTheSeal(t *testing.T) {
	s := newSealer(t)
	sealed := seal(t, goodDocument(t), s)
	before, err := ParseSealed(sealed)
	if err != nil {
		t.Fatal(err)
	}
	levels := []string{"T", "T", "LT", "LTA"}
	for n, u := range added() {
		if sealed, err = Extend(sealed, u); err != nil {
			t.Fatal(err)
		}
		p, err := open(sealed)
		if err != nil {
			t.Fatalf("with %s: %v", u.Name, err)
		}
		e := p.Envelope
		if e.Baseline() != levels[n] || len(e.Unsigned) != n+1 {
			t.Errorf("with %s the level is %s, with %d additions", u.Name, e.Baseline(), len(e.Unsigned))
		}
		got := e.Unsigned[n]
		if got.Name != u.Name || !equal(got.Stamps, u.Stamps) || !equal(got.Certificates, u.Certificates) || !equal(got.CRLs, u.CRLs) || !equal(got.OCSPs, u.OCSPs) {
			t.Errorf("%s is read back as %+v", u.Name, got)
		}
		if !bytes.Equal(e.Payload(), before.Payload()) || e.protected != before.protected || !bytes.Equal(e.EncodedSignature(), before.EncodedSignature()) {
			t.Errorf("%s changed the seal", u.Name)
		}
	}
	again, err := Extend(sealed)
	if err != nil || !bytes.Equal(again, sealed) {
		t.Errorf("adding nothing changed the file, %v", err)
	}
}

func equal(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// A signature time stamp is over the characters of the signature, an archive
// time stamp over content, header, signature and what was added before it.
func TestWhatTimeStampsAreOver(t *testing.T) {
	s := newSealer(t)
	sealed, err := Extend(seal(t, Document(smallDocument), s), added()...)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Payload    string
		Signatures []struct {
			Protected, Signature string
			Header               struct{ EtsiU []string }
		}
	}
	if err := json.Unmarshal(sealed, &file); err != nil {
		t.Fatal(err)
	}
	e, err := ParseSealed(sealed)
	if err != nil {
		t.Fatal(err)
	}
	one := file.Signatures[0]
	if got := string(e.Stamped(0)); got != one.Signature {
		t.Errorf("the signature time stamp is over %q", got)
	}
	message := file.Payload + "." + one.Protected + "." + one.Signature + "."
	if got, want := string(e.Stamped(3)), message+strings.Join(one.Header.EtsiU[:3], ""); got != want {
		t.Errorf("the archive time stamp is over %q, want %q", got, want)
	}
	if got, want := string(e.NextArchived()), message+strings.Join(one.Header.EtsiU, ""); got != want {
		t.Errorf("the next archive time stamp would be over %q, want %q", got, want)
	}
	if e.Stamped(1) != nil || e.Stamped(2) != nil {
		t.Error("values are over something")
	}
}

// Others write seals in other forms: the payload in base64url, one signature
// without the list, additions in clear, and the older claim of time.
func TestSealsOfOthers(t *testing.T) {
	s := newSealer(t)
	p := takeApart(t, Document(smallDocument), s)
	clear := `{"etsiU":[{"sigTst":{"tstTokens":[{"val":"AQ=="}]}}]}`
	encoded := `{"etsiU":["` + b64(`{"tstVD":{"xVals":[{"x509Cert":{"val":"Ag=="}}],"rVals":{"crlVals":[{"val":"Aw=="}]}}}`) + `"]}`
	sign := func(header, payload string) string {
		signature, err := s.Sign([]byte(b64(header) + "." + payload))
		if err != nil {
			t.Fatal(err)
		}
		return `"protected":"` + b64(header) + `","signature":"` + b64(string(signature)) + `"`
	}
	older := strings.Replace(p.header, `"iat":1795249800,"crit":["b64"]`, `"sigT":"2026-11-21T08:30:00Z","crit":["b64","sigT"]`, 1)
	attached := strings.Replace(p.header, `"b64":false,"iat":1795249800,"crit":["b64"]`, `"iat":1795249800`, 1)
	for name, file := range map[string]string{
		"the older claim of time": `{"payload":` + quote(p.payload) + `,"signatures":[{` + sign(older, p.payload) + `}]}`,
		"the payload encoded":     `{"payload":"` + b64(p.payload) + `","signatures":[{` + sign(attached, b64(p.payload)) + `}]}`,
		"flattened, encoded":      `{"payload":"` + b64(p.payload) + `",` + sign(attached, b64(p.payload)) + `}`,
		"additions in clear":      `{"payload":` + quote(p.payload) + `,"header":` + clear + `,` + sign(p.header, p.payload) + `}`,
		"additions encoded":       `{"payload":` + quote(p.payload) + `,"header":` + encoded + `,` + sign(p.header, p.payload) + `}`,
	} {
		parsed, err := open([]byte(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e := parsed.Envelope
		if !e.SealedAt.Equal(theMoment) || string(e.Payload()) != smallDocument {
			t.Errorf("%s: sealed at %v, content %s", name, e.SealedAt, e.Payload())
		}
		switch name {
		case "additions in clear":
			if e.Unsigned[0].Name != SignatureStamp || len(e.Unsigned[0].Stamps) != 1 || e.NextArchived() != nil {
				t.Errorf("%s: %+v", name, e.Unsigned)
			}
			if _, err := Extend([]byte(file), added()...); err == nil {
				t.Errorf("%s: was extended, and written anew", name)
			}
		case "additions encoded":
			if u := e.Unsigned[0]; len(u.Certificates) != 1 || len(u.CRLs) != 1 {
				t.Errorf("%s: %+v", name, u)
			}
		}
	}
	if e, err := ParseSealed([]byte(`{"payload":` + quote(p.payload) + `,"signatures":[{` + sign(attached, b64(p.payload)) + `}]}`)); err == nil {
		t.Errorf("content in clear under a header that says encoded was read: %s", e.Payload())
	}
}

// Additions stand outside the signature: whatever is in them, the seal can be
// read, and nothing takes more than its share.
func TestUnreadableAdditions(t *testing.T) {
	s := newSealer(t)
	p := takeApart(t, Document(smallDocument), s)
	file := func(etsiU string) []byte {
		return []byte(`{"payload":` + quote(p.payload) + `,"signatures":[{"header":{"etsiU":` + etsiU + `},` + strings.TrimPrefix(p.one(t), "{") + `]}`)
	}
	for _, etsiU := range []string{
		`7`, `"x"`, `[null]`, `[[]]`, `["???"]`, `[{}]`, `[{"a":1,"b":2}]`, `[{"sigTst":7}]`, `[{"sigTst":{"tstTokens":"x"}}]`,
		`[{"sigTst":{"tstTokens":[{"val":7},{"val":"?"},{"val":""}]}}]`, `[{"xVals":[{"otherCert":{"val":"AQ=="}}]}]`,
	} {
		parsed, err := open(file(etsiU))
		if err != nil {
			t.Errorf("%s: %v", etsiU, err)
			continue
		}
		for n, u := range parsed.Envelope.Unsigned {
			if len(u.Stamps)+len(u.Certificates)+len(u.CRLs)+len(u.OCSPs) > 0 {
				t.Errorf("%s: entry %d has %+v", etsiU, n, u)
			}
		}
	}
	if _, err := open(file("[" + strings.Repeat(`"x",`, maxUnsigned) + `"x"]`)); err == nil {
		t.Error("additions without end were read")
	}
	many := strings.Repeat(`{"val":"`+base64.StdEncoding.EncodeToString([]byte{1})+`"},`, maxValuesIn+1)
	parsed, err := open(file(`[{"sigTst":{"tstTokens":[` + strings.TrimSuffix(many, ",") + `]}}]`))
	if err != nil || len(parsed.Envelope.Unsigned[0].Stamps) != 0 {
		t.Errorf("time stamps without end were read: %v", err)
	}
}
