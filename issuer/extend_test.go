package issuer_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/intake"
	"attesta/issuer"
	"attesta/registry"
	"attesta/timestamp"
	"attesta/timestamp/timestamptest"
)

// stamped is a school with a time-stamping authority and some credentials.
func stamped(t *testing.T) (*house, *timestamptest.Authority) {
	t.Helper()
	h := school(t)
	a := timestamptest.New(t, h.clock.now)
	h.Stamps = &timestamp.Authority{URL: a.URL}
	h.Revocations = func(_ context.Context, c *x509.Certificate) ([]byte, error) {
		if c.Equal(a.Leaf) {
			return a.CRL(h.clock.now()), nil
		}
		return h.ring.CRL(h.clock.now())
	}
	if _, err := h.Issue(t.Context(), h.completions(t, "completions_tot.csv", intake.ISO)); err != nil {
		t.Fatal(err)
	}
	return h, a
}

// seals counts what is recorded by level, and holds every file to its record.
func (h *house) seals(t *testing.T) map[string]int {
	t.Helper()
	levels := map[string]int{}
	for _, level := range []registry.Level{registry.LevelB, registry.LevelT, registry.LevelLT, registry.LevelLTA} {
		for after := uint64(0); ; {
			page, err := h.registry.AtLevel(t.Context(), level, after, 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				after = r.Seq
				sealed, err := h.registry.SealedBytes(t.Context(), r.Seq)
				if err != nil {
					t.Fatal(err)
				}
				p, err := credentials.Parse(sealed)
				if err != nil || p.Envelope.Verify() != nil || p.Envelope.Baseline() != level.String() {
					t.Fatalf("record %d of level %s: %v", r.Seq, level, err)
				}
				levels[level.String()]++
			}
		}
	}
	return levels
}

// Issuing never waits for time: it seals at level B, and the seals are extended
// afterwards, whatever came before.
func TestExtendBringsEverySealToALevel(t *testing.T) {
	h, _ := stamped(t)
	for _, c := range []struct {
		to    registry.Level
		renew bool
		done  int
	}{
		{registry.LevelB, false, 0},
		{registry.LevelT, false, 125},
		{registry.LevelT, false, 0},
		{registry.LevelLTA, false, 125},
		{registry.LevelLT, false, 0},
		{registry.LevelLTA, true, 125},
	} {
		n, err := h.Extend(t.Context(), c.to, c.renew)
		if err != nil || n != c.done {
			t.Fatalf("to %s: %d extended, want %d, %v", c.to, n, c.done, err)
		}
	}
	if got := h.seals(t); got["LTA"] != 125 || len(got) != 1 {
		t.Errorf("the seals are of level %v", got)
	}
}

// An authority that is down stops nothing: what was extended stays, issuing goes
// on, and later the rest follows.
func TestExtendWhenTheAuthorityIsDown(t *testing.T) {
	h, a := stamped(t)
	a.Down(true)
	if n, err := h.Extend(t.Context(), registry.LevelT, false); err == nil || n != 0 {
		t.Fatalf("%d extended, %v", n, err)
	}
	if got := h.seals(t); got["B"] != 125 {
		t.Errorf("the seals are of level %v", got)
	}
	again, err := h.Issue(t.Context(), h.completions(t, "completions_tot.csv", intake.ISO))
	if err != nil || len(again) != 145 {
		t.Fatalf("issuing while the authority is down: %d answers, %v", len(again), err)
	}
	a.Down(false)
	if n, err := h.Extend(t.Context(), registry.LevelT, false); err != nil || n != 125 {
		t.Fatalf("%d extended, %v", n, err)
	}
}

// failing gives good stamps until it does not.
type failing struct {
	good   issuer.TimeAuthority
	left   atomic.Int64
	answer func(data []byte) ([]byte, error)
}

func (f *failing) Stamp(ctx context.Context, data []byte) ([]byte, error) {
	if f.left.Add(-1) >= 0 {
		return f.good.Stamp(ctx, data)
	}
	return f.answer(data)
}

// J13: what an authority answers is read as a stranger would before it is kept.
func TestExtendTakesNoStampThatIsNotRight(t *testing.T) {
	h, a := stamped(t)
	for name, answer := range map[string]func(data []byte) ([]byte, error){
		"rubbish":         func([]byte) ([]byte, error) { return []byte("x"), nil },
		"over other data": func([]byte) ([]byte, error) { return a.Token([]byte("other")), nil },
		"of another day": func(data []byte) ([]byte, error) {
			return a.Make(data, timestamptest.Options{Time: theDay(t).Add(-time.Hour)}), nil
		},
		"no answer at all": func([]byte) ([]byte, error) { return nil, errors.New("it rests") },
	} {
		h.Stamps = &failing{answer: answer}
		n, err := h.Extend(t.Context(), registry.LevelT, false)
		if err == nil || n != 0 || !strings.Contains(err.Error(), "time stamp") {
			t.Errorf("%s: %d extended, %v", name, n, err)
		}
	}
	if got := h.seals(t); got["B"] != 125 {
		t.Errorf("the seals are of level %v", got)
	}
}

