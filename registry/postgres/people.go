package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"attesta/registry"
)

const selectPeople = "select p.id, s.salt, p.data, p.tokens from people p join salts s on s.id = p.id"

func scanPerson(row pgx.CollectableRow) (p registry.Person, err error) {
	var salt []byte
	var tokens [][]byte
	err = row.Scan(&p.ID, &salt, &p.Data, &tokens)
	if err == nil && copy(p.Salt[:], salt) != len(p.Salt) {
		err = fmt.Errorf("reading the salt of a person: %w", errDamaged)
	}
	for _, raw := range tokens {
		var t registry.Token
		copy(t[:], raw)
		p.Tokens = append(p.Tokens, t)
	}
	return p, err
}

func collectPeople(rows pgx.Rows, err error) ([]registry.Person, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanPerson)
}

// salts reads the salts of those who are there.
func (t *tx) salts(ctx context.Context, people []registry.Person) (map[string][registry.SaltSize]byte, error) {
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	rows, err := t.Query(ctx, "select id, salt from salts where id = any($1)", ids)
	if err != nil {
		return nil, fmt.Errorf("reading people: %w", err)
	}
	out := map[string][registry.SaltSize]byte{}
	var id string
	var raw []byte
	if _, err := pgx.ForEachRow(rows, []any{&id, &raw}, func() error {
		var salt [registry.SaltSize]byte
		copy(salt[:], raw)
		out[id] = salt
		return nil
	}); err != nil {
		return nil, fmt.Errorf("reading people: %w", err)
	}
	return out, nil
}

// admit says of people whether they are there, or ErrConflict if one is with
// another salt, or is not and should be. The head must be held.
func (t *tx) admit(ctx context.Context, people []registry.Person) (there map[string]bool, err error) {
	salts, err := t.salts(ctx, people)
	if err != nil {
		return nil, err
	}
	there = map[string]bool{}
	for _, p := range people {
		if salt, ok := salts[p.ID]; ok && salt != p.Salt {
			return nil, fmt.Errorf("a person is there with another salt: %w", registry.ErrConflict)
		} else if !ok && !p.New {
			return nil, fmt.Errorf("a person was erased meanwhile: %w", registry.ErrConflict)
		} else if ok {
			there[p.ID] = true
		}
	}
	return there, nil
}

// addPeople writes people who are not there.
func (t *tx) addPeople(ctx context.Context, people []registry.Person) error {
	if len(people) == 0 {
		return nil
	}
	err := t.fill(ctx, "salts", []string{"id", "salt"}, len(people), func(i int) ([]any, error) {
		return []any{people[i].ID, people[i].Salt[:]}, nil
	})
	if err != nil {
		return err
	}
	return t.describePeople(ctx, people)
}

// describePeople writes what people who have a salt are known by.
func (t *tx) describePeople(ctx context.Context, people []registry.Person) error {
	type pair struct {
		token registry.Token
		id    string
	}
	var pairs []pair
	for _, p := range people {
		for _, token := range p.Tokens {
			pairs = append(pairs, pair{token, p.ID})
		}
	}
	err := t.fill(ctx, "people", []string{"id", "data", "tokens"}, len(people), func(i int) ([]any, error) {
		tokens := make([][]byte, len(people[i].Tokens))
		for n, token := range people[i].Tokens {
			tokens[n] = append([]byte(nil), token[:]...)
		}
		return []any{people[i].ID, people[i].Data, tokens}, nil
	})
	if err != nil {
		return err
	}
	return t.fill(ctx, "tokens", []string{"token", "id"}, len(pairs), func(i int) ([]any, error) {
		return []any{pairs[i].token[:], pairs[i].id}, nil
	})
}

// forget removes what people are known by, and not their salt.
func (t *tx) forget(ctx context.Context, ids []string) error {
	var batch pgx.Batch
	batch.Queue("delete from tokens t using people p where p.id = any($1) and t.token = any(p.tokens) and t.id = p.id", ids)
	batch.Queue("delete from people where id = any($1)", ids)
	if err := t.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("removing people: %w", err)
	}
	return nil
}

