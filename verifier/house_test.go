package verifier

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// theMoment is when the credentials of these tests are issued and checked.
func theMoment(t testing.TB) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 11, 21, 9, 30, 0, 0, zone)
}

const (
	publicURL = "https://scuola.example.org"
	position  = 4711
)

// house is an issuer as a verifier sees it: sealed files, published lists and
// an anchor. It knows no registry.
type house struct {
	t     testing.TB
	now   time.Time
	ring  *keys.Ring
	owner string
	trust keys.Trust
	lists *lists
	award credentials.Award
	held  accreditation.Lists
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, now: theMoment(t), owner: "iss-scuola", lists: &lists{at: map[string][]byte{}}}
	dir := t.TempDir()
	var err error
	if h.ring, err = keys.Open(filepath.Join(dir, "keys"), filepath.Join(dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	h.ensure("iss-scuola", "DM:IT-iss-scuola")
	root, err := h.ring.Current(keys.Root, "", h.now)
	if err != nil {
		t.Fatal(err)
	}
	h.trust = keys.Trust{Anchors: []keys.Anchor{{Name: "propria", Level: keys.Demonstration, Certificate: root.Certificate(), Origins: []string{publicURL}}}}
	h.award = fixtureAward(t)
	return h
}

func (h *house) ensure(owner, legal string) {
	h.t.Helper()
	_, err := h.ring.Ensure(keys.Owner{ID: owner, Name: "Scuola Dimostrativa", LegalID: legal, Country: "IT"}, h.now.AddDate(-1, 0, 0))
	if err != nil {
		h.t.Fatal(err)
	}
}

func fixtureAward(t testing.TB) credentials.Award {
	t.Helper()
	var providers struct {
		Issuers []credentials.Provider `json:"issuers"`
	}
	var catalogue struct {
		Modules []credentials.Module `json:"modules"`
	}
	for name, into := range map[string]any{"issuers.json": &providers, "catalogue_national_school.json": &catalogue} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	return credentials.Award{
		Provider: providers.Issuers[0], Module: catalogue.Modules[0], CompletedOn: "2026-05-29",
		Learner: credentials.Learner{GivenName: "Ada", FamilyName: "Esempio"},
	}
}

func (h *house) key(p keys.Purpose) *keys.Key {
	h.t.Helper()
	k, err := h.ring.Current(p, h.owner, h.now)
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

func listURL(p status.Purpose) string { return publicURL + "/status/L1/" + string(p) }

// document is what the house would issue, before a test changes its text.
func (h *house) document() credentials.Document {
	h.t.Helper()
	signer, err := credentials.SignerOf(h.key(keys.Seal).Certificate())
	if err != nil {
		h.t.Fatal(err)
	}
	picture := []byte("\x89PNG\r\n\x1a\n")
	d, err := credentials.NewDocument(h.award, credentials.Issue{
		Credential: "urn:credential:6c0f6c0e-8a55-4d0e-8b1e-3a8c8b0c9d11", At: h.now, Signer: signer,
		Status:   credentials.StatusEntries(listURL, position),
		Pictures: map[string][]byte{"it": picture, "en": picture},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// changed replaces texts in a document; each must be there.
func (h *house) changed(d credentials.Document, oldNew ...string) credentials.Document {
	h.t.Helper()
	text := string(d)
	for n := 0; n < len(oldNew); n += 2 {
		if !strings.Contains(text, oldNew[n]) {
			h.t.Fatalf("the document has no %s", oldNew[n])
		}
		text = strings.ReplaceAll(text, oldNew[n], oldNew[n+1])
	}
	return credentials.Document(text)
}

func (h *house) seal(d credentials.Document) []byte { return h.sealWith(h.key(keys.Seal), d, h.now) }

func (h *house) sealWith(s credentials.Sealer, d credentials.Document, at time.Time) []byte {
	h.t.Helper()
	sealed, err := credentials.EDC.Seal(d, s, at)
	if err != nil {
		h.t.Fatal(err)
	}
	return sealed
}

// list is a status list credential before it is signed.
type list struct {
	ID         string   `json:"id"`
	Type       []string `json:"type"`
	ValidFrom  string   `json:"validFrom"`
	ValidUntil string   `json:"validUntil"`
	Subject    subject  `json:"credentialSubject"`
}

type subject struct {
	Type    string `json:"type"`
	Purpose string `json:"statusPurpose"`
	List    string `json:"encodedList"`
	TTL     int64  `json:"ttl,omitempty"` // milliseconds
}

func (h *house) list(p status.Purpose, set ...uint32) list {
	h.t.Helper()
	bits := status.NewBitstring(status.MinEntries)
	for _, index := range set {
		if err := bits.Set(index); err != nil {
			h.t.Fatal(err)
		}
	}
	return list{
		ID: listURL(p), Type: []string{"VerifiableCredential", "BitstringStatusListCredential"},
		ValidFrom: h.now.UTC().Format(time.RFC3339), ValidUntil: h.now.AddDate(0, 0, 1).UTC().Format(time.RFC3339),
		Subject: subject{Type: "BitstringStatusList", Purpose: string(p), List: bits.Encode()},
	}
}

func (h *house) publish(p status.Purpose, l list) { h.publishWith(h.key(keys.Status), p, l) }

func (h *house) publishWith(s credentials.Sealer, p status.Purpose, l any) {
	h.t.Helper()
	token, err := credentials.SealCompact(credentials.StatusListType, l, s)
	if err != nil {
		h.t.Fatal(err)
	}
	h.lists.at[listURL(p)] = token
}

// publishAll publishes both lists with nothing set.
func (h *house) publishAll() {
	h.publish(status.Revocation, h.list(status.Revocation))
	h.publish(status.Suspension, h.list(status.Suspension))
}

func (h *house) verifier() *Verifier {
	return New(Config{
		Trust: func() keys.Trust { return h.trust }, Now: func() time.Time { return h.now }, Fetcher: h.lists,
		Accreditations: func() accreditation.Lists { return h.held },
	})
}

func (h *house) verify(data []byte) Report { return h.verifyAt(data, time.Time{}) }

func (h *house) verifyAt(data []byte, at time.Time) Report {
	h.t.Helper()
	r, err := h.verifier().VerifyAt(context.Background(), data, at)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// lists answers fetches from memory and remembers what was asked.
type lists struct {
	mu    sync.Mutex
	at    map[string][]byte
	err   error
	asked []string
}

func (l *lists) Fetch(_ context.Context, address string, _ []string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, address)
	if l.err != nil {
		return nil, l.err
	}
	data, ok := l.at[address]
	if !ok {
		return nil, ErrUnreachable
	}
	return data, nil
}

// unsigned writes a compact token without a good signature.
func unsigned(header, claims string) []byte {
	return []byte(base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".AAAA")
}
