package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"attesta/credentials"
)

// Fetcher gets what an outside address publishes. Origins are scheme, host and
// port of places that may be asked although they are not public. The answer is not
// to be changed.
type Fetcher interface {
	Fetch(ctx context.Context, address string, origins []string) ([]byte, error)
}

// Fetching fails in one of two ways: the address is one that is never asked,
// or nothing usable came back. ErrWithheld comes with ErrUnreachable where the
// other side says that it does not hand this out (403).
var (
	ErrRefused     = errors.New("the address is not asked")
	ErrUnreachable = errors.New("the address gave no answer that can be used")
	ErrWithheld    = errors.New("it does not hand this out")
)

const (
	fetchTime  = 5 * time.Second
	fetchBytes = credentials.MaxSealedBytes
)

// Guarded is the one fetcher for addresses that come from outside. It asks
// https on port 443 only unless its Limits say more, follows few redirects and
// each under the same rules, uses no proxy, bounds time and size, takes nothing
// packed, and refuses every address that is not public, looking at the address
// it really dials. It is safe for concurrent use.
type Guarded struct {
	public  *http.Client
	private *http.Client
	limits  Limits
}

// Limits are what a fetcher asks for, and how much of it it takes.
type Limits struct {
	Bytes  int
	Time   time.Duration
	Accept string
	Kinds  []string // beginnings of media types
	Plain  bool     // http on port 80 too, for what is signed inside
}

// NewGuarded returns a guarded fetcher for status lists and credentials.
func NewGuarded() *Guarded {
	return NewGuardedFor(Limits{
		Bytes: fetchBytes, Time: fetchTime, Kinds: []string{"application/"},
		Accept: "application/statuslist+jwt, application/vc+jwt, application/ld+json, application/json;q=0.8",
	})
}

// NewGuardedFor returns a guarded fetcher for something else.
func NewGuardedFor(l Limits) *Guarded {
	return &Guarded{public: client(refusePrivate, l.Time), private: client(nil, l.Time), limits: l}
}

// NewClient returns a client for an address that the operator of this machine
// chose, which may be inside: like Guarded it uses no proxy, follows no redirect
// by itself and bounds the time and what it takes before an answer.
func NewClient(limit time.Duration) *http.Client { return client(nil, limit) }

func client(control func(network, address string, c syscall.RawConn) error, limit time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: fetchTime, Control: control}
	return &http.Client{
		Timeout: limit,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, DisableCompression: true,
			TLSHandshakeTimeout: fetchTime, ResponseHeaderTimeout: fetchTime,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// maxHops bounds how many redirects are followed to one answer.
const maxHops = 3

// Fetch implements Fetcher. Errors wrap ErrRefused or ErrUnreachable.
func (g *Guarded) Fetch(ctx context.Context, address string, origins []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, g.limits.Time)
	defer cancel()
	if len(address) > maxAddress {
		return nil, errNoAddress
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errNoAddress
	}
	inside := slices.Contains(origins, originOf(u))
	for hops := 0; ; hops++ {
		use, err := g.client(u, inside)
		if err != nil {
			return nil, err
		}
		response, err := g.ask(ctx, use, u)
		if err != nil {
			return nil, err
		}
		body, next, err := g.answer(response, u)
		if err != nil || next == nil {
			return body, err
		}
		if hops == maxHops {
			return nil, fmt.Errorf("%w: it redirects more than %d times", ErrUnreachable, maxHops)
		}
		// Who may be asked although it is not public may send on to itself. A place
		// that is public sends to public places only.
		inside = inside && originOf(next) == originOf(u)
		u = next
	}
}

const maxAddress = 2048

var errNoAddress = fmt.Errorf("%w: it is not a plain web address", ErrRefused)

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// client chooses by whom an address is asked, or refuses it.
func (g *Guarded) client(u *url.URL, inside bool) (*http.Client, error) {
	switch {
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return nil, errNoAddress
	case inside:
		return g.private, nil
	case !g.limits.mayAsk(u):
		return nil, fmt.Errorf("%w: only https on its usual port is asked", ErrRefused)
	case !outsideName(u.Hostname()):
		return nil, fmt.Errorf("%w: its name is not one of the public network", ErrRefused)
	}
	return g.public, nil
}

func (g *Guarded) ask(ctx context.Context, use *http.Client, u *url.URL) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, errNoAddress
	}
	request.Header.Set("Accept", g.limits.Accept)
	request.Header.Set("User-Agent", "attesta-verifier")
	response, err := use.Do(request)
	if errors.Is(err, ErrRefused) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return response, nil
}

// answer reads an answer, or where it sends to.
func (g *Guarded) answer(response *http.Response, from *url.URL) ([]byte, *url.URL, error) {
	defer response.Body.Close()
	next, err := redirection(response, from)
	if err != nil || next != nil {
		return nil, next, err
	}
	body, err := g.limits.readAnswer(response)
	return body, nil, err
}

// redirection is where an answer sends to; nil when it sends nowhere. It never
// leads from https to http.
func redirection(response *http.Response, from *url.URL) (*url.URL, error) {
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	to := response.Header.Get("Location")
	if to == "" || len(to) > maxAddress {
		return nil, fmt.Errorf("%w: it redirects to no address", ErrUnreachable)
	}
	next, err := from.Parse(to)
	if err != nil {
		return nil, fmt.Errorf("%w: it redirects to no address", ErrUnreachable)
	}
	if from.Scheme == "https" && next.Scheme != "https" {
		return nil, fmt.Errorf("%w: it redirects away from https", ErrRefused)
	}
	return next, nil
}

func (l Limits) mayAsk(u *url.URL) bool {
	return u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") || l.Plain && u.Scheme == "http" && (u.Port() == "" || u.Port() == "80")
}

func (l Limits) readAnswer(response *http.Response) ([]byte, error) {
	if response.StatusCode == http.StatusForbidden {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, ErrWithheld)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: it answered %d", ErrUnreachable, response.StatusCode)
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || !slices.ContainsFunc(l.Kinds, func(wanted string) bool { return strings.HasPrefix(kind, wanted) }) {
		return nil, fmt.Errorf("%w: the answer is of the type %q", ErrUnreachable, kind)
	}
	if packed := response.Header.Get("Content-Encoding"); packed != "" && !strings.EqualFold(packed, "identity") {
		return nil, fmt.Errorf("%w: the answer is packed, which was not asked for", ErrUnreachable)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(l.Bytes)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if len(body) > l.Bytes {
		return nil, fmt.Errorf("%w: the answer is larger than %d bytes", ErrUnreachable, l.Bytes)
	}
	return body, nil
}
