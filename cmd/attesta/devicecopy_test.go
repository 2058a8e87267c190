package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"attesta/issuer"
	"attesta/web/offline"
)

// TestDeviceCopy (R1, R4, S5): what a device is told to keep is in the shape of
// an export and a part of one, every file is at its address with the digest that
// is given, nothing is about a person, and nothing is older than it says.
func TestDeviceCopy(t *testing.T) {
	if _, err := offline.Files(); err != nil {
		required(t, "the verifier for browsers: go generate ./web/offline")
	}
	h := newLiveHouse(t)
	fetched := func() (m manifest) {
		t.Helper()
		if err := json.Unmarshal(get(t, h.base()+"/offline/copy.json"), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := fetched()
	var exported manifest
	if err := json.Unmarshal(exportedFile(t, h.app, manifestName), &exported); err != nil {
		t.Fatal(err)
	}
	if m.Format != exported.Format || m.PublicURL != exported.PublicURL || !m.Made.Equal(fixedDay().Truncate(time.Second)) || !m.Until.IsZero() || !m.Verifier {
		t.Errorf("%+v", m)
	}
	if diff := cmp.Diff([][]string{exported.Anchors, exported.Accreditations}, [][]string{m.Anchors, m.Accreditations}); diff != "" || len(m.Anchors) == 0 || len(m.Accreditations) == 0 {
		t.Errorf("anchors and lists (- of an export, + of a device):\n%s", diff)
	}
	if len(h.secrets) < 9 {
		t.Fatalf("the control: only %d private texts", len(h.secrets))
	}
	lists := 0
	for _, f := range m.Files {
		if f.Path != "/"+f.Name || !slices.ContainsFunc(exported.Files, func(e manifestFile) bool { return e.Path == f.Path && e.Type == f.Type }) {
			t.Errorf("%s at %s is no file of an export", f.Name, f.Path)
		}
		data := get(t, h.base()+f.Path)
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 || len(data) != f.Bytes {
			t.Errorf("%s is another file than the manifest says", f.Name)
		}
		if strings.HasPrefix(f.Path, "/status/") && f.Path != "/status/aggregation" {
			lists++
		}
		for _, secret := range h.secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", f.Name, secret)
			}
		}
	}
	if lists < 3 || lists%3 != 0 {
		t.Errorf("%d forms of lists", lists)
	}

	// A minute later it is made anew, and no sooner: what was revoked is in it.
	if _, err := (local{h.app}).SetStatus(t.Context(), statusRequest{IDs: []string{idIn(t, h.later)}, To: "revoked", Reason: "issued-in-error"}, nil); err != nil {
		t.Fatal(err)
	}
	if again := fetched(); !again.Made.Equal(m.Made) {
		t.Errorf("made at %v, asked again at once %v", m.Made, again.Made)
	}
	h.app.now = func() time.Time { return fixedDay().Add(issuer.ListMaxAge) }
	h.stop()
	h.start()
	later := fetched()
	if !later.Made.After(m.Made) {
		t.Errorf("made at %v, a minute later %v", m.Made, later.Made)
	}
	changed := 0
	for n, f := range later.Files {
		if strings.HasSuffix(f.Path, "/revocation") && f.SHA256 != m.Files[n].SHA256 {
			changed++
		}
	}
	if changed == 0 {
		t.Error("the control: no list changed with a revocation")
	}
}

// exportedFile is a file of an export of now.
func exportedFile(t *testing.T, a *app, name string) []byte {
	t.Helper()
	var whole bytes.Buffer
	if err := (local{a}).Export(t.Context(), exportRequest{}, &whole); err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(&whole); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("an export has no %s", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if head.Name == name {
			raw, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
}

// TestAFailedDeviceCopyWaits: what cannot be made is not tried again by every
// visitor, and is made when it can be.
func TestAFailedDeviceCopyWaits(t *testing.T) {
	h := newLiveHouse(t)
	now := fixedDay()
	h.app.now = func() time.Time { return now }
	d := &deviceCopy{local: local{h.app}}
	bad := filepath.Join(h.app.folder.trust(), "x.accreditation")
	if err := os.WriteFile(bad, []byte("{rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, first := d.get(t.Context())
	if first == nil {
		t.Fatal("rubbish is copied")
	}
	if err := os.Remove(bad); err != nil {
		t.Fatal(err)
	}
	if _, err := d.get(t.Context()); err != first { //nolint:errorlint // the very same
		t.Errorf("at once: %v", err)
	}
	now = now.Add(copyPause)
	if c, err := d.get(t.Context()); err != nil || len(c.Manifest) == 0 {
		t.Errorf("later: %v", err)
	}
}
