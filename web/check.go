package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"attesta/presentation"
	"attesta/registry"
	"attesta/wallet"

	"github.com/go-chi/chi/v5"
)

// verifyPage is the form by which anybody checks a credential.
type verifyPage struct {
	Page
	Action  string
	Offline string // address of the page that checks on the device; "" where there is none
	Camera  camera
	Many    many
}

func (s *Site) verifyForm(w http.ResponseWriter, r *http.Request) error {
	p := verifyPage{Page: s.page(r, "verify.title")}
	p.Action, p.Camera, p.Many = p.Link("/verify"), s.camera(), s.many(p.Page)
	if s.builtOffline() {
		p.Offline = p.Link("/offline")
	}
	p.Camera.allow(w)
	return s.show(w, r, http.StatusOK, p)
}

// verifyPresented judges what was pasted or uploaded: one thing on the page of
// its own, several in a table. A code or an address of ours leads to its page; an
// address of another site is shown and not opened, because a forged paper can
// carry any address.
func (s *Site) verifyPresented(w http.ResponseWriter, r *http.Request) error {
	in, answers, err := s.judgePresented(w, r, true)
	if err != nil {
		return err
	}
	return s.showAnswers(w, r, answers, in)
}

// judgePresented judges what came in the form of a check. With pages, a handle
// that is alone is left to the page that it has.
func (s *Site) judgePresented(w http.ResponseWriter, r *http.Request, pages bool) (presented, []presentation.Answer, error) {
	in, err := readPresented(w, r)
	if err != nil {
		return in, nil, err
	}
	at, err := s.askedDay(in.day)
	if err != nil {
		return in, nil, err
	}
	read := func(ctx context.Context) []presentation.Item { return s.reader.Read(ctx, in.files...) }
	if in.text != "" {
		items, err := s.typed(in.text)
		if err != nil {
			return in, nil, err
		}
		read = func(context.Context) []presentation.Item { return items }
	}
	answers, err := s.judgeAll(w, r, judging{at: at, pages: pages}, read)
	if err != nil {
		return in, nil, fmt.Errorf("checking what was presented: %w", err)
	}
	if !at.IsZero() {
		in.asked = in.day
	}
	return in, answers, nil
}

// showAnswers shows one answer on a page of its own and several in a table.
func (s *Site) showAnswers(w http.ResponseWriter, r *http.Request, answers []presentation.Answer, in presented) error {
	if len(answers) > 1 {
		t := s.tableOf(r, answers, in.asked)
		signed, err := s.signTable(t)
		if err != nil {
			return err
		}
		return s.showTable(w, r, t, []string{signed}, "")
	}
	only := answers[0]
	switch {
	case only.Handle != "":
		asked := url.Values{}
		if v := visitOf(r); v.chosen != "" {
			asked.Set("lang", v.chosen)
		}
		if in.asked != "" {
			asked.Set("at", in.asked)
		}
		address := "/v/" + only.Handle
		if len(asked) > 0 {
			address += "?" + asked.Encode()
		}
		http.Redirect(w, r, address, http.StatusSeeOther)
		return nil
	case only.Report != nil:
		report, q := s.about(w, r, *only.Report, in.about)
		p := s.result(r, report, "")
		p.ask(report, q)
		if err := s.offerReceipt(r, &p, answers, in.asked); err != nil {
			return err
		}
		return s.show(w, r, q.status, p)
	}
	return s.showUnjudged(w, r, only.Item)
}

// verifyHandle judges the credential behind a QR. A handle that is malformed
// and one that is unknown have the same answer. A program that asks for the
// sealed bytes gets them, to judge for itself.
func (s *Site) verifyHandle(w http.ResponseWriter, r *http.Request) error {
	held, err := s.shown(r)
	if err != nil {
		return err
	}
	at, err := s.askedDay(r.URL.Query().Get("at"))
	if err != nil {
		return err
	}
	report, err := s.Verify(r.Context(), held.Sealed, at)
	if err != nil {
		return fmt.Errorf("checking what is behind a handle: %w", err)
	}
	if machine(r) {
		w.Header().Add("Vary", "Accept") // as the page says of itself
		if v := report.Credential; v == nil || v.BirthDateGiven || v.NationalIDGiven {
			return refusal{http.StatusForbidden, "file"}
		}
		return handOut(w, held)
	}
	p := s.result(r, dated(report, held.Record, false), held.Record.Handle)
	p.Asks, p.Keep = "/v/"+held.Record.Handle, visitOf(r).chosen
	p.ask(report, question{})
	return s.show(w, r, http.StatusOK, p)
}

// shown reads what is behind the handle of a request, in capitals or not.
func (s *Site) shown(r *http.Request) (wallet.Held, error) {
	handle := presentation.HandleIn(chi.URLParam(r, "handle"))
	if handle == "" {
		return wallet.Held{}, refusal{http.StatusNotFound, "handle"}
	}
	return s.behind(r.Context(), handle)
}

// behind reads what is behind a handle.
func (s *Site) behind(ctx context.Context, handle string) (wallet.Held, error) {
	held, err := s.Wallet.Show(ctx, handle)
	if errors.Is(err, wallet.ErrErased) {
		return wallet.Held{}, refusal{http.StatusGone, "erased"}
	}
	if errors.Is(err, registry.ErrNotFound) {
		return wallet.Held{}, refusal{http.StatusNotFound, "handle"}
	}
	if err != nil {
		return wallet.Held{}, fmt.Errorf("reading what is behind a handle: %w", err)
	}
	return held, nil
}

// handleQR draws the QR that leads to the page of a handle.
func (s *Site) handleQR(w http.ResponseWriter, r *http.Request) error {
	held, err := s.shown(r)
	if err != nil {
		return err
	}
	picture, err := QR(s.address(held.Record.Handle))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write(picture) // the status is sent: nothing is left to answer
	return nil
}

// address is the public address of a handle.
func (s *Site) address(handle string) string { return s.PublicURL + "/v/" + handle }
