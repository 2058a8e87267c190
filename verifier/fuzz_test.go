package verifier

import (
	"bytes"
	"context"
	"testing"

	"attesta/credentials"
	"attesta/status"
)

// Whatever is presented: no panic, and valid only for what the trusted key
// sealed.
func FuzzVerify(f *testing.F) {
	h := newHouse(f)
	h.publishAll()
	h.award.Module.Outcomes, h.award.Module.Description = h.award.Module.Outcomes[:1], nil
	d := h.document()
	sealed := h.seal(d)
	f.Add(sealed)
	f.Add([]byte(d))
	f.Add([]byte(`{"payload":"{}","signatures":[{"protected":"e30","signature":"AA"}]}`))
	f.Add(h.lists.at[listURL(status.Revocation)])
	v := h.verifier()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := v.Verify(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != Valid && r.Verdict != NotValid && r.Verdict != CannotTell {
			t.Fatalf("no verdict: %+v", r)
		}
		if r.Verdict == NotValid {
			return
		}
		parsed, err := credentials.Parse(data)
		if err != nil || !bytes.Equal(parsed.Envelope.Payload(), d) {
			t.Fatalf("%s for what the key did not seal", r.Verdict)
		}
	})
}