// What was extended before an authority went down stays, and the rest follows.
func TestExtendGoesOnWhereItEnded(t *testing.T) {
	h, a := stamped(t)
	good := h.Stamps
	short := &failing{good: good, answer: func([]byte) ([]byte, error) { return nil, errors.New("it rests") }}
	short.left.Store(70)
	h.Stamps = short
	done, err := h.Extend(t.Context(), registry.LevelT, false)
	if err == nil || done == 0 || done > 70 {
		t.Fatalf("%d extended, %v", done, err)
	}
	if got := h.seals(t); got["T"] != done || got["B"] != 125-done {
		t.Errorf("%d were extended and the seals are of level %v", done, got)
	}
	h.Stamps = &timestamp.Authority{URL: a.URL}
	rest, err := h.Extend(t.Context(), registry.LevelT, false)
	if err != nil || done+rest != 125 {
		t.Errorf("%d and then %d extended, %v", done, rest, err)
	}
}

// Without an authority, or without the lists that a level needs, the answer says
// so and nothing is half done.
func TestExtendSaysWhatIsMissing(t *testing.T) {
	h, _ := stamped(t)
	h.Revocations = func(context.Context, *x509.Certificate) ([]byte, error) { return nil, errors.New("there is no list") }
	if n, err := h.Extend(t.Context(), registry.LevelLT, false); err == nil || n != 0 || !strings.Contains(err.Error(), "revocation list for") {
		t.Errorf("without lists: %d, %v", n, err)
	}
	h.Stamps = nil
	if _, err := h.Extend(t.Context(), registry.LevelT, false); !errors.Is(err, issuer.ErrNoAuthority) {
		t.Errorf("without an authority: %v", err)
	}
	if got := h.seals(t); got["B"] != 125 {
		t.Errorf("the seals are of level %v", got)
	}
}

// K1, J12: a list that anybody else made, which plain http may bring, is not
// put into a seal as what its certificates were checked against.
func TestExtendTakesNoListOfAnother(t *testing.T) {
	h, a := stamped(t)
	other := timestamptest.New(t, h.clock.now)
	good := h.Revocations
	own, err := h.ring.CRL(h.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]byte{
		"rubbish":                           []byte("x"),
		"of another authority":              own,
		"of another authority of that name": other.CRL(h.clock.now()),
	} {
		h.Revocations = func(ctx context.Context, c *x509.Certificate) ([]byte, error) {
			if c.Equal(a.Leaf) {
				return list, nil
			}
			return good(ctx, c)
		}
		if n, err := h.Extend(t.Context(), registry.LevelLT, false); err == nil || n != 0 {
			t.Errorf("a list %s: %d extended, %v", name, n, err)
		}
	}
	h.Revocations = good
	if n, err := h.Extend(t.Context(), registry.LevelLT, false); err != nil || n != 125 {
		t.Errorf("the control: %d extended, %v", n, err)
	}
}

// B9: two that extend at once, such as a command beside a server, do not undo
// each other's work.
func TestExtendTwiceAtOnce(t *testing.T) {
	h, _ := stamped(t)
	var both sync.WaitGroup
	var done atomic.Int64
	for _, level := range []registry.Level{registry.LevelT, registry.LevelLTA, registry.LevelT} {
		both.Go(func() {
			n, err := h.Extend(t.Context(), level, false)
			if err != nil {
				t.Errorf("to %s: %v", level, err)
			}
			done.Add(int64(n))
		})
	}
	both.Wait()
	got := h.seals(t)
	if got["T"]+got["LTA"] != 125 || done.Load() < 125 {
		t.Errorf("%d were extended and the seals are of level %v", done.Load(), got)
	}
}

// A file that a person has is still good, and says the same, after its seal was
// extended here.
func TestExtendLeavesTheContent(t *testing.T) {
	h, _ := stamped(t)
	first, err := h.registry.SealedBytes(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Extend(t.Context(), registry.LevelLTA, false); err != nil {
		t.Fatal(err)
	}
	last, err := h.registry.SealedBytes(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	before, err := credentials.Parse(first)
	if err != nil || before.Envelope.Verify() != nil {
		t.Fatal(err)
	}
	after, err := credentials.Parse(last)
	if err != nil || !bytes.Equal(before.Envelope.Payload(), after.Envelope.Payload()) {
		t.Errorf("the content changed, %v", err)
	}
}

// One seal that cannot be extended keeps nobody from the others.
func TestExtendPassesOverWhatCannotBeExtended(t *testing.T) {
	h, a := stamped(t)
	var asked atomic.Int64
	h.Revocations = func(_ context.Context, c *x509.Certificate) ([]byte, error) {
		asked.Add(1)
		if c.Equal(a.Leaf) {
			return a.CRL(h.clock.now()), nil
		}
		return nil, errors.New("it says where no list lies")
	}
	n, err := h.Extend(t.Context(), registry.LevelT, false)
	if err != nil || n != 125 || asked.Load() != 0 {
		t.Fatalf("level T: %d extended, %d lists asked for, %v", n, asked.Load(), err)
	}
	if n, err = h.Extend(t.Context(), registry.LevelLT, false); err == nil || n != 0 || asked.Load() != 1 {
		t.Errorf("level LT: %d extended, %d lists asked for, %v", n, asked.Load(), err)
	}
	if got := h.seals(t); got["T"] != 125 {
		t.Errorf("the seals are of level %v", got)
	}
}
