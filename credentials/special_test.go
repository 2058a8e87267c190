package credentials

import (
	"math/bits"
	"testing"
)

// The first byte that is marked is the first that needs an escape, whatever
// stands around it.
func TestSpecialMarksTheFirst(t *testing.T) {
	for _, around := range []byte{' ', '!', '#', 'a', '[', ']', 0x7f, 0x80, 0xff} {
		for at := range 8 {
			for c := range 256 {
				for _, after := range []byte{around, '"', 0} {
					var text [8]byte
					for i := range text {
						text[i] = around
						if i > at {
							text[i] = after
						}
					}
					text[at] = byte(c)
					want := 8
					for i, b := range text {
						if escaped(b) {
							want = i
							break
						}
					}
					if got := bits.TrailingZeros64(special(word(text[:]))) / 8; got != want {
						t.Fatalf("% x: %d, not %d", text, got, want)
					}
				}
			}
		}
	}
}
