package presentation

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"attesta/verifier"
)

// Answer is an item and, where it was judged, the report about it.
type Answer struct {
	Item
	Report *verifier.Report `json:"report,omitempty"`
}

// Judge judges an item that has sealed bytes or a handle. An error that is a
// *Problem says why this item cannot be judged; any other ends the whole check.
// It is called from several goroutines at once.
type Judge func(ctx context.Context, i Item) (verifier.Report, error)

// errCrashed takes the place of a crash in a judge, which would end the program.
var errCrashed = errors.New("checking an item: the judge crashed")

// Check has every item judged that can be, on all cores, and returns the answers
// in the order of the items. The error is that of the context or of the judge;
// then there are no answers.
func Check(ctx context.Context, items []Item, judge Judge) ([]Answer, error) {
	answers := make([]Answer, len(items))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(len(items), runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(items) {
					return
				}
				answer, err := one(ctx, items[n], judge)
				if err != nil {
					stop(err)
					return
				}
				answers[n] = answer
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("checking what was presented: %w", context.Cause(ctx))
	}
	var reports []*verifier.Report
	for _, a := range answers {
		if a.Report != nil {
			reports = append(reports, a.Report)
		}
	}
	verifier.Pair(reports)
	return answers, nil
}

func one(ctx context.Context, i Item, judge Judge) (a Answer, err error) {
	defer func() {
		if recover() != nil {
			err = errCrashed
		}
	}()
	a.Item = i
	if !i.Judged() {
		return a, nil
	}
	report, err := judge(ctx, i)
	if why, ok := errors.AsType[*Problem](err); ok {
		a.Problem = why
		return a, nil
	}
	a.Report = &report
	return a, err
}
