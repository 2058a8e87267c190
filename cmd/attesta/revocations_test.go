package main

import (
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"attesta/keys"
	"attesta/timestamp/timestamptest"
)

// N5: the lists for a thousand seals are fetched over a few connections, and
// never from inside but where an anchor allows it (N1).
func TestListsOfRevokedCertificates(t *testing.T) {
	dir := imported(t)
	authority := timestamptest.New(t, fixedDay)
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pkix-crl")
		w.Write(authority.CRL(fixedDay()))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	data := folder(filepath.Join(dir, "attesta-data"))
	if err := keys.WriteAnchor(filepath.Join(data.trust(), "ora.json"), keys.Anchor{
		Name: "Ora", Level: keys.Advanced, Certificate: authority.Root, For: []keys.Use{keys.ForTime}, Origins: []string{server.URL},
	}); err != nil {
		t.Fatal(err)
	}
	a, err := open(t.Context(), &console{err: t.Output(), getenv: func(string) string { return "" }, now: fixedDay}, data, "")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for range 40 {
		if _, err := a.revocations(t.Context(), &x509.Certificate{CRLDistributionPoints: []string{server.URL + "/root.crl"}}); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n > 4 {
		t.Errorf("40 lists were fetched over %d connections", n)
	}
	before := connections.Load()
	for _, address := range []string{
		"http://127.0.0.1:1/root.crl", "http://127.0.0.1/root.crl", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd",
		"ldap://127.0.0.1/x", "http://[::1]/x", authority.URL + "/root.crl", server.URL + "@127.0.0.1/x", "",
	} {
		if _, err := a.revocations(t.Context(), &x509.Certificate{CRLDistributionPoints: []string{address}}); err == nil {
			t.Errorf("%q was asked", address)
		}
	}
	if connections.Load() != before {
		t.Error("something inside was asked")
	}
}
