package verifier

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"go/ast"
	"go/parser"
	"go/token"
	"math/big"
	"strconv"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/timestamp/timestamptest"
)

// flaws are all flaws that the authority for tests can give a token, read from
// its source: one that is added there is tried here.
func flaws(t *testing.T) []timestamptest.Flaw {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../timestamp/timestamptest/make.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []timestamptest.Flaw
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		kind, _ := v.Type.(*ast.Ident)
		text, _ := v.Values[0].(*ast.BasicLit)
		if kind != nil && kind.Name == "Flaw" && text != nil {
			if s, err := strconv.Unquote(text.Value); err == nil && s != "" {
				all = append(all, timestamptest.Flaw(s))
			}
		}
		return true
	})
	if len(all) < 25 {
		t.Fatalf("only %d flaws were found", len(all))
	}
	return all
}

// J13: a file with a stamp that has any flaw is a file without a stamp: nothing
// is proved, nobody is named, and a revoked key stays revoked. The seal itself
// holds all the same.
func TestNoFlawedStampProvesAnything(t *testing.T) {
	h := newTimed(t)
	sealed := h.seal(h.document())
	curve := func(c elliptic.Curve) crypto.Signer {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	ofRSA := func(bits int) crypto.Signer {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	cases := map[string]timestamptest.Options{
		"imprint of SHA-1":          {Hash: crypto.SHA1},
		"signed over SHA-1":         {Digest: crypto.SHA1, Key: ofRSA(2048)},
		"RSA of 1024 bits":          {Key: ofRSA(1024)},
		"ECDSA on P-224":            {Key: curve(elliptic.P224())},
		"too many certificates":     {Copies: 9},
		"from before the authority": {Time: h.now.AddDate(-30, 0, 0)},
		"from after its end":        {Time: h.now.AddDate(30, 0, 0)},
		"from tomorrow":             {Time: h.now.AddDate(0, 0, 1)},
	}
	for _, f := range flaws(t) {
		cases[string(f)] = timestamptest.Options{Flaw: f}
	}
	good := map[string]timestamptest.Options{
		"as it should be": {}, "with a nonce nobody asked for": {Nonce: big.NewInt(7)}, "over SHA-512": {Hash: crypto.SHA512},
		"names the signer by its key": {ByKey: true}, "of a key on P-384": {Key: curve(elliptic.P384()), Digest: crypto.SHA384},
	}
	for name, o := range good {
		if r := h.verify(h.stampedWith(sealed, o)); r.ProvenAt == nil || r.Verdict != Valid {
			t.Errorf("the control, a stamp %s: %s %s", name, r.Verdict, r.Reason)
		}
	}
	for name, o := range cases {
		t.Run(name, func(t *testing.T) {
			stamped := h.stampedWith(sealed, o)
			r := h.verify(stamped)
			if c := r.Find(CheckSeal); r.ProvenAt != nil || r.Verdict != Valid || c.Reason != "seal_intact" || c.Facts["by"] != "" {
				t.Errorf("%s %s, proved at %v by %q", r.Verdict, r.Reason, r.ProvenAt, c.Facts["by"])
			}
			if r := h.verify(h.stampedAt(stamped, h.now)); r.ProvenAt == nil {
				t.Error("a good stamp beside it proves nothing any more")
			}
			if r := h.verify(h.archived(sealed, o)); r.ProvenAt != nil {
				t.Errorf("over the archive it proves %v", r.ProvenAt)
			}
		})
	}
	h.revoke(h.now.Add(time.Hour))
	for name, o := range cases {
		if r := h.verify(h.stampedWith(sealed, o)); r.Verdict == Valid {
			t.Errorf("a revoked key is saved by a stamp: %s", name)
		}
	}
	if r := h.verify(h.stampedAt(sealed, h.now)); r.Verdict != Valid {
		t.Errorf("the control, with a revoked key: %s %s", r.Verdict, r.Reason)
	}
}

func (h *timed) archived(sealed []byte, o timestamptest.Options) []byte {
	h.t.Helper()
	token := h.authority.Make(h.parse(sealed).NextArchived(), o)
	return h.extend(sealed, credentials.Unsigned{Name: credentials.ArchiveStamp, Stamps: [][]byte{token}})
}

// J13: whose stamp it is, and what the verifier has decided about whose stamps
// count.
func TestWhoseStampsCount(t *testing.T) {
	h := newTimed(t)
	sealed := h.seal(h.document())
	stamped := h.stampedAt(sealed, h.now)
	place := len(h.trust.Anchors) - 1
	for name, c := range map[string]struct {
		change func(*keys.Anchor)
		proven bool
	}{
		"for time":           {func(*keys.Anchor) {}, true},
		"for time and seals": {func(a *keys.Anchor) { a.For = []keys.Use{keys.ForSeals, keys.ForTime} }, true},
		"for seals":          {func(a *keys.Anchor) { a.For = nil }, false},
		"another one":        {func(a *keys.Anchor) { a.Certificate = timestamptest.New(t, func() time.Time { return h.now }).Root }, false},
		"only before": {func(a *keys.Anchor) {
			a.Periods = []keys.Period{{From: h.now.AddDate(-2, 0, 0), Until: h.now.AddDate(-1, 0, 0)}}
		}, false},
		"whose stamping key is out": {func(a *keys.Anchor) { a.Revoked = revokedKeys(h.authority.Leaf, h.now.Add(-time.Hour)) }, false},
	} {
		anchor := keys.Anchor{Name: "Ora di prova", Level: keys.Advanced, Certificate: h.authority.Root, For: []keys.Use{keys.ForTime}}
		c.change(&anchor)
		h.trust.Anchors[place] = anchor
		if r := h.verify(stamped); (r.ProvenAt != nil) != c.proven || r.Verdict != Valid {
			t.Errorf("an anchor %s: %s, proved at %v", name, r.Verdict, r.ProvenAt)
		}
	}
}

func revokedKeys(c *x509.Certificate, since time.Time) []keys.RevokedKey {
	return []keys.RevokedKey{{Certificate: keys.Fingerprint(c), Since: since}}
}
