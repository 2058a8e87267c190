package issuer_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/intake"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
	"attesta/registry/bolt"
)

const publicURL = "https://scuola.example.org"

// house is an installation in a folder of its own, with a clock that the test
// sets and a store whose steps can be made to fail.
type house struct {
	*issuer.Issuer
	ring     *keys.Ring
	registry *registry.Registry
	store    *faulty
	dir      string
	clock    clock
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func rome(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// theDay is the day on which the fixtures are to be read.
func theDay(t testing.TB) time.Time { return time.Date(2026, 11, 21, 9, 30, 0, 0, rome(t)) }

// emptyHouse has keys and a store and nothing in them.
func emptyHouse(t testing.TB, at time.Time) *house {
	t.Helper()
	h := &house{dir: t.TempDir()}
	h.clock.set(at)
	store, err := bolt.Create(filepath.Join(h.dir, "registry.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.store = &faulty{Backend: store}
	h.registry = registry.New(h.store, registry.Config{ClaimKey: bytes.Repeat([]byte{7}, 32), DataKey: bytes.Repeat([]byte{7}, 32)})
	t.Cleanup(func() {
		if err := h.registry.Close(); err != nil {
			t.Error(err)
		}
	})
	if h.ring, err = keys.Open(filepath.Join(h.dir, "keys"), filepath.Join(h.dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	h.ring.Now = h.clock.now
	h.Issuer = h.newIssuer(t, plainPicture)
	return h
}

// plainPicture stands for a drawn one where the picture does not matter.
func plainPicture(_ credentials.Provider, m credentials.Module, language string) ([]byte, error) {
	return []byte("\x89PNG\r\n\x1a\n" + m.Code + language), nil
}

// newIssuer is what a restart of the program gives: nothing cached.
func (h *house) newIssuer(t testing.TB, picture func(credentials.Provider, credentials.Module, string) ([]byte, error)) *issuer.Issuer {
	return issuer.New(issuer.Config{
		Registry: h.registry, Keys: h.ring, Picture: picture,
		Now: h.clock.now, Zone: rome(t), PublicURL: publicURL,
	})
}

// school is a house with the providers, modules and learners of the fixtures.
func school(t testing.TB) *house { return schoolOn(t, theDay(t)) }

func schoolOn(t testing.TB, at time.Time) *house {
	t.Helper()
	h := emptyHouse(t, at)
	h.fill(t)
	return h
}

// fill admits what the fixtures hold.
func (h *house) fill(t testing.TB) {
	t.Helper()
	if _, err := h.AddProviders(t.Context(), providers(t)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"catalogue_national_school.json", "catalogue_jobseekers.json"} {
		if _, err := h.AddModules(t.Context(), modules(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"cohort_tot_25.csv", "cohort_toolkit_15.csv", "cohort_jobseekers_12.csv"} {
		if _, err := h.AddLearners(t.Context(), learners(t, name), false); err != nil {
			t.Fatal(err)
		}
	}
}

func fixture(t testing.TB, name string) io.Reader {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(data)
}

func providers(t testing.TB) []credentials.Provider {
	t.Helper()
	all, err := intake.Providers(fixture(t, "issuers.json"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func modules(t testing.TB, name string) []credentials.Module {
	t.Helper()
	all, err := intake.Catalogue(fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func learners(t testing.TB, name string) []registry.Learner {
	t.Helper()
	all, findings, err := intake.Learners(fixture(t, name), intake.Options{})
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	return all
}

func (h *house) completions(t testing.TB, name string, locale intake.Locale) []intake.Completion {
	t.Helper()
	return h.rows(t, fixture(t, name), locale)
}

func (h *house) rows(t testing.TB, r io.Reader, locale intake.Locale) []intake.Completion {
	t.Helper()
	rows, err := intake.Completions(r, intake.Options{
		Locale: locale, Today: credentials.Date(h.clock.now().Format(time.DateOnly)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// row is one completion that gives a credential of SN-11 unless changed.
func (h *house) row(t testing.TB, lines ...string) []intake.Completion {
	t.Helper()
	table := "row_id,learner_id,module_code,edition,completion_date,attendance_percent,result,score\n" + strings.Join(lines, "\n") + "\n"
	return h.rows(t, strings.NewReader(table), intake.ISO)
}

const goodRow = "R1,TOT25-001,SN-11,SN-11/2026/X,2026-05-29,100,passed,"

func (h *house) issue(t testing.TB, rows []intake.Completion) []issuer.Outcome {
	t.Helper()
	outcomes, err := h.Issue(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != len(rows) {
		t.Fatalf("%d rows gave %d answers", len(rows), len(outcomes))
	}
	return outcomes
}

// answers counts outcomes by answer and, where there is one, by reason.
func answers(outcomes []issuer.Outcome) map[string]int {
	count := map[string]int{}
	for _, o := range outcomes {
		name := string(o.Answer)
		if o.Reason != "" {
			name += " " + o.Reason
		}
		count[name]++
	}
	return count
}

// sealed reads the stored bytes of a record and opens their seal.
func (h *house) sealed(t testing.TB, r *registry.Record) ([]byte, *credentials.Parsed) {
	t.Helper()
	data, err := h.registry.SealedBytes(t.Context(), r.Seq)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := credentials.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Envelope.Verify(); err != nil {
		t.Fatal(err)
	}
	return data, parsed
}

// counts is what the registry holds in all.
func (h *house) counts(t testing.TB) registry.Counts {
	t.Helper()
	c, err := h.registry.Counts(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func digestOf(data []byte) [32]byte { return sha256.Sum256(data) }

var errDisk = errors.New("the disk is full")
