package verifier

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/keys"
)

// S1, N5: whatever stands where the list should be, the answer comes within five
// seconds, is "cannot tell", and the whole process does not grow by more than 32
// MiB.
func TestHostileListsCostLittle(t *testing.T) {
	if runtime.GOOS != "linux" {
		if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
			t.Fatal("this test reads /proc, and ATTESTA_REQUIRE_ALL=1 forbids to skip it")
		}
		t.Skip("skipped: this test reads /proc")
	}
	h := newHouse(t)
	var answer http.HandlerFunc
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	defer server.Close()
	address := server.URL + "/list"
	h.trust.Anchors[0].Origins = []string{server.URL}
	sign := func(lst string) []byte {
		l := h.tokenList(2, nil)
		l.Subject, l.List.List = address, lst
		token, err := credentials.SealCompact(credentials.TokenListType, l, h.key(keys.Status))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	bomb := zippedZeros(t, 512<<20)
	t.Logf("%d bytes unpack to %d", len(bomb), 512<<20)
	token := sign(base64.RawURLEncoding.EncodeToString(bomb))
	var nested bytes.Buffer
	z := gzip.NewWriter(&nested)
	if _, err := z.Write(token); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	send := func(header string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/statuslist+jwt")
			if header != "" {
				w.Header().Set("Content-Encoding", header)
			}
			_, _ = w.Write(body)
		}
	}
	sealed := h.sealedAt(address)
	good := sign(zipped(t, make([]byte, 1<<15)))
	answer = send("", good)
	check := func(name, want string) {
		t.Helper()
		v := New(Config{Trust: func() keys.Trust { return h.trust }, Now: func() time.Time { return h.now }, Fetcher: NewKept(NewGuarded(), func() time.Time { return h.now })})
		started := time.Now()
		r, err := v.Verify(t.Context(), sealed)
		if err != nil || r.Reason != want {
			t.Errorf("%s: %v, %s; want %s", name, err, r.Reason, want)
		}
		if spent := time.Since(started); spent > 5*time.Second {
			t.Errorf("%s: it took %v", name, spent)
		}
	}
	check("the control", "valid")
	debug.FreeOSMemory()
	before := resident(t, true)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a bomb":        {send("", token), "status_list_damaged"},
		"a packed bomb": {send("gzip", nested.Bytes()), "status_unreachable"},
		"a body without end": {func(w http.ResponseWriter, r *http.Request) {
			block := make([]byte, 1<<16)
			w.Header().Set("Content-Type", "application/statuslist+jwt")
			for r.Context().Err() == nil {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, "status_unreachable"},
		"a slow drip": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/statuslist+jwt")
			for _, b := range good {
				if _, err := w.Write([]byte{b}); err != nil || r.Context().Err() != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, "status_unreachable"},
		"headers without end": {func(w http.ResponseWriter, _ *http.Request) {
			for n := range 10_000 {
				w.Header().Set(fmt.Sprintf("X-%d", n), "x")
			}
		}, "status_unreachable"},
	} {
		answer = c.answer
		check(name, c.want)
	}
	if grown := resident(t, false) - before; grown > 32<<10 {
		t.Errorf("the process grew by %d KiB", grown)
	} else {
		t.Logf("the process grew by %d KiB at most", grown)
	}
}

// zippedZeros is a zlib stream of so many zeros, made without their memory.
func zippedZeros(t *testing.T, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for done := 0; done < size; done += len(block) {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// resident is the largest resident size of this process since it was last asked
// to start anew, in KiB.
func resident(t *testing.T, anew bool) int {
	t.Helper()
	if anew {
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200); err != nil {
			t.Logf("the peak is that since the start: %v", err)
		}
	}
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the peak is not there")
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
