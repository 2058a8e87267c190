package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

// K2: the set holds every key that others may need to verify, of every kind,
// in a form that another library reads; retired ones stay, revoked ones go.
func TestJWKS(t *testing.T) {
	r, _ := filled(t)
	ca := made(t, nil, authority("CA"))
	for name, private := range kinds(t) {
		must(r.Import(packed(t, private, issued(t, ca, private, asIs), ca.c), "segreta", Seal, Owner{ID: name}, theMoment))(t)
	}
	retired := current(t, r, Seal)
	must(r.Rotate(Seal, theOwner, theMoment, 0))(t)
	revoked := current(t, r, Status)
	must(r.Revoke(revoked.ID, theMoment, theMoment))(t)
	raw := must(r.JWKS())(t)
	set := must(jwk.Parse(raw))(t)
	expected := 0
	for _, k := range r.All() {
		found, there := set.LookupKeyID(k.ID)
		if want := k.Purpose != Root && k.ID != revoked.ID; there != want {
			t.Errorf("%s key %s stands in the set: %v", k.Purpose, k.ID, there)
			continue
		} else if !want {
			continue
		}
		expected++
		if private, err := jwk.IsPrivateKey(found); private || err != nil {
			t.Errorf("%s: %v, %v", k.ID, private, err)
		}
		var public any
		if err := found.Raw(&public); err != nil || !samePublic(k.Certificate().PublicKey, public) {
			t.Errorf("%s: another public key (%v)", k.ID, err)
		}
		ours := must(jwk.FromRaw(k.Certificate().PublicKey))(t)
		a, b := must(ours.Thumbprint(5))(t), must(found.Thumbprint(5))(t) // crypto.SHA256
		if !bytes.Equal(a, b) {
			t.Errorf("%s: the thumbprints differ", k.ID)
		}
		if found.Algorithm().String() != k.Algorithm() || found.KeyUsage() != "sig" {
			t.Errorf("%s: %s, %s", k.ID, found.Algorithm(), found.KeyUsage())
		}
		if first, _ := found.X509CertChain().Get(0); found.X509CertChain().Len() != len(k.Chain()) ||
			string(first) != base64.StdEncoding.EncodeToString(k.Certificate().Raw) {
			t.Errorf("%s: the chain differs", k.ID)
		}
		if want := must(base64.RawURLEncoding.DecodeString(found.X509CertThumbprintS256()))(t); !strings.HasPrefix(Fingerprint(k.Certificate()), hex.EncodeToString(want)[:16]) {
			t.Errorf("%s: x5t#S256 %x", k.ID, want)
		}
	}
	if set.Len() != expected || expected != 6 {
		t.Errorf("%d keys in the set, %d expected", set.Len(), expected)
	}
	if _, there := set.LookupKeyID(retired.ID); !there {
		t.Error("the retired key is not in the set")
	}
}

// K3: nothing of a private key stands in what is published.
func TestNothingPrivateIsPublished(t *testing.T) {
	r, _ := filled(t)
	ca := made(t, nil, authority("CA"))
	for name, private := range kinds(t) {
		must(r.Import(packed(t, private, issued(t, ca, private, asIs), ca.c), "segreta", Status, Owner{ID: name}, theMoment))(t)
	}
	members := regexp.MustCompile(`"(d|p|q|dp|dq|qi|oth|k)" *:`)
	for name, raw := range documents(t, r) {
		if found := members.Find(raw); found != nil {
			t.Errorf("%s has a member %s", name, found)
		}
		for _, k := range r.All() {
			private := must(jwk.FromRaw(k.signer))(t)
			text := must(json.Marshal(private))(t)
			var values map[string]string
			if err := json.Unmarshal(text, &values); err != nil {
				t.Fatal(err)
			}
			for _, member := range []string{"d", "p", "q", "dp", "dq", "qi"} {
				if v := values[member]; v != "" && bytes.Contains(raw, []byte(v)) {
					t.Errorf("%s holds %s of key %s", name, member, k.ID)
				}
			}
			if values["d"] == "" {
				t.Fatal("the private key was not written")
			}
		}
	}
}

