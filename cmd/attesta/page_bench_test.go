package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/registry"
	"attesta/verifier"
)

// lightest is what the page behind a QR and all that it needs may weigh on its
// way, in bytes: what a server sends at once on a new connection (RFC 6928).
const lightest = 14_000

// TestThePageBehindTheQRIsLight is a count and no time (L4): the page of a real
// credential with everything that a browser loads for it.
func TestThePageBehindTheQRIsLight(t *testing.T) {
	demo := startDemo(t)
	page, packed := fetchPacked(t, demo.check)
	total, parts := packed, []string{fmt.Sprint("page ", packed)}
	for _, m := range regexp.MustCompile(`<(?:link|img|script)[^>]* (?:href|src)="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		_, packed := fetchPacked(t, demo.base+m[1])
		total += packed
		parts = append(parts, fmt.Sprint(m[1][strings.LastIndex(m[1], ".")+1:], " ", packed))
	}
	t.Logf("figures: the page behind a QR and what it needs: %d bytes compressed (%s)", total, strings.Join(parts, ", "))
	if len(parts) < 4 || total > lightest {
		t.Errorf("the page behind a QR weighs %d bytes compressed, at most %d: %s", total, lightest, parts)
	}
}

// fetchPacked gets something as a browser does, and how long it is on its way.
func fetchPacked(t testing.TB, address string) (body string, packed int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("GET %s: %d, %q, %v", address, answer.StatusCode, answer.Header.Get("Content-Encoding"), err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(whole), len(raw)
}

// BenchmarkPage takes the figures of the page behind a QR (L4): what one costs,
// and how long the first byte takes when so many are asked for each second,
// whether or not earlier ones were answered.
//
//	go test ./cmd/attesta -run '^$' -bench '^BenchmarkPage$' -benchtime 1x
func BenchmarkPage(b *testing.B) {
	s := newStage(b, "")
	s.issue(200)
	site, err := s.site()
	s.must(err)
	server := httptest.NewServer(routes(site))
	defer server.Close()
	records, err := s.registry.Records(b.Context(), registry.Query{Limit: 200})
	s.must(err)
	var paths []string
	for _, r := range records {
		paths = append(paths, "/v/"+r.Handle)
	}
	b.Run("one-at-a-time", func(b *testing.B) {
		var took cost
		for b.Loop() {
			start := startLap()
			for _, path := range paths {
				if page, _ := fetchPacked(b, server.URL+path); !strings.Contains(page, `class="verdict `+string(verifier.Valid)) {
					b.Fatalf("%.2000s", page)
				}
			}
			took = start.cost().each(len(paths))
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(micros(took.cpu), "µs-CPU/page")
		b.ReportMetric(float64(rawVerify(b, nil))/float64(took.cpu), "share-of-raw")
	})
	for _, rate := range []int{500, 1000, 2000} {
		b.Run(fmt.Sprint(rate, "-a-second"), func(b *testing.B) {
			var first []time.Duration
			var took cost
			for b.Loop() {
				start := startLap()
				first = s.openLoop(server.URL, paths, rate, time.Second)
				took = start.cost()
			}
			slices.Sort(first)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(len(first))/took.wall.Seconds(), "pages/s")
			b.ReportMetric(micros(first[len(first)/2]), "µs-first-byte-p50")
			b.ReportMetric(micros(first[len(first)*99/100]), "µs-first-byte-p99")
			b.ReportMetric(micros(took.cpu)/float64(len(first)), "µs-CPU/page")
		})
	}
}

// openLoop asks for pages at a rate for a while and returns how long each first
// byte took, from the moment at which it was to be asked for.
func (s *stage) openLoop(address string, paths []string, rate int, length time.Duration) []time.Duration {
	s.Helper()
	where, err := url.Parse(address)
	s.must(err)
	const clients = 64
	n := int(length.Seconds() * float64(rate))
	due := make(chan time.Time, n)
	firsts, failures := make([][]time.Duration, clients), make([]error, clients)
	var wait sync.WaitGroup
	for k := range clients {
		wait.Go(func() { firsts[k], failures[k] = askWhenDue(where.Host, paths[k%len(paths)], due) })
	}
	begun := time.Now()
	for i := range n {
		at := begun.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(at))
		due <- at
	}
	close(due)
	wait.Wait()
	s.must(cmp.Or(failures...))
	return slices.Concat(firsts...)
}

// askWhenDue asks for a page each time that one is due, over one connection.
func askWhenDue(host, path string, due <-chan time.Time) (first []time.Duration, err error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
	in := bufio.NewReader(conn)
	for at := range due {
		if _, err := io.WriteString(conn, request); err != nil {
			return nil, err
		}
		if _, err := in.Peek(1); err != nil {
			return nil, err
		}
		first = append(first, time.Since(at))
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %w", answer.Status, err)
		}
	}
	return first, nil
}
