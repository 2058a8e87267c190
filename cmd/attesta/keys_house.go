package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
)

// houseUse is what a house has to do in this installation.
type houseUse struct {
	registry.House
	providers []string // whose lists it signs
	lists     int
	seals     bool // what is new of some provider
}

// older tells whether a house only signs the lists of what it sealed before.
func (h houseUse) older() bool { return h.lists > 0 && !h.seals }

// houses are those that sign status lists or seal what is new.
func (l local) houses(ctx context.Context) ([]houseUse, error) {
	var all []houseUse
	at := func(h registry.House) *houseUse {
		n := slices.IndexFunc(all, func(u houseUse) bool { return u.House == h })
		if n < 0 {
			n, all = len(all), append(all, houseUse{House: h})
		}
		return &all[n]
	}
	listed, err := l.registry.Houses(ctx)
	if err != nil {
		return nil, err
	}
	for _, of := range listed {
		u := at(of.House)
		u.lists += of.Lists
		u.providers = append(u.providers, of.Provider)
	}
	providers, err := l.providers(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range providers {
		if k, err := l.issuer.SealingKey(p); err == nil {
			at(registry.House{Sealer: k.Owner, LegalID: k.LegalID()}).seals = true
		} else if o, err := issuer.OwnerOf(p); err == nil { // it would, with a key
			at(registry.House{Sealer: o.ID, LegalID: o.LegalID}).seals = true
		}
	}
	return all, nil
}

// inTime is how long before the end of a key that nobody but an authority can
// follow the doctor says so.
const inTime = 180

// checkHouses says whose status lists nobody signs, or soon nobody will, of
// those who seal nothing new: of one owner, or of all when it is empty.
func (l local) checkHouses(ctx context.Context, owner string) []diagnosis {
	houses, err := l.houses(ctx)
	if err != nil {
		return []diagnosis{{true, "Who signs the status lists cannot be read: " + err.Error() + ".", l.goBack()}}
	}
	var found []diagnosis
	for _, h := range houses {
		if !h.older() || owner != "" && owner != h.Sealer {
			continue
		}
		what := fmt.Sprintf("%s of %s with seals of %s, which seals nothing new", count(h.lists, "status list"), strings.Join(h.providers, ", "), h.LegalID)
		remedy := "attesta keys rotate --legal-id " + h.LegalID
		if l.ofAuthority(h.Sealer, h.LegalID) {
			remedy = "attesta keys import FILE.p12 --legal-id " + h.LegalID + ". If its authority gives it no certificate any more, issue those credentials again."
		}
		k, err := l.ring.CurrentOf(keys.Status, h.Sealer, h.LegalID, l.now())
		if err != nil {
			found = append(found, diagnosis{true, "No key signs " + what + ": nobody can tell whether those credentials still count.", "Run: " + remedy})
		} else if end := endOf(k); end.Before(l.now().AddDate(0, 0, inTime)) {
			found = append(found, diagnosis{false, fmt.Sprintf("On %s key %s ends. It signs %s.", end.Format(time.DateOnly), k.ID, what), "Before that day: " + remedy})
		}
	}
	return append(found, l.idleKeys(houses, owner)...)
}

// ofAuthority tells whether an authority vouches for seals of a house: those who
// check do not believe a demonstration key about them.
func (l local) ofAuthority(owner, legalID string) bool {
	return slices.ContainsFunc(l.ring.All(), func(k *keys.Key) bool {
		return k.Purpose == keys.Seal && k.Owner == owner && k.LegalID() == legalID && !k.SelfMade
	})
}

// endOf is when a key signs no more.
func endOf(k *keys.Key) time.Time {
	if end := k.Certificate().NotAfter; k.Retired.IsZero() || end.Before(k.Retired) {
		return end
	}
	return k.Retired
}

// idleKeys says which keys for status lists sign none: nothing is sealed with
// the identifier that they name.
func (l local) idleKeys(houses []houseUse, owner string) []diagnosis {
	var found []diagnosis
	for _, k := range l.ring.All() {
		if k.Purpose != keys.Status || k.MaySign(l.now()) != nil || !k.Retired.IsZero() || owner != "" && owner != k.Owner {
			continue
		}
		if slices.ContainsFunc(houses, func(h houseUse) bool { return h.Sealer == k.Owner && h.LegalID == k.LegalID() }) {
			continue
		}
		if _, err := l.ring.CurrentOf(keys.Seal, k.Owner, k.LegalID(), l.now()); err == nil {
			continue
		}
		found = append(found, diagnosis{
			false, fmt.Sprintf("Key %s for status lists of %s names %s and signs no list: nothing is sealed under that identifier.", k.ID, k.Owner, k.LegalID()),
			"Import a key for seals with that identifier, or run: attesta keys retire " + k.ID,
		})
	}
	return found
}

// ofHouse is the organisation of a house that seals or sealed here, as its
// newest certificate names it.
func (l local) ofHouse(ctx context.Context, provider, legalID string) (keys.Owner, error) {
	houses, err := l.houses(ctx)
	if err != nil {
		return keys.Owner{}, err
	}
	var owners, known []string
	for _, h := range houses {
		known = append(known, h.LegalID)
		if h.LegalID == legalID && (provider == "" || provider == h.Sealer || slices.Contains(h.providers, provider)) {
			owners = append(owners, h.Sealer)
		}
	}
	slices.Sort(known)
	switch {
	case len(owners) == 0:
		return keys.Owner{}, fmt.Errorf("looking for the organisation %q among those that seal or sealed here: %w; there are: %s", legalID, registry.ErrNotFound, strings.Join(slices.Compact(known), ", "))
	case len(owners) > 1:
		return keys.Owner{}, fmt.Errorf("looking for the organisation %q: %w: it has the keys of %s; say which with --provider", legalID, registry.ErrConflict, strings.Join(owners, " and of "))
	}
	for _, k := range slices.Backward(l.ring.All()) {
		if k.Owner != owners[0] || k.LegalID() != legalID {
			continue
		}
		named, err := credentials.SignerOf(k.Certificate())
		return keys.Owner{ID: owners[0], Name: named.Organisation, LegalID: legalID, Country: named.Country}, err
	}
	return keys.Owner{}, fmt.Errorf("looking for the organisation %q: no key in keys/ names it; put the newest backup of keys/ back: %w", legalID, registry.ErrNotFound)
}

// keyOwner is for whom a key is asked for, and what the certificate of one from
// outside must name.
func (l local) keyOwner(ctx context.Context, q keyRequest) (owner, named keys.Owner, err error) {
	if q.House != "" {
		owner, err = l.ofHouse(ctx, q.Provider, q.House)
		if err == nil && q.Do == "rotate" && l.ofAuthority(owner.ID, owner.LegalID) {
			err = fmt.Errorf("making a key for %s: its seals are of an authority, and about those nobody believes a demonstration key: %w; import a key of the authority", q.House, keys.ErrNotSelfMade)
		}
		return owner, owner, err
	}
	owner, err = l.owner(ctx, q.Provider)
	if named = owner; strings.HasPrefix(owner.LegalID, issuer.MadeUp) {
		named.LegalID = "" // nothing to hold a certificate to
	}
	return owner, named, err
}
