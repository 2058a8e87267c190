package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// How the Data of a person begins, once decrypted.
const (
	knownByRef = 'r' // the Ref: a record names the person, and nothing else is known
	knownFully = 'l' // a Learner as JSON
)

// attempts is how often a step is prepared anew because somebody changed the
// same person meanwhile.
const attempts = 10

// again repeats a step that met ErrConflict.
func again(ctx context.Context, step func() error) (err error) {
	for range attempts {
		if err = step(); !errors.Is(err, ErrConflict) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// newPerson makes the entry of a learner about whom only the Ref is known.
func (r *Registry) newPerson(ref string) (Person, error) {
	salt, err := r.vault.newSalt()
	if err != nil {
		return Person{}, err
	}
	p := Person{ID: r.vault.person(ref), Salt: salt, New: true}
	return p, r.describe(&p, append([]byte{knownByRef}, ref...))
}

func (r *Registry) describe(p *Person, plain []byte) error {
	aead, err := r.vault.cipher(p.Salt)
	if err == nil {
		p.Data, err = r.vault.seal(aead, "person "+p.ID, plain)
	}
	return err
}

// learner reads the entry of a person. Fully is not set when only the Ref is
// known.
func (r *Registry) learner(p Person) (l Learner, fully bool, err error) {
	aead, err := r.vault.cipher(p.Salt)
	if err != nil {
		return l, false, err
	}
	plain, err := r.vault.open(aead, "person "+p.ID, p.Data)
	if err != nil {
		return l, false, fmt.Errorf("%v: %w", err, errContent)
	}
	switch {
	case len(plain) > 0 && plain[0] == knownByRef:
		l.Ref = string(plain[1:])
	case len(plain) > 0 && plain[0] == knownFully:
		if err := json.Unmarshal(plain[1:], &l); err != nil {
			return Learner{}, false, fmt.Errorf("reading a learner: %v: %w", err, errContent)
		}
		fully = true
	default:
		return l, false, fmt.Errorf("reading a learner: %w", errContent)
	}
	return l, fully, nil
}

// PutLearners stores learners by Ref, all or nothing, replacing what is there.
func (r *Registry) PutLearners(ctx context.Context, learners []Learner, at time.Time) error {
	return put(ctx, "storing learners", learners, at, func(l Learner) error {
		if err := refs(field{"learner", l.Ref}); err != nil {
			return err
		}
		return texts(field{"given name", l.GivenName}, field{"family name", l.FamilyName}, field{"e-mail", l.Email},
			field{"language", l.Language}, field{"organisation", l.Employer}, field{"region", l.Region}, field{"role", l.Role},
			field{"birth date", l.BirthDate}, field{"national number", l.NationalID}, field{"its country", l.NationalCountry}, field{"its name", l.NationalScheme})
	}, func(ctx context.Context, learners []Learner, at time.Time) error {
		if r.vault == nil {
			return r.locked
		}
		last := make(map[string]Learner, len(learners)) // by ID
		for _, l := range learners {
			last[r.vault.person(l.Ref)] = l
		}
		return again(ctx, func() error { return r.putLearners(ctx, last, at) })
	})
}

func (r *Registry) putLearners(ctx context.Context, learners map[string]Learner, at time.Time) error {
	ids := make([]string, 0, len(learners))
	for id := range learners {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	known, err := r.backend.People(ctx, ids)
	if err != nil {
		return err
	}
	people := make([]Person, 0, len(ids))
	for _, id := range ids {
		p, there := known[id]
		if there {
			was, fully, err := r.learner(p)
			if err != nil {
				return err
			}
			if fully && was == learners[id] {
				continue
			}
		} else if p, err = r.newPerson(learners[id].Ref); err != nil {
			return err
		}
		plain, err := json.Marshal(learners[id])
		if err != nil {
			return fmt.Errorf("writing a learner: %w", err)
		}
		if err := r.describe(&p, append([]byte{knownFully}, plain...)); err != nil {
			return err
		}
		p.Tokens = r.tokens(learners[id])
		people = append(people, p)
	}
	if len(people) == 0 {
		return nil
	}
	return r.backend.PutPeople(ctx, people, at)
}

// Learners returns those of the refs that are known, by Ref. A ref that cannot
// be one is not known, and neither is one that only records name.
func (r *Registry) Learners(ctx context.Context, refs []string) (map[string]Learner, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.vault == nil {
		return nil, fmt.Errorf("reading learners: %w", r.locked)
	}
	ids := make([]string, 0, len(refs))
	for _, ref := range refs {
		if isRef(ref) {
			ids = append(ids, r.vault.person(ref))
		}
	}
	people, err := r.backend.People(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading learners: %w", err)
	}
	out := make(map[string]Learner, len(people))
	for _, p := range people {
		l, fully, err := r.learner(p)
		if err != nil {
			return nil, fmt.Errorf("reading learners: %w", err)
		}
		if fully {
			out[l.Ref] = l
		}
	}
	return out, nil
}

// Erase removes all that the registry knows of a learner, and makes it
// unreadable in copies of it: the entry, the sealed documents, and the facts of
// the records, which are Erased from then on. What is left of each is its
// place, the module and edition, its status and its entries in the log, and
// that the same award was given out before. It returns how many records it
// erased; a learner who is not there is ErrNotFound, and one with records that
// still wait for their seal ErrConflict.
//
// Where it fails after the step was made, FinishErasing removes the rest from
// the files, and so does calling it again.
func (r *Registry) Erase(ctx context.Context, ref, by string, at time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	at, err := stamp(at)
	if err == nil {
		err = refs(field{"learner", ref}, field{"name of who asks", by})
	}
	if err == nil && r.vault == nil {
		err = r.locked
	}
	if err != nil {
		return 0, fmt.Errorf("erasing a learner: %w", err)
	}
	id := r.vault.person(ref)
	there, err := r.backend.People(ctx, []string{id})
	if err != nil {
		return 0, fmt.Errorf("erasing a learner: %w", err)
	}
	erased := 0
	defer r.forget() // again, for who had read the salt just before
	if len(there) > 0 {
		erased, err = r.backend.Erase(ctx, id, by, at)
	}
	r.forget() // a step whose answer was lost was perhaps made
	if err != nil {
		return 0, fmt.Errorf("erasing a learner: %w", err)
	}
	if err := r.backend.Scrub(ctx); err != nil {
		return erased, fmt.Errorf("removing what was erased from the files: %w", err)
	}
	if len(there) == 0 {
		return 0, fmt.Errorf("erasing a learner: %w", ErrNotFound)
	}
	return erased, nil
}

// forget drops the keys of people that are kept for the next step.
func (r *Registry) forget() {
	r.vault.forget()
	r.holders.forget()
}

// FinishErasing removes from the files what an Erase left in them that was
// interrupted, or that could not wait. Mostly there is nothing.
func (r *Registry) FinishErasing(ctx context.Context) error {
	due, err := r.backend.Erasing(ctx)
	if err == nil && due {
		err = r.backend.Scrub(ctx)
	}
	if err != nil {
		return fmt.Errorf("removing what was erased from the files: %w", err)
	}
	return nil
}

// The shape of a search for people.
const (
	minSearch = 3 // letters of a word
	maxTokens = 6 // of one person
)

// words are the parts of a name as they are searched: without case, marks and
// what stands between them.
func words(name string) []string {
	plain := strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return c
	}, norm.NFKD.String(cases.Fold().String(name)))
	return strings.FieldsFunc(plain, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// stem is what all words share that a search for one of them may mean.
func stem(word string) (string, bool) {
	letters := []rune(word)
	if len(letters) < minSearch {
		return "", false
	}
	return string(letters[:minSearch]), true
}

// tokens are what a learner is found by, in an order that tells nothing of the
// name.
func (r *Registry) tokens(l Learner) (out []Token) {
	for _, word := range words(l.GivenName + " " + l.FamilyName) {
		if start, ok := stem(word); ok && len(out) < maxTokens {
			if t := r.vault.token(start); !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	slices.SortFunc(out, func(a, b Token) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// FindLearners returns at most limit learners of whom every word of name begins
// a word of theirs, without regard to case and accents. At least one word must
// have three letters or digits, or it is ErrInvalid. After is the cursor that
// came with the page before, or empty; an empty one ends.
func (r *Registry) FindLearners(ctx context.Context, name, after string, limit int) (found []Learner, next string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	err = texts(field{"name", name})
	if err == nil && after != "" && !isReference(after) {
		err = fmt.Errorf("the cursor is not one: %w", ErrInvalid)
	}
	if err == nil {
		err = checkLimit(limit)
	}
	if err == nil && r.vault == nil {
		err = r.locked
	}
	wanted := words(name)
	slices.SortFunc(wanted, func(a, b string) int { return len(b) - len(a) })
	var start string
	if err == nil {
		var ok bool
		if len(wanted) > 0 {
			start, ok = stem(wanted[0])
		}
		if !ok {
			err = fmt.Errorf("a word of at least %d letters is needed: %w", minSearch, ErrInvalid)
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("searching learners: %w", err)
	}
	for {
		people, err := r.backend.PeopleWith(ctx, r.vault.token(start), after, MaxLimit)
		if err != nil {
			return nil, "", fmt.Errorf("searching learners: %w", err)
		}
		for _, p := range people {
			after = p.ID
			l, _, err := r.learner(p)
			if err != nil {
				return nil, "", fmt.Errorf("searching learners: %w", err)
			}
			if !begins(words(l.GivenName+" "+l.FamilyName), wanted) {
				continue
			}
			if found = append(found, l); len(found) == limit {
				return found, after, nil
			}
		}
		if len(people) < MaxLimit {
			return found, "", nil
		}
	}
}

// begins tells whether every wanted word begins one of the words, each another.
func begins(words, wanted []string) bool {
	used := make([]bool, len(words))
	for _, w := range wanted {
		n := slices.IndexFunc(words, func(s string) bool { return strings.HasPrefix(s, w) })
		for n >= 0 && used[n] {
			next := slices.IndexFunc(words[n+1:], func(s string) bool { return strings.HasPrefix(s, w) })
			if next < 0 {
				n = -1
				break
			}
			n += 1 + next
		}
		if n < 0 {
			return false
		}
		used[n] = true
	}
	return true
}

// unlocking is the entry by which a registry knows its data key. No learner has
// it: it is no keyed hash.
const unlocking = "AAAAAAAAAAAAAAAAAAAAAAAAAA"

// Unlock holds the data key against the registry, and writes into a new one
// which it is. With another key nothing may be done: learners would seem
// unknown and awards new. That is ErrInvalid.
func (r *Registry) Unlock(ctx context.Context, at time.Time) error {
	err := again(ctx, func() error { return r.unlock(ctx, at) })
	if err != nil {
		return fmt.Errorf("unlocking the registry: %w", err)
	}
	return nil
}

func (r *Registry) unlock(ctx context.Context, at time.Time) error {
	if r.vault == nil {
		return r.locked
	}
	at, err := stamp(at)
	if err != nil {
		return err
	}
	known, err := r.backend.People(ctx, []string{unlocking})
	if err != nil {
		return err
	}
	if p, there := known[unlocking]; there {
		if _, _, err := r.learner(p); err != nil {
			return fmt.Errorf("%v: %w", errDataKey, ErrInvalid)
		}
		return nil
	}
	p := Person{ID: unlocking, New: true}
	if p.Salt, err = r.vault.newSalt(); err != nil {
		return err
	}
	if err := r.describe(&p, []byte{knownByRef}); err != nil {
		return err
	}
	return r.backend.PutPeople(ctx, []Person{p}, at)
}
