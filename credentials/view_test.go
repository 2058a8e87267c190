package credentials

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func view(t *testing.T, text string) View {
	t.Helper()
	n, err := readJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return viewOf(n)
}

func viewOf(doc node) View { return viewWith(doc, indexed(doc)) }

// What is shown of our own credential is what the award says.
func TestViewSaysWhatTheAwardSays(t *testing.T) {
	a := goodAward(t)
	p, err := open(seal(t, newDocument(t, a, goodIssue(t)), newSealer(t)))
	if err != nil {
		t.Fatal(err)
	}
	v := p.View()
	if v.HolderName != "Ada Esempio" || v.ID != "urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11" ||
		v.Issuer != theSigner.Organisation || v.IssuerLegal != theSigner.LegalID || v.IssuerURL != a.Provider.Homepage {
		t.Errorf("%+v", v)
	}
	if v.Title["it"] != a.Module.Title["it"] || v.Quality["it"] != a.Module.QualityAssurance["it"] || v.Requires["en"] != a.Module.Prerequisites["en"] {
		t.Errorf("%+v", v)
	}
	if v.Hours != a.Module.Workload.ISO8601 || v.Level == nil || v.Level.URI != a.Module.Level.URI || v.Level.Label["it"] == "" {
		t.Errorf("%+v", v)
	}
	if len(v.Outcomes) != len(a.Module.Outcomes) || len(v.Assessments) != len(a.Module.Assessments) || v.Assessments[0].Supervision == nil {
		t.Errorf("%d outcomes, %d assessments", len(v.Outcomes), len(v.Assessments))
	}
	if len(v.Status) != 2 || v.Status[0].Index != "4711" || v.Status[1].Purpose != "suspension" {
		t.Errorf("status %+v", v.Status)
	}
	if diff := cmp.Diff([]string{"SN-11-6C0F6C0E"}, v.Identifiers); diff != "" {
		t.Error(diff)
	}
}

