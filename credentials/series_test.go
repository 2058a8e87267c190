package credentials

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"attesta/status"
)

// commonOf is what the awards of a fixture share.
func commonOf(t testing.TB, a Award) Common {
	i := goodIssue(t)
	for n := range i.Status {
		i.Status[n].Index = ""
	}
	return Common{Provider: a.Provider, Module: a.Module, Pictures: i.Pictures, Status: i.Status, Zone: rome(t)}
}

func particularsOf(t testing.TB, a Award) Particulars {
	i := goodIssue(t)
	return Particulars{Learner: a.Learner, CompletedOn: a.CompletedOn, Score: a.Score, Credential: i.Credential, At: i.At, Index: 4711}
}

// seriesOf is a series of a fixture, sealed with a key of the signer that the
// other helpers write.
func seriesOf(t testing.TB, a Award, s Sealer) *Series {
	t.Helper()
	series, err := NewSeries(commonOf(t, a), s, &SameKeys{})
	if err != nil {
		t.Fatal(err)
	}
	return series
}

// plainly is what the series stands for: the document, and its seal in one go.
func plainly(t testing.TB, a Award, p Particulars) Document {
	t.Helper()
	a.Learner, a.CompletedOn, a.Score = p.Learner, p.CompletedOn, p.Score
	i := goodIssue(t)
	i.Credential, i.At = p.Credential, p.At.In(rome(t))
	i.Signer.CommonName = "Sigillo di prova" // as sealerOf names it
	i.Status = StatusEntries(func(purpose status.Purpose) string {
		return "https://scuola.example.org/status/L1/" + string(purpose)
	}, p.Index)
	return newDocument(t, a, i)
}

// everyAward are the fixtures, each under every kind of provider, with and
// without every optional element.
func everyAward(t testing.TB) map[string]Award {
	t.Helper()
	all := map[string]Award{}
	full := fullAward(t)
	full.Parts, full.Stacks = nil, nil
	for _, a := range fixtureModules(t) {
		all[a.Module.Code] = a
		b := a
		b.Provider.Mandate = full.Provider.Mandate
		all[a.Module.Code+" by mandate"] = b
		b.Module.Accreditation, b.Provider.Region = full.Module.Accreditation, full.Provider.Region
		all[a.Module.Code+" by mandate, accredited"] = b
		b.Provider.Mandate = nil
		b.Learner, b.Module.ValidityMonths = full.Learner, full.Module.ValidityMonths
		all[a.Module.Code+" accredited, for a time"] = b
	}
	all["full"] = full
	return all
}

// What is spliced is, byte for byte, what NewDocument writes, for every module
// and kind of provider and for names and numbers of any kind.
func TestASeriesWritesTheSameDocuments(t *testing.T) {
	s := newSealer(t)
	for name, a := range everyAward(t) {
		series := seriesOf(t, a, s)
		base := particularsOf(t, a)
		var all []Particulars
		for n, text := range []string{
			"Ada", "", `D'Angelo "Lia" \ Zoë`, `<b>&amp;`, "x\u2028y\u2029z", "a\x00\x1f\t\n\r\b\f\x7f", "😀", `{"it":"x"}`, `","signatures":[{"protected":"`,
			"urn:credential:00000000-0000-4000-8000-000000000000", "2026-05-29T00:00:00+02:00", "0", "00000", "Superato: 0/100", "\ue000",
		} {
			p := base
			p.Learner.GivenName, p.Learner.FamilyName = text, "Esempio"
			p.Index, p.Credential = uint32(n*9999), fmt.Sprintf("urn:credential:%08d-0000-4000-8000-00000000000%x", n, n)
			p.At = p.At.Add(time.Duration(n) * 400 * time.Hour)
			p.CompletedOn = Date(fmt.Sprintf("2026-%02d-28", n%12+1))
			all = append(all, p)
			p.Learner.GivenName, p.Learner.FamilyName = "Ada", text
			p.Score = []string{"", "90", "87.5", "1<2"}[n%4]
			all = append(all, p)
			p.Learner.BirthDate = []Date{"", "1999-10-02", "1893-05-05"}[n%3]
			p.Learner.NationalID = []*NationalID{nil, {}, {Number: text, Country: "ITA"}, {Number: "1", Country: "AUT", Scheme: text}, {Country: text}}[n%5]
			all = append(all, p)
		}
		for _, p := range all {
			got, err := series.Document(p)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if want := plainly(t, a, p); !bytes.Equal(got, want) {
				t.Fatalf("%s: %+v\n%s\nis to be\n%s", name, p, got, want)
			}
		}
	}
}

// What NewDocument refuses a series refuses, with the same words.
func TestASeriesRefusesWhatNewDocumentRefuses(t *testing.T) {
	a := goodAward(t)
	s := newSealer(t)
	series := seriesOf(t, a, s)
	for name, change := range map[string]func(*Particulars){
		"a name that is not UTF-8": func(p *Particulars) { p.Learner.GivenName = "Ad\xff" },
		"no day":                   func(p *Particulars) { p.CompletedOn = "2026-02-30" },
		"no birth date":            func(p *Particulars) { p.Learner.BirthDate = "29/05/1980" },
	} {
		p := particularsOf(t, a)
		change(&p)
		b, i := series.of(p)
		_, want := NewDocument(b, i)
		if _, err := series.Document(p); want == nil || err == nil || err.Error() != want.Error() {
			t.Errorf("%s: %v, NewDocument says %v", name, err, want)
		}
		if _, err := sealOnly(series, p, theMoment); err == nil {
			t.Errorf("%s: it was sealed", name)
		}
	}
}

