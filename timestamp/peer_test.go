package timestamp_test

import (
	"crypto"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tsp "github.com/digitorus/timestamp"

	"attesta/timestamp"
	"attesta/timestamp/timestamptest"
)

// openssl runs the program of that name in a folder.
func openssl(t *testing.T, dir string, arguments ...string) string {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
			t.Fatal("this test needs openssl, and ATTESTA_REQUIRE_ALL=1 forbids to skip it")
		}
		t.Skip("skipped: this test needs openssl")
	}
	command := exec.CommandContext(t.Context(), program, arguments...)
	command.Dir = dir
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(arguments, " "), err, said)
	}
	return string(said)
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const opensslConfig = `
[req]
distinguished_name = name
prompt = no
x509_extensions = tsa
[name]
O = Test
CN = Another authority
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
[stamp]
serial = ./serial
signer_cert = ./cert.pem
signer_key = ./key.pem
signer_digest = DIGEST
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_alg = ESS
`

// opensslAuthority is an authority over HTTP whose every answer openssl makes.
func opensslAuthority(t *testing.T, digest, ess string, key ...string) (authority *timestamp.Authority, dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, "config", []byte(strings.NewReplacer("DIGEST", digest, "ESS", ess).Replace(opensslConfig)))
	openssl(t, dir, append([]string{"genpkey", "-out", "key.pem", "-algorithm"}, key...)...)
	openssl(t, dir, "req", "-new", "-x509", "-config", "config", "-key", "key.pem", "-out", "cert.pem", "-days", "30")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, _ := io.ReadAll(r.Body)
		if err := os.WriteFile(filepath.Join(dir, "query"), query, 0o600); err != nil {
			t.Error(err)
		}
		command := exec.CommandContext(r.Context(), "openssl", "ts", "-reply", "-config", "config", "-section", "stamp", "-queryfile", "query", "-out", "reply")
		command.Dir = dir
		if said, err := command.CombinedOutput(); err != nil {
			t.Errorf("openssl ts -reply: %v\n%s", err, said)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		http.ServeFile(w, r, filepath.Join(dir, "reply"))
	}))
	t.Cleanup(server.Close)
	return &timestamp.Authority{URL: server.URL}, dir
}

// openssl as authority understands what is asked, and its tokens are read.
func TestOpensslStamps(t *testing.T) {
	for name, c := range map[string]struct {
		digest, ess string
		key         []string
	}{
		"EC, SHA-256":            {"sha256", "sha256", []string{"EC", "-pkeyopt", "ec_paramgen_curve:P-256"}},
		"EC, SHA-384":            {"sha384", "sha384", []string{"EC", "-pkeyopt", "ec_paramgen_curve:P-384"}},
		"RSA, SHA-256":           {"sha256", "sha512", []string{"RSA", "-pkeyopt", "rsa_keygen_bits:2048"}},
		"RSA, SHA-512, old name": {"sha512", "sha1", []string{"RSA", "-pkeyopt", "rsa_keygen_bits:2048"}},
	} {
		t.Run(name, func(t *testing.T) {
			authority, dir := opensslAuthority(t, c.digest, c.ess, c.key...)
			before := time.Now()
			der, err := authority.Stamp(t.Context(), theData)
			if err != nil {
				t.Fatal(err)
			}
			token := parse(t, der)
			if err := token.Over(theData); err != nil {
				t.Error(err)
			}
			if d := token.Time.Sub(before); d < -2*time.Second || d > time.Minute {
				t.Errorf("stamped %v, asked %v", token.Time, before)
			}
			if token.Policy != "1.2.3.4.1" || token.Chain[0].Subject.CommonName != "Another authority" {
				t.Errorf("policy %s by %v", token.Policy, token.Chain[0].Subject)
			}
			said := openssl(t, dir, "ts", "-query", "-in", "query", "-text")
			if !strings.Contains(said, "Certificate required: yes") || !strings.Contains(said, "Hash Algorithm: sha256") || strings.Contains(said, "Nonce: unspecified") {
				t.Errorf("openssl reads the request as\n%s", said)
			}
			write(t, dir, "data", theData)
			openssl(t, dir, "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "query")
			openssl(t, dir, "ts", "-reply", "-config", "config", "-section", "stamp", "-queryfile", "query", "-token_out", "-out", "token")
			if err := parse(t, read(t, dir, "token")).Over(theData); err != nil {
				t.Errorf("a token without a nonce: %v", err)
			}
		})
	}
}

// openssl accepts what the test authority stamps, and refuses what is flawed:
// the flaws are not only ours.
func TestOpensslVerifies(t *testing.T) {
	tsa := timestamptest.New(t, time.Now)
	dir := t.TempDir()
	write(t, dir, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tsa.Root.Raw}))
	write(t, dir, "data", theData)
	der, err := (&timestamp.Authority{URL: tsa.URL}).Stamp(t.Context(), theData)
	if err != nil {
		t.Fatal(err)
	}
	verify := []string{"ts", "-verify", "-data", "data", "-in", "token", "-token_in", "-CAfile", "root.pem"}
	for _, token := range [][]byte{
		der, tsa.Token(theData),
		tsa.Make(theData, timestamptest.Options{Key: rsaKey(t, 2048), Hash: crypto.SHA512}),
		tsa.Make(theData, timestamptest.Options{OldID: true}),
	} {
		write(t, dir, "token", token)
		if said := openssl(t, dir, verify...); !strings.Contains(said, "Verification: OK") {
			t.Errorf("openssl says %s", said)
		}
	}
	for _, flaw := range []timestamptest.Flaw{
		timestamptest.WrongImprint, timestamptest.OtherSigner, timestamptest.OtherCertificate, timestamptest.OtherIssuer, timestamptest.OtherSerial, timestamptest.NoCertificateID,
		timestamptest.NoCertificates, timestamptest.TwoSigners, timestamptest.NoEKU, timestamptest.PlainEKU, timestamptest.SecondEKU, timestamptest.NoSigning,
		timestamptest.ExpiredLeaf, timestamptest.SecondVersion, timestamptest.WrongDigest,
	} {
		write(t, dir, "token", tsa.Make(theData, timestamptest.Options{Flaw: flaw}))
		command := exec.CommandContext(t.Context(), "openssl", verify...)
		command.Dir = dir
		if said, err := command.CombinedOutput(); err == nil {
			t.Errorf("%s: openssl says %s", flaw, said)
		}
	}
	write(t, dir, "list", tsa.CRL(time.Now()))
	if said := openssl(t, dir, "crl", "-inform", "DER", "-in", "list", "-CAfile", "root.pem", "-noout", "-text"); !strings.Contains(said, "verify OK") || !strings.Contains(said, "No Revoked Certificates") {
		t.Errorf("openssl reads the list as\n%s", said)
	}
}

// The library that writes requests reads tokens too: a second peer.
func TestLibraryTokens(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	other, err := tsp.Parse(tsa.Token(theData))
	if err != nil || !other.Time.Equal(theMoment) {
		t.Errorf("the library reads %v: %v", other, err)
	}
	if _, err := tsp.Parse(tsa.Make(theData, timestamptest.Options{Flaw: timestamptest.OtherSigner})); err == nil {
		t.Error("the library takes the signature of another key")
	}
}
