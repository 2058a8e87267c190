package registry_test

import (
	"errors"
	"math"
	"testing"

	"attesta/registry"
)

func positions(t *testing.T, seed byte) []uint32 {
	t.Helper()
	p, err := registry.NewPositions([32]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]uint32, registry.ListSize)
	for n := range out {
		if out[n], err = p.At(uint32(n)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// S8
func TestEveryPositionIsGivenOutExactlyOnce(t *testing.T) {
	for seed := range byte(4) {
		seen := make([]bool, registry.ListSize)
		for n, p := range positions(t, seed) {
			if p >= registry.ListSize || seen[p] {
				t.Fatalf("seed %d: number %d has position %d again", seed, n, p)
			}
			seen[p] = true
		}
	}
	p, err := registry.NewPositions([32]byte{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint32{registry.ListSize, 1 << 18, math.MaxUint32} {
		if _, err := p.At(n); !errors.Is(err, registry.ErrFull) {
			t.Errorf("number %d: %v, want ErrFull", n, err)
		}
	}
}

// A list that was begun must go on with the same permutation for life.
func TestPositionsNeverChange(t *testing.T) {
	got := positions(t, 7)
	for n, want := range map[int]uint32{0: 39369, 1: 54002, 2: 45573, 1000: 62315, 131071: 106494} {
		if got[n] != want {
			t.Errorf("number %d has position %d, had %d", n, got[n], want)
		}
	}
}

// S9: Wald and Wolfowitz. For independent draws above and below the median the
// number of runs is normal; all z must lie within 4, over parts of the list and
// over its steps, and two seeds must not be alike.
func TestPositionsPassARunsTest(t *testing.T) {
	for seed := range byte(4) {
		got := positions(t, seed)
		for _, n := range []int{1000, 10_000, registry.ListSize} {
			runs, above := 1, 0
			for i := range n {
				high := got[i] >= registry.ListSize/2
				if high {
					above++
				}
				if i > 0 && high != (got[i-1] >= registry.ListSize/2) {
					runs++
				}
			}
			a, b := float64(above), float64(n-above)
			mean := 2*a*b/(a+b) + 1
			z := (float64(runs) - mean) / math.Sqrt((mean-1)*(mean-2)/(a+b-1))
			if math.Abs(z) > 4 || math.Abs(a-b)/math.Sqrt(float64(n)) > 4 {
				t.Errorf("seed %d, first %d: %d runs, expected %.0f (z = %.1f), %d above", seed, n, runs, mean, z, above)
			}
		}
		neighbours := 0
		for i := 1; i < len(got); i++ {
			if d := int(got[i]) - int(got[i-1]); d == 1 || d == -1 {
				neighbours++
			}
		}
		if neighbours > 12 { // two are expected
			t.Errorf("seed %d: %d numbers stand beside the one before", seed, neighbours)
		}
	}
	same, a, b := 0, positions(t, 1), positions(t, 2)
	for n := range a {
		if a[n] == b[n] {
			same++
		}
	}
	if same > 12 { // one is expected
		t.Errorf("two seeds agree on %d positions", same)
	}
}
