package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// How long a published list may be kept by others, and how long it may be
// relied on at all.
const (
	ListFresh = 5 * time.Minute
	ListLife  = 24 * time.Hour
)

// Published is a signed status list as it is served: a Bitstring Status List
// credential in a compact JWS. It holds nothing about who asks or what for.
type Published struct {
	Token     []byte
	MediaType string
	ETag      string
	MaxAge    time.Duration
	version   uint64
	signed    time.Time
	key       string // that signed it
}

// ListURL is the public address of a status list for a purpose.
func (i *Issuer) ListURL(list string, p status.Purpose) string {
	return i.PublicURL + "/status/" + list + "/" + string(p)
}

// StatusList returns a list as it stands now, signed with the status key of the
// house that sealed what is in it. It is signed anew when
// an entry or the key changed or half of ListFresh has passed. An unknown list or
// purpose gives registry.ErrNotFound.
func (i *Issuer) StatusList(ctx context.Context, list string, p status.Purpose) (Published, error) {
	if p != status.Revocation && p != status.Suspension {
		return Published{}, fmt.Errorf("publishing a status list for the purpose %q: %w", p, registry.ErrNotFound)
	}
	entries, err := i.Registry.List(ctx, list)
	if err != nil {
		return Published{}, err
	}
	now := i.now()
	key, err := i.Keys.CurrentOf(keys.Status, entries.House.Sealer, entries.House.LegalID, now)
	if err != nil {
		return Published{}, fmt.Errorf("publishing status list %s: %w", list, err)
	}
	cached := list + "/" + string(p)
	i.mu.Lock()
	ready, ok := i.lists[cached]
	i.mu.Unlock()
	if age := now.Sub(ready.signed); ok && ready.version == entries.Version && ready.key == key.ID && age >= 0 && age < ListFresh/2 {
		return ready, nil
	}
	ready, err = i.signList(entries, p, key, now)
	if err != nil {
		return Published{}, fmt.Errorf("publishing status list %s: %w", list, err)
	}
	i.mu.Lock()
	i.lists[cached] = ready
	i.mu.Unlock()
	return ready, nil
}

// listCredential is a Bitstring Status List credential (Bitstring Status List
// 1.0 clause 2.2, VC data model 2.0).
type listCredential struct {
	Context    []string    `json:"@context"`
	ID         string      `json:"id"`
	Type       []string    `json:"type"`
	Issuer     listIssuer  `json:"issuer"`
	ValidFrom  string      `json:"validFrom"`
	ValidUntil string      `json:"validUntil"`
	Subject    listSubject `json:"credentialSubject"`
}

type listIssuer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type listSubject struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Purpose string `json:"statusPurpose"`
	List    string `json:"encodedList"`
	TTL     int64  `json:"ttl"` // milliseconds
}

func (i *Issuer) signList(l registry.StatusList, p status.Purpose, key *keys.Key, now time.Time) (Published, error) {
	signer, err := credentials.SignerOf(key.Certificate())
	if err != nil {
		return Published{}, err
	}
	bits := status.NewBitstring(l.Size)
	for _, e := range l.Entries {
		if e.Value == status.Revoked && p == status.Revocation || e.Value == status.Suspended && p == status.Suspension {
			if err := bits.Set(e.Index); err != nil {
				return Published{}, err
			}
		}
	}
	url := i.ListURL(l.ID, p)
	token, err := credentials.SealCompact(credentials.StatusListType, listCredential{
		Context:   []string{"https://www.w3.org/ns/credentials/v2"},
		ID:        url,
		Type:      []string{"VerifiableCredential", "BitstringStatusListCredential"},
		Issuer:    listIssuer{ID: i.PublicURL, Name: signer.Organisation},
		ValidFrom: now.UTC().Format(time.RFC3339), ValidUntil: now.Add(ListLife).UTC().Format(time.RFC3339),
		Subject: listSubject{
			ID: url + "#list", Type: "BitstringStatusList", Purpose: string(p),
			List: bits.Encode(), TTL: ListFresh.Milliseconds(),
		},
	}, key)
	if err != nil {
		return Published{}, err
	}
	sum := sha256.Sum256(token)
	return Published{
		Token: token, MediaType: credentials.StatusListMediaType, ETag: `"` + hex.EncodeToString(sum[:12]) + `"`,
		MaxAge: ListFresh / 2, version: l.Version, signed: now, key: key.ID,
	}, nil
}

// CheckAddress is the address of the page behind a record's QR.
func (i *Issuer) CheckAddress(r registry.Record) string { return i.PublicURL + "/v/" + r.Handle }

// ClaimAddress is the address that opens a credential for its holder. Whoever
// has it can see and download the credential.
func (i *Issuer) ClaimAddress(r registry.Record) string {
	return i.PublicURL + "/c/" + i.Registry.ClaimToken(r.Credential)
}
