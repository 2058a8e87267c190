package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"attesta/presentation"
	"attesta/verifier"
	"attesta/web"
)

// checked is how many credentials are checked at once: those of an agency.
const checked = 600

// BenchmarkChecks takes the figures of checking: B4, 600 sealed files at once,
// also as an archive over HTTP and in groups as the script of the page sends them;
// and L3, one at a time over HTTP by two clients, the clients' own CPU with it.
// The shares are the CPU of a raw P-256 verification in the same run, over a
// digest that is there and over the bytes of a file, divided by the CPU of one
// check.
//
//	go test ./cmd/attesta -run '^$' -bench '^BenchmarkChecks$' -benchtime 1x
func BenchmarkChecks(b *testing.B) {
	s := newStage(b, "")
	s.issue(checked)
	var files []presentation.File
	for seq := range uint64(checked) {
		sealed, err := s.registry.SealedBytes(b.Context(), seq+1)
		s.must(err)
		files = append(files, presentation.File{Name: fmt.Sprint(seq, ".jsonld"), Data: sealed})
	}
	site, err := s.site()
	s.must(err)
	raw, rawFile := rawVerify(b, nil), rawVerify(b, files[0].Data)
	share := func(b *testing.B, took cost) {
		b.ReportMetric(0, "ns/op") // of all at once, which says nothing
		b.ReportMetric(micros(took.cpu), "µs-CPU/check")
		b.ReportMetric(float64(raw)/float64(took.cpu), "share-of-raw")
		b.ReportMetric(float64(rawFile)/float64(took.cpu), "share-of-raw-over-the-file")
	}
	b.Run("B4-files", func(b *testing.B) {
		var took cost
		for b.Loop() {
			took = s.checkFiles(files)
		}
		b.ReportMetric(millis(took.wall), "ms/600")
		share(b, took.each(checked))
	})
	b.Run("B4-archive-over-HTTP", func(b *testing.B) {
		body, kind := archiveForm(b, files)
		var took cost
		for b.Loop() {
			took = s.checkArchive(site, body, kind)
		}
		b.ReportMetric(millis(took.wall), "ms/600")
		share(b, took.each(checked))
	})
	b.Run("B4-groups-over-HTTP", func(b *testing.B) {
		server := httptest.NewServer(routes(site))
		defer server.Close()
		var took cost
		for round := 1; b.Loop(); round++ {
			took = s.checkGroups(server.URL+"/verify/rows", round, files)
		}
		b.ReportMetric(millis(took.wall), "ms/600")
		share(b, took.each(checked))
	})
	b.Run("L3-HTTP", func(b *testing.B) {
		server := httptest.NewServer(routes(site))
		defer server.Close()
		var took cost
		var each []time.Duration
		for round := 1; b.Loop(); round++ {
			took, each = s.checkEach(server.URL+"/api/v1/verify", round, files)
		}
		slices.Sort(each)
		b.ReportMetric(float64(len(each))/took.wall.Seconds(), "checks/s")
		b.ReportMetric(micros(each[len(each)/2]), "µs-p50")
		b.ReportMetric(micros(each[len(each)*99/100]), "µs-p99")
		share(b, took.each(len(each)))
	})
}

// rawVerify is the CPU of a raw P-256 verification over data; over a digest that
// is there where it is nil.
func rawVerify(b *testing.B, data []byte) time.Duration {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256(data)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	const n = 5000
	start := startLap()
	for range n {
		if data != nil {
			digest = sha256.Sum256(data)
		}
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			b.Fatal("the signature does not hold")
		}
	}
	return start.cost().cpu / n
}

