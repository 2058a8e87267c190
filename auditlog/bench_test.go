package auditlog

import "testing"

// BenchmarkLeaf is what an event costs before it is written.
func BenchmarkLeaf(b *testing.B) {
	k := key(1)
	ev := event(12345)
	var e Edge
	for b.Loop() {
		e.Append(k.Hash(ev))
	}
}
