package credentials

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// What Seal wrote, Parse reads back, the whole of it.
func TestFormatsRoundTrip(t *testing.T) {
	s, d := newSealer(t), goodDocument(t)
	for _, f := range Formats {
		t.Run(f.Name(), func(t *testing.T) {
			sealed, err := f.Seal(d, s, theMoment)
			if err != nil {
				t.Fatal(err)
			}
			for _, parse := range []func([]byte) (*Parsed, error){f.Parse, Parse} {
				p, err := parse(sealed)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Envelope.Verify(); err != nil {
					t.Fatal(err)
				}
				if p.Format != f.Name() || string(p.Envelope.Payload()) != string(d) || !p.Envelope.Leaf().Equal(s.chain[0]) {
					t.Errorf("read back %q with %d bytes", p.Format, len(p.Envelope.Payload()))
				}
				if !p.Envelope.SealedAt.Equal(theMoment) || p.Issuer.LegalID != theSigner.LegalID || p.Issuer.Organisation != theSigner.Organisation {
					t.Errorf("sealed at %v by %+v", p.Envelope.SealedAt, p.Issuer)
				}
			}
			if f.MediaType() == "" {
				t.Error("no media type")
			}
		})
	}
}

// Each format refuses what another one wrote, and every format what none did.
func TestFormatsRefuseWhatIsNotTheirs(t *testing.T) {
	s, d := newSealer(t), goodDocument(t)
	for _, f := range Formats {
		for _, other := range Formats {
			sealed, err := other.Seal(d, s, theMoment)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Parse(sealed); (err == nil) != (f.Name() == other.Name()) {
				t.Errorf("%s reads a file of %s: %v", f.Name(), other.Name(), err)
			}
		}
		for name, data := range map[string][]byte{
			"nothing": nil, "the document without a seal": d, "a status list": s.compact(t, `{"alg":"ES256","typ":"vc+jwt","x5c":`+s.x5c()+`}`, `{}`),
			"a picture": onePixel, "an empty object": []byte("{}"),
		} {
			_, err := f.Parse(data)
			if !errors.As(err, new(*FormatError)) {
				t.Errorf("%s reads %s: %v", f.Name(), name, err)
			}
		}
	}
}

// The seal is written as the Commission's own software writes and finds it:
// payload first, no line break, the members of the header in their order.
func TestSealedFileHasTheShapeThatReadersLookFor(t *testing.T) {
	s := newSealer(t)
	sealed := string(seal(t, Document(smallDocument), s))
	if !strings.HasPrefix(sealed, `{"payload":"{\"@context\":[`) || strings.ContainsAny(sealed, "\n\r") {
		t.Errorf("the file begins %.40q", sealed)
	}
	header := takeApart(t, Document(smallDocument), s).header
	d := json.NewDecoder(strings.NewReader(header))
	var names []string
	depth := 0
	for token, err := d.Token(); err == nil; token, err = d.Token() {
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		default:
			if name, ok := token.(string); ok && depth == 1 && strings.Contains(header, `"`+name+`":`) {
				names = append(names, name)
			}
		}
	}
	if got := strings.Join(names, " "); got != "alg cty kid x5t#S256 x5c typ b64 iat crit" {
		t.Errorf("the header has %s", got)
	}
	if !strings.Contains(header, `"crit":["b64"]`) || !strings.Contains(header, `"typ":"jose+json"`) || !strings.Contains(header, `"iat":1795249800`) {
		t.Errorf("the header is %s", header)
	}
}

// J11: names from input are data. Whatever stands in an award, the header and
// the top of the document have exactly the members that the program gives them,
// and every hostile text comes back as it went in.
func TestNoNameFromInputBecomesAMember(t *testing.T) {
	a := goodAward(t)
	const hostile = `x","alg":"none","crit":[],"admin":{"`
	for _, text := range []*string{
		&a.Learner.GivenName, &a.Learner.FamilyName, &a.Edition, &a.Learner.Ref, &a.Score, &a.Provider.Homepage, &a.Provider.ID,
	} {
		*text = hostile
	}
	a.Module.Title = Text{"it": hostile, "en": hostile, hostile: hostile}
	a.Provider.Name = Text{"it": hostile, "en": hostile}
	i := goodIssue(t)
	s := newSealer(t)
	p := takeApart(t, newDocument(t, a, i), s)
	header, err := readJSON([]byte(p.header))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(sortedKeys(asDecoded(header).(map[string]any)), " "); got != "alg b64 crit cty iat kid typ x5c x5t#S256" {
		t.Errorf("the header has %s", got)
	}
	content, err := readJSON([]byte(p.payload))
	if err != nil {
		t.Fatal(err)
	}
	want, err := readJSON(goodDocument(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(sortedKeys(asDecoded(content).(map[string]any)), " "), strings.Join(sortedKeys(asDecoded(want).(map[string]any)), " "); got != want {
		t.Errorf("the document has %s, not %s", got, want)
	}
	view := viewOf(content)
	if view.HolderName != hostile+" "+hostile || view.Title["it"] != hostile || view.Title[strings.ToLower(hostile)] != hostile {
		t.Errorf("read back %q, %q", view.HolderName, view.Title)
	}
}

// J11, J14: one file of the room imports the JOSE library, it uses nothing of
// it but signers, verifiers and the names of algorithms, and no claim or header
// is ever set through it.
func TestTheJOSELibraryIsTouchedInOnePlace(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if strings.Contains(i.Path.Value, "jwx") && e.Name() != "jose.go" {
				t.Errorf("%s imports %s", e.Name(), i.Path.Value)
			}
		}
		if e.Name() != "jose.go" {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && (x.Name == "jws" && s.Sel.Name != "NewVerifier" || x.Name == "jwa" && s.Sel.Name != "SignatureAlgorithm") {
					t.Errorf("%s.%s is used", x.Name, s.Sel.Name)
				}
			}
			return true
		})
	}
}
