package verifier

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"attesta/keys"
	"attesta/status"
)

// fetching is a Fetcher made of a function.
type fetching func(ctx context.Context, address string) ([]byte, error)

func (f fetching) Fetch(ctx context.Context, address string, _ []string) ([]byte, error) {
	return f(ctx, address)
}

// attempt is what came of a check: a report, an error or a panic.
type attempt struct {
	report Report
	err    error
	broke  any
}

func try(ctx context.Context, v *Verifier, data []byte) (a attempt) {
	defer func() { a.broke = recover() }()
	a.report, a.err = v.Verify(ctx, data)
	return a
}

// J9: whatever fails, breaks off or answers nonsense, in any step, the verdict
// is never valid; and where there is an error or a panic there is no report that
// somebody could read one from.
func TestNoFaultIsValid(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	sealed := h.seal(h.document())
	good := fetching(func(ctx context.Context, address string) ([]byte, error) { return h.lists.Fetch(ctx, address, nil) })
	token, err := good(t.Context(), listURL(status.Revocation))
	if err != nil {
		t.Fatal(err)
	}
	answers := func(data []byte) Fetcher {
		return fetching(func(context.Context, string) ([]byte, error) { return data, nil })
	}
	fails := func(err error) Fetcher {
		return fetching(func(context.Context, string) ([]byte, error) { return nil, err })
	}
	for name, fault := range map[string]func(*Config){
		"a fetcher that fails": func(c *Config) { c.Fetcher = fails(errors.New("no such luck")) },
		"a fetcher that fails and answers": func(c *Config) {
			c.Fetcher = fetching(func(context.Context, string) ([]byte, error) { return token, io.ErrUnexpectedEOF })
		},
		"a fetcher that says it was cancelled": func(c *Config) { c.Fetcher = fails(context.Canceled) },
		"a fetcher that says it took too long": func(c *Config) { c.Fetcher = fails(context.DeadlineExceeded) },
		"a fetcher that refuses":               func(c *Config) { c.Fetcher = fails(ErrRefused) },
		"a fetcher that panics": func(c *Config) {
			c.Fetcher = fetching(func(context.Context, string) ([]byte, error) { panic("out of luck") })
		},
		"a fetcher that panics at the second list": func(c *Config) { c.Fetcher = second(good, func() ([]byte, error) { panic("out of luck") }) },
		"a fetcher that fails at the second list":  func(c *Config) { c.Fetcher = second(good, func() ([]byte, error) { return nil, io.EOF }) },
		"a second list of nothing":                 func(c *Config) { c.Fetcher = second(good, func() ([]byte, error) { return nil, nil }) },
		"the first list for the second":            func(c *Config) { c.Fetcher = answers(token) },
		"no answer and no error":                   func(c *Config) { c.Fetcher = answers(nil) },
		"an empty answer":                          func(c *Config) { c.Fetcher = answers([]byte{}) },
		"the credential for an answer":             func(c *Config) { c.Fetcher = answers(sealed) },
		"an answer of zeros":                       func(c *Config) { c.Fetcher = answers(make([]byte, len(token))) },
		"half an answer":                           func(c *Config) { c.Fetcher = answers(token[:len(token)/2]) },
		"the answer twice":                         func(c *Config) { c.Fetcher = answers(append(bytes.Clone(token), token...)) },
		"no fetcher":                               func(c *Config) { c.Fetcher = nil },
		"a fetcher that is nil inside":             func(c *Config) { c.Fetcher = (*Guarded)(nil) },
		"no anchors":                               func(c *Config) { c.Trust = func() keys.Trust { return keys.Trust{} } },
		"an anchor that is empty":                  func(c *Config) { c.Trust = func() keys.Trust { return keys.Trust{Anchors: make([]keys.Anchor, 1)} } },
		"an anchor without a key": func(c *Config) {
			c.Trust = func() keys.Trust { return keys.Trust{Anchors: []keys.Anchor{{Certificate: &x509.Certificate{}}}} }
		},
		"anchors that panic":  func(c *Config) { c.Trust = func() keys.Trust { panic("the folder is gone") } },
		"no trust":            func(c *Config) { c.Trust = nil },
		"a clock at zero":     func(c *Config) { c.Now = func() time.Time { return time.Time{} } },
		"a clock at 1970":     func(c *Config) { c.Now = func() time.Time { return time.Unix(0, 0) } },
		"a clock at the end":  func(c *Config) { c.Now = func() time.Time { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) } },
		"a clock beyond":      func(c *Config) { c.Now = func() time.Time { return time.Unix(1<<62, 0) } },
		"a clock that panics": func(c *Config) { c.Now = func() time.Time { panic("no battery") } },
		"no clock":            func(c *Config) { c.Now = nil },
		"nothing at all":      func(c *Config) { *c = Config{} },
	} {
		t.Run(name, func(t *testing.T) {
			c := h.verifier().Config
			c.Fetcher = good
			if a := try(t.Context(), New(c), sealed); a.report.Verdict != Valid {
				t.Fatalf("the control: %+v", a)
			}
			fault(&c)
			a := try(t.Context(), New(c), sealed)
			if a.report.Verdict == Valid || a.report.Reason == "valid" {
				t.Errorf("valid: %+v", a)
			}
			if broke := a.err != nil || a.broke != nil; broke != (a.report.Verdict == "") || broke && (a.report.Credential != nil || len(a.report.Checks) > 0) {
				t.Errorf("an error or a panic beside a report: %+v", a)
			}
		})
	}
}

