package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// House is the organisation that seals a record and signs its status list. Who
// checks tells houses apart by the legal identifier in the certificates of both.
// A registry compares houses and asks nothing else of them; the zero House is
// one like another.
type House struct {
	Sealer  string // the id by which its keys are found
	LegalID string // as its certificates name it
}

// ListHouse says of a provider that a house signs status lists of it, and how
// many.
type ListHouse struct {
	Provider string
	House    House
	Lists    int
}

// Compare orders by provider, sealer and legal identifier, as bytes.
func (h ListHouse) Compare(other ListHouse) int {
	return cmp.Or(cmp.Compare(h.Provider, other.Provider), cmp.Compare(h.House.Sealer, other.House.Sealer), cmp.Compare(h.House.LegalID, other.House.LegalID))
}

// Houses returns which houses sign status lists of which providers, in the order
// of ListHouse.Compare. They are few: a provider has one, and another with each
// change of who seals for it.
func (r *Registry) Houses(ctx context.Context) ([]ListHouse, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	all, err := r.backend.Houses(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for the houses of the status lists: %w", err)
	}
	slices.SortFunc(all, ListHouse.Compare)
	return all, nil
}
