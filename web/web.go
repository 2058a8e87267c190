// Package web is what people see: the page behind a QR, the page where anybody
// checks a credential, the holder's own page, the provider's console, and the
// published status lists. Every page works without JavaScript and without an
// account and says the same in Italian and in English, those for checking also in
// German and in French; only the live picture of a camera needs a script, and the
// page that checks on the visitor's own device.
//
// The verdict and what a credential says come from verified bytes and nowhere
// else. One thing is added on the pages of the installation that issued it: the
// day of a revocation or suspension, and for the holder its reason. No published
// list says them; they come from the registry's own record and change no verdict.
//
//	site, err := web.New(config)
//	site.Routes(router)
package web

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"attesta/presentation"
	"attesta/receipt"
	"attesta/registry"
	"attesta/status"
	"attesta/verifier"
	"attesta/wallet"

	"github.com/go-chi/chi/v5"
)

//go:embed templates/*.html assets/*.css assets/*.js assets/*.svg locales/*.json openapi.json worker.js
var files embed.FS

// Ledger is the part of a *registry.Registry that the console reads.
type Ledger interface {
	Records(ctx context.Context, q registry.Query) ([]registry.Record, error)
	Counts(ctx context.Context, provider string) (registry.Counts, error)
	Editions(ctx context.Context, provider, after string, limit int) ([]registry.Edition, error)
	Providers(ctx context.Context, after string, limit int) ([]registry.Provider, error)
	Modules(ctx context.Context, provider, after string, limit int) ([]registry.Module, error)
	// Grant, Enter, Redeem and Leave open and close the console.
	Grant(ctx context.Context, kind, by string, ttl time.Duration, at time.Time) (secret string, err error)
	Enter(ctx context.Context, kind, secret string, at time.Time) (registry.Access, error)
	Redeem(ctx context.Context, kind, secret string, at time.Time) (registry.Access, error)
	Leave(ctx context.Context, secret string) error
}

// Wallet is the part of a *wallet.Wallet that opens credentials.
type Wallet interface {
	Open(ctx context.Context, token string) (wallet.Held, error)
	Show(ctx context.Context, handle string) (wallet.Held, error)
}

// Published is a signed status list, or a document about keys, as it is handed
// out.
type Published struct {
	Token     []byte
	MediaType string
	ETag      string        // with or without its quotation marks
	MaxAge    time.Duration // how long a copy may be used
}

// StatusLists gives the signed status lists: one as a Token Status List, one as a
// Bitstring Status List of a purpose, and the addresses of all. An unknown list
// is registry.ErrNotFound.
type StatusLists interface {
	TokenList(ctx context.Context, list string) (Published, error)
	StatusList(ctx context.Context, list string, purpose status.Purpose) (Published, error)
	Aggregation(ctx context.Context) (Published, error)
}

// KeyDocuments gives what is published about the keys by the last part of its
// address: jwks.json, did.json, jwt-vc-issuer, root.crl. Another, or one that
// there is not yet, is registry.ErrNotFound.
type KeyDocuments interface {
	KeyDocument(name string) (Published, error)
}

// Config is what a Site is made of. Registry, Wallet, Verify, Lists, PublicURL
// and Now are required.
type Config struct {
	Registry Ledger
	Wallet   Wallet
	// Verify judges presented bytes as of a moment; the zero time means now. An
	// error means that no judgement could be made at all; it is answered with a
	// fault, never with a verdict.
	Verify func(ctx context.Context, presented []byte, at time.Time) (verifier.Report, error)
	Lists  StatusLists
	Keys   KeyDocuments // nothing is published about keys when nil
	Audit  LogDocuments // the audit log is not published when nil
	Acts   Acts         // no status can be changed in the console when nil
	// Brief makes the compact QR of a record that is valid, from its sealed bytes:
	// the address that the picture holds. None is offered when it is nil. Errors wrap
	// brief.ErrKey, keys.ErrNoKey and brief.ErrUnfit where there can be none.
	Brief         func(ctx context.Context, r registry.Record, sealed []byte) (address string, err error)
	PublicURL     string // https://host or http://127.0.0.1:port, no trailing slash
	Now           func() time.Time
	Zone          *time.Location // in which times are shown; UTC when nil
	Demonstration bool           // said on every page in a banner
	Log           *slog.Logger   // discarded when nil
	// Ready says whether the program can do its work; always when nil.
	Ready func(ctx context.Context) error
	// Copy gives what devices keep to check without a network, and Program the
	// files of web/offline that check there. Without both there is no such page.
	Copy    func(ctx context.Context) (DeviceCopy, error)
	Program map[string][]byte
	// Count counts a request of somebody at a door, for all servers of one
	// registry, and returns how many there were in the last length. The count may
	// end at most. This server counts for itself too, and alone when Count is nil
	// or fails.
	Count func(ctx context.Context, door, who string, length time.Duration, most int) (int, error)
	// Behind are the networks of proxies in front of this server: from there, and
	// only from there, X-Forwarded-For says who a visitor is.
	Behind []netip.Prefix
	// RequestID names a request in the log; random when nil.
	RequestID func() string
	// Receipts gives the key that signs receipts of checks; there are none when it
	// is nil, and for the moment none when its error wraps keys.ErrNoKey.
	Receipts func(ctx context.Context) (receipt.Signer, error)
	// TableKey authenticates the tables of answers that pages post again, to be
	// sorted or saved. All servers of an installation have one; random when nil.
	TableKey []byte
}

