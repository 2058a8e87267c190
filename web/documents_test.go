package web

import (
	"strings"
	"testing"
	"time"

	"attesta/registry"
)

// keyDocs are the documents of an installation without a root.
type keyDocs map[string]Published

func (d keyDocs) KeyDocument(name string) (Published, error) {
	p, ok := d[name]
	if !ok {
		return p, registry.ErrNotFound
	}
	return p, nil
}

// TestKeyDocuments (K2): what is known about the keys is published for
// everybody under the addresses that standards give it.
func TestKeyDocuments(t *testing.T) {
	_, r := newSite(t, newWorld(), func(c *Config) {
		c.Keys = keyDocs{
			"jwks.json":     {[]byte(`{"keys":[]}`), "application/jwk-set+json", "t1", 5 * time.Minute},
			"did.json":      {[]byte(`{"id":"did:web:x"}`), "application/did+json", "t2", 5 * time.Minute},
			"jwt-vc-issuer": {[]byte(`{"issuer":"x"}`), "application/json", "t3", 5 * time.Minute},
			"secret":        {[]byte("secret"), "text/plain", "t4", time.Minute},
		}
	})
	for path, want := range map[string][2]string{
		"/.well-known/jwks.json":     {"application/jwk-set+json", `"t1"`},
		"/.well-known/did.json":      {"application/did+json", `"t2"`},
		"/.well-known/jwt-vc-issuer": {"application/json", `"t3"`},
	} {
		w := ask(r, "GET", path, nil, "Origin", "https://other.example")
		for name, value := range map[string]string{
			"Content-Type": want[0], "ETag": want[1], "Cache-Control": "public, max-age=300",
			"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "", "Set-Cookie": "", "X-Content-Type-Options": "nosniff",
		} {
			if got := w.Header().Get(name); w.Code != 200 || got != value {
				t.Errorf("%s: %d, %s is %q, want %q", path, w.Code, name, got, value)
			}
		}
		if w := ask(r, "GET", path, nil, "If-None-Match", want[1]); w.Code != 304 {
			t.Errorf("%s again: %d", path, w.Code)
		}
		if w := ask(r, "HEAD", path, nil); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/keys/root.crl", "/keys/secret", "/.well-known/secret", "/.well-known/openid-configuration", "/keys/", "/.well-known/jwksXjson"} {
		problem(t, ask(r, "GET", path, nil, "Accept", "application/json"), 404)
	}
	problem(t, ask(r, "POST", "/.well-known/jwks.json", strings.NewReader("x"), "Accept", "application/json"), 405)
	_, without := newSite(t, newWorld())
	problem(t, ask(without, "GET", "/.well-known/jwks.json", nil, "Accept", "application/json"), 404)
}
