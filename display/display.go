// Package display draws the picture of a credential that the learning model
// demands for every language (displayParameter, individualDisplay), in pure Go.
//
// The one call is [Module]. The picture shows the module and its provider,
// never the person: all credentials of a module share it and it holds no
// personal data. It proves nothing and says so.
package display

import (
	"fmt"
	"strconv"
	"strings"

	"attesta/credentials"
)

// Width and Height of every picture in pixels: A5 landscape.
const (
	Width  = 780
	Height = 551
)

// A Sheet is the text of a picture, in one language, before it is laid out.
type Sheet struct {
	Kicker     string // what kind of thing this is
	Title      string
	Provider   string
	Hours      string // number alone, for the seal
	HoursWord  string
	Facts      []Fact
	Outcomes   string // heading
	Outcome    []string
	Disclaimer string
}

// A Fact is a label with its value.
type Fact struct{ Label, Value string }

// Module returns the picture of a module as a PNG of [Width] × [Height] pixels
// and at most 16 colours. Its fixed words are Italian when language is "it" and
// English otherwise; title, provider and outcomes are taken in the language
// when they have it. The same input gives the same bytes. It is safe for
// concurrent use.
func Module(p credentials.Provider, m credentials.Module, language string) (png []byte, err error) {
	b, err := Draw(Describe(p, m, language))
	if err != nil {
		return nil, fmt.Errorf("drawing module %q: %w", m.Code, err)
	}
	return b, nil
}

// Describe puts a module into the words of a language.
func Describe(p credentials.Provider, m credentials.Module, language string) Sheet {
	w := english
	if language == "it" {
		w = italian
	}
	s := Sheet{Kicker: w.kicker, Outcomes: w.outcomes, Disclaimer: w.disclaimer}
	s.Title, _ = m.Title.In(language)
	if s.Title == "" {
		s.Title = m.Code
	}
	s.Provider, _ = p.Name.In(language)
	if s.Provider == "" {
		s.Provider = p.ID
	}
	if h := m.Workload.Total; h > 0 {
		s.Hours = strings.Replace(strconv.FormatFloat(h, 'f', -1, 64), ".", w.point, 1)
		if s.HoursWord = w.hours; h == 1 {
			s.HoursWord = w.hour
		}
		s.Facts = append(s.Facts, Fact{w.workload, s.Hours + " " + s.HoursWord})
	}
	if m.Level.EQF > 0 {
		level := strconv.Itoa(m.Level.EQF)
		if m.Level.Basis == "declared_by_issuer" {
			level += " (" + w.declared + ")"
		}
		s.Facts = append(s.Facts, Fact{w.level, level})
	}
	if mode := w.mode(m.Mode); mode != "" {
		s.Facts = append(s.Facts, Fact{w.modeLabel, mode})
	}
	if m.Language != "" {
		name, ok := w.languages[m.Language]
		if !ok {
			name = m.Language
		}
		s.Facts = append(s.Facts, Fact{w.language, name})
	}
	for _, o := range m.Outcomes {
		if text, _ := o.Text.In(language); text != "" {
			s.Outcome = append(s.Outcome, text)
		}
	}
	return s
}
