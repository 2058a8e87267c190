package issuer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"attesta/registry"
)

// Slack is how far the clock may be behind the newest entry of the log.
const Slack = 5 * time.Minute

// ClockError says that the clock is further behind than Slack: credentials
// would be dated before others that are older, or before their keys.
type ClockError struct {
	Now, Last time.Time // of the newest entry of the log
}

func (e *ClockError) Error() string {
	return fmt.Sprintf("the clock says %s and the registry has an entry of %s: set the clock of this machine, then issue again",
		e.Now.UTC().Format(time.RFC3339), e.Last.UTC().Format(time.RFC3339))
}

// CheckClock returns a *ClockError while the clock is too far behind to issue.
func (i *Issuer) CheckClock(ctx context.Context) error {
	last, err := i.Registry.LastEvent(ctx)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if now := i.Now(); last.At.After(now.Add(Slack)) {
		return &ClockError{now, last.At}
	}
	return nil
}