// The learning model lets one value stand for a list of one, and a concept or
// a node be given by its id where it is described elsewhere. All read alike.
func TestViewReadsForeignShapes(t *testing.T) {
	const (
		note = `{"id":"n:1","type":"Note","noteLiteral":{"en":"Passed"}}`
		eqf  = `{"id":"http://data.europa.eu/snb/eqf/4","type":"Concept","inScheme":{"id":"http://data.europa.eu/snb/eqf/25831c2","type":"ConceptScheme"},"prefLabel":{"de":"Niveau 4"}}`
	)
	plain := view(t, `{"credentialSubject":{"fullName":{"EN":"Ada"},"hasClaim":{"title":{"en":"T"},"awardedBy":{"awardingDate":"2026-05-29T00:00:00Z"},
		"provenBy":{"title":{"en":"Test"},"grade":`+note+`},
		"specifiedBy":{"id":"q:1","eqfLevel":`+eqf+`,"volumeOfLearning":"PT9H","learningOutcome":{"title":{"en":"O"},"relatedESCOSkill":{"id":"s:1","prefLabel":{"en":"S"}}}}}}}`)
	for name, text := range map[string]string{
		"everything in lists": `{"credentialSubject":{"fullName":{"en":["Ada"]},"hasClaim":[{"title":{"en":["T"]},"awardedBy":[{"awardingDate":["2026-05-29T00:00:00Z"]}],
			"provenBy":[{"title":{"en":"Test"},"grade":[` + note + `]}],
			"specifiedBy":[{"id":"q:1","eqfLevel":[` + eqf + `],"volumeOfLearning":["PT9H"],"learningOutcome":[{"title":{"en":"O"},"relatedESCOSkill":[{"id":"s:1","prefLabel":{"en":"S"}}]}]}]}]}}`,
		"described elsewhere": `{"x":[` + note + `,` + eqf + `,{"id":"q:1","eqfLevel":"http://data.europa.eu/snb/eqf/4","volumeOfLearning":"PT9H",
			"learningOutcome":[{"title":{"en":"O"},"relatedESCOSkill":"s:1"}]},{"id":"s:1","prefLabel":{"en":"S"}}],
			"credentialSubject":{"fullName":{"en":"Ada"},"hasClaim":{"title":{"en":"T"},"awardedBy":{"awardingDate":"2026-05-29T00:00:00Z"},
			"provenBy":{"title":{"en":"Test"},"grade":"n:1"},"specifiedBy":{"id":"q:1"}}}}`,
	} {
		if diff := cmp.Diff(plain, view(t, text)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if plain.HolderName != "Ada" || plain.Level.Label["de"] != "Niveau 4" || plain.Level.Label["it"] == "" || plain.Assessments[0].Grade["en"] != "Passed" {
		t.Errorf("%+v", plain)
	}
}

// A bare concept of a known list is shown with the list's own label; one of an
// unknown list by its id, never as nothing.
func TestViewLabelsBareConcepts(t *testing.T) {
	v := view(t, `{"credentialSubject":{"hasClaim":{"specifiedBy":{"eqfLevel":"http://data.europa.eu/snb/eqf/4","mode":["http://x.example.org/1",7,{}]}}}}`)
	if v.Level == nil || v.Level.Label["it"] == "" {
		t.Errorf("%+v", v.Level)
	}
	if len(v.Mode) != 2 || v.Mode[0].URI != "http://x.example.org/1" {
		t.Errorf("%+v", v.Mode)
	}
}

// A status is never passed over: whatever shape it has, an entry is seen.
func TestViewSeesAStatusInEveryShape(t *testing.T) {
	const body = `"statusPurpose":"revocation","statusListIndex":"42","statusListCredential":"https://s.example.org/1"`
	token := StatusEntry{Type: TokenStatusEntry, List: "https://s.example.org/1", Index: "42"}
	read := StatusEntry{"BitstringStatusListEntry", "revocation", "https://s.example.org/1", "42"}
	old := read
	old.Type = "StatusList2021Entry"
	for name, c := range map[string]struct {
		text string
		want []StatusEntry
	}{
		"none":                   {`{}`, nil},
		"null":                   {`{"status":null}`, nil},
		"an empty list":          {`{"status":[]}`, nil},
		"one object":             {`{"status":{"type":"BitstringStatusListEntry",` + body + `}}`, []StatusEntry{read}},
		"a list":                 {`{"status":[{"type":"BitstringStatusListEntry",` + body + `}]}`, []StatusEntry{read}},
		"the older type":         {`{"credentialStatus":{"type":"StatusList2021Entry",` + body + `}}`, []StatusEntry{old}},
		"two types":              {`{"credentialStatus":{"type":["CredentialStatus","BitstringStatusListEntry"],` + body + `}}`, []StatusEntry{read}},
		"both members":           {`{"status":{"type":"BitstringStatusListEntry",` + body + `},"credentialStatus":[{"type":"StatusList2021Entry",` + body + `}]}`, []StatusEntry{read, old}},
		"an index as a number":   {`{"status":{"type":"BitstringStatusListEntry",` + strings.Replace(body, `"42"`, `42`, 1) + `}}`, []StatusEntry{read}},
		"an index as a float":    {`{"status":{"statusListIndex":4.2e1}}`, []StatusEntry{{Index: "4.2e1"}}},
		"a token list":           {`{"status":{"status_list":{"idx":42,"uri":"https://s.example.org/1"}}}`, []StatusEntry{token}},
		"a token list, several":  {`{"credentialStatus":[{"status_list":{"idx":42,"uri":"https://s.example.org/1"}},{"type":"BitstringStatusListEntry",` + body + `}]}`, []StatusEntry{token, read}},
		"a status of two kinds":  {`{"status":{"status_list":{"idx":42,"uri":"https://s.example.org/1"},"type":"BitstringStatusListEntry",` + body + `}}`, []StatusEntry{token, read}},
		"a token index as text":  {`{"status":{"status_list":{"idx":"42","uri":"https://s.example.org/1"}}}`, []StatusEntry{{Type: TokenStatusEntry, List: token.List}}},
		"a token list in a list": {`{"status":{"status_list":[{"idx":42,"uri":"https://s.example.org/1"}]}}`, []StatusEntry{{Type: TokenStatusEntry}}},
		"no token list":          {`{"status":{"status_list":null}}`, []StatusEntry{{}}},
		"an address alone":       {`{"credentialStatus":"https://s.example.org/1#42"}`, []StatusEntry{{}}},
		"a number":               {`{"status":7}`, []StatusEntry{{}}},
		"an entry without type":  {`{"status":{` + body + `}}`, []StatusEntry{{"", "revocation", "https://s.example.org/1", "42"}}},
		"a list in a list":       {`{"status":[[{"type":"BitstringStatusListEntry",` + body + `}]]}`, []StatusEntry{{}}},
	} {
		if diff := cmp.Diff(c.want, view(t, c.text).Status); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Of two dates of expiry the earlier one counts.
func TestViewTakesTheEarlierExpiry(t *testing.T) {
	for text, want := range map[string]string{
		`{"expirationDate":"2028-01-01T00:00:00Z","validUntil":"2027-01-01T00:00:00Z"}`: "2027",
		`{"expirationDate":"2027-01-01T00:00:00Z","validUntil":"2028-01-01T00:00:00Z"}`: "2027",
		`{"validUntil":"2028-01-01T00:00:00Z"}`:                                         "2028",
		`{"expirationDate":"2028-01-01T00:00:00.5"}`:                                    "2028",
		`{}`: "0001",
	} {
		if got := view(t, text).ValidUntil.Format("2006"); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := view(t, `{"issued":"2026-11-21T09:30:00+01:00"}`).Issued; !got.Equal(time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)) {
		t.Errorf("issued %v", got)
	}
}

// Nodes that point at themselves or at each other end.
func TestViewEndsOnCircles(t *testing.T) {
	view(t, `{"id":"a:1","credentialSubject":{"id":"a:1","hasClaim":{"id":"a:1","specifiedBy":"a:1","provenBy":["a:1","a:2"],"awardedBy":{"id":"a:2","awardingBody":"a:1"}}},"issuer":{"id":"a:2","location":"a:2"}}`)
}

func FuzzView(f *testing.F) {
	f.Add([]byte(smallDocument))
	f.Add([]byte(shortDocument(f)))
	f.Add([]byte(newDocument(f, fullAward(f), goodIssue(f))))
	f.Add([]byte(`{"status":[[{}]],"credentialSubject":[[{"hasClaim":[[{"specifiedBy":[["x"]]}]]}]],"issuer":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := readJSON(data)
		if err != nil {
			return
		}
		v := viewOf(n)
		for _, name := range []string{"status", "credentialStatus"} {
			if count := n.get(name).count(); count > 0 && len(v.Status) == 0 {
				t.Fatalf("%d entries of %s are not seen", count, name)
			}
		}
	})
}
