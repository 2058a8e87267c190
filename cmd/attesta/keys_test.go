package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/keys"

	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"
)

// Commands of the scripts about keys.
var keyScripts = map[string]func(*testscript.TestScript, bool, []string){
	"port":       cmdPort,
	"keyid":      cmdKeyID,
	"sealedwith": cmdSealedWith,
	"get":        cmdGet,
	"p12":        cmdP12,
	"exitcode":   cmdExitCode,
	"ondevice":   cmdOnDevice,
}

// cmdPort puts a free port into a variable.
func cmdPort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// cmdKeyID puts the id of the key in use for a purpose into a variable.
func cmdKeyID(ts *testscript.TestScript, _ bool, args []string) {
	names, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "keys", "*.key.json"))
	ts.Check(err)
	for _, name := range names {
		var k struct {
			ID, Purpose      string
			Retired, Revoked time.Time
		}
		raw, err := os.ReadFile(name)
		ts.Check(err)
		ts.Check(json.Unmarshal(raw, &k))
		if k.Purpose == args[1] && k.Retired.IsZero() && k.Revoked.IsZero() {
			ts.Setenv(args[2], k.ID)
			return
		}
	}
	ts.Fatalf("no %s key is in use", args[1])
}

// cmdOnDevice makes the key in use for a purpose one that is in a device which
// is not there: what stands encrypted in its file is taken for the PIN.
func cmdOnDevice(ts *testscript.TestScript, _ bool, args []string) {
	cmdKeyID(ts, false, []string{args[0], args[1], "ON_DEVICE"})
	name := filepath.Join(ts.MkAbs(args[0]), "keys", ts.Getenv("ON_DEVICE")+".key.json")
	raw, err := os.ReadFile(name)
	ts.Check(err)
	var k map[string]any
	ts.Check(json.Unmarshal(raw, &k))
	k["device"], k["self_made"] = keys.Device{Module: "/nowhere/module.so", Token: "seals", Label: "seal"}, false
	raw, err = json.Marshal(k)
	ts.Check(err)
	ts.Check(os.WriteFile(name, raw, 0o600))
}

// cmdSealedWith tells whether a file bears the seal of a key.
func cmdSealedWith(ts *testscript.TestScript, _ bool, args []string) {
	sealed, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	parsed, err := credentials.Parse(sealed)
	ts.Check(err)
	if found := keys.Fingerprint(parsed.Envelope.Leaf()); !strings.HasPrefix(found, args[1]) {
		ts.Fatalf("%s bears the seal of %s, not of %s", args[0], found[:16], args[1])
	}
}

// cmdGet prints what an address of a media type gives to everybody.
func cmdGet(ts *testscript.TestScript, _ bool, args []string) {
	response, err := http.Get(args[0])
	ts.Check(err)
	defer response.Body.Close()
	h := response.Header
	if response.StatusCode != http.StatusOK || h.Get("Content-Type") != args[1] || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("ETag") == "" || !strings.HasPrefix(h.Get("Cache-Control"), "public, max-age=") {
		ts.Fatalf("%s: %d %v", args[0], response.StatusCode, h)
	}
	_, err = io.Copy(ts.Stdout(), response.Body)
	ts.Check(err)
}

// cmdExitCode runs a command and expects its exit code.
func cmdExitCode(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ended, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = ended.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// cmdP12 makes a PKCS #12 file with a new key and a certificate for the school,
// under an identifier and perhaps another common name, from an authority, whose own certificate lies in ca.pem.
func cmdP12(ts *testscript.TestScript, _ bool, args []string) {
	ca, authority := testAuthority(ts)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	ts.Check(err)
	at, commonName := fixedDay(), "Sigillo"
	if len(args) > 2 {
		commonName = args[2]
	}
	leaf := certificate(ts, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(1, 0, 0),
		Subject: pkix.Name{
			CommonName: commonName, Organization: []string{"Scuola Nazionale Esempio"}, Country: []string{"IT"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: args[1]}},
		},
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageContentCommitment,
	}, authority, key, ca)
	p12, err := pkcs12.Modern.Encode(key, leaf, []*x509.Certificate{authority}, "segreta")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), p12, 0o600))
}

// testAuthority is the authority of a script, made when it is first asked for.
func testAuthority(ts *testscript.TestScript) (*ecdsa.PrivateKey, *x509.Certificate) {
	name := ts.MkAbs("ca.pem")
	if raw, err := os.ReadFile(name); err == nil {
		block, _ := pem.Decode(raw)
		c, err := x509.ParseCertificate(block.Bytes)
		ts.Check(err)
		der, err := os.ReadFile(ts.MkAbs("ca.key"))
		ts.Check(err)
		key, err := x509.ParseECPrivateKey(der)
		ts.Check(err)
		return key, c
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: fixedDay().AddDate(-5, 0, 0), NotAfter: fixedDay().AddDate(5, 0, 0),
		Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	c := certificate(ts, t, t, key, key)
	der, err := x509.MarshalECPrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("ca.key"), der, 0o600))
	ts.Check(os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600))
	return key, c
}

func certificate(ts *testscript.TestScript, t, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	ts.Check(err)
	c, err := x509.ParseCertificate(der)
	ts.Check(err)
	return c
}
