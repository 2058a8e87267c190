package registry

import "testing"

// TestSamePerson: one name written in two ways is one person's.
func TestSamePerson(t *testing.T) {
	for _, other := range []string{"niccolò rossi", "Niccolò  Rossi", "Niccolo\u0300 Rossi", "ＮICCOLÒ Rossi", "NICCOLÒ ROSSI "} {
		if !samePerson("Niccolò Rossi", other) {
			t.Errorf("%q is another person", other)
		}
	}
	if samePerson("Niccolò Rossi", "Nicola Rossi") {
		t.Error("two people are one")
	}
}
