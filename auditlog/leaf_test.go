package auditlog

import "testing"

// The leaves of many events, one after the other, are those of each by itself.
func TestLeavesOneAfterTheOther(t *testing.T) {
	leaf := key(1).Leaves()
	for _, n := range []int{1, 2, 3, 3, 2, 12345, 1} {
		alone, _ := key(1).Open(event(n))
		if got := leaf(event(n)); got != alone.Hash() {
			t.Errorf("event %d: %v, alone %v", n, got, alone.Hash())
		}
	}
}
