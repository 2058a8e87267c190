package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// keyRequest asks to change keys. Do is a word of keyVerbs.
type keyRequest struct {
	Do       string        `json:"do"`
	Key      string        `json:"key,omitempty"`
	Provider string        `json:"provider,omitempty"`
	House    string        `json:"house,omitempty"` // legal identifier
	Purpose  keys.Purpose  `json:"purpose,omitempty"`
	Overlap  time.Duration `json:"overlap,omitempty"`
	Since    time.Time     `json:"since,omitzero"`
	File     namedFile     `json:"file,omitzero"`
	Device   keys.Device   `json:"device,omitzero"`
	Secret   string        `json:"secret,omitempty"` // password of the file or PIN of the device
}

// keyChange is what became of keys, and in sentences what follows.
type keyChange struct {
	Keys    []keyAnswer `json:"keys"`
	Sealed  *sealedWith `json:"sealed,omitempty"`
	Follows []string    `json:"follows,omitempty"`
}

// sealedWith counts the credentials that a revoked key sealed.
type sealedWith struct {
	Before int `json:"before"`
	Since  int `json:"since"`
}

type keyAnswer struct {
	ID      string       `json:"id"`
	Purpose keys.Purpose `json:"purpose"`
	Owner   string       `json:"owner,omitempty"`
	Name    string       `json:"name"`
	LegalID string       `json:"legal_id,omitempty"`
	Level   keys.Level   `json:"level"`
	From    time.Time    `json:"from"`
	Until   time.Time    `json:"until"`
	Retired time.Time    `json:"retired,omitzero"`
	Revoked time.Time    `json:"revoked,omitzero"`
	Device  bool         `json:"device,omitempty"`
	State   string       `json:"state"`
}

// Keys answers for every key of the ring.
func (l local) Keys(ctx context.Context) ([]keyAnswer, error) {
	houses, err := l.houses(ctx)
	if err != nil {
		return nil, err
	}
	var all []keyAnswer
	for _, k := range l.ring.All() {
		answer := l.keyAnswer(k)
		if k.Purpose == keys.Status && answer.State == inUse && slices.ContainsFunc(houses, func(h houseUse) bool {
			return h.older() && h.Sealer == k.Owner && h.LegalID == k.LegalID()
		}) {
			answer.State = "signs older lists"
		}
		all = append(all, answer)
	}
	return all, nil
}

const inUse = "in use"

func (l local) keyAnswer(k *keys.Key) keyAnswer {
	c := k.Certificate()
	answer := keyAnswer{
		ID: k.ID, Purpose: k.Purpose, Owner: k.Owner, Name: nameOf(c), LegalID: k.LegalID(), Level: keys.Advanced,
		From: k.From, Until: c.NotAfter, Retired: k.Retired, Revoked: k.Revoked, Device: k.OnDevice(), State: inUse,
	}
	if k.SelfMade {
		answer.Level = keys.Demonstration
	}
	err := k.MaySign(l.now())
	switch {
	case !k.Revoked.IsZero():
		answer.State = "revoked since " + l.moment(k.Revoked)
	case !k.Retired.IsZero() && l.now().Before(k.Retired):
		answer.State = "retires on " + l.moment(k.Retired)
	case !k.Retired.IsZero():
		answer.State = "retired on " + l.moment(k.Retired)
	case err != nil:
		answer.State = strings.TrimPrefix(err.Error(), keys.ErrNoKey.Error()+": ")
	}
	return answer
}

// nameOf is the name of a certificate, or of its organisation when it has none.
func nameOf(c *x509.Certificate) string {
	return cmp.Or(c.Subject.CommonName, strings.Join(c.Subject.Organization, ", "))
}

// moment writes a time for the person at the console.
func (l local) moment(t time.Time) string { return t.In(l.zone).Format("2006-01-02 15:04") }

