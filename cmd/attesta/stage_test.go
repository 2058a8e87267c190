package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"attesta/intake"
	"attesta/issuer"
	"attesta/registry"
	"attesta/registry/bolt"
)

// stage is an installation of the fictional school with generated learners, on
// which figures are taken. A class has 25 learners, and each of them gets four
// of the twelve modules.
type stage struct {
	testing.TB
	*app
	folder  folder
	console *console
	people  *invented

	rows, learners int    // so many are there
	first          string // handle of the first credential
	templates      map[string]template
}

const (
	classSize   = 25
	perLearner  = 4
	modules     = 12
	rowsInAFile = 20_000 // as many as an import takes
	stageURL    = "https://figures.example.org"
)

func newStage(t testing.TB, store string) *stage {
	t.Helper()
	s := &stage{
		TB: t, folder: folder(filepath.Join(t.TempDir(), "data")), people: invent(),
		console: &console{out: io.Discard, err: t.Output(), getenv: func(string) string { return "" }, now: time.Now},
	}
	var err error
	s.app, err = begin(t.Context(), s.console, s.folder, settings{PublicURL: stageURL, Store: store})
	s.must(err)
	var r importRequest
	for name, into := range map[string]*[]namedFile{
		"provider_national_school.json": &r.Providers, "catalogue_national_school.json": &r.Catalogues,
	} {
		file, err := demoFile(name)
		s.must(err)
		*into = append(*into, file)
	}
	_, err = local{s.app}.Import(t.Context(), r)
	s.must(err)
	return s
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// bolt is the store if it is a file, or nil.
func (s *stage) bolt() *bolt.Store {
	b, _ := s.store.Backend.(*bolt.Store)
	return b
}

func learnerRef(n int) string { return fmt.Sprintf("L%08d", n) }

// award says who gets what in a row: class by class, in a class one module
// after another.
func award(row int) (learner int, module, edition string) {
	class, in := row/(classSize*perLearner), row%(classSize*perLearner)
	module = fmt.Sprintf("SN-%02d", (class%(modules/perLearner))*perLearner+in/classSize+1)
	return class*classSize + in%classSize, module, fmt.Sprintf("%s/2026/C%06d", module, class)
}

// enrol stores the learners of all rows up to one.
func (s *stage) enrol(rows int) {
	s.Helper()
	need := (rows + classSize*perLearner - 1) / (classSize * perLearner) * classSize
	for s.learners < need {
		var some []registry.Learner
		for len(some) < 1000 && s.learners < need {
			given, family := s.people.name()
			ref := learnerRef(s.learners)
			some = append(some, registry.Learner{
				Ref: ref, GivenName: given, FamilyName: family, Email: strings.ToLower(ref) + "@allievi.example.org",
				Language: "it", Employer: "Centro per l’impiego di Esempio", Region: "Lombardia",
			})
			s.learners++
		}
		s.must(s.registry.PutLearners(s.Context(), some, s.now()))
	}
}

// tables are the completions of rows in files as a provider brings them.
func tables(from, to int) []string {
	var all []string
	for from < to {
		var b strings.Builder
		b.WriteString(columns)
		for end := min(from+rowsInAFile, to); from < end; from++ {
			learner, module, edition := award(from)
			fmt.Fprintf(&b, "R%d,%s,%s,%s,2026-05-29,%d,passed,%d\n", from, learnerRef(learner), module, edition, 90+from%11, 70+from%30)
		}
		all = append(all, b.String())
	}
	return all
}

// issue issues rows from tables, as the command does, and what it costs.
func (s *stage) issue(rows int) cost {
	s.Helper()
	s.enrol(s.rows + rows)
	files := tables(s.rows, s.rows+rows)
	start := startLap()
	issued := 0
	for _, file := range files {
		completions, err := intake.Completions(strings.NewReader(file), intake.Options{})
		s.must(err)
		outcomes, err := s.issuer.Issue(s.Context(), completions)
		s.must(err)
		for _, o := range outcomes {
			if o.Answer != issuer.Issued {
				s.Fatalf("row %s is %s: %s", o.RowID, o.Answer, o.Reason)
			}
			if s.first == "" {
				s.first = o.Record.Handle
			}
			issued++
		}
	}
	took := start.cost()
	if issued != rows {
		s.Fatalf("%d credentials for %d rows", issued, rows)
	}
	s.rows += rows
	return took
}

// template is a credential that the issuer sealed, to make others like it.
type template struct {
	record registry.Record
	house  registry.House // that sealed it
	pieces []string       // of its sealed file, with places between them
	places []string
	shared []byte // the same, with nothing in the places
	body   []byte // what a plan holds, as long as a real one
}

// place is where credentials of one module differ.
var place = regexp.MustCompile("@(?:credential|number|list|index|given|family|seal)@")

// learn takes one real credential of each module as a template.
func (s *stage) learn() {
	s.Helper()
	s.templates = map[string]template{}
	for module := range modules {
		code := fmt.Sprintf("SN-%02d", module+1)
		page, err := s.registry.Records(s.Context(), registry.Query{Module: code, Limit: 1})
		s.must(err)
		if len(page) == 0 {
			s.Fatalf("nothing of %s was issued", code)
		}
		list, err := s.registry.List(s.Context(), page[0].List)
		s.must(err)
		t := template{record: page[0], house: list.House}
		sealed, err := s.registry.SealedBytes(s.Context(), t.record.Seq)
		s.must(err)
		known, err := s.registry.Learners(s.Context(), []string{t.record.Learner})
		s.must(err)
		l := known[t.record.Learner]
		marked := mark(string(sealed), t.record, l)
		t.pieces, t.places = place.Split(marked, -1), place.FindAllString(marked, -1)
		t.shared = []byte(strings.Join(t.pieces, ""))
		_, seal, _ := strings.Cut(string(sealed), `"signature":"`)
		seal, _, _ = strings.Cut(seal, `"`)
		if again := t.like(t.record, l.GivenName, l.FamilyName, seal); !bytes.Equal(again, sealed) || len(t.places) < 7 {
			s.Fatalf("a credential of %s has %d places that differ, and does not come out the same", code, len(t.places))
		}
		m, err := s.registry.Module(s.Context(), code)
		s.must(err)
		p, err := s.registry.Provider(s.Context(), m.Provider)
		s.must(err)
		t.body, err = json.Marshal(map[string]any{"provider": json.RawMessage(p.Spec), "module": json.RawMessage(m.Spec), "learner": l})
		s.must(err)
		s.templates[code] = t
	}
}

// mark puts the places into a sealed file.
func mark(sealed string, r registry.Record, l registry.Learner) string {
	start := strings.LastIndex(sealed, `"signature":"`) + len(`"signature":"`)
	end := start + strings.IndexByte(sealed[start:], '"')
	return strings.NewReplacer(
		r.Credential, "@credential@", number(r), "@number@", r.List, "@list@",
		fmt.Sprintf(`#%d\`, r.Index), `#@index@\`, fmt.Sprintf(`\"%d\"`, r.Index), `\"@index@\"`,
		l.GivenName, "@given@", l.FamilyName, "@family@",
	).Replace(sealed[:start]) + "@seal@" + sealed[end:]
}

// number is what people read of a credential's id.
func number(r registry.Record) string {
	return r.Module + "-" + strings.ToUpper(strings.TrimPrefix(r.Credential, "urn:credential:")[:8])
}

// like is a sealed file for another record and other names. Its seal does not
// hold.
func (t template) like(r registry.Record, given, family, seal string) []byte {
	var b bytes.Buffer
	b.Grow(len(t.shared) + 1024)
	for n, piece := range t.pieces {
		b.WriteString(piece)
		if n == len(t.places) {
			break
		}
		b.WriteString(map[string]string{
			"@credential@": r.Credential, "@number@": number(r), "@list@": r.List, "@index@": fmt.Sprint(r.Index),
			"@given@": given, "@family@": family, "@seal@": seal,
		}[t.places[n]])
	}
	return b.Bytes()
}

// fill brings the registry to so many rows without the issuer: sealed files
// like those it makes, with seals of random characters, 500 in a step.
func (s *stage) fill(rows int) {
	s.Helper()
	if s.rows >= rows {
		return
	}
	s.learn()
	s.enrol(rows)
	for s.rows < rows {
		s.must(s.put(s.Context(), s.intents(min(500, rows-s.rows))))
	}
}

// intents are those of the next n rows.
func (s *stage) intents(n int) []registry.Intent {
	all := make([]registry.Intent, n)
	for k := range all {
		learner, module, edition := award(s.rows)
		t := s.templates[module]
		all[k] = registry.Intent{
			Provider: t.record.Provider, House: t.house, Learner: learnerRef(learner), Module: module, Version: t.record.Version, Edition: edition,
			Facts: registry.Facts{CompletedOn: "2026-05-29", Attendance: fmt.Sprint(90 + s.rows%11), Score: fmt.Sprint(70 + s.rows%30)},
			Body:  t.body, Shared: t.shared,
		}
		s.rows++
	}
	return all
}

func (s *stage) put(ctx context.Context, intents []registry.Intent) error {
	reserved, err := s.registry.Reserve(ctx, intents, s.now())
	if err != nil {
		return err
	}
	sealings := make([]registry.Sealing, len(reserved))
	seal := make([]byte, 64)
	for n, r := range reserved {
		if r.Existing {
			return errors.New("an award is there already")
		}
		if _, err := rand.Read(seal); err != nil {
			return err
		}
		t := s.templates[r.Record.Module]
		given, family := s.people.name()
		sealed := t.like(r.Record, given, family, base64.RawURLEncoding.EncodeToString(seal))
		sealings[n] = registry.Sealing{Seq: r.Record.Seq, Sealed: sealed, Shared: t.shared}
	}
	return s.registry.Complete(ctx, sealings, s.now())
}

// invented gives names of nobody: 2,000 family and 500 given names made of
// syllables, some frequent and most rare, as names are.
type invented struct {
	given, family []string
	chance        *mathrand.Rand
	byGiven       *mathrand.Zipf
	byFamily      *mathrand.Zipf
}

func invent() *invented {
	chance := mathrand.New(mathrand.NewPCG(4, 2026))
	starts := strings.Fields("a ba be bo ca ce chi co da de di do e fa fe fi ga ge gio gra gua i la le li lo lu ma me mi mo na ne ni o pa pe pi po ra re ri ro sa sca se si so sta ta te ti to tra u va ve vi vo za ze")
	middles := strings.Fields("ba bri ca chi ci co da di ga gli gna la le li lo ma mi na ne ni no pa pe ra re ri ro sa se si sta ta te ti to va ve vi za")
	many := func(n int, ends string) []string {
		last, all, seen := strings.Fields(ends), []string{}, map[string]bool{}
		for len(all) < n {
			name := starts[chance.IntN(len(starts))]
			for range 1 + chance.IntN(2) {
				name += middles[chance.IntN(len(middles))]
			}
			name += last[chance.IntN(len(last))]
			if name = strings.ToUpper(name[:1]) + name[1:]; !seen[name] {
				seen[name], all = true, append(all, name)
			}
		}
		return all
	}
	return &invented{
		family: many(2000, "ni lli tti sso rini rdi nti sco ndo rra tto si zzi"), given: many(500, "na no nia nio ra lla lo sa co ta da"),
		chance: chance, byGiven: mathrand.NewZipf(chance, 1.2, 20, 499), byFamily: mathrand.NewZipf(chance, 1.05, 60, 1999),
	}
}

func (p *invented) name() (given, family string) {
	return p.given[p.byGiven.Uint64()], p.family[p.byFamily.Uint64()]
}
