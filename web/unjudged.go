package web

import (
	"net/http"

	"attesta/presentation"
)

// unjudgedPage says why nothing was judged: what was presented leads elsewhere,
// or there is nothing in it that can be judged. It is never a verdict.
type unjudgedPage struct {
	Page
	Leads   bool // to an address
	Host    string
	ASCII   string // of the host, where it reads otherwise
	Whole   string // the address or the text, as it stands there
	Text    string
	Todo    string
	File    string // in which it was found
	Site    string // the public address of this one
	Warning bool   // it leads to another site
	Here    bool   // said on a page that stands alone, without a server
}

func (unjudgedPage) template() string { return "unjudged.html" }

// showUnjudged answers about an item that cannot be judged.
func (s *Site) showUnjudged(w http.ResponseWriter, r *http.Request, i presentation.Item) error {
	p := unjudgedPage{Page: s.page(r, "problem.title"), Site: s.PublicURL}
	p.fill(i)
	return s.show(w, r, unjudgedStatus(i, http.StatusBadRequest), p)
}

func (p *unjudgedPage) fill(i presentation.Item) {
	p.File, p.Whole = i.Name, i.Text
	p.Heading, p.Text, p.Todo = p.unjudged(i)
	if i.Address != nil {
		p.Leads, p.Warning = true, !i.Address.Ours
		p.Host, p.Whole = i.Address.Host, i.Address.Text
		if i.Address.ASCII != i.Address.Host {
			p.ASCII = i.Address.ASCII
		}
	}
}

// unjudgedStatus is the usual status, but for what is too large.
func unjudgedStatus(i presentation.Item, usual int) int {
	if i.Problem != nil && i.Problem.Code == "large" {
		return http.StatusRequestEntityTooLarge
	}
	return usual
}

// unjudged says in words why an item was not judged, and what to do.
func (p Page) unjudged(i presentation.Item) (heading, text, todo string) {
	switch {
	case i.Address != nil && i.Address.Ours:
		return p.T("error.link.title"), p.T("ours.text"), p.T("ours.todo")
	case i.Address != nil:
		return p.T("error.link.title"), p.T("error.link.text"), p.T("error.link.todo")
	case i.Text != "":
		return p.T("other.title"), p.T("other.text"), p.T("other.todo")
	}
	text, todo = i.Problem.Words(p.Lang)
	return p.T("problem.title"), text, todo
}
