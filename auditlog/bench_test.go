package auditlog

import "testing"

// BenchmarkLeaf is what an event costs before it is written.
func BenchmarkLeaf(b *testing.B) {
	leaf := key(1).Leaves()
	ev := event(12345)
	var e Edge
	for b.Loop() {
		e.Append(leaf(ev))
	}
}
