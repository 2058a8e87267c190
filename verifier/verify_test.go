package verifier

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
	"attesta/status"
)

// Each row is a file as somebody presents it, and the one answer to it. The
// status lists of the house are published and empty unless a row changes them.
func TestVerdicts(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name    string
		file    func(*house) []byte
		verdict Verdict
		reason  string
		level   string
		asks    bool // whether the lists may be asked
	}{
		{"good", func(h *house) []byte { return h.seal(h.document()) }, Valid, "valid", "demonstration", true},
		{"good, of an authority that is known", func(h *house) []byte {
			h.trust.Anchors[0].Level = keys.Advanced
			return h.seal(h.document())
		}, Valid, "valid", "advanced", true},

		// the file
		{"nothing", func(*house) []byte { return nil }, NotValid, "format_empty", "", false},
		{"a picture", func(*house) []byte { return []byte("\x89PNG") }, NotValid, "format_not_json", "", false},
		{"not sealed", func(h *house) []byte { return h.document() }, NotValid, "format_not_sealed", "", false},
		{"a status list", func(h *house) []byte { return h.lists.at[listURL(status.Revocation)] }, NotValid, "format_token", "", false},
		{"too large", func(*house) []byte { return make([]byte, credentials.MaxSealedBytes+1) }, NotValid, "format_too_large", "", false},
		{"sealed, but another kind of credential", func(h *house) []byte {
			return h.seal(h.changed(h.document(), `"VerifiableCredential","EuropeanDigitalCredential"`, `"VerifiableCredential"`))
		}, NotValid, "format_payload", "", false},
		{"sealed, with an end that is no date and time", func(h *house) []byte {
			return h.seal(h.changed(h.document(), `"issued":`, `"expirationDate":"2020-01-01","issued":`))
		}, NotValid, "format_payload", "", false},

		// the seal (J9, L3, S6)
		{"a name changed", func(h *house) []byte { return bytes.ReplaceAll(h.seal(h.document()), []byte("Ada"), []byte("Eva")) }, NotValid, "seal_broken", "", false},
		{"the list's address changed", func(h *house) []byte {
			return bytes.ReplaceAll(h.seal(h.document()), []byte("/status/L1/"), []byte("/status/L2/"))
		}, NotValid, "seal_broken", "", false},
		{"the issuer changed", func(h *house) []byte {
			return bytes.ReplaceAll(h.seal(h.document()), []byte("DM:IT-iss-scuola"), []byte("DM:IT-iss-altraa"))
		}, NotValid, "seal_broken", "", false},
		{"sealed tomorrow (K5)", func(h *house) []byte { return h.sealWith(h.key(keys.Seal), h.document(), h.now.Add(day)) }, NotValid, "seal_in_future", "", false},
		{"sealed four minutes ahead of our clock", func(h *house) []byte { return h.sealWith(h.key(keys.Seal), h.document(), h.now.Add(4*time.Minute)) }, Valid, "valid", "demonstration", true},

		// who sealed
		{"nobody vouches for the sealer", func(h *house) []byte { h.trust = keys.Trust{}; return h.seal(h.document()) }, CannotTell, "issuer_unrecognised", "unrecognised", false},
		{"another root of the same name", func(h *house) []byte {
			h.trust = newHouse(h.t).trust
			return h.seal(h.document())
		}, CannotTell, "issuer_unrecognised", "unrecognised", false},
		{"sealed with the key of status lists (J10)", func(h *house) []byte { return h.sealWith(h.key(keys.Status), h.document(), h.now) }, NotValid, "issuer_certificate", "unrecognised", false},
		{"sealed after the certificate ended", func(h *house) []byte {
			h.now = h.now.AddDate(6, 0, 0)
			early := *h
			early.now = theMoment(h.t)
			return early.sealWith(early.key(keys.Seal), early.document(), h.now)
		}, NotValid, "issuer_certificate", "unrecognised", false},
		{"sealed before the certificate began", func(h *house) []byte { return h.sealWith(h.key(keys.Seal), h.document(), h.now.AddDate(-2, 0, 0)) }, NotValid, "issuer_certificate", "unrecognised", false},
		{"the credential names another legal identifier", func(h *house) []byte {
			return h.seal(h.changed(h.document(), "DM:IT-iss-scuola", "VATIT-00000000000"))
		}, NotValid, "issuer_mismatch", "demonstration", false},
		{"the credential names another organisation", func(h *house) []byte {
			return h.seal(h.changed(h.document(), "Scuola Dimostrativa", "Regione Esempio", h.award.Provider.Name["en"], "Region"))
		}, NotValid, "issuer_mismatch", "demonstration", false},
		{"sealed by a neighbour of the same authority", func(h *house) []byte {
			d := h.document()
			h.ensure("iss-cfp", "DM:IT-iss-cfp")
			h.owner = "iss-cfp"
			return h.sealWith(h.key(keys.Seal), d, h.now)
		}, NotValid, "issuer_mismatch", "demonstration", false},

		// its time
		{"expired", func(h *house) []byte {
			h.award.Module.ValidityMonths = new(int)
			return h.seal(h.document())
		}, NotValid, "validity_expired", "demonstration", true},
		{"on its last day", func(h *house) []byte {
			h.award.CompletedOn, h.award.Module.ValidityMonths = "2026-11-21", new(int)
			return h.seal(h.document())
		}, Valid, "valid", "demonstration", true},
		{"not valid yet", func(h *house) []byte {
			return h.seal(h.changed(h.document(), `"validFrom":"2026-11-21T`, `"validFrom":"2027-01-01T`))
		}, NotValid, "validity_not_yet", "demonstration", true},
		{"without any beginning", func(h *house) []byte {
			return h.seal(h.changed(h.document(), `"validFrom":`, `"validFromm":`, `"issued":`, `"issuedd":`))
		}, CannotTell, "validity_unstated", "demonstration", true},

		// its status (S2-S7)
		{"revoked", func(h *house) []byte {
			h.publish(status.Revocation, h.list(status.Revocation, position))
			return h.seal(h.document())
		}, NotValid, "status_revoked", "demonstration", true},
		{"another one revoked", func(h *house) []byte {
			h.publish(status.Revocation, h.list(status.Revocation, position-1, position+1))
			return h.seal(h.document())
		}, Valid, "valid", "demonstration", true},
		{"suspended", func(h *house) []byte {
			h.publish(status.Suspension, h.list(status.Suspension, position))
			return h.seal(h.document())
		}, NotValid, "status_suspended", "demonstration", true},
		{"revoked and expired", func(h *house) []byte {
			h.publish(status.Revocation, h.list(status.Revocation, position))
			h.award.Module.ValidityMonths = new(int)
			return h.seal(h.document())
		}, NotValid, "status_revoked", "demonstration", true},
		{"revoked, and the other list is down", func(h *house) []byte {
			h.publish(status.Revocation, h.list(status.Revocation, position))
			delete(h.lists.at, listURL(status.Suspension))
			return h.seal(h.document())
		}, NotValid, "status_revoked", "demonstration", true},
		{"the lists are down (S7)", func(h *house) []byte { h.lists.err = ErrUnreachable; return h.seal(h.document()) }, CannotTell, "status_unreachable", "demonstration", true},
		{"one list is down", func(h *house) []byte {
			delete(h.lists.at, listURL(status.Suspension))
			return h.seal(h.document())
		}, CannotTell, "status_unreachable", "demonstration", true},
		{"the lists are inside a private network", func(h *house) []byte { h.lists.err = ErrRefused; return h.seal(h.document()) }, CannotTell, "status_refused", "demonstration", true},
		{"without any status", func(h *house) []byte {
			return h.seal(h.changed(h.document(), `"status":`, `"statuss":`))
		}, Valid, "valid", "demonstration", false},
		{"a kind of status nobody knows", func(h *house) []byte {
			return h.seal(h.changed(h.document(), "BitstringStatusListEntry", "RevocationList2020Status"))
		}, CannotTell, "status_unsupported", "demonstration", false},
		{"a purpose nobody knows", func(h *house) []byte {
			return h.seal(h.changed(h.document(), `"statusPurpose":"revocation"`, `"statusPurpose":"message"`, `"statusPurpose":"suspension"`, `"statusPurpose":"refresh"`))
		}, CannotTell, "status_unsupported", "demonstration", false},
		{"the list is signed by a neighbour (S2)", func(h *house) []byte {
			sealed := h.seal(h.document())
			h.ensure("iss-cfp", "DM:IT-iss-cfp")
			h.owner = "iss-cfp"
			h.publish(status.Revocation, h.list(status.Revocation))
			return sealed
		}, NotValid, "status_list_untrusted", "demonstration", true},
		{"the list is signed by somebody else (S2)", func(h *house) []byte {
			h.publishWith(newHouse(h.t).key(keys.Status), status.Revocation, h.list(status.Revocation))
			return h.seal(h.document())
		}, NotValid, "status_list_untrusted", "demonstration", true},
		{"the list is signed by the seal key", func(h *house) []byte {
			h.publishWith(h.key(keys.Seal), status.Revocation, h.list(status.Revocation))
			return h.seal(h.document())
		}, Valid, "valid", "demonstration", true},
		{"the list is not signed (S2)", func(h *house) []byte {
			text, err := json.Marshal(h.list(status.Revocation))
			if err != nil {
				h.t.Fatal(err)
			}
			h.lists.at[listURL(status.Revocation)] = text
			return h.seal(h.document())
		}, NotValid, "status_list_unreadable", "demonstration", true},
		{"the list says alg none (J1)", func(h *house) []byte {
			h.lists.at[listURL(status.Revocation)] = unsigned(`{"alg":"none","typ":"vc+jwt"}`, "{}")
			return h.seal(h.document())
		}, NotValid, "status_list_unreadable", "demonstration", true},
		{"a sealed credential for a list (J10)", func(h *house) []byte {
			sealed := h.seal(h.document())
			h.lists.at[listURL(status.Revocation)] = sealed
			return sealed
		}, NotValid, "status_list_unreadable", "demonstration", true},
		{"the list of another address (S3)", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.ID = strings.Replace(l.ID, "L1", "L2", 1)
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, NotValid, "status_list_swapped", "demonstration", true},
		{"the list of another purpose (S3)", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.Subject.Purpose = "suspension"
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, NotValid, "status_list_swapped", "demonstration", true},
		{"the two lists exchanged (S3)", func(h *house) []byte {
			a, b := listURL(status.Revocation), listURL(status.Suspension)
			h.lists.at[a], h.lists.at[b] = h.lists.at[b], h.lists.at[a]
			return h.seal(h.document())
		}, NotValid, "status_list_swapped", "demonstration", true},
		{"a list of another kind (S3)", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.Subject.Type = "StatusList2021"
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, NotValid, "status_list_swapped", "demonstration", true},
		{"the list has ended (S5)", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.ValidUntil = h.now.Add(-time.Second).UTC().Format(time.RFC3339)
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, CannotTell, "status_stale", "demonstration", true},
		{"the list is of tomorrow", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.ValidFrom = h.now.Add(day).UTC().Format(time.RFC3339)
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, CannotTell, "status_stale", "demonstration", true},
		{"the list has no end", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.ValidUntil = ""
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, Valid, "valid", "demonstration", true},
		{"the list has no end, and is of the day before yesterday (S5)", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.ValidFrom, l.ValidUntil = h.now.Add(-25*time.Hour).UTC().Format(time.RFC3339), ""
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, CannotTell, "status_stale", "demonstration", true},
		{"the list has an end that is no day", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.ValidUntil = "soon"
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, NotValid, "status_list_unreadable", "demonstration", true},
		{"the list has no beginning", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.ValidFrom = ""
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, NotValid, "status_list_unreadable", "demonstration", true},
		{"a list too short (S4)", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.Subject.List = packed(h.t, 16)
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, CannotTell, "status_list_damaged", "demonstration", true},
		{"a bomb for a list (S1)", func(h *house) []byte {
			l := h.list(status.Revocation)
			l.Subject.List = packed(h.t, 64<<20)
			h.publish(status.Revocation, l)
			return h.seal(h.document())
		}, CannotTell, "status_list_damaged", "demonstration", true},
		{"a position outside the list (S4)", indexed("131072"), NotValid, "status_index", "demonstration", true},
		{"the last position", indexed("131071"), Valid, "valid", "demonstration", true},
		{"a position below zero (S4)", indexed("-1"), NotValid, "status_index", "demonstration", false},
		{"a position that is not whole (S4)", indexed("1.5"), NotValid, "status_index", "demonstration", false},
		{"a position with an exponent (S4)", indexed("1e2"), NotValid, "status_index", "demonstration", false},
		{"a position beyond all bounds (S4)", indexed("9223372036854775808"), NotValid, "status_index", "demonstration", false},
		{"a position that is empty (S4)", indexed(""), NotValid, "status_index", "demonstration", false},
		{"a position with a blank (S4)", indexed(" 1"), NotValid, "status_index", "demonstration", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.publishAll()
			file := c.file(h)
			r := h.verify(file)
			if r.Verdict != c.verdict || r.Reason != c.reason || r.Level != c.level {
				t.Errorf("%s because of %s, level %q; want %s, %s, %q\n%+v", r.Verdict, r.Reason, r.Level, c.verdict, c.reason, c.level, r.Checks)
			}
			if asked := len(h.lists.asked) > 0; asked != c.asks {
				t.Errorf("asked: %v", h.lists.asked)
			}
			sealed := r.Find(CheckSeal).Outcome == Pass
			if (r.Credential != nil) != sealed || (r.Summary != nil) != sealed {
				t.Error("content is shown that no good seal covers, or is not shown although one does")
			}
			if !sealed && len(h.lists.asked) > 0 {
				t.Error("something was fetched before the seal was good")
			}
			if len(r.Digest) != 64 || !r.CheckedAt.Equal(h.now) || !r.At.Equal(h.now) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func indexed(index string) func(*house) []byte {
	return func(h *house) []byte {
		return h.seal(h.changed(h.document(), `"statusListIndex":"4711"`, `"statusListIndex":"`+index+`"`))
	}
}

// packed is an encoded list of so many bytes of zero. One packed block stands
// for each mebibyte of a long one.
func packed(t testing.TB, size int) string {
	t.Helper()
	var block bytes.Buffer
	w, err := flate.NewWriter(&block, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, min(size, 1<<20))); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	file := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	sum := crc32.NewIEEE()
	for done := 0; done < size; done += 1 << 20 {
		file = append(file, block.Bytes()...)
		sum.Write(make([]byte, min(size, 1<<20)))
	}
	file = append(file, 1, 0, 0, 0xff, 0xff) // an empty last block
	file = binary.LittleEndian.AppendUint32(file, sum.Sum32())
	file = binary.LittleEndian.AppendUint32(file, uint32(size))
	return "u" + base64.RawURLEncoding.EncodeToString(file)
}

// S1: a list that unpacks to half a gibibyte costs no such memory.
func TestABombCostsLittle(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	l := h.list(status.Revocation)
	l.Subject.List = packed(t, 512<<20)
	h.publish(status.Revocation, l)
	unpackable, err := base64.RawURLEncoding.DecodeString(packed(t, 4<<20)[1:])
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(unpackable))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, z); n != 4<<20 || err != nil {
		t.Fatalf("the bomb is none: %d bytes, %v", n, err)
	}
	sealed := h.seal(h.document())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	started := time.Now()
	r := h.verify(sealed)
	runtime.ReadMemStats(&after)
	if r.Verdict != CannotTell {
		t.Errorf("%s because of %s", r.Verdict, r.Reason)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
	if spent := time.Since(started); spent > 5*time.Second {
		t.Errorf("it took %v", spent)
	}
}

