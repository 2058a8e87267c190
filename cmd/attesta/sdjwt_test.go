package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attesta/credentials"
	"attesta/keys"
	"attesta/verifier"
)

// walletToken is a credential for wallets, signed with a key of an installation,
// which discloses a name.
func walletToken(t *testing.T, key *keys.Key) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	var x5c []string
	for _, c := range key.Chain() {
		x5c = append(x5c, base64.StdEncoding.EncodeToString(c.Raw))
	}
	header, err := json.Marshal(map[string]any{"alg": key.Algorithm(), "typ": credentials.SDJWTType, "x5c": x5c})
	if err != nil {
		t.Fatal(err)
	}
	name := b64([]byte(`["salt-salt-salt-1","family_name","Esempio"]`))
	sum := sha256.Sum256([]byte(name))
	claims := fmt.Sprintf(`{"vct":"urn:eu.europa.ec.eudi:learning:credential:1","iss":"https://scuola.example.org","iat":%d,"achievement_title":"Saldatura",`+
		`"level_of_learning_experience":5,"assessment_grade":"28/30","learning_outcomes":["Salda"],"issuing_country":"IT","_sd":[%q]}`, fixedDay().Unix(), b64(sum[:]))
	input := b64(header) + "." + b64([]byte(claims))
	signature, err := key.Sign([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + b64(signature) + "~" + name + "~"
}

// TestWalletCredential shows a credential for wallets to the command, the page and
// the interface for programs: as a file by whatever name, and as a text.
func TestWalletCredential(t *testing.T) {
	demo := startDemo(t)
	parsed, err := credentials.Parse(get(t, demo.holder+"/credential.jsonld"))
	if err != nil {
		t.Fatal(err)
	}
	seal, _ := signersOf(t, demo, parsed)
	token := walletToken(t, seal)
	for _, name := range []string{"a.sdjwt", "a.jwt", "a.txt"} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		code := run(t.Context(), &console{out: &out, err: &out, getenv: func(string) string { return "" }, now: fixedDay}, []string{"verify", file, "--data", demo.dir})
		if said := out.String(); code != exitDone || !strings.Contains(said, "VALID") || !strings.Contains(said, "Saldatura") || !strings.Contains(said, "Esempio") {
			t.Errorf("%s: exit code %d\n%s", name, code, said)
		}
	}
	changed := strings.Replace(token, "~", "~WyJzIiwiYWRtaW4iLHRydWVd~", 1)
	for presented, want := range map[string]verifier.Verdict{token: verifier.Valid, changed: verifier.NotValid} {
		status, page := post(t, demo.base+"/verify", url.Values{"text": {presented}})
		if status != http.StatusOK || strings.Contains(page, "Saldatura") != (want == verifier.Valid) || strings.Contains(page, "admin") ||
			strings.Contains(page, "La persona non ha mostrato né la data di nascita") != (want == verifier.Valid) {
			t.Errorf("the page says %d %.3000s", status, page)
		}
		for _, member := range []string{"text", "credential"} {
			body, err := json.Marshal(map[string]string{member: presented})
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.Post(demo.base+"/api/v1/verify", "application/json", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			var r verifier.Report
			err = json.NewDecoder(response.Body).Decode(&r)
			response.Body.Close()
			if err != nil || r.Verdict != want {
				t.Errorf("%s: %v %+v", member, err, r)
			}
		}
	}
	if dir := os.Getenv("ATTESTA_PAGES"); dir != "" {
		_, page := post(t, demo.base+"/verify", url.Values{"text": {token}})
		if err := os.WriteFile(filepath.Join(dir, "wallet.html"), []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