func documents(t testing.TB, r *Ring) map[string][]byte {
	t.Helper()
	return map[string][]byte{
		"jwks.json":      must(r.JWKS())(t),
		"did.json":       must(r.DID("https://attestati.example.org", theMoment))(t),
		"jwt-vc-issuer":  must(r.IssuerMetadata("https://attestati.example.org"))(t),
		"an empty set":   must(must(openRing(t, t.TempDir()))(t).JWKS())(t),
		"an empty house": must(must(openRing(t, t.TempDir()))(t).DID("https://a.example", theMoment))(t),
	}
}

func TestEmptyDocumentsHaveLists(t *testing.T) {
	for name, raw := range documents(t, must(openRing(t, t.TempDir()))(t)) {
		if bytes.Contains(raw, []byte("null")) {
			t.Errorf("%s: %s", name, raw)
		}
	}
}

// The did:web document names its methods by absolute ids, lists those that may
// sign as assertion methods, and its keys verify what they signed.
func TestDID(t *testing.T) {
	r, _ := filled(t)
	retired := current(t, r, Seal)
	fresh := must(r.Rotate(Seal, theOwner, theMoment, 0))(t)
	const id = "did:web:attestati.example.org"
	var d struct {
		ID      string `json:"id"`
		Methods []struct {
			ID, Type, Controller string
			Key                  json.RawMessage `json:"publicKeyJwk"`
		} `json:"verificationMethod"`
		Asserts []string `json:"assertionMethod"`
	}
	if err := json.Unmarshal(documents(t, r)["did.json"], &d); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{id + "#" + fresh.ID: true, id + "#" + current(t, r, Status).ID: true, id + "#" + retired.ID: false}
	if d.ID != id || len(d.Methods) != 3 || len(d.Asserts) != 2 {
		t.Errorf("%+v", d)
	}
	asserts := map[string]bool{}
	for _, a := range d.Asserts {
		asserts[a] = true
	}
	for _, m := range d.Methods {
		signs, there := want[m.ID]
		if !there || m.Type != "JsonWebKey" || m.Controller != id || asserts[m.ID] != signs {
			t.Errorf("%+v, asserts %v", m, asserts[m.ID])
		}
		key := must(jwk.ParseKey(m.Key))(t)
		if m.ID != id+"#"+key.KeyID() {
			t.Errorf("the key of %s is %s", m.ID, key.KeyID())
		}
	}
	if _, err := r.DID("https://attestati.example.org/path", theMoment); err == nil {
		t.Error("a DID for an address with a path")
	}
}

func TestDIDOfHosts(t *testing.T) {
	for address, want := range map[string]string{
		"https://attestati.example.org":      "did:web:attestati.example.org",
		"https://Attestati.Example.ORG":      "did:web:attestati.example.org",
		"https://attestati.example.org:8443": "did:web:attestati.example.org%3A8443",
		"http://127.0.0.1:8080":              "did:web:127.0.0.1%3A8080",
		"http://[::1]:8080":                  "did:web:%5B%3A%3A1%5D%3A8080",
		"https://host/path":                  "",
		"attestati.example.org":              "",
		"":                                   "",
	} {
		if got, err := didWeb(address); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
}

// A token that a key signed verifies against the published set, by its kid.
func TestIssuerMetadataVerifiesTokens(t *testing.T) {
	r, _ := filled(t)
	k := current(t, r, Seal)
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"ES256","kid":"`+k.ID+`"}`)) + "." + encode([]byte(`{"iss":"x"}`))
	signature := must(k.Sign([]byte(token)))(t)
	must(r.Retire(k.ID, theMoment.Add(-time.Hour)))(t)
	var m struct {
		Issuer string          `json:"issuer"`
		JWKS   json.RawMessage `json:"jwks"`
	}
	if err := json.Unmarshal(documents(t, r)["jwt-vc-issuer"], &m); err != nil || m.Issuer != "https://attestati.example.org" {
		t.Fatal(m, err)
	}
	set := must(jwk.Parse(m.JWKS))(t)
	if _, err := jwt.Parse([]byte(token+"."+encode(signature)), jwt.WithKeySet(set)); err != nil {
		t.Error(err)
	}
	must(r.Revoke(k.ID, theMoment.Add(-time.Hour), theMoment))(t)
	if err := json.Unmarshal(must(r.IssuerMetadata("https://attestati.example.org"))(t), &m); err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.Parse([]byte(token+"."+encode(signature)), jwt.WithKeySet(must(jwk.Parse(m.JWKS))(t))); err == nil {
		t.Error("a revoked key verifies")
	}
}
