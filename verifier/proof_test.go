package verifier

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/timestamp/timestamptest"
)

// timed is a house whose verifier trusts an authority for time.
type timed struct {
	*house
	authority *timestamptest.Authority
}

func newTimed(t testing.TB) *timed {
	t.Helper()
	h := newHouse(t)
	h.publishAll()
	a := timestamptest.New(t, func() time.Time { return h.now })
	h.trust.Anchors = append(h.trust.Anchors, keys.Anchor{
		Name: "Ora di prova", Level: keys.Advanced, Certificate: a.Root, For: []keys.Use{keys.ForTime},
	})
	return &timed{h, a}
}

func (h *timed) extend(sealed []byte, added ...credentials.Unsigned) []byte {
	h.t.Helper()
	out, err := credentials.Extend(sealed, added...)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func (h *timed) parse(sealed []byte) *credentials.Envelope {
	h.t.Helper()
	e, err := credentials.ParseSealed(sealed)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// stampedWith adds a signature time stamp made with options.
func (h *timed) stampedWith(sealed []byte, o timestamptest.Options) []byte {
	h.t.Helper()
	token := h.authority.Make(h.parse(sealed).EncodedSignature(), o)
	return h.extend(sealed, credentials.Unsigned{Name: credentials.SignatureStamp, Stamps: [][]byte{token}})
}

func (h *timed) stampedAt(sealed []byte, at time.Time) []byte {
	return h.stampedWith(sealed, timestamptest.Options{Time: at})
}

// values adds what the certificates are checked against.
func (h *timed) values(sealed []byte, crls ...[]byte) []byte {
	return h.extend(sealed,
		credentials.Unsigned{Name: credentials.ChainValues, Certificates: [][]byte{h.authority.Root.Raw}},
		credentials.Unsigned{Name: credentials.StatusValues, CRLs: crls})
}

func (h *timed) archivedAt(sealed []byte, at time.Time) []byte {
	h.t.Helper()
	token := h.authority.Make(h.parse(sealed).NextArchived(), timestamptest.Options{Time: at})
	return h.extend(sealed, credentials.Unsigned{Name: credentials.ArchiveStamp, Stamps: [][]byte{token}})
}

// The level of a seal is named by what it carries, and its time is that of the
// earliest stamp that holds.
func TestLevels(t *testing.T) {
	h := newTimed(t)
	hour := h.now.Add(-time.Hour)
	b := h.sealWith(h.key(keys.Seal), h.document(), hour)
	stamped := h.stampedAt(b, hour.Add(time.Minute))
	lt := h.values(stamped, h.authority.CRL(h.now))
	lta := h.archivedAt(lt, h.now.Add(-time.Minute))
	twice := h.archivedAt(lta, h.now)
	for _, c := range []struct {
		sealed []byte
		level  string
		proven bool
	}{{b, "B", false}, {stamped, "T", true}, {lt, "LT", true}, {lta, "LTA", true}, {twice, "LTA", true}} {
		r := h.verify(c.sealed)
		if r.Verdict != Valid || r.Baseline != "JAdES-BASELINE-"+c.level {
			t.Errorf("%s: %s %s %s", c.level, r.Verdict, r.Reason, r.Baseline)
		}
		if (r.ProvenAt != nil) != c.proven || c.proven && !r.ProvenAt.Equal(hour.Add(time.Minute)) {
			t.Errorf("%s: proved to be there at %v", c.level, r.ProvenAt)
		}
	}
}

// J13: a time stamp that is not exactly right is no proof of time. The seal
// itself holds all the same.
func TestWhatIsNoProofOfTime(t *testing.T) {
	h := newTimed(t)
	b := h.seal(h.document())
	other := timestamptest.New(t, func() time.Time { return h.now })
	signature := h.parse(b).EncodedSignature()
	add := func(name string, token []byte) []byte {
		return h.extend(b, credentials.Unsigned{Name: name, Stamps: [][]byte{token}})
	}
	broken := h.authority.Token(signature)
	broken[len(broken)-1] ^= 1
	for name, sealed := range map[string][]byte{
		"over other data":                    add(credentials.SignatureStamp, h.authority.Token([]byte("other"))),
		"copied from another seal":           add(credentials.SignatureStamp, h.authority.Token(h.parse(h.seal(h.document())).EncodedSignature())),
		"of an authority nobody knows":       add(credentials.SignatureStamp, other.Token(signature)),
		"with a changed byte":                add(credentials.SignatureStamp, broken),
		"of the archive, over the signature": add(credentials.ArchiveStamp, h.authority.Token(signature)),
		"from the future":                    h.stampedAt(b, h.now.Add(time.Hour)),
		"no token":                           add(credentials.SignatureStamp, []byte{0x30, 0}),
		"without the purpose":                h.stampedWith(b, timestamptest.Options{Flaw: timestamptest.NoEKU}),
		"with an expired certificate":        h.stampedWith(b, timestamptest.Options{Flaw: timestamptest.ExpiredLeaf}),
		"signed with another key":            h.stampedWith(b, timestamptest.Options{Flaw: timestamptest.OtherSigner}),
	} {
		if r := h.verify(sealed); r.ProvenAt != nil || r.Verdict != Valid {
			t.Errorf("a stamp %s: %s %s, proved at %v", name, r.Verdict, r.Reason, r.ProvenAt)
		}
	}
	if r := h.verify(add(credentials.SignatureStamp, h.authority.Token(signature))); r.ProvenAt == nil {
		t.Error("the control: a good stamp proves nothing")
	}
}

// K1: a key that no longer counts. What follows depends on whether somebody
// else than the sealer says when the seal was made.
func TestRevokedKeyWithAndWithoutProofOfTime(t *testing.T) {
	h := newTimed(t)
	before, since, after := h.now.Add(-3*time.Hour), h.now.Add(-2*time.Hour), h.now.Add(-time.Hour)
	key := h.key(keys.Seal)
	old, late := h.sealWith(key, h.document(), before), h.sealWith(key, h.document(), after)
	h.revoke(since)
	for _, c := range []struct {
		name    string
		sealed  []byte
		verdict Verdict
		reason  string
	}{
		{"claims to be from before", old, CannotTell, "issuer_key_revoked_since"},
		{"is proved to be from before", h.stampedAt(old, before.Add(time.Minute)), Valid, "valid"},
		{"claims to be from before, is proved later only", h.stampedAt(old, after), CannotTell, "issuer_key_revoked_since"},
		{"claims to be from after", late, NotValid, "issuer_key_revoked"},
		{"is proved to be from after", h.stampedAt(late, after), NotValid, "issuer_key_revoked"},
	} {
		if r := h.verify(c.sealed); r.Verdict != c.verdict || r.Reason != c.reason {
			t.Errorf("a seal that %s: %s %s", c.name, r.Verdict, r.Reason)
		}
	}
	r := h.verify(h.stampedAt(old, before.Add(time.Minute)))
	if c := r.Find(CheckIssuer); c.Reason != "issuer_key_revoked_later" || r.Level != string(keys.Demonstration) {
		t.Errorf("proved to be from before: %s, level %s", c.Reason, r.Level)
	}
}

// A certificate that has ended leaves what is proved to be from before, and
// nothing else.
func TestEndedCertificate(t *testing.T) {
	h := newTimed(t)
	sealed, key, document := h.seal(h.document()), h.key(keys.Seal), h.document()
	stamped := h.archivedAt(h.stampedAt(sealed, h.now), h.now)
	h.now = h.now.AddDate(4, 6, 0) // the authority's certificate still counts
	h.publishSoon()
	if r := h.verify(sealed); r.Verdict != CannotTell || r.Reason != "issuer_certificate_ended" {
		t.Errorf("without a stamp: %s %s", r.Verdict, r.Reason)
	}
	if r := h.verify(stamped); r.Verdict != Valid {
		t.Errorf("with stamps: %s %s", r.Verdict, r.Reason)
	}
	if r := h.verify(h.stampedAt(sealed, h.now)); r.Verdict != CannotTell || r.Reason != "issuer_certificate_ended" || !r.ProvenAt.Equal(h.now) {
		t.Errorf("with a stamp of today, which anybody can add: %s %s", r.Verdict, r.Reason)
	}
	if r := h.verify(h.stampedAt(h.sealWith(key, document, h.now), h.now)); r.Verdict != NotValid || r.Reason != "issuer_certificate" {
		t.Errorf("sealed after the end: %s %s", r.Verdict, r.Reason)
	}
	h.now = h.now.AddDate(1, 0, 0) // nor does that
	if r := h.verify(stamped); r.Verdict != CannotTell || r.ProvenAt != nil {
		t.Errorf("with stamps of an ended certificate: %s %s", r.Verdict, r.Reason)
	}
}

// publishSoon publishes lists signed by a key of today: that of the seal has
// ended.
func (h *timed) publishSoon() {
	h.t.Helper()
	if _, err := h.ring.Rotate(keys.Status, keys.Owner{ID: h.owner, Name: "Scuola Dimostrativa", LegalID: "DM:IT-iss-scuola", Country: "IT"}, h.now, 0); err != nil {
		h.t.Fatal(err)
	}
	h.publishAll()
}

// What an authority says about certificates counts when it stands in the seal,
// and only under the authority's own signature (J12).
func TestRevocationListInTheSeal(t *testing.T) {
	h := newTimed(t)
	pki := newAuthority(t, h.now)
	leaf, sealer := pki.leaf(h.now)
	h.trust.Anchors = append(h.trust.Anchors, keys.Anchor{Name: "CA di prova", Level: keys.Advanced, Certificate: pki.root})
	b := h.sealWith(sealer, h.document(), h.now.Add(-time.Hour))
	stranger := newAuthority(t, h.now)
	for _, c := range []struct {
		name   string
		sealed []byte
		reason string
	}{
		{"none", b, "issuer_advanced"},
		{"a list without it", h.values(h.stampedAt(b, h.now), pki.crl(h.now)), "issuer_advanced"},
		{"a list with it, revoked before", h.values(h.stampedAt(b, h.now), pki.crl(h.now, revoked(leaf, h.now.Add(-2*time.Hour)))), "issuer_key_revoked"},
		{"a list with it, revoked after the stamp", h.values(h.stampedAt(b, h.now.Add(-time.Hour)), pki.crl(h.now, revoked(leaf, h.now.Add(-time.Minute)))), "issuer_key_revoked_later"},
		{"a list with it, without a stamp", h.values(b, pki.crl(h.now, revoked(leaf, h.now.Add(-time.Minute)))), "issuer_key_revoked_since"},
		{"a list of another authority with its serial number", h.values(b, stranger.crl(h.now, revoked(leaf, h.now.Add(-2*time.Hour)))), "issuer_advanced"},
		{"rubbish", h.values(b, []byte("x")), "issuer_advanced"},
	} {
		if got := h.verify(c.sealed).Find(CheckIssuer).Reason; got != c.reason {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// authority is a certificate authority of others.
type authority struct {
	t    testing.TB
	key  crypto.Signer
	root *x509.Certificate
}

func newAuthority(t testing.TB, at time.Time) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	template.Subject.CommonName = "CA di prova"
	a.root = a.sign(template, template, a.key.Public())
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) sign(template, parent *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

func (a *authority) crl(at time.Time, entries ...x509.RevocationListEntry) []byte {
	a.t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: at.Add(-time.Minute), NextUpdate: at.AddDate(0, 0, 7), RevokedCertificateEntries: entries,
	}, a.root, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

func revoked(c *x509.Certificate, since time.Time) x509.RevocationListEntry {
	return x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: since}
}

// leaf makes a certificate with the names of the house's own.
func (a *authority) leaf(at time.Time) (*x509.Certificate, credentials.Sealer) {
	a.t.Helper()
	h := newHouse(a.t)
	names := h.key(keys.Seal).Certificate().Subject
	names.ExtraNames = names.Names
	key := newKey(a.t)
	c := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(at.UnixNano()), Subject: names, NotBefore: at.AddDate(0, -1, 0), NotAfter: at.AddDate(2, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}, a.root, key.Public())
	return c, rawSealer{key, c}
}

type rawSealer struct {
	key *ecdsa.PrivateKey
	c   *x509.Certificate
}

func (rawSealer) Algorithm() string            { return "ES256" }
func (s rawSealer) Chain() []*x509.Certificate { return []*x509.Certificate{s.c} }

func (s rawSealer) Sign(input []byte) ([]byte, error) {
	h := crypto.SHA256.New()
	h.Write(input)
	r, n, err := ecdsa.Sign(rand.Reader, s.key, h.Sum(nil))
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), n.FillBytes(make([]byte, 32))...), nil
}

// Who attests the time is named.
func TestLevelIsSaidInWords(t *testing.T) {
	h := newTimed(t)
	r := h.verify(h.stampedAt(h.seal(h.document()), h.now))
	found, _ := Words(r.Find(CheckSeal), "en")
	if !strings.Contains(found, "Ora di prova") || !strings.Contains(found, "21 November 2026") {
		t.Error(found)
	}
}

// J13: of the time stamps of one archive entry none is over another, so a good
// one does not keep one beside it whose authority has ended since.
func TestStampsOfOneEntryDoNotKeepEachOther(t *testing.T) {
	h := newTimed(t)
	old := timestamptest.New(t, func() time.Time { return h.now })
	h.trust.Anchors = append(h.trust.Anchors, keys.Anchor{
		Name: "Ora passata", Level: keys.Advanced, Certificate: old.Root, For: []keys.Use{keys.ForTime},
		Revoked: []keys.RevokedKey{{Certificate: keys.Fingerprint(old.Leaf), Since: h.now.Add(-time.Hour)}},
	})
	sealed := h.sealWith(h.key(keys.Seal), h.document(), h.now.Add(-4*time.Hour))
	forged, good := timestamptest.Options{Time: h.now.Add(-4 * time.Hour)}, timestamptest.Options{Time: h.now.Add(-2 * time.Hour)}
	both := func(first, second credentials.Unsigned) []byte { return h.extend(h.extend(sealed, first), second) }
	message := h.parse(sealed).NextArchived()
	beside := h.extend(sealed, credentials.Unsigned{Name: credentials.ArchiveStamp, Stamps: [][]byte{
		h.authority.Make(message, good), old.Make(message, forged),
	}})
	if r := h.verify(beside); r.ProvenAt == nil || !r.ProvenAt.Equal(good.Time) {
		t.Errorf("beside a good one: proved at %v", r.ProvenAt)
	}
	stamped := credentials.Unsigned{Name: credentials.SignatureStamp, Stamps: [][]byte{old.Make(h.parse(sealed).EncodedSignature(), forged)}}
	kept := credentials.Unsigned{Name: credentials.ArchiveStamp, Stamps: [][]byte{h.authority.Make(h.parse(h.extend(sealed, stamped)).NextArchived(), good)}}
	if r := h.verify(both(stamped, kept)); r.ProvenAt == nil || !r.ProvenAt.Equal(forged.Time) {
		t.Errorf("the control, under a good one: proved at %v", r.ProvenAt)
	}
}
