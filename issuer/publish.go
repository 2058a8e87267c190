package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// How long a change of a status may stay unknown to others: as long as a copy
// may be kept on the way, and then by who checks (ttl). Both together are
// ListBound. What is handed out is never behind the registry.
const (
	ListBound  = ListFresh + ListMaxAge
	ListFresh  = 4 * time.Minute
	ListMaxAge = time.Minute
)

// ListLife is how long a list may be relied on at all. It is signed anew long
// before that.
const (
	ListLife    = 24 * time.Hour
	listRenewal = time.Hour
)

// Published is a signed status list as it is served, in a compact JWS. It holds
// nothing about who asks or what for. The ETag is another whenever the Token is.
type Published struct {
	Token     []byte // not to be changed
	MediaType string
	ETag      string
	MaxAge    time.Duration
	version   uint64
	signed    time.Time
	key       string // that signed it
}

// TokenListURL is the public address of a list as a Token Status List: the uri of
// a credential's status_list.
func (i *Issuer) TokenListURL(list string) string { return i.PublicURL + "/status/" + list }

// ListURL is the public address of a list as a Bitstring Status List of a purpose.
func (i *Issuer) ListURL(list string, p status.Purpose) string {
	return i.TokenListURL(list) + "/" + string(p)
}

// AggregationURL is the public address of the list of all lists.
func (i *Issuer) AggregationURL() string { return i.TokenListURL("aggregation") }

// StatusList returns a list as it stands now as a Bitstring Status List, signed
// with the status key of the house that sealed what is in it.
// It is signed anew when an entry or the key changed, and each hour. An unknown
// list or purpose gives registry.ErrNotFound.
func (i *Issuer) StatusList(ctx context.Context, list string, p status.Purpose) (Published, error) {
	if f, ok := formOf(p); ok {
		return i.published(ctx, list, f)
	}
	return Published{}, fmt.Errorf("publishing a status list for the purpose %q: %w", p, registry.ErrNotFound)
}

// TokenList is StatusList for the same list as a Token Status List.
func (i *Issuer) TokenList(ctx context.Context, list string) (Published, error) {
	return i.published(ctx, list, tokenForm)
}

// maxAggregated bounds the list of lists: seven thousand million credentials.
const maxAggregated = 50_000

// Aggregation returns the addresses of all Token Status Lists, for who wants to
// have them before they are asked about (draft-ietf-oauth-status-list, section
// 9). It may be ListMaxAge old.
func (i *Issuer) Aggregation(ctx context.Context) (Published, error) {
	now := i.now()
	if ready := i.aggregation.Load(); ready != nil && !now.Before(ready.signed) && now.Sub(ready.signed) < ListMaxAge {
		return *ready, nil
	}
	all := struct {
		Lists []string `json:"status_lists"`
	}{[]string{}}
	const page = 500
	for after, more := "", true; more; {
		lists, err := i.Registry.Lists(ctx, after, page)
		if err != nil {
			return Published{}, fmt.Errorf("publishing the list of status lists: %w", err)
		}
		for _, l := range lists {
			all.Lists, after = append(all.Lists, i.TokenListURL(l.ID)), l.ID
		}
		if more = len(lists) == page; len(all.Lists) > maxAggregated {
			return Published{}, fmt.Errorf("publishing the list of status lists: there are more than %d: %w", maxAggregated, registry.ErrFull)
		}
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return Published{}, fmt.Errorf("publishing the list of status lists: %w", err)
	}
	ready := &Published{Token: raw, MediaType: "application/json", ETag: tagOf(raw), MaxAge: ListMaxAge, signed: now}
	i.aggregation.Store(ready)
	return *ready, nil
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

// listToken are the claims of a Token Status List (draft-ietf-oauth-status-list,
// section 5.1).
type listToken struct {
	Subject  string       `json:"sub"`
	IssuedAt int64        `json:"iat"`
	Expires  int64        `json:"exp"`
	TTL      int64        `json:"ttl"` // seconds
	List     listOfTokens `json:"status_list"`
}

type listOfTokens struct {
	Bits        int    `json:"bits"`
	List        string `json:"lst"`
	Aggregation string `json:"aggregation_uri"`
}

// signList signs the register of a board in a form, to count until a moment.
func (i *Issuer) signList(b *board, f form, key *keys.Key, now, until time.Time) (*Published, error) {
	packer, ok := i.packers.Get().(*status.Packer)
	if !ok {
		packer = status.NewPacker()
	}
	defer i.packers.Put(packer)
	out := &Published{MediaType: credentials.StatusListMediaType, MaxAge: ListMaxAge, version: b.version, signed: now, key: key.ID}
	var err error
	if f != tokenForm {
		out.Token, err = i.sealBits(b, f.purpose(), packer, key, now, until)
	} else {
		out.MediaType = credentials.TokenListMediaType
		out.Token, err = credentials.SealStatusList(credentials.TokenListType, listToken{
			Subject: i.TokenListURL(b.list), IssuedAt: now.Unix(), Expires: until.Unix(), TTL: int64(ListFresh / time.Second),
			List: listOfTokens{Bits: status.TokenBits, Aggregation: i.AggregationURL()},
		}, "lst", b.register.TokenList(packer), key)
	}
	if err != nil {
		return nil, err
	}
	out.ETag = tagOf(out.Token)
	return out, nil
}

func (i *Issuer) sealBits(b *board, p status.Purpose, packer *status.Packer, key *keys.Key, now, until time.Time) ([]byte, error) {
	signer, err := credentials.SignerOf(key.Certificate())
	if err != nil {
		return nil, err
	}
	bits, err := b.register.BitList(packer, p)
	if err != nil {
		return nil, err
	}
	url := i.ListURL(b.list, p)
	return credentials.SealStatusList(credentials.StatusListType, listCredential{
		Context:   []string{"https://www.w3.org/ns/credentials/v2"},
		ID:        url,
		Type:      []string{"VerifiableCredential", "BitstringStatusListCredential"},
		Issuer:    listIssuer{ID: i.PublicURL, Name: signer.Organisation},
		ValidFrom: now.UTC().Format(time.RFC3339), ValidUntil: until.UTC().Format(time.RFC3339),
		Subject: listSubject{ID: url + "#list", Type: "BitstringStatusList", Purpose: string(p), TTL: ListFresh.Milliseconds()},
	}, "encodedList", bits, key)
}

func tagOf(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// CheckAddress is the address of the page behind a record's QR.
func (i *Issuer) CheckAddress(r registry.Record) string { return i.PublicURL + "/v/" + r.Handle }

// ClaimAddress is the address that opens a credential for its holder. Whoever
// has it can see and download the credential.
func (i *Issuer) ClaimAddress(r registry.Record) string {
	return i.PublicURL + "/c/" + i.Registry.ClaimToken(r.Credential)
}
