package main

import (
	"context"
	"fmt"
	"net/url"

	"attesta/keys"
	"attesta/receipt"
)

// receiptOwner is under which name the ring keeps the key for receipts, which is
// no provider's.
const receiptOwner = "installation"

// receiptsOwner is the installation as its certificate for receipts names it: by
// the host of its public address.
func (a *app) receiptsOwner() keys.Owner {
	name := a.settings.PublicURL
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		name = u.Host
	}
	return keys.Owner{ID: receiptOwner, Name: name}
}

// receipts gives the key that signs receipts of checks. It is made when the first
// receipt is asked for, and never again: after it was retired or revoked there are
// no receipts until the operator makes another.
func (a *app) receipts(ctx context.Context) (receipt.Signer, error) {
	key, err := a.ring.Current(keys.Receipt, receiptOwner, a.now())
	if err != nil {
		err = a.inTurn(ctx, keyWork, func(context.Context) error {
			if _, err := a.ring.Reload(); err != nil { // another server of this folder may have made it
				return err
			}
			made, err := a.ring.EnsureReceipts(a.receiptsOwner(), a.now())
			if err != nil || len(made) == 0 || made[0].Purpose != keys.Root {
				return err
			}
			return a.publishAnchor()
		})
		if err == nil {
			key, err = a.ring.Current(keys.Receipt, receiptOwner, a.now())
		}
	}
	if err != nil {
		return receipt.Signer{}, fmt.Errorf("looking for the key of receipts: %w", err)
	}
	signer, err := key.ReceiptSigner()
	return receipt.Signer{Key: signer, Chain: key.Chain()}, err
}
