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
// network, and leaves every other address to the guarded one.
type ownLists struct {
	issuer *issuer.Issuer
	others verifier.Fetcher
}

func (o *ownLists) Fetch(ctx context.Context, address string, origins []string) ([]byte, error) {
	path, own := strings.CutPrefix(address, o.issuer.PublicURL+"/status/")
	if !own {
		return o.others.Fetch(ctx, address, origins)
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