// ChangeKeys does what attesta keys is told. The anchor of the installation is
// written again, so that those who check with it know.
func (l local) ChangeKeys(ctx context.Context, q keyRequest) (keyChange, error) {
	if q.Do == "forget" {
		return l.forgetKey(ctx, q.Key)
	}
	var changed []*keys.Key
	err := l.changeFolderKeys(ctx, q.Do == "retire" || q.Do == "revoke", func(ctx context.Context) (err error) {
		changed, err = l.changeKeys(ctx, q)
		return err
	})
	if len(changed) == 0 && err != nil {
		return keyChange{}, err
	}
	var answer keyChange
	for _, k := range changed {
		answer.Keys = append(answer.Keys, l.keyAnswer(k))
	}
	if err := errors.Join(err, l.publishAnchor()); err != nil {
		return answer, err
	}
	owner := changed[0].Owner
	if q.Do == "revoke" {
		l.afterRevoking(ctx, changed[0], &answer)
	}
	for _, d := range append(l.checkOwner(owner), l.checkHouses(ctx, owner)...) {
		answer.Follows = append(answer.Follows, d.What+" "+d.Remedy)
	}
	return answer, nil
}

func (l local) changeKeys(ctx context.Context, q keyRequest) ([]*keys.Key, error) {
	now := l.now()
	one := func(k *keys.Key, err error) ([]*keys.Key, error) {
		if k == nil {
			return nil, err
		}
		return []*keys.Key{k}, err
	}
	switch q.Do {
	case "retire":
		return one(l.ring.Retire(q.Key, now))
	case "revoke":
		return one(l.ring.Revoke(q.Key, q.Since, now))
	}
	owner, named, err := l.keyOwner(ctx, q)
	if err != nil {
		return nil, err
	}
	purpose := q.Purpose
	if purpose == "" {
		purpose = keys.Seal
	}
	switch q.Do {
	case "import":
		return one(l.ring.Import(q.File.Data, q.Secret, purpose, named, now))
	case "attach":
		q.Device.PIN = q.Secret
		return one(l.ring.Attach(q.Device, q.File.Data, purpose, named, now))
	case "rotate":
		return l.rotate(owner, q, now)
	}
	return nil, fmt.Errorf("changing keys: %q is not known here: %w", q.Do, registry.ErrInvalid)
}

