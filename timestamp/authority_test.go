package timestamp_test

import (
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	tsp "github.com/digitorus/timestamp"

	"attesta/timestamp"
	"attesta/timestamp/timestamptest"
)

func TestStamp(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	for _, client := range []*http.Client{nil, {Timeout: time.Second}} {
		der, err := (&timestamp.Authority{URL: tsa.URL, Client: client}).Stamp(t.Context(), theData)
		if err != nil {
			t.Fatal(err)
		}
		token := parse(t, der)
		if err := token.Over(theData); err != nil || !token.Time.Equal(theMoment) || !token.Chain[0].Equal(tsa.Leaf) {
			t.Errorf("%v %v", err, token.Time)
		}
	}
}

func TestStampDown(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	authority := &timestamp.Authority{URL: tsa.URL}
	tsa.Down(true)
	_, err := authority.Stamp(t.Context(), theData)
	fails(t, err, "it is 503 Service Unavailable")
	tsa.Down(false)
	if _, err := authority.Stamp(t.Context(), theData); err != nil {
		t.Error(err)
	}
}

func fails(t *testing.T, err error, why string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v\nwant %s", err, why)
	}
}

// answering is an authority whose answer is made from what is asked.
func answering(t *testing.T, answer func(w http.ResponseWriter, q *tsp.Request)) *timestamp.Authority {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, _ := io.ReadAll(r.Body)
		q, err := tsp.ParseRequest(query)
		if err != nil {
			t.Errorf("the request: %v", err)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		answer(w, q)
	}))
	t.Cleanup(server.Close)
	return &timestamp.Authority{URL: server.URL}
}

type status struct {
	Status int
	Words  []string       `asn1:"optional,omitempty"`
	Why    asn1.BitString `asn1:"optional"`
}

func rejection(t *testing.T, s status) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct{ Status status }{s})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// J13: an answer that is not the one asked for is not taken, and the sentence
// says what was wrong with it.
func TestStampRefuses(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	granted := func(data []byte, o func(q *tsp.Request) timestamptest.Options) func(http.ResponseWriter, *tsp.Request) {
		return func(w http.ResponseWriter, q *tsp.Request) {
			reply, err := timestamptest.Reply(tsa.Make(data, o(q)))
			if err != nil {
				t.Error(err)
			}
			w.Write(reply)
		}
	}
	says := func(der []byte) func(http.ResponseWriter, *tsp.Request) {
		return func(w http.ResponseWriter, _ *tsp.Request) { w.Write(der) }
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *tsp.Request)
		why    string
		token  bool // the error wraps ErrToken
	}{
		"another nonce": {granted(theData, func(q *tsp.Request) timestamptest.Options {
			return timestamptest.Options{Nonce: new(big.Int).Add(q.Nonce, big.NewInt(1))}
		}), "it answers another request", true},
		"no nonce": {granted(theData, func(*tsp.Request) timestamptest.Options {
			return timestamptest.Options{}
		}), "it answers another request", true},
		"other data": {granted([]byte("other"), func(q *tsp.Request) timestamptest.Options {
			return timestamptest.Options{Nonce: q.Nonce}
		}), "it is of other data", true},
		"another hash": {granted(theData, func(q *tsp.Request) timestamptest.Options {
			return timestamptest.Options{Nonce: q.Nonce, Hash: crypto.SHA384}
		}), "SHA-256 was asked for", true},
		"a flaw": {granted(theData, func(q *tsp.Request) timestamptest.Options {
			return timestamptest.Options{Nonce: q.Nonce, Flaw: timestamptest.PlainEKU}
		}), "does not say critically", true},
		"rejected": {
			says(rejection(t, status{2, []string{"come\x1b[31m back", strings.Repeat("è", 300)}, asn1.BitString{Bytes: []byte{0x80}, BitLength: 1}})),
			`the request is rejected (unrecognized or unsupported Algorithm Identifier), in its words: "come [31m back; ` + strings.Repeat("è", 184) + `"`, false,
		},
		"waiting":       {says(rejection(t, status{Status: 3})), "the request is waiting", false},
		"unknown":       {says(rejection(t, status{Status: 77})), "unknown status: 77", false},
		"nothing in it": {says(rejection(t, status{Status: 0})), "there is no time stamp", false},
		"no answer":     {says(nil), "reading the answer: ", false},
		"something follows": {func(w http.ResponseWriter, q *tsp.Request) {
			reply, _ := timestamptest.Reply(tsa.Make(theData, timestamptest.Options{Nonce: q.Nonce}))
			w.Write(append(reply, 0))
		}, "something follows", false},
		"too long": {says(make([]byte, 64<<10+1)), "larger than 65536 bytes", false},
		"a page": {func(w http.ResponseWriter, _ *tsp.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<p>hello"))
		}, `it is of the type "text/html"`, false},
		"elsewhere": {func(w http.ResponseWriter, _ *tsp.Request) {
			w.Header().Set("Location", tsa.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "it is 307 Temporary Redirect", false},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := answering(t, c.answer).Stamp(t.Context(), theData)
			fails(t, err, c.why)
			if token != nil || errors.Is(err, timestamp.ErrToken) != c.token {
				t.Errorf("%v, ErrToken: %v", token, !c.token)
			}
		})
	}
}

func TestStampGrantedWithMods(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	_, err := answering(t, func(w http.ResponseWriter, q *tsp.Request) {
		der, err := asn1.Marshal(struct {
			Status status
			Token  asn1.RawValue
		}{status{Status: 1, Words: []string{"with a smile"}}, asn1.RawValue{FullBytes: tsa.Make(theData, timestamptest.Options{Nonce: q.Nonce})}})
		if err != nil {
			t.Error(err)
		}
		w.Write(der)
	}).Stamp(t.Context(), theData)
	if err != nil {
		t.Error(err)
	}
}

// What is asked: the hash and not the data, the certificates, and a nonce that
// is new and long.
func TestStampAsks(t *testing.T) {
	var asked []*tsp.Request
	authority := answering(t, func(w http.ResponseWriter, q *tsp.Request) {
		asked = append(asked, q)
		w.WriteHeader(http.StatusTeapot)
	})
	for range 2 {
		if _, err := authority.Stamp(t.Context(), theData); err == nil {
			t.Fatal("a teapot stamps")
		}
	}
	for _, q := range asked {
		if q.HashAlgorithm != crypto.SHA256 || !q.Certificates || q.Nonce == nil || q.Nonce.BitLen() < 64 || q.Nonce.Sign() < 0 {
			t.Errorf("asked %+v", q)
		}
	}
	if len(asked) != 2 || asked[0].Nonce.Cmp(asked[1].Nonce) == 0 {
		t.Error("the nonce is not new")
	}
}

func TestStampAddress(t *testing.T) {
	for _, address := range []string{"", "tsa.example", "ftp://tsa.example", "http://", "http://a\x00b/"} {
		_, err := (&timestamp.Authority{URL: address}).Stamp(t.Context(), theData)
		fails(t, err, "is not a web address")
	}
	_, err := (&timestamp.Authority{URL: "http://user:secret@127.0.0.1:1/?key=secret"}).Stamp(t.Context(), theData)
	fails(t, err, "asking 127.0.0.1:1 for a time stamp")
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the password is told: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tsa := timestamptest.New(t, clock)
	if _, err := (&timestamp.Authority{URL: tsa.URL}).Stamp(ctx, theData); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
