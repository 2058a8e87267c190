package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"attesta/keys"
	"attesta/registry"
	"attesta/web"
)

// How long others may keep what is published about keys.
const (
	documentFresh = 5 * time.Minute
	crlFresh      = time.Hour
)

// keyDocuments hands what the ring says about its keys to the pages.
type keyDocuments struct{ *app }

func (d keyDocuments) KeyDocument(name string) (web.Published, error) {
	p := web.Published{MaxAge: documentFresh}
	var err error
	switch name {
	case "jwks.json":
		p.MediaType = "application/jwk-set+json"
		p.Token, err = d.ring.JWKS()
	case "did.json":
		p.MediaType = "application/did+json"
		p.Token, err = d.ring.DID(d.settings.PublicURL, d.now())
	case "jwt-vc-issuer":
		p.MediaType = "application/json"
		p.Token, err = d.ring.IssuerMetadata(d.settings.PublicURL)
	case "root.crl":
		p.MediaType, p.MaxAge = "application/pkix-crl", crlFresh
		p.Token, err = d.ring.CRL(d.now())
	default:
		return p, registry.ErrNotFound
	}
	if errors.Is(err, keys.ErrNoKey) { // nothing was ever issued here
		return p, fmt.Errorf("%w: %w", registry.ErrNotFound, err)
	}
	sum := sha256.Sum256(p.Token)
	p.ETag = hex.EncodeToString(sum[:12])
	return p, err
}