// rotate makes new keys for one purpose or, where none is named, for both. A
// key that cannot be rotated is found before any is made.
func (l local) rotate(owner keys.Owner, q keyRequest, now time.Time) ([]*keys.Key, error) {
	purposes := []keys.Purpose{keys.Seal, keys.Status}
	if q.Purpose != "" {
		purposes = []keys.Purpose{q.Purpose}
	}
	for _, p := range purposes {
		if k, err := l.ring.Following(p, owner, now); err == nil && !k.SelfMade {
			return nil, fmt.Errorf("rotating the %s key %s of %s: %w; import or attach the key that follows it (--for names the one to rotate)", p, k.ID, owner.ID, keys.ErrNotSelfMade)
		}
	}
	var made []*keys.Key
	for _, p := range purposes {
		k, err := l.ring.Rotate(p, owner, now, q.Overlap)
		if k != nil {
			made = append(made, k)
		}
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

// owner is the organisation that certificates for a provider name.
func (l local) owner(ctx context.Context, id string) (keys.Owner, error) {
	all, err := l.providers(ctx)
	if err != nil {
		return keys.Owner{}, err
	}
	n := slices.IndexFunc(all, func(p credentials.Provider) bool { return p.ID == id })
	if own, err := l.ownList(); n < 0 && id == authorityOwner && err == nil {
		return ownerOf(own.List.Authority), nil
	}
	if n < 0 && id == receiptOwner {
		return l.receiptsOwner(), nil
	}
	if n < 0 {
		return keys.Owner{}, fmt.Errorf("looking for the provider %q: %w; %s", id, registry.ErrNotFound, namesOf(all))
	}
	return l.issuer.SealerOf(ctx, all[n])
}

// namesOf says which providers there are.
func namesOf(all []credentials.Provider) string {
	const most = 10
	var ids []string
	for _, p := range all {
		ids = append(ids, p.ID)
	}
	switch {
	case len(ids) == 0:
		return "there is none yet: attesta import --provider FILE"
	case len(ids) > most:
		return fmt.Sprintf("there are %s and %d others", strings.Join(ids[:most], ", "), len(ids)-most)
	}
	return "there are: " + strings.Join(ids, ", ")
}

// afterRevoking says what the revocation of a key means for what it signed.
func (l local) afterRevoking(ctx context.Context, k *keys.Key, answer *keyChange) {
	say := func(format string, args ...any) {
		answer.Follows = append(answer.Follows, fmt.Sprintf(format, args...))
	}
	since := l.moment(k.Revoked)
	say("Key %s is not to be believed since %s (Rome). It signs no more. This is final.", k.ID, since)
	if k.Purpose == keys.Status {
		say("Status lists that it signed no longer count; they are signed with another key from now on.")
	} else {
		say("Seals with a time stamp from before that moment still count.")
		say("Seals without one cannot be told from forgeries: those that say they are older give \"cannot tell\", the others \"not valid\".")
		say("Issue these credentials again with another key, and tell whoever holds them.")
		if answer.Sealed = l.sealedWith(ctx, k); answer.Sealed != nil {
			say("This installation sealed %s with it before that moment, and %s since.",
				count(answer.Sealed.Before, "credential"), count(answer.Sealed.Since, "credential"))
			say("To withdraw all that it sealed: attesta status revoke --key %s --reason key-compromised", k.ID)
		}
	}
	if k.SelfMade {
		say("Whoever checks with the anchor %s needs the new one; the list of revoked certificates is at %s/keys/root.crl", l.folder.own(), l.settings.PublicURL)
	} else {
		say("Its certificate comes from an authority: ask there at once to have it revoked. Until then only this installation knows.")
	}
}

// countTime bounds how long records are read to count those of a key.
const countTime = 20 * time.Second

// sealedWith goes through the records of the providers for which the owner of a
// key seals or sealed; nil when they cannot be read, or not in time. What it
// sealed is in the files themselves.
func (l local) sealedWith(ctx context.Context, k *keys.Key) *sealedWith {
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	houses, err := l.registry.Houses(ctx)
	if err != nil {
		return nil
	}
	var n sealedWith
	for _, h := range houses {
		if h.House != (registry.House{Sealer: k.Owner, LegalID: k.LegalID()}) {
			continue
		}
		if err := l.countSealed(ctx, h.Provider, k, &n); err != nil {
			return nil
		}
	}
	return &n
}

func (l local) countSealed(ctx context.Context, provider string, k *keys.Key, n *sealedWith) error {
	for before := uint64(0); ; {
		page, err := l.registry.Records(ctx, registry.Query{Provider: provider, Before: before, Limit: registry.MaxLimit})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			before = r.Seq
			if r.State != registry.Sealed || r.SealedAt.Before(k.From) {
				continue
			}
			sealed, err := l.registry.SealedBytes(ctx, r.Seq)
			if err != nil {
				return err
			}
			parsed, err := credentials.Parse(sealed)
			switch {
			case err != nil || !parsed.Envelope.Leaf().Equal(k.Certificate()):
			case r.SealedAt.Before(k.Revoked):
				n.Before++
			default:
				n.Since++
			}
		}
	}
}

// checkOwner says what a provider cannot do with the keys it has.
func (l local) checkOwner(id string) []diagnosis {
	if id == "" || id == authorityOwner || id == receiptOwner {
		return nil
	}
	var found []diagnosis
	add := func(what, remedy string) { found = append(found, diagnosis{true, what, remedy}) }
	seal, sealing := l.ring.Current(keys.Seal, id, l.now())
	list, listing := l.ring.Current(keys.Status, id, l.now())
	if sealing == nil {
		if k, err := l.ring.CurrentOf(keys.Status, id, seal.LegalID(), l.now()); err == nil {
			list = k
		}
	}
	if sealing != nil {
		add("The provider "+id+" has no key that may seal: nothing is issued for it.",
			"Run: attesta keys rotate --provider "+id+" --for seal (a demonstration key), or attesta keys import.")
	}
	if listing != nil {
		add("The provider "+id+" has no key for status lists: nobody can tell whether its credentials still count.",
			"Run: attesta keys rotate --provider "+id+" --for status, or attesta keys import --for status.")
	}
	if sealing == nil && listing == nil && !keys.SameHouse(seal.Chain(), list.Chain(), l.now()) {
		add("The certificates for seals and for status lists of "+id+" do not come from one authority, or name two organisations: who checks a new credential cannot tell its status.",
			"Import a key for status lists from the authority of the seal, with the certificates up to its root: attesta keys import --for status.")
	}
	return found
}
