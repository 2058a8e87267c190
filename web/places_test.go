package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"attesta/verifier"
)

// TestPlacesForOthers (W7): who presents many things that take long does not keep
// others from having theirs checked.
func TestPlacesForOthers(t *testing.T) {
	w := newWorld()
	begun, end := make(chan struct{}, judgedAtOnce), make(chan struct{})
	w.report = func(presented []byte) (verifier.Report, error) {
		if strings.Contains(string(presented), "slow") {
			begun <- struct{}{}
			<-end
		}
		return verifier.Report{Verdict: verifier.NotValid}, nil
	}
	s, r := newSite(t, w)
	present := func(from, what string) int {
		request := httptest.NewRequest(http.MethodPost, "/api/v1/verify", strings.NewReader(what))
		request.RemoteAddr = from
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		return answer.Code
	}
	var wait sync.WaitGroup
	for range judgedAtOnce {
		wait.Go(func() {
			if code := present("192.0.2.1:1000", `{"slow":1}`); code != http.StatusOK {
				t.Errorf("its turn never came: %d", code)
			}
		})
	}
	for range judgedAtOnce / 2 {
		<-begun
	}
	if code := present("198.51.100.1:1000", `{"other":1}`); code != http.StatusOK {
		t.Errorf("another visitor: %d", code)
	}
	close(end)
	wait.Wait()
	if len(s.judging.of) != 0 {
		t.Errorf("%d visitors are remembered", len(s.judging.of))
	}
}