// J9: fail closed. A check that breaks off is no verdict, and no report at all
// when the caller gave up.
func TestAnInterruptedCheckIsNoVerdict(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := h.verifier().Verify(ctx, h.seal(h.document()))
	if !errors.Is(err, context.Canceled) || r.Verdict != "" || r.Credential != nil {
		t.Errorf("%v, %+v", err, r)
	}
}

// J9: content that is changed without the seal being touched is found, wherever
// in the file it stands, and none of it is shown.
func TestChangedContentIsNeverValidAndNeverShown(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	sealed := string(h.seal(h.document()))
	for _, change := range [][2]string{
		{`\"fullName\":{\"it\":\"Ada Esempio\"}`, `\"fullName\":{\"it\":\"Eva Esempio\"}`},
		{`\"issued\":\"2026`, `\"issued\":\"2025`},
		{`statusListIndex\":\"4711`, `statusListIndex\":\"4712`},
		{`eqf/`, `eqf//`},
		{`\"type\":\"Person\"`, `\"type\":\"Person\",\"x\":1`},
		{`{"payload":"{`, `{"payload":"{ `},
		{`"signatures":[`, `"x":"Eva","signatures":[`},
	} {
		if !strings.Contains(sealed, change[0]) {
			t.Fatalf("the file has no %s", change[0])
		}
		r := h.verify([]byte(strings.Replace(sealed, change[0], change[1], 1)))
		if r.Verdict != NotValid || r.Credential != nil {
			t.Errorf("%s: %s because of %s", change[1], r.Verdict, r.Reason)
		}
	}
	if len(h.lists.asked) > 0 {
		t.Errorf("asked: %v", h.lists.asked)
	}
}

