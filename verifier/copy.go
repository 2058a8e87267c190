package verifier

import (
	"context"
	"time"
)

// VerifyCopy judges presented bytes as of a moment (the zero time means now)
// where Trust and Fetcher read from a copy of what was published, made at another
// moment. A copy grows old: when its status lists no longer count, nobody can
// tell whether something was withdrawn since. Then, which else is nil, is what
// the copy said when it was made, where that helps: valid or suspended. What was
// revoked by then is still revoked, since a revocation is final, and the report
// says so.
func (v *Verifier) VerifyCopy(ctx context.Context, presented []byte, at, made time.Time) (report Report, then *Report, err error) {
	if report, err = v.VerifyAt(ctx, presented, at); err != nil {
		return report, nil, err
	}
	if report.Reason != "status_stale" || made.IsZero() || !made.Before(report.CheckedAt) {
		return report, nil, nil
	}
	config := v.Config
	config.Now = func() time.Time { return made }
	was, err := New(config).Verify(ctx, presented)
	switch {
	case err != nil:
		return Report{}, nil, err
	case was.Reason == "status_revoked" && report.At.Equal(report.CheckedAt):
		was.CheckedAt, was.At = report.CheckedAt, report.At
		return was, nil, nil
	case was.Verdict == Valid, was.Reason == "status_revoked", was.Reason == "status_suspended":
		return report, &was, nil
	}
	return report, nil, nil
}
