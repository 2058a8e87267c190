package web

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"time"

	"attesta/presentation"
	"attesta/verifier"
)

// Answers says reports as the pages do, for whoever shows them elsewhere, such
// as a browser without a server. It is safe for concurrent use.
type Answers struct {
	catalogue      catalogue
	page, unjudged *template.Template
	zone           *time.Location
}

// Answer is a report, and the same in words: HTML is a part of a page, safe to
// put into one. Then is what a copy said when it was made, where that helps.
// There is no report where nothing was judged.
type Answer struct {
	Report verifier.Report  `json:"report,omitzero"`
	Then   *verifier.Report `json:"then,omitempty"`
	HTML   string           `json:"html"`
}

// NewAnswers returns answers with times in a zone.
func NewAnswers(zone *time.Location) (*Answers, error) {
	c, err := readCatalogue()
	if err != nil {
		return nil, err
	}
	page, err := readPage(resultPage{})
	if err != nil {
		return nil, err
	}
	unjudged, err := readPage(unjudgedPage{})
	if err != nil {
		return nil, err
	}
	return &Answers{c, page, unjudged, zone}, nil
}

// in begins a page in a language; one that there is not gives the first.
func (a *Answers) in(language string) Page {
	if !slices.Contains(languages[:], language) {
		language = languages[0]
	}
	return Page{words: a.catalogue[language], Lang: language, zone: a.zone}
}

// Unjudged says why items were not judged on a page of a copy: what leads
// somewhere cannot be looked up there, and of several there is no one answer.
func (a *Answers) Unjudged(c Copy, language string, items ...presentation.Item) (Answer, error) {
	p := unjudgedPage{Page: a.in(language), Site: c.PublicURL, Here: true}
	switch p.Heading = p.T("problem.title"); {
	case len(items) > 1:
		p.Text = p.T("copy.several")
	case items[0].Handle == "":
		p.fill(items[0])
	case c.Renews:
		p.Text = p.T("offline.link")
	default:
		p.Text = p.T("copy.link")
	}
	var b bytes.Buffer
	if err := a.unjudged.ExecuteTemplate(&b, "content", p); err != nil {
		return Answer{}, fmt.Errorf("saying why nothing was judged: %w", err)
	}
	return Answer{HTML: b.String()}, nil
}

// OfCopy says what verifier.VerifyCopy returned, and how old the copy is. The
// language is one of those in which somebody may check; any other gives the first.
func (a *Answers) OfCopy(c Copy, language string, report verifier.Report, then *verifier.Report) (Answer, error) {
	p := resultPage{Page: a.in(language)}
	p.fill(report)
	if p.Copied = p.copied(c, report, then); report.Reason == "status_stale" {
		p.Verdict.Todo = p.T("copy.todo") // later is no better
		if c.Renews {
			p.Verdict.Todo = p.T("copy.todo.renew")
		}
	}
	var b bytes.Buffer
	if err := a.page.ExecuteTemplate(&b, "content", p); err != nil {
		return Answer{}, fmt.Errorf("saying a report: %w", err)
	}
	return Answer{report, then, b.String()}, nil
}

// copied says what it means that an answer comes from a copy.
func (p Page) copied(c Copy, report verifier.Report, then *verifier.Report) []string {
	made := p.day(c.Made)
	if c.Renews { // it is of today more often than not
		made = p.moment(c.Made)
	}
	told := []string{p.T("copy.age", "day", made)}
	switch {
	case then != nil && then.Verdict == verifier.Valid:
		told = append(told, p.T("copy.then.valid", "day", made))
	case then != nil && then.Reason == "status_suspended":
		told = append(told, p.T("copy.then.suspended", "day", made))
	case then != nil:
		told = append(told, p.T("copy.then.revoked", "day", made))
	case report.Find(verifier.CheckStatus).Reason == "status_valid" && !c.Until.IsZero():
		told = append(told, p.T("copy.last", "day", made, "until", p.day(c.Until)))
	case report.Find(verifier.CheckStatus).Reason == "status_valid":
		told = append(told, p.T("copy.fresh", "day", made))
	}
	return told
}
