package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attesta/registry"
)

// copyFile is what an operator does with cp.
func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func reopen(t testing.TB, path string) (*Store, *registry.Registry) {
	t.Helper()
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
}

// K6, S8: an older copy, another registry, or one that went its own way is
// refused until Accept, and then no position is given out that was given out
// before.
func TestAnOlderCopyIsRefusedUntilItIsAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		replace func(t *testing.T, path, older string) // what happens to the file
		says    string                                 // or empty when it is as good as before
	}{
		"nothing":        {func(*testing.T, string, string) {}, ""},
		"an older copy":  {func(t *testing.T, path, older string) { copyFile(t, older, path) }, "has 5 entries and has had 13"},
		"no mark":        {func(t *testing.T, path, _ string) { _ = os.Remove(path + MarkEnding) }, "is missing"},
		"no mark, older": {func(t *testing.T, path, older string) { copyFile(t, older, path); _ = os.Remove(path + MarkEnding) }, "is missing"},
		"a damaged mark": {func(t *testing.T, path, _ string) { _ = os.WriteFile(path+MarkEnding, make([]byte, 1024), 0o600) }, "is damaged"},
		"an empty mark":  {func(t *testing.T, path, _ string) { _ = os.WriteFile(path+MarkEnding, nil, 0o600) }, "is damaged"},
		"half a mark":    {func(t *testing.T, path, _ string) { spoilSlot(t, path+MarkEnding) }, ""},
		"another": {func(t *testing.T, path, _ string) {
			s, _, other := newStore(t)
			_ = s.Close()
			copyFile(t, other, path)
		}, "belongs to another registry"},
		"went on by itself": {func(t *testing.T, path, older string) {
			copyFile(t, older, path)
			_ = os.Remove(path + MarkEnding)
			elsewhere := filepath.Join(t.TempDir(), "elsewhere.db")
			copyFile(t, older, elsewhere)
			if _, err := Accept(elsewhere, "operator", at, Options{}); err != nil {
				t.Fatal(err)
			}
			s, r := reopen(t, elsewhere)
			reserveSome(t, r, 100, 130)
			_ = s.Close()
			s, _ = reopen(t, path+".kept")
			_ = s.Close()
			copyFile(t, path+".kept"+MarkEnding, path+MarkEnding)
			copyFile(t, elsewhere, path)
		}, "is not the one it was"},
	} {
		t.Run(name, func(t *testing.T) {
			s, r, path := newStore(t)
			reserveSome(t, r, 0, 5)
			older := path + ".older"
			file, err := os.Create(older)
			if err == nil {
				err = errors.Join(s.Copy(t.Context(), file), file.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
			given := map[string]bool{}
			for _, rec := range append(reserveSome(t, r, 0, 5), reserveSome(t, r, 5, 13)...) {
				given[fmt.Sprint(rec.List, rec.Index)] = true
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			copyFile(t, path, path+".kept")
			copyFile(t, path+MarkEnding, path+".kept"+MarkEnding)
			c.replace(t, path, older)
			if s, err = Open(path, Options{}); c.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				_ = s.Close()
				return
			}
			if !errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("opening: %v, want %q", err, c.says)
			}
			if strings.Contains(name, "another") {
				return
			}
			closed, err := Accept(path, "operator", at, Options{})
			if err != nil || closed != 1 {
				t.Fatalf("accepting closed %d lists, %v", closed, err)
			}
			_, r = reopen(t, path)
			for _, rec := range reserveSome(t, r, 200, 230) {
				if given[fmt.Sprint(rec.List, rec.Index)] {
					t.Fatalf("position %d of list %s is given out again", rec.Index, rec.List)
				}
			}
			if err := r.Check(t.Context()); err != nil {
				t.Error(err)
			}
			events, err := r.Events(t.Context(), 0, registry.MaxLimit)
			if err != nil || !strings.Contains(fmt.Sprint(events), "accept registry.db operator") {
				t.Errorf("the log does not say so: %v, %v", events, err)
			}
		})
	}
}

// spoilSlot makes half of the newer slot unreadable, as a power cut may: the
// other one says less, and is enough.
func spoilSlot(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, next, err := readMark(path)
	if err != nil {
		t.Fatal(err)
	}
	newer := (1 - next) * slotSize
	copy(b[newer+20:newer+slotSize], make([]byte, slotSize-20))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Without the mark an older copy gives out positions again: the control of the
// test above.
func TestWithoutItsMarkAnOlderCopyGivesPositionsTwice(t *testing.T) {
	s, r, path := newStore(t)
	reserveSome(t, r, 0, 5)
	var older bytes.Buffer
	if err := s.Copy(t.Context(), &older); err != nil {
		t.Fatal(err)
	}
	before := reserveSome(t, r, 5, 6)[0]
	_ = s.Close()
	if err := os.WriteFile(path, older.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(path, Options{}, changing) // which does not look at the mark
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r = registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
	if after := reserveSome(t, r, 9, 10)[0]; after.Index != before.Index || after.List != before.List {
		t.Errorf("%d and %d: this test would not see a position that is given twice", before.Index, after.Index)
	}
}

// A mark that lags is brought up to the file; one that cannot be written holds
// up the next change, and only that.
func TestTheMarkFollowsTheFile(t *testing.T) {
	s, r, path := newStore(t)
	reserveSome(t, r, 0, 2)
	lagging, err := os.ReadFile(path + MarkEnding)
	if err != nil {
		t.Fatal(err)
	}
	reserveSome(t, r, 2, 9)
	_ = s.Close()
	if err := os.WriteFile(path+MarkEnding, lagging, 0o600); err != nil {
		t.Fatal(err)
	}
	s, r = reopen(t, path)
	if says, _, err := readMark(path + MarkEnding); err != nil || says.entries != 9 {
		t.Fatalf("the mark says %d, %v", says.entries, err)
	}
	whole := s.mark.file
	if s.mark.file, err = os.Open(path + MarkEnding); err != nil { // cannot be written
		t.Fatal(err)
	}
	reserveSome(t, r, 9, 10) // is durable, so it is acknowledged
	if _, err := r.Reserve(t.Context(), []registry.Intent{anIntent(10)}, at); err == nil {
		t.Error("a change was taken although the mark cannot be written")
	}
	_ = s.mark.file.Close()
	s.mark.file = whole
	reserveSome(t, r, 10, 11)
	if says, _, err := readMark(path + MarkEnding); err != nil || says.entries != 11 {
		t.Errorf("the mark says %d, %v", says.entries, err)
	}
}

func TestCreateRefusesWhereARegistryIsMissing(t *testing.T) {
	s, r, path := newStore(t)
	reserveSome(t, r, 0, 2)
	_ = s.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, Options{}); !errors.Is(err, registry.ErrConflict) || !strings.Contains(err.Error(), "is missing") {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a file was left: %v", err)
	}
	if err := os.Remove(path + MarkEnding); err != nil {
		t.Fatal(err)
	}
	s, err := Create(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

func TestAcceptWaitsForNobody(t *testing.T) {
	_, _, path := newStore(t)
	if _, err := Accept(path, "operator", time.Now(), Options{}); !errors.Is(err, registry.ErrInUse) {
		t.Errorf("%v, want ErrInUse", err)
	}
}

func FuzzParseSlot(f *testing.F) {
	f.Add(point{registry: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", entries: 7, digest: [32]byte{1}}.slot())
	f.Add(point{}.slot())
	f.Add(make([]byte, slotSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := parseSlot(b); ok && !bytes.Equal(p.slot(), b) {
			t.Errorf("%+v is written otherwise", p)
		}
	})
}
