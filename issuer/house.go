package issuer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// houseOf is the house that a key seals for: its status lists are signed with
// the status key of the same owner and the same legal identifier, also when the
// provider has got another name, another identifier or another sealer since.
func houseOf(key *keys.Key) registry.House {
	return registry.House{Sealer: key.Owner, LegalID: key.LegalID()}
}

// legalID is the identifier that the sealing certificate of a provider must
// have by its entry; "" when the entry says nothing.
func legalID(p credentials.Provider) string {
	if p.Mandate != nil {
		return p.Mandate.SealedBy.LegalID
	}
	return p.LegalID
}

// sealing is the key that seals what is new of a provider: the newest with the
// legal identifier of its entry. Without one it is the newest there is, of which
// CheckSealer says what is wrong.
func (c *currentKeys) sealing(p credentials.Provider) (*keys.Key, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	house := registry.House{Sealer: p.Sealer(), LegalID: legalID(p)}
	if k, ok := c.found[intended{"", house}]; ok {
		return k, nil
	}
	k, err := c.CurrentOf(keys.Seal, house.Sealer, house.LegalID, c.at)
	if err != nil {
		k, err = c.Current(keys.Seal, house.Sealer, c.at)
	}
	if err == nil {
		c.found[intended{"", house}] = k
	}
	return k, err
}

// SealingKey is the key that seals what is new of a provider at a moment.
func (i *Issuer) SealingKey(p credentials.Provider) (*keys.Key, error) {
	return i.keysAt(i.now()).sealing(p)
}

// sealer is the organisation that seals for a provider, and the id of the entry
// that says so.
type sealer struct {
	keys.Owner
	entry string
}

// sealerOf is who seals for a provider: by its own entry, where that one is a
// provider here, else by the entry of the provider whose mandate it has.
func (i *Issuer) sealerOf(ctx context.Context, p credentials.Provider, together []credentials.Provider) (sealer, error) {
	if p.Mandate != nil {
		own, err := i.entry(ctx, p.Sealer(), together)
		if err != nil {
			return sealer{}, err
		}
		if own != nil {
			p = *own
			p.Mandate = nil // who seals for others does so itself
		}
	}
	o, err := OwnerOf(p)
	return sealer{o, p.ID}, err
}

// SealerOf is the organisation that keys of a provider are made for: its own
// entry names it, where it is a provider here, else that of the provider.
func (i *Issuer) SealerOf(ctx context.Context, p credentials.Provider) (keys.Owner, error) {
	s, err := i.sealerOf(ctx, p, nil)
	if err != nil {
		return keys.Owner{}, fmt.Errorf("looking who seals for %s: %w", p.ID, err)
	}
	return s.Owner, nil
}

// CheckSealer says why the key that would seal what is new of a provider is not
// that of who seals for it by the entries, or nil; also nil when there is no key.
func (i *Issuer) CheckSealer(ctx context.Context, p credentials.Provider) error {
	key, err := i.SealingKey(p)
	if err != nil {
		return nil //nolint:nilerr // another matter: there is nothing to compare
	}
	s, err := i.sealerOf(ctx, p, nil)
	if err != nil {
		return fmt.Errorf("looking who seals for %s: %w", p.ID, err)
	}
	return s.may(key, p)
}

// checkSealers says of each provider whose awards are to be sealed why that key is
// not one for it, or nil.
func (i *Issuer) checkSealers(ctx context.Context, b *batch, current *currentKeys, candidates []int) (map[string]error, error) {
	wrong := map[string]error{}
	for _, n := range candidates {
		p := b.all[n].award.Provider
		if _, seen := wrong[p.ID]; seen {
			continue
		}
		key, err := current.sealing(p)
		if err != nil {
			return nil, err
		}
		s, err := i.sealerOf(ctx, p, nil)
		if err != nil {
			return nil, fmt.Errorf("looking who seals for %s: %w", p.ID, err)
		}
		wrong[p.ID] = s.may(key, p)
	}
	return wrong, nil
}

