package main

import (
	"context"
	"fmt"
	"strings"

	"attesta/issuer"
	"attesta/status"
	"attesta/verifier"
)

// ownLists is a fetcher that answers for this installation's own status lists
// itself, with the same signed bytes that everybody else gets over the
// network and of which nothing is kept, and leaves every other address to the
// keeper.
type ownLists struct {
	issuer *issuer.Issuer
	*verifier.Kept
}

func (o *ownLists) Fetch(ctx context.Context, address string, origins []string) ([]byte, error) {
	if strings.HasPrefix(address, o.issuer.PublicURL+"/.well-known/") {
		return nil, fmt.Errorf("%w: what this installation knows of its keys is at hand", verifier.ErrUnreachable)
	}
	path, own := strings.CutPrefix(address, o.issuer.PublicURL+"/status/")
	if !own {
		return o.Kept.Fetch(ctx, address, origins)
	}
	var published issuer.Published
	var err error
	if list, purpose, bits := strings.Cut(path, "/"); bits {
		published, err = o.issuer.StatusList(ctx, list, status.Purpose(purpose))
	} else {
		published, err = o.issuer.TokenList(ctx, list)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", verifier.ErrUnreachable, err)
	}
	return published.Token, nil
}