// Site answers for all pages. It is safe for concurrent use.
type Site struct {
	Config
	secure    bool   // the public address is https
	host      string // of the public address, with its port
	loopback  bool   // the public address opens on this computer only
	reader    *presentation.Reader
	judging   *places
	persons   personLimits
	small     *places
	large     *places
	catalogue catalogue
	pages     pageSet
	assets    assetSet
	version   string                    // of what devices keep
	icons     [2]func() ([]byte, error) // of the installed app, by appIconSizes
	foreign   *http.CrossOriginProtection
}

// New returns a site. It parses every template, locale and asset, so that what
// is broken or undeclared is found at the start.
func New(c Config) (*Site, error) {
	if c.Registry == nil || c.Wallet == nil || c.Verify == nil || c.Lists == nil || c.Now == nil {
		return nil, errors.New("making the site: registry, wallet, verify, lists and clock are required")
	}
	address, err := url.Parse(c.PublicURL)
	if err != nil || address.Host == "" || address.Path != "" || address.RawQuery != "" ||
		address.Scheme != "https" && address.Scheme != "http" {
		return nil, fmt.Errorf("making the site: public address %q is not of the form https://host", c.PublicURL)
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.RequestID == nil {
		c.RequestID = rand.Text
	}
	if c.TableKey == nil {
		c.TableKey = []byte(rand.Text())
	}
	s := &Site{
		Config: c, secure: address.Scheme == "https", host: address.Host, loopback: loopback(address.Hostname()),
		judging: newPlaces(judgedAtOnce), small: newPlaces(smallAtOnce), large: newPlaces(largeAtOnce), reader: presentation.NewReader(c.PublicURL),
	}
	s.persons = s.newPersonLimits()
	if s.catalogue, err = readCatalogue(); err != nil {
		return nil, err
	}
	if s.pages, err = readPages(); err != nil {
		return nil, err
	}
	if s.assets, err = readAssets(); err != nil {
		return nil, err
	}
	for name, data := range c.Program {
		s.assets.add(name, data)
	}
	if s.version, err = s.shellVersion(); err != nil {
		return nil, err
	}
	for n, size := range appIconSizes() {
		s.icons[n] = sync.OnceValues(func() ([]byte, error) { return drawIcon(size) })
	}
	s.foreign = http.NewCrossOriginProtection()
	if err := s.foreign.AddTrustedOrigin(address.Scheme + "://" + address.Host); err != nil {
		return nil, fmt.Errorf("making the site: %w", err)
	}
	// The pages behind a claim link send no referrer, so that some browsers say the
	// origin "null" of their form. No other site knows the address of that one.
	s.foreign.AddInsecureBypassPattern("POST /c/{token}/compact")
	s.foreign.SetDenyHandler(s.answering(func(http.ResponseWriter, *http.Request) error {
		return refusal{http.StatusForbidden, "foreign"}
	}))
	return s, nil
}

// loopback tells whether a host is the computer itself.
func loopback(host string) bool {
	host = strings.ToLower(host)
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

const sessionLength = 8 * time.Hour

// Routes adds every page and every published list to a router. It sets the
// router's answers for what is not found and for methods that are not allowed.
func (s *Site) Routes(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(s.visitorsIP(), s.visiting, s.logging, s.recovering, s.securing, s.foreign.Handler)
		r.NotFound(s.answering(func(http.ResponseWriter, *http.Request) error { return registry.ErrNotFound }))
		r.MethodNotAllowed(s.answering(otherMethod))
		s.publicRoutes(r)
		s.privateRoutes(r)
		s.machineRoutes(r)
	})
}

