package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"attesta/verifier"

	"github.com/go-chi/httprate"
)

// How often somebody may ask whether a credential is that of a person: a birth
// date has few enough values to be guessed. The credential bounds all visitors
// together, by the hour and by the day.
const (
	asksPerHour    = 5
	asksPerDay     = 20
	asksPerVisitor = 60 // an hour, of any credentials
	maxTypedPerson = 64 // bytes of a birth date or a number
	maxPersonForm  = 4 << 10
)

// typedPerson is what an employer typed from the document of a person. It goes
// into no log and no page.
type typedPerson struct{ birth, number string }

// question is the part of an answer that says whether a credential is that of
// a person.
type question struct {
	Offered       bool // the form is there
	Birth, Number bool // what there is to compare with
	Hidden        bool // what is not there may only not be disclosed
	Unnamed       bool // not even the name is there
	Again         bool // the file has to be chosen again: none is kept
	Action        string
	Answer        *checkRow        // nil until something was compared
	Problem       string           // why nothing was compared
	Wrong         string           // the field at which that lies: birth, number or ""
	status        int              // of the answer
	own           verifier.Verdict // on the credential, whosever it is
}

// personLimits bound the questions about people.
type personLimits struct{ hour, day, visitor *limit }

func (s *Site) newPersonLimits() personLimits {
	quiet := httprate.WithResponseHeaders(httprate.ResponseHeaders{})
	return personLimits{
		hour:    s.limit("person-hour", time.Hour, asksPerHour, quiet),
		day:     s.limit("person-day", 24*time.Hour, asksPerDay, quiet),
		visitor: s.limit("person-visitor", time.Hour, asksPerVisitor, quiet),
	}
}

// reached counts a question of a visitor about a credential.
func (l personLimits) reached(w http.ResponseWriter, r *http.Request, credential string) bool {
	return l.visitor.reached(w, r, visitor(r)) || l.hour.reached(w, r, credential) || l.day.reached(w, r, credential)
}

// countedAs names a credential for its limit by what is sealed in it: the bytes
// around that can be written in many ways.
func countedAs(report verifier.Report) string {
	v := report.Credential
	sum := sha256.Sum256([]byte(v.IssuerLegal + "\n" + v.ID + "\n" + v.HolderName))
	return hex.EncodeToString(sum[:])
}

// verifyPerson answers on the page behind a QR whether the credential is that
// of the person before the employer.
func (s *Site) verifyPerson(w http.ResponseWriter, r *http.Request) error {
	held, err := s.shown(r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxPersonForm)
	if err := r.ParseForm(); err != nil {
		if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return large
		}
		return refusal{http.StatusBadRequest, "form"} // the error may repeat what was typed
	}
	report, err := s.Verify(r.Context(), held.Sealed, time.Time{})
	if err != nil {
		return fmt.Errorf("checking what is behind a handle: %w", err)
	}
	typed := typedPerson{r.PostForm.Get("birth"), r.PostForm.Get("number")}
	if typed.empty() {
		typed.birth = " " // pressed without typing: that is said
	}
	report, q := s.about(w, r, dated(report, held.Record, false), typed)
	p := s.result(r, report, held.Record.Handle)
	p.ask(report, q)
	return s.show(w, r, q.status, p)
}

func (t typedPerson) empty() bool { return t.birth == "" && t.number == "" }

// about holds a report against what was typed. Where that cannot be read, or was
// tried too often, the report stays as it is and the question says why.
func (s *Site) about(w http.ResponseWriter, r *http.Request, report verifier.Report, typed typedPerson) (verifier.Report, question) {
	q := question{status: http.StatusOK, own: report.Verdict}
	if typed.empty() || report.Credential == nil {
		return report, q
	}
	person, problem, wrong := typed.read()
	if problem == "" && s.persons.reached(w, r, countedAs(report)) {
		w.Header().Set("Retry-After", strconv.Itoa(int(time.Hour.Seconds())))
		problem, wrong, q.status = "person.often", "", http.StatusTooManyRequests
	} else if problem != "" {
		q.status = http.StatusBadRequest
	}
	if problem != "" {
		q.Problem, q.Wrong = s.catalogue[visitOf(r).language].T(problem), wrong
		return report, q
	}
	report = report.About(person)
	q.Answer = &checkRow{}
	return report, q
}

// read reads what was typed, or says what is wrong with it and where.
func (t typedPerson) read() (p verifier.Person, problem, wrong string) {
	birth, number := strings.TrimSpace(t.birth), strings.TrimSpace(t.number)
	if len(birth) > maxTypedPerson {
		return p, "person.no-day", "birth"
	}
	if len(number) > maxTypedPerson {
		return p, "person.no-number", "number"
	}
	if birth == "" && number == "" {
		return p, "person.empty", ""
	}
	if birth != "" {
		var err error
		if p.BirthDate, err = verifier.ReadBirthDate(birth); errors.Is(err, verifier.ErrShortYear) {
			return p, "person.short-year", "birth"
		} else if err != nil {
			return p, "person.no-day", "birth"
		}
	}
	p.Number = number
	return p, "", ""
}

// ask puts a question and its answer into a page. It is offered where the seal
// is good, the credential can serve as proof and there is something to compare
// with.
func (p *resultPage) ask(report verifier.Report, q question) {
	if report.Credential == nil {
		return
	}
	holder := report.Find(verifier.CheckHolder)
	q.Birth, q.Number = report.Holder.Carries()
	q.Hidden, q.Unnamed = report.Discloses(), report.Credential.HolderName == ""
	q.Offered = !report.Brief && report.Verdict != verifier.NotValid || holder.Outcome == verifier.Fail
	q.Again = p.Address == ""
	q.Action = p.Link("/verify")
	if !q.Again {
		q.Action = p.Link(strings.TrimPrefix(p.Address, p.Host))
	}
	if q.Answer != nil {
		row := p.rowOf(holder)
		row.Name, row.Word = p.T("person.title"), p.T("person."+row.Outcome)
		if report.Reason == holder.Reason {
			row.Todo = "" // the verdict says it
		}
		q.Answer = &row
	}
	p.Person = q
	if q.Answer == nil || report.Reason != holder.Reason {
		return
	}
	// Nothing is wrong with the credential itself: no reader is to think so.
	p.Struck, p.Declares = false, p.T("declares."+string(q.own))
	v := &p.Verdict
	if v.Detail = ""; q.own == verifier.Valid {
		v.Detail = p.T("person.own")
	}
	if holder.Outcome == verifier.Fail {
		v.Word, v.Because = p.T("person.verdict"), p.T("person.because")
		v.Sentence = v.Word + v.Colon + " " + v.Because
		p.Heading = v.Sentence
	}
}
