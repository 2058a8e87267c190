package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"attesta/credentials"
	"attesta/keys"
	"attesta/verifier"
)

// walletToken is a credential for wallets, signed with a key of an installation,
// which discloses a name.
func walletToken(t *testing.T, key *keys.Key) string {
	return walletTokenOf(t, key, strings.NewReplacer())
}

func walletTokenOf(t *testing.T, key *keys.Key, change *strings.Replacer) string {
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
	input := b64(header) + "." + b64([]byte(change.Replace(claims)))
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
			var r verifier.Report
			if err := json.Unmarshal(reported(t, demo.base, member, presented), &r); err != nil || r.Verdict != want {
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

// TestWalletCredentialOfAnyShape shows what others write, and what a holder keeps
// back: the answer names what is there and makes nothing up.
func TestWalletCredentialOfAnyShape(t *testing.T) {
	demo := startDemo(t)
	parsed, err := credentials.Parse(get(t, demo.holder+"/credential.jsonld"))
	if err != nil {
		t.Fatal(err)
	}
	seal, _ := signersOf(t, demo, parsed)
	token := walletToken(t, seal)
	unnamed := strings.SplitAfter(token, "~")[0]
	undated := walletTokenOf(t, seal, strings.NewReplacer(`"iat":`, `"exp":4000000000,"at":`))
	parts := strings.FieldsFunc(token, func(c rune) bool { return c == '.' || c == '~' })
	for name, c := range map[string]struct {
		presented string
		has, not  []string // in the page
		line      string   // of the command after the title
	}{
		"in lines":      {strings.Join(slices.Collect(chunks(token, 76)), "\r\n") + "\r\n", []string{"Saldatura", "Esempio", "Microcredenziale"}, nil, "Esempio"},
		"part by part":  {strings.ReplaceAll(token, "~", "~\n"), []string{"Saldatura", "Esempio"}, nil, "Esempio"},
		"as JSON":       {fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q,"header":{"disclosures":[%q]}}`, parts[1], parts[0], parts[2], parts[3]), []string{"Saldatura", "Esempio"}, nil, "Esempio"},
		"unnamed":       {unnamed, []string{"Non mostrato", "Da questo attestato non si sa di chi è", "non c’è niente da confrontare"}, []string{"Confronta il nome", "Nessuno indicato"}, parsed.View().Issuer + ", 21 November 2026"},
		"undated":       {undated, []string{"Esempio"}, []string{"0001", "Attestato rilasciato il"}, "Esempio"},
		"of other kind": {walletTokenOf(t, seal, strings.NewReplacer("urn:eu.europa.ec.eudi:learning:credential:1", "urn:eudi:pid:1")), []string{"Saldatura", ">Attestato<"}, []string{">Microcredenziale<"}, "Esempio"},
		"unread last":   {walletTokenOf(t, seal, strings.NewReplacer(`"issuing_country"`, `"date_of_expiry":"20/11/2020","issuing_country"`)), []string{"il suo ultimo giorno"}, []string{"Senza scadenza"}, "Esempio"},
	} {
		status, page := post(t, demo.base+"/verify", url.Values{"text": {c.presented}})
		for _, want := range c.has {
			if status != http.StatusOK || !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %s: %d\n%.6000s", name, want, status, page)
			}
		}
		for _, bad := range c.not {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page says %s", name, bad)
			}
		}
		file := filepath.Join(t.TempDir(), "a.txt")
		if err := os.WriteFile(file, []byte(c.presented), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		run(t.Context(), &console{out: &out, err: &out, getenv: func(string) string { return "" }, now: fixedDay}, []string{"verify", file, "--data", demo.dir})
		if lines := strings.Split(out.String(), "\n"); len(lines) < 3 || strings.TrimSpace(lines[2]) != c.line || strings.Contains(out.String(), "0001") {
			t.Errorf("%s: the command says\n%s", name, out.String())
		}
		said := reported(t, demo.base, "text", c.presented)
		if !strings.Contains(string(said), `"format_sdjwt"`) || strings.Contains(string(said), "0001-01-01") {
			t.Errorf("%s: the interface says %s", name, said)
		}
	}
}

// TestWalletCredentialsInATable shows several at once, one in a line: whom one does
// not name, the table does not leave open.
func TestWalletCredentialsInATable(t *testing.T) {
	demo := startDemo(t)
	parsed, err := credentials.Parse(get(t, demo.holder+"/credential.jsonld"))
	if err != nil {
		t.Fatal(err)
	}
	seal, _ := signersOf(t, demo, parsed)
	token := walletToken(t, seal)
	unnamed := strings.SplitAfter(token, "~")[0]
	status, page := post(t, demo.base+"/verify", url.Values{"text": {token + "\n" + unnamed + "\n"}})
	if status != http.StatusOK || strings.Count(page, "Saldatura") != 2 || strings.Count(page, "Non mostrato") != 1 || strings.Count(page, "<bdi>Esempio") != 1 {
		t.Errorf("%d\n%s", status, page)
	}
}

func chunks(text string, size int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for part := range slices.Chunk([]byte(text), size) {
			if !yield(string(part)) {
				return
			}
		}
	}
}