// A deviation from the profile is said and decides nothing; that nobody was
// compared with an identity document is always said.
func TestWhatDoesNotDecide(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	r := h.verify(h.seal(h.changed(h.document(), `"volumeOfLearning":"PT`, `"volumeOfLearning":"12 hours PT`)))
	if c := r.Find(CheckSchema); r.Verdict != Valid || c.Reason != "schema_deviates" || c.Outcome != Unknown || !strings.HasPrefix(c.Facts["first"], "S11 ") {
		t.Errorf("%s, %+v", r.Verdict, c)
	}
	if c := r.Find(CheckHolder); c.Outcome != Skipped || c.Facts["name"] != "Ada Esempio" {
		t.Errorf("%+v", c)
	}
	if c := r.Find(CheckAccreditation); c.Outcome != Unknown {
		t.Errorf("%+v", c)
	}
	if c := r.Find("nothing"); c.Outcome != Skipped {
		t.Errorf("%+v", c)
	}
}

// The machine form holds no more of the credential than its summary.
func TestTheMachineFormIsASummary(t *testing.T) {
	h := newHouse(t)
	h.publishAll()
	text, err := json.Marshal(h.verify(h.seal(h.document())))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"verdict":"valid"`) || !strings.Contains(string(text), `"holder_name":"Ada Esempio"`) || len(text) > 4000 {
		t.Errorf("%s", text)
	}
}