// sealOnly seals without reading it back.
func sealOnly(s *Series, p Particulars, at time.Time) ([]byte, error) {
	d, err := s.draft(p, at, new(room))
	if err != nil {
		return nil, err
	}
	f, err := s.seal(d)
	return f.Bytes(), err
}

// comparing holds a file against an award, in one part and in those that Seal
// gives.
func comparing(s *Series, sealed []byte, p Particulars, at time.Time) error {
	r := new(room)
	d, err := s.draft(p, at, r)
	if err != nil {
		return err
	}
	hold := func(f SealedFile) error {
		c, err := s.compare(f, d, p, at, r)
		if err == nil {
			_, err = s.verify([]check{c})
		}
		return err
	}
	err = hold(SealedFile{Rest: sealed})
	begins := d.template.begins
	if rest, ok := bytes.CutPrefix(sealed, begins); ok {
		if again := hold(SealedFile{begins, rest}); (again == nil) != (err == nil) {
			return fmt.Errorf("%w, and in two parts: %w", err, again)
		}
	}
	return err
}

// digestSealer is a testSealer that signs digests, as a key of the ring does.
type digestSealer struct{ *testSealer }

func (s digestSealer) SignDigest(digest []byte) ([]byte, error) {
	key, ok := s.key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("no such key")
	}
	r, n, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		return nil, err
	}
	half := (key.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, half)), n.FillBytes(make([]byte, half))...), nil
}