// second answers as another fetcher does, and the second time otherwise.
func second(first fetching, then func() ([]byte, error)) fetching {
	n := 0
	return func(ctx context.Context, address string) ([]byte, error) {
		if n++; n == 2 {
			return then()
		}
		return first(ctx, address)
	}
}

// J9: who gives up gets no verdict, however far the check has come, and a list
// that never answers is not waited for longer than askTime.
func TestGivingUpIsNoVerdict(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	sealed := h.seal(h.document())
	c := h.verifier().Config
	for n := range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		asked := 0
		c.Fetcher = fetching(func(ctx context.Context, address string) ([]byte, error) {
			if asked == n {
				cancel() // and the list arrives all the same
			}
			asked++
			return h.lists.Fetch(ctx, address, nil)
		})
		if a := try(ctx, New(c), sealed); !errors.Is(a.err, context.Canceled) || a.report.Verdict != "" || a.report.Credential != nil {
			t.Errorf("given up at list %d: %+v", n, a)
		}
		cancel()
	}
	c.Fetcher = fetching(func(ctx context.Context, _ string) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		a := try(t.Context(), New(c), sealed)
		if a.err != nil || a.report.Verdict != CannotTell || a.report.Reason != "status_unreachable" || time.Since(started) != askTime {
			t.Errorf("after %v: %+v", time.Since(started), a)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if a := try(ctx, New(c), sealed); !errors.Is(a.err, context.DeadlineExceeded) || a.report.Verdict != "" {
			t.Errorf("with a second of time: %+v", a)
		}
	})
}

// J9: a status list is whole or it is none: cut off at any place, or with any
// character changed, it clears nobody.
func TestDamagedListsClearNobody(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	sealed, at := h.seal(h.document()), listURL(status.Revocation)
	token := h.lists.at[at]
	tries := 0
	for place := 0; place < len(token); place += 1 + len(token)/200 {
		changed := bytes.Clone(token)
		if changed[place] ^= 1; changed[place] == '=' {
			changed[place] = 'A'
		}
		for _, damaged := range [][]byte{token[:place], changed} {
			h.lists.at[at] = damaged
			if r := h.verify(sealed); r.Verdict == Valid {
				t.Fatalf("valid with a list damaged at %d of %d", place, len(token))
			}
			tries++
		}
	}
	h.lists.at[at] = token
	if r := h.verify(sealed); r.Verdict != Valid || tries < 200 {
		t.Errorf("the control, after %d lists: %s because of %s", tries, r.Verdict, r.Reason)
	}
}
