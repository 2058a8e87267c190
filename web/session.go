package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"attesta/registry"
)

// signInPage is what a sign-in link opens: one button. The link alone signs
// nobody in, because mail scanners open links.
type signInPage struct {
	Page
	Action string
	Key    string
}

func (s *Site) signInPage(w http.ResponseWriter, r *http.Request) error {
	keys := r.URL.Query()["key"]
	if len(keys) != 1 || keys[0] == "" || len(keys[0]) > maxToken {
		return refusal{http.StatusUnauthorized, "sign-in"}
	}
	// Only the origin is told to our own assets: the address holds the key.
	w.Header().Set("Referrer-Policy", "strict-origin")
	p := signInPage{Page: s.page(r, "sign-in.title"), Key: keys[0]}
	p.Action = p.Link("/console/sign-in")
	return s.show(w, r, http.StatusOK, p)
}

// signIn redeems a one-time key for a session. The session is new each time,
// so that none can be planted before.
func (s *Site) signIn(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if err := r.ParseForm(); err != nil {
		return refusal{http.StatusBadRequest, "form"}
	}
	key := r.PostForm.Get("key")
	if key == "" || len(key) > maxToken {
		return refusal{http.StatusUnauthorized, "key"}
	}
	now := s.Now()
	access, err := s.Registry.Redeem(r.Context(), registry.SignIn, key, now)
	if closed(err) {
		return refusal{http.StatusUnauthorized, "key"}
	}
	if err != nil {
		return fmt.Errorf("redeeming a sign-in key: %w", err)
	}
	secret, err := s.Registry.Grant(r.Context(), registry.Session, access.By, sessionLength, now)
	if err != nil {
		return fmt.Errorf("granting a session: %w", err)
	}
	http.SetCookie(w, s.cookie(secret, int(sessionLength.Seconds())))
	address := "/console"
	if v := visitOf(r); v.chosen != "" {
		address += "?lang=" + v.chosen
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// signOut ends a session in the registry and in the browser.
func (s *Site) signOut(w http.ResponseWriter, r *http.Request) error {
	if secret := s.session(r); secret != "" {
		if err := s.Registry.Leave(r.Context(), secret); err != nil && !closed(err) {
			return fmt.Errorf("ending a session: %w", err)
		}
	}
	http.SetCookie(w, s.cookie("", -1))
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// inside lets a handler answer only to somebody who has signed in.
func (s *Site) inside(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		secret := s.session(r)
		if secret == "" {
			return refusal{http.StatusUnauthorized, "sign-in"}
		}
		access, err := s.Registry.Enter(r.Context(), registry.Session, secret, s.Now())
		if closed(err) {
			return refusal{http.StatusUnauthorized, "sign-in"}
		}
		if err != nil {
			return fmt.Errorf("opening a session: %w", err)
		}
		return h(w, r.WithContext(context.WithValue(r.Context(), operatorKey{}, access.By)))
	}
}

type operatorKey struct{}

// operator is the name under which the visitor signed in.
func operator(r *http.Request) string {
	by, _ := r.Context().Value(operatorKey{}).(string)
	return by
}

// closed tells that a secret opens nothing: unknown, used, expired or
// malformed, which are not told apart.
func closed(err error) bool {
	return errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrInvalid)
}

// cookieName is bound to the host by its prefix where the address is https.
func (s *Site) cookieName() string {
	if s.secure {
		return "__Host-attesta"
	}
	return "attesta-session"
}

// cookie makes the session cookie. SameSite is Lax and not Strict, so that a
// link to the console in a message opens it; every change needs a POST, which
// Lax does not send from other sites.
func (s *Site) cookie(secret string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever the public address is https
		Name: s.cookieName(), Value: secret, Path: "/", MaxAge: age,
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// session returns the secret of the cookie of a request, or "".
func (s *Site) session(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil || len(c.Value) > maxToken {
		return ""
	}
	return c.Value
}
