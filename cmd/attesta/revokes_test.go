package main

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/issuer"
	"attesta/registry"
	"attesta/status"
)

// revokes is B5: from the act to the signed list that anybody gets, one after
// another, on a list of which one entry in a hundred was revoked before.
func (f *figures) revokes(s *stage) {
	s.Helper()
	const times = 300
	site, err := s.site()
	s.must(err)
	pages := routes(site)
	all := s.ofOneList(times + registry.ListSize/100)
	before, measured := all[:max(0, len(all)-times)], all[max(0, len(all)-times):]
	s.revokeAll(before)
	list := measured[0].List
	asked(s, pages, "/status/"+list)
	walls, until := make([]time.Duration, 0, times), make([]time.Duration, 0, times)
	var last []byte
	started := startLap()
	for _, r := range measured {
		began := time.Now()
		s.must(s.revoke(r))
		until = append(until, time.Since(began))
		last = asked(s, pages, "/status/"+list)
		walls = append(walls, time.Since(began))
	}
	took := started.cost().each(len(measured))
	set := revokedIn(s, last)
	for _, r := range all {
		if !set(r.Index) {
			s.Fatalf("entry %d is not revoked in the list that was served", r.Index)
		}
	}
	slices.Sort(walls)
	slices.Sort(until)
	f.add("B5", "revoked, durable, signed and served: the middle one", "ms", millis(walls[len(walls)/2]))
	f.add("B5", "the slowest of a hundred", "ms", millis(walls[len(walls)*99/100]))
	f.add("B5", "of it until durable: the middle one", "ms", millis(until[len(until)/2]))
	f.add("B5", "revoked, durable, signed and served, CPU", "ms", millis(took.cpu))
	f.add("B5", "entries of the list that are revoked", "", float64(len(all)))
	f.add("B5", "bytes of the list served", "B", float64(len(last)))
	f.took("B5", "a list that did not change", s.average(func() error { asked(s, pages, "/status/"+list); return nil }))
	f.took("B5", "a list after a start", s.average(func() error {
		_, err := issuer.New(s.issuer.Config).TokenList(s.Context(), list)
		return err
	}))
}

// ofOneList are records by chance, at most n and a tenth of all, of the list that
// was filled last. The first class is not among them.
func (s *stage) ofOneList(n int) (all []registry.Record) {
	s.Helper()
	chance := rand.New(rand.NewPCG(5, 2026))
	newest, err := s.registry.Records(s.Context(), registry.Query{Limit: 1})
	s.must(err)
	seen := map[uint64]bool{}
	depth := min(newest[0].Seq-classSize*perLearner, 60_000)
	for tries := 0; len(all) < min(n, s.rows/10) && tries < 50*n; tries++ {
		page, err := s.registry.Records(s.Context(), registry.Query{Before: newest[0].Seq + 1 - chance.Uint64N(depth), Limit: 1})
		s.must(err)
		if r := page[0]; r.List == newest[0].List && !seen[r.Seq] {
			seen[r.Seq] = true
			all = append(all, r)
		}
	}
	return all
}

func (s *stage) revoke(r registry.Record) error {
	_, err := s.registry.SetStatus(s.Context(), registry.Change{Credential: r.Credential, To: status.Revoked, Reason: "other", By: "figures"}, s.now())
	return err
}

// revokeAll revokes many at once, so that they share their writes.
func (s *stage) revokeAll(records []registry.Record) {
	s.Helper()
	next := make(chan registry.Record)
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for r := range next {
				if err := s.revoke(r); err != nil {
					s.Error(err)
				}
			}
		})
	}
	for _, r := range records {
		next <- r
	}
	close(next)
	wait.Wait()
}

