package bolt

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"attesta/registry"
)

// T6, B8: on a disk without room nothing that was acknowledged is lost, what
// is there can be read, the log of it is whole, and when there is room again
// work goes on without a restart.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" && os.Getenv("ATTESTA_NO_MOUNTING") == "" {
			t.Fatalf("mounting a small disk: %v: %s", err, out)
		}
		t.Skip("skipped: this test mounts a small disk, which needs root")
	}
	t.Cleanup(func() { unmount(t, dir) })
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Create(filepath.Join(dir, "registry.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
	kept, refused := 0, 0
	fill := func() {
		for refused = 0; refused < 5; {
			in := anIntent(kept)
			in.Body = make([]byte, 20_000)
			got, err := r.Reserve(t.Context(), []registry.Intent{in}, at)
			switch {
			case errors.Is(err, registry.ErrFull):
				refused++
			case err != nil:
				t.Fatalf("%v, want ErrFull", err)
			case got[0].Existing || got[0].Record.Seq != uint64(kept+1):
				t.Fatalf("award %d is record %d", kept, got[0].Record.Seq)
			default:
				kept++
			}
			if s.Failure() != nil {
				t.Fatalf("in doubt: %v", s.Failure())
			}
		}
	}
	fill()
	first := kept
	hold := func() {
		t.Helper()
		if err := r.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if c, err := r.Counts(t.Context(), ""); err != nil || c.Reserved != uint64(kept) {
			t.Errorf("%+v of %d, %v", c, kept, err)
		}
	}
	hold()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	fill()
	hold()
	if first < 10 || kept <= first {
		t.Errorf("%d, then %d", first, kept)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(filepath.Join(dir, "registry.db"), Options{}); err != nil {
		t.Fatal(err)
	}
	r = registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
	hold()
	t.Logf("figures: full after %d acknowledged, with room again after %d: 0 lost, nothing in doubt, no restart", first, kept)
}