// PutPeople is registry.People.PutPeople.
func (s *Store) PutPeople(ctx context.Context, people []registry.Person, at time.Time) error {
	return s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		there, err := t.admit(ctx, people)
		if err != nil {
			return err
		}
		var fresh, known []registry.Person
		var ids []string
		for _, p := range people {
			if there[p.ID] {
				known, ids = append(known, p), append(ids, p.ID)
			} else {
				fresh = append(fresh, p)
			}
		}
		if len(known) > 0 {
			if err := t.forget(ctx, ids); err != nil {
				return err
			}
			if err := t.describePeople(ctx, known); err != nil {
				return err
			}
		}
		t.event(registry.Event{At: at, Kind: "learners", What: strconv.Itoa(len(people))})
		return t.addPeople(ctx, fresh)
	})
}

// People is registry.People.People.
func (s *Store) People(ctx context.Context, ids []string) (map[string]registry.Person, error) {
	out := make(map[string]registry.Person, len(ids))
	err := s.read(ctx, func(c *pgx.Conn) error {
		people, err := collectPeople(c.Query(ctx, selectPeople+" where p.id = any($1)", ids))
		for _, p := range people {
			out[p.ID] = p
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// PeopleWith is registry.People.PeopleWith.
func (s *Store) PeopleWith(ctx context.Context, token registry.Token, after string, limit int) (out []registry.Person, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		out, err = collectPeople(c.Query(ctx, `select p.id, s.salt, p.data, p.tokens from tokens t join people p on p.id = t.id join salts s on s.id = t.id
			where t.token = $1 and t.id > $2 order by t.id limit $3`, token[:], after, limit))
		return err
	})
	return out, err
}

// Erase is registry.People.Erase.
func (s *Store) Erase(ctx context.Context, id, by string, at time.Time) (erased int, err error) {
	err = s.update(ctx, func(t *tx) error {
		erased = 0
		// First the records, as in all that changes them; no new ones come once the
		// head is held, and those that came before are found after it.
		for range 2 {
			records, err := scanRecords(t.Query(ctx, "select "+recordColumns+" from records r where r.learner = $1 order by r.seq for update", id))
			if err != nil {
				return fmt.Errorf("reading the records of a person: %w", err)
			}
			if t.held {
				return t.erase(ctx, id, by, at, records, &erased)
			}
			if err := t.hold(ctx); err != nil {
				return err
			}
		}
		return errors.New("erasing a person: out of order")
	})
	return erased, err
}

func (t *tx) erase(ctx context.Context, id, by string, at time.Time, records []registry.Record, erased *int) error {
	var seqs []int64
	var events []registry.Event
	for _, was := range records {
		switch was.State {
		case registry.Reserved:
			return fmt.Errorf("record %d waits for its seal: %w", was.Seq, registry.ErrConflict)
		case registry.Sealed:
			is := was
			is.State = registry.Erased
			t.recount(was, is)
			seqs = append(seqs, int64(was.Seq))
			events = append(events, registry.Event{At: at, Kind: "erase", What: was.Credential, By: by})
		}
	}
	gone, err := t.Exec(ctx, "delete from salts where id = $1", id)
	if err != nil {
		return fmt.Errorf("removing a person: %w", err)
	}
	if gone.RowsAffected() == 0 {
		t.changed = false
		return nil
	}
	if err := t.forget(ctx, []string{id}); err != nil {
		return err
	}
	var batch pgx.Batch
	batch.Queue("update head set erased = erased + 1")
	batch.Queue("delete from documents where seq = any($1)", seqs)
	batch.Queue("update records set state = 'erased', hidden = null where seq = any($1)", seqs)
	if err := t.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("erasing records: %w", err)
	}
	t.event(registry.Event{At: at, Kind: "erase", What: strconv.Itoa(len(seqs)), By: by})
	for _, ev := range events {
		t.event(ev)
	}
	*erased = len(seqs)
	return nil
}

// putShared keeps what is not there yet. The head must be held.
func (t *tx) putShared(ctx context.Context, shared []registry.SharedEntry) error {
	if len(shared) == 0 {
		return nil
	}
	var batch pgx.Batch
	for _, e := range shared {
		batch.Queue("insert into shared (id, content) values ($1, $2) on conflict (id) do nothing", e.ID[:], e.Content)
	}
	if err := t.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("writing what is shared: %w", err)
	}
	return nil
}

// Shared is registry.Ledger.Shared.
func (s *Store) Shared(ctx context.Context, id registry.SharedID) (out []byte, err error) {
	err = s.read(ctx, func(c *pgx.Conn) error {
		return missing(c.QueryRow(ctx, "select content from shared where id = $1", id[:]).Scan(&out))
	})
	return out, err
}
