package issuer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"attesta/brief"
	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// Brief makes the compact QR of a credential that was sealed here, for its holder,
// and returns the address that the picture holds. It says what the sealed bytes
// say and nothing else, and nothing of it is kept. It is signed with the key that
// sealed them, or the one that seals for the same organisation today. Whether the
// credential still counts is looked at by whoever asks.
//
// The error wraps brief.ErrKey where that key cannot sign one, keys.ErrNoKey where
// there is none, and brief.ErrUnfit where the credential has no short form.
func (i *Issuer) Brief(ctx context.Context, r registry.Record, sealed []byte) (string, error) {
	if r.Status != status.Valid {
		return "", fmt.Errorf("making a compact QR: %w: it is not valid", brief.ErrUnfit)
	}
	if err := i.admit(ctx); err != nil {
		return "", err
	}
	parsed, err := credentials.Parse(sealed)
	if err == nil {
		err = parsed.Envelope.Verify()
	}
	if err != nil {
		return "", fmt.Errorf("making a compact QR: reading what was sealed: %w", err)
	}
	key, err := i.briefKey(parsed.Envelope)
	if err != nil {
		return "", fmt.Errorf("making a compact QR: %w", err)
	}
	signer, err := credentials.SignerOf(key.Certificate())
	if err != nil {
		return "", fmt.Errorf("making a compact QR: %w", err)
	}
	b, err := brief.Of(parsed.View(), parsed.Envelope.Payload())
	if err != nil {
		return "", err
	}
	b.Provider = signer.Organisation // an organisation may have got another name since
	b.Status = i.oneList(r, b.Status)
	short := b // where all of it makes too fine a picture
	short.Title, short.AwardedBy = inOne(b.Title), inOne(b.AwardedBy)
	for _, b := range []brief.Brief{b, short} {
		text, err := brief.Seal(b, key, i.now())
		if err != nil {
			return "", err
		}
		if address := brief.Address(i.PublicURL, text); len(address) <= brief.MaxAddress {
			return address, nil
		}
	}
	return "", fmt.Errorf("making a compact QR: %w: it has too many words", brief.ErrUnfit)
}

// inOne is a text in one of its languages.
func inOne(t credentials.Text) credentials.Text {
	text, language := t.In("it", "en")
	if text == "" {
		return nil
	}
	return credentials.Text{language: text}
}

// briefKey is the key that signs the short form of what an envelope holds. One in
// a device signs what the provider approved, and not whenever a holder asks.
func (i *Issuer) briefKey(e *credentials.Envelope) (*keys.Key, error) {
	all := i.Keys.All()
	n := slices.IndexFunc(all, func(k *keys.Key) bool { return k.Purpose == keys.Seal && k.Certificate().Equal(e.Leaf()) })
	if n < 0 {
		return nil, fmt.Errorf("the key that sealed it is not here: %w", keys.ErrNoKey)
	}
	key := all[n]
	if key.MaySign(i.now()) != nil {
		var err error
		if key, err = i.Keys.CurrentOf(keys.Seal, key.Owner, key.LegalID(), i.now()); err != nil {
			return nil, err
		}
	}
	if key.OnDevice() {
		return nil, fmt.Errorf("the key %s is in a device: %w", key.ID, brief.ErrKey)
	}
	return key, nil
}

// oneList is one entry in place of those for each purpose: the token list of a
// record says all of them.
func (i *Issuer) oneList(r registry.Record, entries []credentials.StatusEntry) []credentials.StatusEntry {
	list, index := i.TokenListURL(r.List), strconv.FormatUint(uint64(r.Index), 10)
	for _, e := range entries {
		if !strings.HasPrefix(e.List, list+"/") || e.Index != index {
			return entries
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return []credentials.StatusEntry{{Type: credentials.TokenStatusEntry, List: list, Index: index}}
}
