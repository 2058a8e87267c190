package issuer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// LastLists signs status lists once more, to count for years: for an
// installation that ends and withdraws nothing any more. Whoever has such a list
// can show it until it ends, also when something was withdrawn since. It is not
// safe for concurrent use.
type LastLists struct {
	issuer    *Issuer
	at, until time.Time
	keys      map[string]*keys.Key // by the key that signs today
}

// LastLists begins to sign lists that count from now until a moment.
func (i *Issuer) LastLists(until time.Time) *LastLists {
	return &LastLists{i, i.now(), until, map[string]*keys.Key{}}
}

// StatusList is Issuer.StatusList with the life of a last list. Until when the
// certificates last is a bound; past it the error wraps keys.ErrTooLong.
func (l *LastLists) StatusList(ctx context.Context, list string, p status.Purpose) (Published, error) {
	f, ok := formOf(p)
	if !ok {
		return Published{}, fmt.Errorf("publishing a status list for the purpose %q: %w", p, registry.ErrNotFound)
	}
	return l.sign(ctx, list, f)
}

// TokenList is StatusList for the same list as a Token Status List.
func (l *LastLists) TokenList(ctx context.Context, list string) (Published, error) {
	return l.sign(ctx, list, tokenForm)
}

func (l *LastLists) sign(ctx context.Context, list string, f form) (Published, error) {
	stored, err := l.issuer.Registry.List(ctx, list)
	if err != nil {
		return Published{}, err
	}
	b := &board{list: list, version: stored.Version}
	key, err := l.key(stored.House)
	if err == nil {
		b.register, err = registerOf(stored, nil)
	}
	var published *Published
	if err == nil {
		published, err = l.issuer.signList(b, f, key, l.at, l.until)
	}
	if err != nil {
		return Published{}, fmt.Errorf("publishing the last status list %s: %w", list, err)
	}
	return *published, nil
}

func (l *LastLists) key(h registry.House) (*keys.Key, error) {
	today, err := l.issuer.listKey(h, l.at)
	if err != nil {
		return nil, err
	}
	if key, ok := l.keys[today.ID]; ok {
		return key, nil
	}
	key, err := l.issuer.Keys.Last(today, l.at, l.until)
	if err != nil {
		return nil, err
	}
	l.keys[today.ID] = key
	return key, nil
}

// Keys are the keys that were made for these lists and stand in no ring, in a
// fixed order.
func (l *LastLists) Keys() []*keys.Key {
	var made []*keys.Key
	for today, k := range l.keys {
		if k.ID != today {
			made = append(made, k)
		}
	}
	slices.SortFunc(made, func(a, b *keys.Key) int { return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.ID, b.ID)) })
	return made
}