// may refuses a key whose certificate is not that of the organisation which seals
// for a provider: by its legal identifier, where an entry has one, and of a key
// that was made here also by its name. How an authority writes a name is its own
// affair.
func (s sealer) may(key *keys.Key, p credentials.Provider) error {
	signer, err := credentials.SignerOf(key.Certificate())
	if err != nil {
		return err
	}
	said := func(entry, name, legal, remedy string) error {
		return fmt.Errorf("the certificate of key %s is that of %s (%s), and by the entry of %s who seals is %s (%s); %s",
			key.ID, signer.Organisation, signer.LegalID, entry, name, legal, remedy)
	}
	switch legal := legalID(p); {
	case key.SelfMade && !s.Names(key.Certificate()):
		return said(s.entry, s.Name, s.LegalID, "import its key, or make one with: attesta keys rotate --provider "+s.entry)
	case !key.SelfMade && s.LegalID != signer.LegalID && !strings.HasPrefix(s.LegalID, MadeUp):
		return said(s.entry, s.Name, s.LegalID, "import its key: attesta keys import FILE.p12 --provider "+s.entry+", and one for status lists with --for status")
	case legal != "" && legal != signer.LegalID:
		return said(p.ID, s.Name, legal, "write the identifier of the key into its mandate, if that goes on, and import it again")
	}
	return nil
}

// follows says in sentences what an import that changed who seals for a
// provider, its name or its identifier leaves to be done.
func (i *Issuer) follows(ctx context.Context, p credentials.Provider, before *credentials.Provider) []string {
	if before == nil {
		return nil
	}
	var all []string
	key, err := i.SealingKey(p)
	if err != nil {
		return nil // doctor and issuing say so
	}
	if err := i.CheckSealer(ctx, p); err != nil {
		all = append(all, fmt.Sprintf("Nothing is issued for %s until its key says the same: %v.", p.ID, err))
	}
	was, err := OwnerOf(*before)
	if err != nil {
		return all
	}
	is, err := OwnerOf(p)
	if err != nil {
		return all
	}
	if was == is {
		return all
	}
	if len(p.SealsFor) > 0 {
		all = append(all, fmt.Sprintf("It seals by mandate for %s: write its name and identifier into their mandates too, and import them again.", strings.Join(p.SealsFor, ", ")))
	}
	if was.ID == is.ID && was.LegalID == is.LegalID {
		if was.Name != is.Name && !key.SelfMade {
			all = append(all, fmt.Sprintf("Seals of %s go on naming it as its certificate does, %q, until a certificate with another name is imported.", p.ID, key.Certificate().Subject.Organization[0]))
		}
		return append(all, fmt.Sprintf("What %s has issued stays valid as it is, under the name that it was sealed with.", p.ID))
	}
	return append(all, fmt.Sprintf("What %s has issued stays valid: its status lists are still signed for %s (%s). Keep the key for them; attesta doctor says in time when it ends.", p.ID, was.Name, was.LegalID))
}

// mayName refuses to give the names of one organisation to the keys of another:
// a mandate names the one that seals as its own entry does, or as its keys do.
// One that has no entry here may be renamed by the provider whose mandate it has.
func (i *Issuer) mayName(ctx context.Context, p credentials.Provider, owner keys.Owner, before *credentials.Provider, together []credentials.Provider) error {
	key, err := i.Keys.Current(keys.Seal, owner.ID, i.Now())
	if err != nil {
		return nil //nolint:nilerr // it has no key yet, or none in use: nothing to compare
	}
	if owner.ID == p.ID && before != nil {
		return nil // a provider that is there may get other names: its next key has them
	}
	if owner.ID != p.ID {
		named, err := i.entry(ctx, owner.ID, together)
		if err != nil {
			return err
		}
		if named != nil {
			if own, err := i.sealerOf(ctx, p, together); err == nil && own.Owner == owner {
				return nil
			}
		} else if before != nil && before.Sealer() == owner.ID {
			return nil
		}
	}
	signer, err := credentials.SignerOf(key.Certificate())
	if err != nil {
		return err
	}
	named := !key.SelfMade || strings.HasPrefix(owner.Name, strings.TrimSuffix(signer.Organisation, "…"))
	if signer.LegalID != owner.LegalID || !named {
		return fmt.Errorf("%w: the keys of %s are those of %s (%s), and this entry says %s (%s)", registry.ErrConflict, owner.ID, signer.Organisation, signer.LegalID, owner.Name, owner.LegalID)
	}
	return nil
}

// entry is the entry of a provider among those that come together, or as it is
// stored; nil when there is none.
func (i *Issuer) entry(ctx context.Context, id string, together []credentials.Provider) (*credentials.Provider, error) {
	for _, p := range together {
		if p.ID == id {
			return &p, nil
		}
	}
	p, err := i.provider(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	return &p, err
}
