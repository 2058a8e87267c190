package accreditation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

// Errors of reading a list beside ErrList: its seal is not that of who may
// seal it, or it may not take the place of the one held before.
var (
	ErrSigner  = errors.New("the list is not sealed by the authority")
	ErrFollows = errors.New("the list may not follow the one that is held")
)

// clockSkew is how far another clock may be ahead of ours.
const clockSkew = 5 * time.Minute

// Seal writes a list as a compact JWS of Type. The certificate of the sealer
// must name the authority of the list.
func Seal(l *List, s credentials.Sealer) ([]byte, error) {
	if err := l.Check(); err != nil {
		return nil, fmt.Errorf("sealing the list: %w", err)
	}
	signer, err := credentials.SignerOf(s.Chain()[0])
	if err != nil {
		return nil, fmt.Errorf("sealing the list: %w", err)
	}
	if signer.LegalID != l.Authority.LegalID {
		return nil, fmt.Errorf("sealing the list: %w: the key is that of %s, and the list that of %s", ErrSigner, signer.LegalID, l.Authority.LegalID)
	}
	token, err := credentials.SealCompact(Type, l, s)
	if err != nil {
		return nil, fmt.Errorf("sealing the list: %w", err)
	}
	if _, err := credentials.ParseCompact(token, Type); err != nil {
		return nil, fmt.Errorf("sealing the list: others could not read it, keep two lists: %w", err)
	}
	return token, nil
}

// Read reads a sealed list whose signer one of the anchors for seals vouches for
// at a moment, and names the authority of the list. With the zero moment it is
// that of the list itself, for one that was read before. A list of the future is
// refused only where a moment is given. Errors wrap ErrList or ErrSigner.
func Read(token []byte, trust keys.Trust, at time.Time) (*List, error) {
	l, err := read(bytes.TrimSpace(token), trust, at)
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	return l, nil
}

func read(token []byte, trust keys.Trust, at time.Time) (*List, error) {
	e, err := credentials.ParseCompact(token, Type)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if err := e.Verify(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	l, err := parse(e.Payload())
	if err != nil {
		return nil, err
	}
	if !at.IsZero() && l.Issued.After(at.Add(clockSkew)) {
		return nil, fault("issued", "%s is still to come: check the clock of this machine", l.Issued.UTC().Format(time.RFC3339))
	}
	if at.IsZero() {
		at = l.Issued
	}
	if v := trust.Vouch(e.Chain, at); v.Err != nil || v.Worth == keys.Unrecognised {
		return nil, fmt.Errorf("%w: none of the certificates that may sign it vouches for %q", ErrSigner, clip(e.Leaf().Subject.CommonName))
	}
	signer, err := credentials.SignerOf(e.Leaf())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	if signer.LegalID != l.Authority.LegalID {
		return nil, fmt.Errorf("%w: it is the list of %s, and sealed by %s", ErrSigner, l.Authority.LegalID, clip(signer.LegalID))
	}
	return l, nil
}

// names are how members are written: readers that do not mind the case of
// letters see no other ones than those that do.
var names = regexp.MustCompile(`^[a-z_]+$`)

// parse reads the payload of a list, of which ParseCompact has seen that it is
// strict JSON, with no name twice.
func parse(payload []byte) (*List, error) {
	tokens := json.NewDecoder(bytes.NewReader(payload))
	inside := []bool{} // of each open bracket, whether it is an object
	name := false
	for {
		t, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrList, err)
		}
		if text, ok := t.(string); ok && name && !names.MatchString(text) {
			return nil, fault("members", "there is no member %q", clip(text))
		}
		switch d, _ := t.(json.Delim); d {
		case '{', '[':
			inside = append(inside, d == '{')
			name = d == '{'
			continue
		case '}', ']':
			inside = inside[:len(inside)-1]
			name = false
		}
		name = len(inside) > 0 && inside[len(inside)-1] && !name
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	l := &List{}
	if err := d.Decode(l); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	return l, l.Check()
}

// Follows says why a list may not take the place of another that is held, or
// nil. An older one is refused, and so is another one of the same number, one of
// somebody else, and one from which something was removed that may decide about
// the past.
func (l *List) Follows(held *List) error {
	switch {
	case l.ID != held.ID:
		return fmt.Errorf("%w: it is %s, and %s is held", ErrFollows, l.ID, held.ID)
	case l.Authority.LegalID != held.Authority.LegalID:
		return fmt.Errorf("%w: it is that of %s, and the one held is that of %s", ErrFollows, l.Authority.LegalID, held.Authority.LegalID)
	case l.Sequence < held.Sequence || l.Issued.Before(held.Issued):
		return fmt.Errorf("%w: number %d of %s is older than number %d of %s", ErrFollows,
			l.Sequence, l.Issued.Format(time.DateOnly), held.Sequence, held.Issued.Format(time.DateOnly))
	case l.Sequence == held.Sequence && !same(l, held):
		return fmt.Errorf("%w: there are two lists of number %d that say different things; ask %s", ErrFollows, l.Sequence, l.Authority.Name)
	}
	for n := range held.Providers {
		if err := l.keeps(&held.Providers[n]); err != nil {
			return err
		}
	}
	return nil
}

func same(a, b *List) bool {
	one, err := json.Marshal(a)
	other, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(one, other)
}

// keeps looks for everything that was said of a provider before.
func (l *List) keeps(old *Provider) error {
	now := l.find(old.LegalIDs[0])
	for _, id := range old.LegalIDs {
		if now == nil || l.find(id) != now {
			return fmt.Errorf("%w: %s is not in it any more; entries are ended, never removed", ErrFollows, id)
		}
	}
	for _, a := range old.Accreditations {
		if now.entry(a.Register, a.Number, a.From) == nil {
			return fmt.Errorf("%w: of %s, number %s from %s is not in it any more; entries are ended, never removed", ErrFollows, old.LegalIDs[0], a.Number, a.From)
		}
	}
	return nil
}

func (p *Provider) entry(register, number string, from credentials.Date) *Accreditation {
	for n := range p.Accreditations {
		if a := &p.Accreditations[n]; a.Register == register && a.Number == number && a.From == from {
			return a
		}
	}
	return nil
}