// publicRoutes are the pages for everybody.
func (s *Site) publicRoutes(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(compressing())
		s.get(r, "/", s.start)
		s.get(r, "/assets/{name}", s.asset)
		s.get(r, "/robots.txt", s.robots)
		s.get(r, "/verify", s.verifyForm)
		s.offlineRoutes(r)
		r.Group(func(r chi.Router) {
			r.Use(private, s.limiting("verify"), s.roomy)
			r.Post("/verify", s.answering(s.verifyPresented))
			s.post(r, "/verify/rows", s.verifyRows)
			s.post(r, "/verify/table", s.tableAgain)
		})
		r.Group(func(r chi.Router) {
			r.Use(private)
			s.get(r, "/v/{handle}", s.verifyHandle)
			r.With(s.limiting("person")).Post("/v/{handle}", s.answering(s.verifyPerson))
			s.get(r, "/v/{handle}/qr.svg", s.handleQR)
		})
	})
}

// privateRoutes are the pages that a secret opens. They are never compressed,
// so that the length of an answer says nothing about a secret in it.
func (s *Site) privateRoutes(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(private)
		s.get(r, "/c/{token}", s.holder)
		s.get(r, "/c/{token}/credential.jsonld", s.holderFile)
		s.post(r, "/c/{token}/compact", s.compact, s.limiting("compact"))
		s.get(r, "/console/sign-in", s.signInPage)
		r.With(s.limiting("sign-in")).Post("/console/sign-in", s.answering(s.signIn))
		s.post(r, "/console/sign-out", s.signOut)
		s.get(r, "/console", s.inside(s.overview))
		s.get(r, "/console/modules", s.inside(s.modules))
		s.get(r, "/console/records", s.inside(s.records))
		s.get(r, "/console/status", s.acting(s.changeStatus))
		r.Post("/console/status", s.answering(s.acting(s.setStatus)))
		s.get(r, "/console/proposals", s.acting(s.proposals))
		r.Post("/console/proposals", s.answering(s.acting(s.decideProposal)))
	})
}

// machineRoutes are for programs.
func (s *Site) machineRoutes(r chi.Router) {
	s.get(r, "/status/aggregation", s.aggregation)
	s.get(r, "/status/{list}", s.tokenList)
	r.With(private, s.limiting("verify"), s.roomy).Post("/api/v1/verify", s.answering(s.verifyAPI))
	s.get(r, "/api/openapi.json", s.openAPI)
	s.get(r, "/status/{list}/{purpose}", s.statusList)
	s.get(r, "/.well-known/{document:jwks\\.json|did\\.json|jwt-vc-issuer}", s.keyDocument)
	s.get(r, "/keys/{document:root\\.crl}", s.keyDocument)
	s.logRoutes(r)
	s.get(r, "/healthz", s.health)
	s.get(r, "/readyz", s.ready)
}

// get registers a handler for GET and HEAD.
func (s *Site) get(r chi.Router, pattern string, h handler) {
	r.Get(pattern, s.answering(h))
	r.Head(pattern, s.answering(h))
}

// post registers a handler for POST at an address that has no page of its own. To
// whoever comes by another way, as browsers do when the address of an answer is
// opened again, it shows the page where the form stands.
func (s *Site) post(r chi.Router, pattern string, h handler, before ...func(http.Handler) http.Handler) {
	r.With(before...).Post(pattern, s.answering(h))
	s.get(r, pattern, s.askAgain)
}

func (s *Site) askAgain(w http.ResponseWriter, r *http.Request) error {
	if machine(r) {
		w.Header().Set("Allow", http.MethodPost)
		return refusal{http.StatusMethodNotAllowed, "method"}
	}
	to := askedAt(r.URL.EscapedPath())
	if v := visitOf(r); v.chosen != "" {
		to += "?lang=" + v.chosen
	}
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // a path that begins as one of ours
	return nil
}

// askedAt is where the form stands that is posted to an address, both escaped; ""
// where there is none.
func askedAt(path string) string {
	switch {
	case path == "/verify" || strings.HasPrefix(path, "/verify/"):
		return "/verify"
	case strings.HasPrefix(path, "/c/"):
		return strings.TrimSuffix(path, "/compact")
	case path == "/console/status":
		return "/console/records"
	case path == "/console/sign-out":
		return "/console"
	case strings.HasPrefix(path, "/v/"), strings.HasPrefix(path, "/console"):
		return path
	}
	return ""
}

// otherMethod refuses a method and names those that the address has
// (RFC 9110, section 15.5.6).
func otherMethod(w http.ResponseWriter, r *http.Request) error {
	routes := chi.RouteContext(r.Context()).Routes
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		if routes.Match(chi.NewRouteContext(), m, r.URL.Path) {
			w.Header().Add("Allow", m)
		}
	}
	return refusal{http.StatusMethodNotAllowed, "method"}
}

// robots asks search engines to stay away from what is personal.
func (s *Site) robots(w http.ResponseWriter, _ *http.Request) error {
	return plain(w, "User-agent: *\nDisallow: /v/\nDisallow: /c/\nDisallow: /console\n")
}

// plain answers with a short text.
func plain(w http.ResponseWriter, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) // the status is sent: nothing is left to answer
	return nil
}