// A seal of a series differs from that of EDC.Seal in the signature only, holds
// for a stranger, and is what Compare asks for: of every kind of key, in more
// than one second.
func TestASeriesSealsAsTheFormatDoes(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Sealer{
		"ES256": newSealer(t), "ES384": sealerOf(t, p384, "ES384"), "RS256": sealerOf(t, rsaKey, "RS256"),
		"ES256 by digest": digestSealer{newSealer(t)}, "ES384 by digest": digestSealer{sealerOf(t, p384, "ES384")},
	} {
		for _, a := range []Award{goodAward(t), everyAward(t)["full"]} {
			series := seriesOf(t, a, s)
			for n := range 4 {
				p := particularsOf(t, a)
				p.Learner.FamilyName = strings.Repeat(`"Ł`, n)
				at := theMoment.Add(time.Duration(n/2) * time.Second)
				sealed, err := sealOnly(series, p, at)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				plain, err := EDC.Seal(plainly(t, a, p), s, at)
				if err != nil {
					t.Fatal(err)
				}
				size := base64.RawURLEncoding.EncodedLen(signatureBytes(s.Chain()[0].PublicKey)) + len(fileEnds)
				if !bytes.Equal(sealed[:len(sealed)-size], plain[:len(plain)-size]) {
					t.Fatalf("%s:\n%s\nis to be\n%s", name, sealed, plain)
				}
				if _, err := open(sealed); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if err := comparing(series, sealed, p, at); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// Whatever is wrong with a seal is found before it is stored, be it the first
// of its series or a later one (J9).
func TestCompareFindsEveryFault(t *testing.T) {
	a := everyAward(t)["full"]
	s := digestSealer{newSealer(t)}
	other := digestSealer{&testSealer{newSealer(t).key, s.chain, s.alg}}
	for _, first := range []bool{true, false} {
		series := seriesOf(t, a, s)
		p := particularsOf(t, a)
		good, err := sealOnly(series, p, theMoment)
		if err != nil {
			t.Fatal(err)
		}
		if !first {
			if err := comparing(series, good, p, theMoment); err != nil {
				t.Fatal(err)
			}
		}
		faults := map[string][]byte{"nothing": nil, "a space after it": append(bytes.Clone(good), ' '), "twice": append(bytes.Clone(good), good...)}
		wrong, err := sealOnly(seriesOf(t, a, other), p, theMoment)
		if err != nil {
			t.Fatal(err)
		}
		faults["another key"] = wrong
		if faults["another second"], err = sealOnly(series, p, theMoment.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(*Particulars){
			"another name": func(p *Particulars) { p.Learner.FamilyName += "x" }, "another position": func(p *Particulars) { p.Index++ },
			"another day": func(p *Particulars) { p.CompletedOn = "2026-05-28" }, "another shape": func(p *Particulars) { p.Learner.BirthDate = "" },
		} {
			q := p
			change(&q)
			if faults[name], err = sealOnly(series, q, theMoment); err != nil {
				t.Fatal(err)
			}
		}
		b := a
		b.Module.Title = both("Another")
		if faults["another module"], err = sealOnly(seriesOf(t, b, s), p, theMoment); err != nil {
			t.Fatal(err)
		}
		step := func(n int) int { // most closely where one differs from the next
			if first || n < len(good)-6000 {
				return 211
			}
			return 1 + n%7
		}
		for n := 0; n < len(good); n += step(n) {
			faults[fmt.Sprintf("cut at %d", n)] = good[:n]
			changed := bytes.Clone(good)
			changed[n] ^= 1
			faults[fmt.Sprintf("changed at %d", n)] = changed
		}
		for name, sealed := range faults {
			if err := comparing(series, sealed, p, theMoment); err == nil {
				t.Errorf("%s is taken (first: %v)", name, first)
			}
		}
		if err := comparing(series, good, p, theMoment); err != nil {
			t.Errorf("the good one is refused: %v", err)
		}
	}
}

// What a series shares tells nothing of anybody: not who is in it, and not
// even who was the first (R1, R2).
func TestWhatASeriesSharesIsOfNobody(t *testing.T) {
	s := newSealer(t)
	for name, a := range everyAward(t) {
		empty, err := seriesOf(t, a, s).Shared()
		if err != nil {
			t.Fatal(err)
		}
		series := seriesOf(t, a, s)
		p := particularsOf(t, a)
		p.Learner = Learner{
			Ref: "CANARY1", GivenName: "CANARY2", FamilyName: "CANARY3", Email: "CANARY4", Language: "CANARY5",
			BirthDate: "1911-03-07", NationalID: &NationalID{Number: "CANARY6", Country: "AUT", Scheme: "CANARY7"},
		}
		p.Credential, p.Index, p.CompletedOn, p.Score = "urn:credential:cacacaca-caca-4aca-8aca-cacacacacaca", 99991, "2031-03-07", "91.37"
		sealed, err := sealOnly(series, p, theMoment)
		if err != nil {
			t.Fatal(err)
		}
		shared, err := series.Shared()
		if err != nil || !bytes.Equal(shared, empty) {
			t.Errorf("%s: after the first award it is another, %v", name, err)
		}
		e, err := ParseSealed(shared)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, canary := range []string{"CANARY", "1911-03-07", "cacacaca", "CACACACA", "99991", "2031-03-07", "91.37", "91,37", "2026-11-21T"} {
			if !bytes.Contains(sealed, []byte(canary)) && canary != "91.37" && canary != "91,37" {
				t.Errorf("%s: the seal itself lacks %s", name, canary)
			}
			if bytes.Contains(shared, []byte(canary)) {
				t.Errorf("%s: %s is in what is shared", name, canary)
			}
		}
		if !bytes.Equal(e.signature, make([]byte, 64)) || e.Verify() == nil {
			t.Errorf("%s: what is shared carries a signature", name)
		}
	}
}

// FuzzSeries holds every award against NewDocument, and every seal against
// Compare.
func FuzzSeries(f *testing.F) {
	s := digestSealer{fixedSealer(f)}
	awards := []Award{goodAward(f), everyAward(f)["full"]}
	var all []*Series
	for n := range awards {
		awards[n].Module.Outcomes = awards[n].Module.Outcomes[:1]
		awards[n].Module.Assessments = awards[n].Module.Assessments[:1]
		all = append(all, seriesOf(f, awards[n], s))
	}
	f.Add("Ada", "Esempio", "87.5", "1999-10-02", "RSSMRA80A01H501U", "ITA", "Codice fiscale", "urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11", uint32(7), int64(1_800_000_000))
	f.Add("x\u2028\"", `\`, "", "", "", "", "", "", uint32(0), int64(0))
	f.Fuzz(func(t *testing.T, given, family, score, born, number, country, scheme, credential string, index uint32, at int64) {
		for n := range awards {
			p := Particulars{
				Learner:     Learner{GivenName: given, FamilyName: family, BirthDate: Date(born)},
				CompletedOn: "2026-05-29", Score: score, Credential: credential, At: time.Unix(at, 0), Index: index,
			}
			if number+country+scheme != "" {
				p.Learner.NationalID = &NationalID{Number: number, Country: country, Scheme: scheme}
			}
			b, i := all[n].of(p)
			want, err := NewDocument(b, i)
			got, err2 := all[n].Document(p)
			if (err == nil) != (err2 == nil) || !bytes.Equal(got, want) {
				t.Fatalf("%q, %v is to be %q, %v", got, err2, want, err)
			}
			if err != nil {
				continue
			}
			if !utf8.Valid(got) {
				t.Fatalf("%q", got)
			}
			sealed, err := sealOnly(all[n], p, theMoment)
			if err != nil {
				t.Fatal(err)
			}
			plain := (&Envelope{payload: want}).file(nil)
			if payload, _, _ := bytes.Cut(plain, []byte(`,"signatures"`)); !bytes.HasPrefix(sealed, payload) {
				t.Fatalf("%q is to begin with %q", sealed, payload)
			}
			// The format has rules of its own, such as for years that readers do not know.
			if _, err := open(sealed); err != nil {
				continue
			}
			if err := comparing(all[n], sealed, p, theMoment); err != nil {
				t.Fatal(err)
			}
		}
	})
}
