package postgres

import (
	"context"
	"fmt"
	"time"

	"attesta/registry"
)

// Accept takes a database as the newest there is, on the word of an operator
// who set it back: it closes the status lists that are open. Nothing else is
// changed, and the log says so. From then on positions are given out in new
// lists only, so that none is given twice, whatever was given out since the
// copy was made. It returns how many lists it closed.
//
// It may be repeated at any time, also while others use the registry.
func (s *Store) Accept(ctx context.Context, by string, at time.Time) (closed int, err error) {
	err = s.update(ctx, func(t *tx) error {
		if err := t.hold(ctx); err != nil {
			return err
		}
		gone, err := t.Exec(ctx, "delete from open_lists")
		closed = int(gone.RowsAffected())
		t.event(registry.Event{At: at.UTC().Truncate(time.Second), Kind: "accept", What: "registry", By: by})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("accepting registry: %w", err)
	}
	return closed, nil
}