func (s *stage) checkFiles(files []presentation.File) cost {
	s.Helper()
	start := startLap()
	items := presentation.NewReader(stageURL).Read(s.Context(), files...)
	answers, err := presentation.Check(s.Context(), items, func(ctx context.Context, i presentation.Item) (verifier.Report, error) {
		return s.verifier.Verify(ctx, i.Sealed)
	})
	took := start.cost()
	s.must(err)
	for _, a := range answers {
		if a.Report.Verdict != verifier.Valid {
			s.Fatalf("%s is %s: %s", a.Name, a.Report.Verdict, a.Report.Reason)
		}
	}
	return took
}

func archiveForm(b *testing.B, files []presentation.File) (body []byte, kind string) {
	var archive, form bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, f := range files {
		w, err := z.Create(f.Name)
		if err == nil {
			_, err = w.Write(f.Data)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	m := multipart.NewWriter(&form)
	if err := file("all.zip", archive.Bytes())(m); err != nil {
		b.Fatal(err)
	}
	if err := m.Close(); err != nil {
		b.Fatal(err)
	}
	return form.Bytes(), m.FormDataContentType()
}

func (s *stage) checkArchive(site *web.Site, body []byte, kind string) cost {
	s.Helper()
	server := httptest.NewServer(routes(site))
	defer server.Close()
	start := startLap()
	answer, err := http.Post(server.URL+"/verify", kind, bytes.NewReader(body))
	s.must(err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	s.must(err)
	took := start.cost()
	if !strings.Contains(string(page), fmt.Sprintf("Valido: %d<", checked)) {
		s.Fatalf("%d %.2000s", answer.StatusCode, page)
	}
	return took
}

// checkGroups posts twenty files at a time, two times at once, from an address of
// this machine that changes with the round.
func (s *stage) checkGroups(address string, round int, files []presentation.File) cost {
	s.Helper()
	const clients, atOnce = 2, 20
	groups := slices.Collect(slices.Chunk(files, atOnce))
	ended := make(chan error, clients)
	start := startLap()
	for k := range clients {
		go func() {
			from := &net.TCPAddr{IP: net.IPv4(127, 1, byte(round), byte(1+k))}
			client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: from}).DialContext}}
			var err error
			for n := k; n < len(groups) && err == nil; n += clients {
				err = postGroup(s.Context(), client, address, groups[n])
			}
			ended <- err
		}()
	}
	for range clients {
		s.must(<-ended)
	}
	return start.cost()
}

func postGroup(ctx context.Context, client *http.Client, address string, files []presentation.File) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range files {
		if err := file(f.Name, f.Data)(form); err != nil {
			return err
		}
	}
	if err := form.Close(); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, &body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err == nil && !bytes.Contains(raw, fmt.Appendf(nil, `"counts":{"valid":%d}`, len(files))) {
		err = fmt.Errorf("%d %.300s", answer.StatusCode, raw)
	}
	return err
}

// checkEach posts every file alone, by two clients at once. One address may ask
// so often in a minute, so the clients move from address to address of this
// machine.
func (s *stage) checkEach(address string, round int, files []presentation.File) (cost, []time.Duration) {
	s.Helper()
	const clients, fromOne = 2, 100
	times := make([][]time.Duration, clients)
	ended := make(chan error, clients)
	start := startLap()
	for k := range clients {
		go func() {
			var err error
			var client *http.Client
			for n := k; n < len(files) && err == nil; n += clients {
				if (n/clients)%fromOne == 0 {
					from := &net.TCPAddr{IP: net.IPv4(127, byte(round), byte(k), byte(1+n/clients/fromOne))}
					client = &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: from}).DialContext}}
				}
				begun := time.Now()
				err = postOne(s.Context(), client, address, files[n].Data)
				times[k] = append(times[k], time.Since(begun))
			}
			ended <- err
		}()
	}
	for range clients {
		s.must(<-ended)
	}
	return start.cost(), slices.Concat(times...)
}

func postOne(ctx context.Context, client *http.Client, address string, data []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/ld+json")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && !bytes.Contains(body, []byte(`"verdict":"valid"`)) {
		err = fmt.Errorf("%d %.300s", answer.StatusCode, body)
	}
	return err
}
