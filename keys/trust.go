package keys

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// Level says what a seal is worth.
type Level string

// A demonstration seal stands on a certificate that its maker made for
// himself; an advanced one on a certificate of an authority that the verifier
// knows; a qualified one on the EU trusted lists. Unrecognised means that the
// verifier knows nobody who vouches for the sealer.
const (
	Demonstration Level = "demonstration"
	Advanced      Level = "advanced"
	Qualified     Level = "qualified"
	Unrecognised  Level = "unrecognised"
)

// Use is something that an anchor is trusted for.
type Use string

// Certificates under an anchor for seals seal documents; those under an anchor
// for time sign time-stamps (RFC 3161).
const (
	ForSeals Use = "seals"
	ForTime  Use = "time"
)

// Anchor is a certificate that a verifier has decided to trust, and for what.
type Anchor struct {
	Name        string
	Level       Level
	Certificate *x509.Certificate
	For         []Use // empty means seals only
	// Origins are addresses (scheme://host:port) that the verifier may ask for
	// status lists of this anchor's issuers although they are not public, such
	// as an installation on the same machine.
	Origins []string
	// Revoked are certificates under this anchor whose keys no longer count.
	Revoked []RevokedKey
	// Periods are when the anchor vouches; none means always. A certificate
	// that seals must have been issued in one of them and used in one.
	Periods []Period
	// List is the trusted list that the anchor comes from; nil for one that the
	// operator chose.
	List *List
}

// RevokedKey names a certificate by its Fingerprint and says since when its key
// no longer counts.
type RevokedKey struct {
	Certificate string    `json:"certificate"`
	Since       time.Time `json:"since"`
}

// Trust is the set of anchors in use. The zero value trusts nobody.
type Trust struct {
	Anchors []Anchor
}

// anchorFile is an anchor as it stands in a folder of anchors, FILE.json. A
// FILE.pem is read as anchors of level advanced, for seals. Only ListsFile holds
// anchors of level qualified; SignersFile holds none.
type anchorFile struct {
	Name        string       `json:"name"`
	Level       Level        `json:"level"`
	Certificate string       `json:"certificate"` // PEM
	For         []Use        `json:"for,omitempty"`
	Periods     []Period     `json:"periods,omitempty"`
	Origins     []string     `json:"origins,omitempty"`
	Revoked     []RevokedKey `json:"revoked,omitempty"`
}

// LoadTrust reads anchors from a file or from all .json and .pem files of a
// folder. A folder that is not there gives no anchors and no error.
func LoadTrust(path string) (Trust, error) {
	var t Trust
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("reading anchors: %w", err)
	}
	names := []string{path}
	if info.IsDir() {
		names = nil
		for _, ending := range []string{".json", ".pem"} {
			found, err := filesIn(path, ending)
			if err != nil {
				return t, fmt.Errorf("reading anchors: %w", err)
			}
			names = append(names, found...)
		}
	}
	for _, name := range names {
		if info.IsDir() && filepath.Base(name) == SignersFile {
			continue
		}
		anchors, err := readAnchors(name)
		if err != nil {
			return t, fmt.Errorf("reading the anchor %s: %w", name, err)
		}
		t.Anchors = append(t.Anchors, anchors...)
	}
	return t, nil
}

func readAnchors(name string) ([]Anchor, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return ParseAnchors(filepath.Base(name), raw)
}

// ParseAnchors reads the content of one file of a folder of anchors. The name of
// the file says what it is, as LoadTrust reads it.
func ParseAnchors(name string, raw []byte) ([]Anchor, error) {
	switch name {
	case ListsFile:
		lists, err := parseLists(raw)
		if err != nil {
			return nil, fmt.Errorf("%w; %s", err, readAgain)
		}
		return lists.Anchors, nil
	case SignersFile:
		return nil, errors.New("it holds the signers of a list, who are no anchors")
	}
	if path.Ext(name) != ".json" {
		chain, err := readPEM(raw)
		if err != nil {
			return nil, err
		}
		var anchors []Anchor
		for _, c := range chain {
			anchors = append(anchors, Anchor{Name: c.Subject.CommonName, Level: Advanced, Certificate: c})
		}
		return anchors, nil
	}
	var f anchorFile
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	chain, err := readPEM([]byte(f.Certificate))
	if err != nil {
		return nil, err
	}
	if len(chain) != 1 {
		return nil, fmt.Errorf("it holds %d certificates, one is wanted", len(chain))
	}
	switch f.Level {
	case Demonstration, Advanced:
	default:
		return nil, fmt.Errorf("the level %q is not demonstration or advanced", f.Level)
	}
	if err := errors.Join(checkUses(f.For), checkPeriods(f.Periods)); err != nil {
		return nil, err
	}
	return []Anchor{{
		Name: f.Name, Level: f.Level, Certificate: chain[0], For: f.For, Periods: f.Periods, Origins: f.Origins, Revoked: f.Revoked,
	}}, nil
}

// Vouch says who vouches for a certificate at a moment.
type Vouch struct {
	Level  Level
	Worth  Level     // Level, and for a key that was revoked what it was before
	Anchor Anchor    // to which the chain leads; the zero value when to none
	Ends   time.Time // when the first certificate of the chain ends, the anchor's aside
	Device bool      // the certificate says that its key is in a qualified device (QSCD)
	Err    error     // why nobody does
}

// ErrRevoked is wrapped in Vouch.Err when the anchor says that the key of the
// certificate no longer counts.
var ErrRevoked = errors.New("the key no longer counts")

// ErrMisused is wrapped in Vouch.Err when the certificate itself is wrong for
// a seal or a time-stamp, whoever vouches for it: it had not begun or had
// ended, or it was issued for another use.
var ErrMisused = errors.New("the certificate may not be used for this")

