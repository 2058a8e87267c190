package registry_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"attesta/registry"
	"attesta/registry/bolt"
	"attesta/status"
)

func newRegistry(t testing.TB, cfg registry.Config) *registry.Registry {
	t.Helper()
	s, err := bolt.Create(filepath.Join(t.TempDir(), "registry.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := registry.New(s, cfg)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

var anIntent = registry.Intent{Provider: "p", Learner: "l", Module: "m", Version: "1", Edition: "e", Body: []byte("b")}

func TestNothingIsReservedWithoutAClaimKey(t *testing.T) {
	for _, key := range [][]byte{nil, {}, []byte("fifteen bytes..")} {
		r := newRegistry(t, registry.Config{ClaimKey: key, DataKey: []byte("a data key of the tests")})
		if _, err := r.Reserve(t.Context(), []registry.Intent{anIntent}, time.Now()); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("with a key of %d bytes: %v, want ErrInvalid", len(key), err)
		}
		if token := r.ClaimToken("urn:credential:x"); token != "" {
			t.Errorf("with a key of %d bytes: token %q", len(key), token)
		}
	}
}

func TestClaimTokensDependOnKeyAndCredential(t *testing.T) {
	key := []byte("0123456789abcdef")
	a := registry.New(nil, registry.Config{ClaimKey: key, DataKey: []byte("a data key of the tests")})
	key[0] = 'x' // the registry keeps its own copy
	b := registry.New(nil, registry.Config{ClaimKey: key, DataKey: []byte("a data key of the tests")})
	seen := map[string]bool{a.ClaimToken("urn:1"): true, a.ClaimToken("urn:2"): true, b.ClaimToken("urn:1"): true}
	if len(seen) != 3 {
		t.Errorf("tokens repeat: %v", seen)
	}
	// A link that was sent must open for life: this value must never change.
	const want = "ESC2XGENAIDD7G3HMBFPSAC7C5"
	if got := registry.New(nil, registry.Config{ClaimKey: []byte("0123456789abcdef"), DataKey: []byte("0123456789abcdef")}).ClaimToken("urn:credential:1"); got != want {
		t.Errorf("token %s, was %s", got, want)
	}
}

func TestRandomnessThatEndsIsAnErrorAndLeavesNothing(t *testing.T) {
	r := newRegistry(t, registry.Config{ClaimKey: []byte("0123456789abcdef"), DataKey: []byte("a data key of the tests"), Rand: strings.NewReader("too little")})
	if _, err := r.Reserve(t.Context(), []registry.Intent{anIntent}, time.Now()); err == nil {
		t.Error("reserved with 10 random bytes")
	}
	if _, err := r.Grant(t.Context(), registry.Session, "a", time.Hour, time.Now()); err == nil {
		t.Error("granted with no random bytes")
	}
	if events, err := r.Events(t.Context(), 0, 10); err != nil || len(events) != 0 {
		t.Errorf("events %v, %v", events, err)
	}
}

// A source that repeats itself must not give one name to two records.
func TestRepeatedNamesAreRefused(t *testing.T) {
	r := newRegistry(t, registry.Config{ClaimKey: []byte("0123456789abcdef"), DataKey: []byte("a data key of the tests"), Rand: zeros{}})
	if _, err := r.Reserve(t.Context(), []registry.Intent{anIntent}, time.Now()); err != nil {
		t.Fatal(err)
	}
	other := anIntent
	other.Learner = "other"
	if _, err := r.Reserve(t.Context(), []registry.Intent{other}, time.Now()); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("second record: %v, want ErrConflict", err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReferencesAreWhatRandomBytesSay(t *testing.T) {
	for in, want := range map[byte]string{0x00: "AAAAAAAAAAAAAAAAAAAAAAAAAA", 0xff: "77777777777777777777777777"} {
		got, err := registry.NewReference(bytes.NewReader(bytes.Repeat([]byte{in}, 17)))
		if err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}

func TestTransitionIsATableWithoutGaps(t *testing.T) {
	const conflict = "conflict"
	want := [3][3]string{ // from valid, revoked, suspended to valid, revoked, suspended
		{"", "revoke", "suspend"},
		{conflict, "", conflict},
		{"reinstate", "revoke", ""},
	}
	for from := range want {
		for to := range want {
			kind, err := registry.Transition(status.Value(from), status.Value(to))
			if err != nil {
				kind = conflict
			}
			if kind != want[from][to] || err != nil && !errors.Is(err, registry.ErrConflict) {
				t.Errorf("%v to %v: %q, %v", status.Value(from), status.Value(to), kind, err)
			}
		}
	}
}

func TestLevelsAreCalledAsInTheStandard(t *testing.T) {
	for l, want := range []string{"B", "T", "LT", "LTA", "level(4)"} {
		if got := registry.Level(l).String(); got != want {
			t.Errorf("level %d is called %q, want %q", l, got, want)
		}
	}
}

func TestEditionKeysAreUnambiguous(t *testing.T) {
	seen := map[string]bool{}
	names := []string{"a", "a/b", "%2F", "a%2Fb", "é", " ", "?", "/", "."}
	for _, m := range names {
		for _, e := range names {
			key := registry.Edition{Module: m, Edition: e}.Key()
			gm, ge, err := registry.ParseEditionKey(key)
			if err != nil || gm != m || ge != e || seen[key] {
				t.Errorf("%q %q gives key %q, which gives %q %q, %v", m, e, key, gm, ge, err)
			}
			seen[key] = true
		}
	}
	for _, key := range []string{"", "a", "%/a", "a/%zz"} {
		if _, _, err := registry.ParseEditionKey(key); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("key %q: %v, want ErrInvalid", key, err)
		}
	}
}

func FuzzByHandle(f *testing.F) {
	r := newRegistry(f, registry.Config{ClaimKey: []byte("0123456789abcdef"), DataKey: []byte("0123456789abcdef")})
	got, err := r.Reserve(f.Context(), []registry.Intent{anIntent}, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	handle := got[0].Record.Handle
	for _, s := range []string{"", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "\x00", strings.ToLower(handle), handle + "=", "urn:credential:"} {
		f.Add(s)
	}
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, s string) {
		for _, find := range []func(context.Context, string) (registry.Record, error){r.ByHandle, r.ByClaim, r.ByCredential} {
			if rec, err := find(ctx, s); s != handle && !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%q finds %v, %v", s, rec, err)
			}
		}
	})
}

// gaps is a backend whose log has only these numbers.
type gaps struct {
	registry.Backend
	numbers []uint64
	asked   int
}

func (g *gaps) Events(_ context.Context, after uint64, limit int) (out []registry.Event, err error) {
	g.asked++
	for _, n := range g.numbers {
		if n > after && len(out) < limit {
			out = append(out, registry.Event{Seq: n})
		}
	}
	return out, nil
}

func TestTheNewestEventIsFoundAmongGaps(t *testing.T) {
	for _, numbers := range [][]uint64{{1}, {7}, {1, 2, 3}, {5, 6, 900}, {1, 1 << 40}, {3, 4, 1<<62 + 1}, {1 << 63 / 2, 1<<63 - 1}} {
		g := &gaps{numbers: numbers}
		r := registry.New(g, registry.Config{})
		for range 2 {
			last, err := r.LastEvent(t.Context())
			if err != nil || last.Seq != numbers[len(numbers)-1] {
				t.Errorf("of %v: %d, %v", numbers, last.Seq, err)
			}
		}
		g.asked = 0
		if _, err := r.LastEvent(t.Context()); err != nil || g.asked > 2 {
			t.Errorf("of %v: asked %d times, %v", numbers, g.asked, err)
		}
	}
}

// seenKeys is a backend that shows under which keys requests are counted.
type seenKeys struct {
	registry.Backend
	keys map[[32]byte]bool
}

func (s *seenKeys) Take(_ context.Context, key [32]byte, _ time.Duration, _ int, _ time.Time) (int, int, error) {
	s.keys[key] = true
	return 1, 0, nil
}

// W7, K4: what reaches a store of who asks is another value for each door, day
// and installation, the same at every server, and does not show who it was.
func TestNobodyIsNamedByACount(t *testing.T) {
	at := time.Date(2026, 3, 4, 23, 59, 0, 0, time.UTC)
	s := &seenKeys{keys: map[[32]byte]bool{}}
	n := 0
	for _, claim := range []string{"a key of the tests, one", "a key of the tests, two"} {
		for range 2 { // two servers
			r := registry.New(s, registry.Config{ClaimKey: []byte(claim)})
			for _, door := range []string{"verify", "sign-in"} {
				for _, who := range []string{"192.0.2.7", "2001:db8::"} {
					for _, when := range []time.Time{at, at.Add(30 * time.Second), at.Add(time.Minute)} {
						n++
						if _, err := r.Count(t.Context(), door, who, time.Minute, 5, when); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
	}
	if want := 2 * 2 * 2 * 2; len(s.keys) != want {
		t.Errorf("%d counts were under %d keys, want %d", n, len(s.keys), want)
	}
	for key := range s.keys {
		if bytes.Contains(key[:], []byte("192.0.2.7")) || bytes.Contains(key[:], []byte("2001")) {
			t.Errorf("a key shows who asks: %x", key)
		}
	}
	without := registry.New(s, registry.Config{})
	if _, err := without.Count(t.Context(), "verify", "192.0.2.7", time.Minute, 5, at); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("without a claim key: %v", err)
	}
}

// without is a backend that lost what documents share.
type without struct{ registry.Backend }

func (without) Shared(context.Context, registry.SharedID) ([]byte, error) {
	return nil, registry.ErrNotFound
}

func TestCheckMissesWhatIsShared(t *testing.T) {
	s, err := bolt.Create(filepath.Join(t.TempDir(), "registry.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := registry.Config{ClaimKey: []byte("0123456789abcdef"), DataKey: []byte("0123456789abcdef")}
	whole := registry.New(s, cfg)
	t.Cleanup(func() { _ = whole.Close() })
	in := anIntent
	in.Body = bytes.Repeat([]byte("a body "), 100)
	in.Shared = in.Body
	if _, err := whole.Reserve(t.Context(), []registry.Intent{in}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := whole.Check(t.Context()); err != nil {
		t.Error(err)
	}
	robbed := registry.New(without{s}, cfg)
	if err := robbed.Check(t.Context()); err == nil {
		t.Error("Check is content without what a body refers to")
	}
	if _, err := robbed.Find(t.Context(), registry.Key{Seq: 1}); err == nil || errors.Is(err, registry.ErrNotFound) {
		t.Errorf("reading it: %v, want damage", err)
	}
}

// FuzzDecodeProposal: what can be read is complete, and is the same when it is
// written and read again.
func FuzzDecodeProposal(f *testing.F) {
	whole := registry.Proposal{
		Number: 7, Meant: registry.Meant{Selection: &registry.Selection{Module: "m"}}, To: status.Revoked, Reason: "other",
		By: "Ada", At: time.Unix(1_770_000_000, 0).UTC(), State: registry.ProposalOpen,
	}
	b, err := whole.Encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{b, {}, []byte("{}"), []byte(`{"number":1}`), b[:len(b)-2], []byte(`{"number":1,"state":"open","meant":{"credentials":["x"]}}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := registry.DecodeProposal(b)
		if err != nil {
			return
		}
		again, err := p.Encode()
		if err != nil {
			return // such as a year that JSON does not have
		}
		if same, err := registry.DecodeProposal(again); err != nil || !reflect.DeepEqual(same.Meant, p.Meant) || same.Number != p.Number || p.Number == 0 {
			t.Errorf("%s came back as %+v, %v", b, same, err)
		}
	})
}