// asked is what anybody gets from an address.
func asked(t testing.TB, pages http.Handler, path string) []byte {
	t.Helper()
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// revokedIn reads a Token Status List with the standard library, as a stranger
// would, and tells which of its entries are revoked.
func revokedIn(t testing.TB, token []byte) func(uint32) bool {
	t.Helper()
	e, err := credentials.ParseCompact(token, credentials.TokenListType)
	if err == nil {
		err = e.Verify()
	}
	var l struct {
		List struct{ Lst string } `json:"status_list"`
	}
	if err == nil {
		err = json.Unmarshal(e.Payload(), &l)
	}
	var raw, array []byte
	if err == nil {
		raw, err = base64.RawURLEncoding.DecodeString(l.List.Lst)
	}
	if err == nil {
		var z io.ReadCloser
		if z, err = zlib.NewReader(bytes.NewReader(raw)); err == nil {
			array, err = io.ReadAll(z)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(i uint32) bool { return array[i/4]>>(i%4*2)&3 == byte(status.Revoked) }
}

// From the act to every list that anybody gets over HTTP: at once, with another
// ETag, and the same bytes as long as nothing changes.
func TestARevocationIsServedAtOnce(t *testing.T) {
	s := newStage(t, "")
	defer s.Close()
	s.issue(100)
	page, err := s.registry.Records(t.Context(), registry.Query{Limit: 3})
	s.must(err)
	site, err := s.site()
	s.must(err)
	server := httptest.NewServer(routes(site))
	defer server.Close()
	get := func(path, tag string) (code int, h http.Header, body []byte) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		s.must(err)
		if tag != "" {
			request.Header.Set("If-None-Match", tag)
		}
		answer, err := server.Client().Do(request)
		s.must(err)
		defer answer.Body.Close()
		body, err = io.ReadAll(answer.Body)
		s.must(err)
		return answer.StatusCode, answer.Header, body
	}
	list := page[0].List
	for n, r := range page {
		_, first, body := get("/status/"+list, "")
		if revokedIn(t, body)(r.Index) {
			t.Fatal("revoked before its time")
		}
		tag := first.Get("ETag")
		if code, _, _ := get("/status/"+list, tag); code != http.StatusNotModified {
			t.Errorf("nothing changed, and %d", code)
		}
		s.must(s.revoke(r))
		code, after, body := get("/status/"+list, tag)
		if code != http.StatusOK || after.Get("ETag") == tag || !revokedIn(t, body)(r.Index) {
			t.Errorf("%d: %d %s", n, code, after.Get("ETag"))
		}
		if after.Get("Content-Type") != "application/statuslist+jwt" || after.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%v", after)
		}
	}
	if code, _, body := get("/status/aggregation", ""); code != http.StatusOK || string(body) != fmt.Sprintf(`{"status_lists":["%s/status/%s"]}`, stageURL, list) {
		t.Errorf("%d %s", code, body)
	}
	own := &ownLists{issuer: s.issuer}
	for _, address := range []string{"/status/" + list, "/status/" + list + "/revocation", "/status/" + list + "/suspension"} {
		_, _, body := get(address, "")
		got, err := own.Fetch(t.Context(), stageURL+address, nil)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%s is another list for ourselves: %v", address, err)
		}
	}
	for _, address := range []string{"/status/", "/status/aggregation", "/status/" + list + "/", "/status/" + list + "/x", "/status/" + list + "?x", "/status/NOPE"} {
		if _, err := own.Fetch(t.Context(), stageURL+address, nil); err == nil {
			t.Errorf("%s is a list", address)
		}
	}
}

// Two servers on one database: each hands out at once what the other changed,
// and neither reads the entries of a list that did not change.
func TestAnotherServerServesARevocationAtOnce(t *testing.T) {
	s := newStage(t, database.Address(t))
	defer s.Close()
	s.issue(100)
	page, err := s.registry.Records(t.Context(), registry.Query{Limit: 4})
	s.must(err)
	there, err := open(t.Context(), s.console, s.folder, "")
	s.must(err)
	defer there.Close()
	var servers []http.Handler
	for _, a := range []*app{s.app, there} {
		site, err := a.site()
		s.must(err)
		servers = append(servers, routes(site))
	}
	path := "/status/" + page[0].List
	for n, r := range page {
		for _, server := range servers {
			if revokedIn(t, asked(t, server, path))(r.Index) {
				t.Fatal("revoked before its time")
			}
		}
		by := []*app{s.app, there}[n%2]
		_, err := by.registry.SetStatus(t.Context(), registry.Change{Credential: r.Credential, To: status.Revoked, Reason: "other", By: "operator"}, s.now())
		s.must(err)
		for k, server := range servers {
			first, again := asked(t, server, path), asked(t, server, path)
			if !revokedIn(t, first)(r.Index) || !bytes.Equal(first, again) {
				t.Errorf("change %d at server %d: not there, or signed twice", n, k)
			}
		}
	}
}