// Vouch builds the chain of a certificate, leaf first, to an anchor for seals
// (RFC 5280 clause 6.1). Certificates beside the leaf are candidates only. A
// chain that is wrong in itself (expired, not allowed to sign) is reported in
// Err. Qualified is the certificate: a seal with it is a qualified one only
// with Device (Regulation (EU) 910/2014 article 3(27)).
func (t Trust) Vouch(chain []*x509.Certificate, at time.Time) Vouch {
	return (*Chains)(nil).Vouch(t, chain, at)
}

// VouchTime does for a certificate that signs time-stamps what Vouch does for
// one that seals: it looks at anchors for time only. The certificate must be
// for time-stamps and nothing else, and say so in a critical extension (RFC
// 3161 clause 2.3). It may be an anchor itself, as in trusted lists.
func (t Trust) VouchTime(chain []*x509.Certificate, at time.Time) Vouch {
	return (*Chains)(nil).VouchTime(t, chain, at)
}

func (m *Chains) vouch(t Trust, chain []*x509.Certificate, at time.Time, use Use) Vouch {
	if len(chain) == 0 {
		return Vouch{Level: Unrecognised, Worth: Unrecognised, Err: errNoCertificate}
	}
	leaf, fits := chain[0], maySeal
	if use == ForTime {
		fits = mayStampTime
	}
	if err := fits(leaf); err != nil {
		return Vouch{Level: Unrecognised, Worth: Unrecognised, Err: fmt.Errorf("%w: %w", ErrMisused, err)}
	}
	chain = m.line(chain)
	var ways []way
	var last error
	for _, a := range t.near(chain, use) {
		length, ends, err := m.verify(leaf, a.Certificate, chain[1:], at)
		if err == nil {
			ways = append(ways, way{a, length, ends})
			continue
		}
		if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
			err = fmt.Errorf("%w: %w", ErrMisused, err)
		}
		if last == nil || errors.Is(err, ErrMisused) {
			last = err
		}
	}
	if len(ways) > 0 {
		return best(ways, leaf, at, use)
	}
	return unknown(use, last)
}

// near are the anchors that a chain can lead to at all: those that bear the
// name of an issuer in it, or stand in it. There may be a thousand others. When
// there is none of them the first one stands for all, so that what is wrong
// with the certificate itself is found.
func (t Trust) near(chain []*x509.Certificate, use Use) []Anchor {
	var found, first []Anchor
	for _, a := range t.Anchors {
		if !a.isFor(use) {
			continue
		}
		if first == nil {
			first = []Anchor{a}
		}
		for _, c := range chain {
			if bytes.Equal(a.Certificate.RawSubject, c.RawIssuer) || a.Certificate.Equal(c) {
				found = append(found, a)
				break
			}
		}
	}
	if found == nil {
		return first
	}
	return found
}

func (a Anchor) isFor(use Use) bool {
	if len(a.For) == 0 {
		return use == ForSeals
	}
	return slices.Contains(a.For, use)
}

// RevokedSince tells whether the key of a certificate no longer counts, and
// since when.
func (a Anchor) RevokedSince(c *x509.Certificate) (time.Time, bool) {
	if len(a.Revoked) == 0 {
		return time.Time{}, false
	}
	names := writings(c)
	for _, r := range a.Revoked {
		if slices.Contains(names, r.Certificate) {
			return r.Since, true
		}
	}
	return time.Time{}, false
}

// maySeal refuses certificates that were issued for something else: those of
// authorities, of web servers, of status lists.
func maySeal(leaf *x509.Certificate) error {
	for _, usage := range leaf.UnknownExtKeyUsage {
		if usage.Equal(statusSigning) {
			return errors.New("reading the certificate of the seal: its key is for status lists")
		}
	}
	if err := maySign(leaf); err != nil {
		return fmt.Errorf("reading the certificate of the seal: %w", err)
	}
	return nil
}

// mayStampTime refuses certificates that are not for time-stamps alone.
func mayStampTime(leaf *x509.Certificate) error {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	critical := slices.ContainsFunc(leaf.Extensions, func(e pkix.Extension) bool { return e.Critical && e.Id.Equal(extendedKeyUsage) })
	var wrong string
	switch {
	case leaf.IsCA:
		wrong = "it belongs to an authority"
	case leaf.KeyUsage != 0 && leaf.KeyUsage&signs == 0:
		wrong = "its key may not sign"
	case len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(leaf.UnknownExtKeyUsage) > 0:
		wrong = "its key is not for time-stamps alone"
	case !critical:
		wrong = "it does not say in a critical extension that its key is for time-stamps"
	default:
		return nil
	}
	return fmt.Errorf("reading the certificate of the time-stamp: %s", wrong)
}

// maySign refuses certificates of keys that sign no documents at all.
func maySign(leaf *x509.Certificate) error {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	switch {
	case leaf.IsCA:
		return errors.New("it belongs to an authority")
	case leaf.KeyUsage != 0 && leaf.KeyUsage&signs == 0:
		return errors.New("its key may not sign")
	}
	for _, usage := range leaf.ExtKeyUsage {
		switch usage {
		case x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageOCSPSigning, x509.ExtKeyUsageCodeSigning:
			return errors.New("its key is for another use")
		default:
		}
	}
	return nil
}

// organisation is the identifier of the organisation that a certificate names,
// or "" when it names none or several.
func organisation(c *x509.Certificate) string {
	found := ""
	for _, n := range c.Subject.Names {
		if n.Type.Equal(organizationIdentifier) {
			if found != "" {
				return ""
			}
			found, _ = n.Value.(string)
		}
	}
	return found
}
