package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"attesta/registry"
	"attesta/wallet"

	"github.com/go-chi/chi/v5"
)

// maxPresented bounds what is presented for a check, in bytes.
const maxPresented = 4 << 20

// handleForm is the form of a handle: 130 random bits.
var handleForm = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// verifyPage is the form by which anybody checks a credential.
type verifyPage struct {
	Page
	Action string
}

func (s *Site) verifyForm(w http.ResponseWriter, r *http.Request) error {
	p := verifyPage{Page: s.page(r, "verify.title")}
	p.Action = p.Link("/verify")
	return s.show(w, r, http.StatusOK, p)
}

// verifyPresented judges what was pasted or uploaded. A code or an address of
// ours leads to its page; an address of another site is not opened, because a
// forged paper can carry any address.
func (s *Site) verifyPresented(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	presented, typed, err := readPresented(w, r)
	if err != nil {
		return err
	}
	if typed {
		handle, link := s.handleIn(string(presented))
		switch {
		case handle != "":
			address := "/v/" + handle
			if v := visitOf(r); v.chosen {
				address += "?lang=" + v.language
			}
			http.Redirect(w, r, address, http.StatusSeeOther) //nolint:gosec // a path of our own: the handle has its form
			return nil
		case link:
			return refusal{http.StatusBadRequest, "link"}
		}
	}
	report, err := s.Verify(r.Context(), presented)
	if err != nil {
		return fmt.Errorf("checking what was presented: %w", err)
	}
	return s.show(w, r, http.StatusOK, s.result(r, report, ""))
}

// handleIn finds the handle in a code that was typed from paper or in an
// address of this site. The second result tells an address from content.
func (s *Site) handleIn(text string) (handle string, link bool) {
	if len(text) > 500 {
		return "", false
	}
	typed := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(text))
	if handleForm.MatchString(typed) {
		return typed, false
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	if rest, ok := strings.CutPrefix(u.Path, "/v/"); ok && u.User == nil && u.Scheme+"://"+u.Host == s.PublicURL && handleForm.MatchString(rest) {
		return rest, true
	}
	return "", true
}

// verifyHandle judges the credential behind a QR. A handle that is malformed
// and one that is unknown have the same answer. A program that asks for the
// sealed bytes gets them, to judge for itself.
func (s *Site) verifyHandle(w http.ResponseWriter, r *http.Request) error {
	held, err := s.shown(r)
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept")
	if machine(r) {
		return handOut(w, held)
	}
	report, err := s.Verify(r.Context(), held.Sealed)
	if err != nil {
		return fmt.Errorf("checking what is behind a handle: %w", err)
	}
	return s.show(w, r, http.StatusOK, s.result(r, dated(report, held.Record, false), held.Record.Handle))
}

// shown reads what is behind the handle of a request.
func (s *Site) shown(r *http.Request) (wallet.Held, error) {
	handle := chi.URLParam(r, "handle")
	if !handleForm.MatchString(handle) {
		return wallet.Held{}, refusal{http.StatusNotFound, "handle"}
	}
	held, err := s.Wallet.Show(r.Context(), handle)
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

// readPresented returns the bytes of the form: those of the file, else the
// text, of which it says that it was typed.
func readPresented(w http.ResponseWriter, r *http.Request) (presented []byte, typed bool, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPresented)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	var text, file []byte
	switch kind {
	case "multipart/form-data":
		text, file, err = readParts(r)
	case "application/x-www-form-urlencoded":
		if err = r.ParseForm(); err == nil {
			text = []byte(r.PostForm.Get("text"))
		}
	default:
		return nil, false, refusal{http.StatusBadRequest, "form"}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, false, err
	case err != nil:
		return nil, false, refusal{http.StatusBadRequest, "form"}
	case len(file) > 0:
		return file, false, nil
	}
	if text := strings.TrimSpace(string(text)); text != "" {
		return []byte(text), true, nil
	}
	return nil, false, refusal{http.StatusBadRequest, "empty"}
}

// readParts reads the fields of a multipart form in memory; the body is
// bounded already. Nothing is written to disk.
func readParts(r *http.Request) (text, file []byte, err error) {
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the form: %w", err)
	}
	for range 8 {
		part, err := reader.NextPart()
		if err == io.EOF { //nolint:errorlint // plain io.EOF is the end of the form; where the body was cut it comes wrapped
			return text, file, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("reading the form: %w", err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the form: %w", err)
		}
		switch part.FormName() {
		case "file":
			file = data
		case "text":
			text = data
		}
	}
	return nil, nil, errors.New("reading the form: too many fields")
}
