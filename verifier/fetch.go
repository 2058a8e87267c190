package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"attesta/credentials"
)

// Fetcher gets what an outside address publishes. Origins are scheme, host and
// port of places that may be asked although they are not public.
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
// https on port 443 only unless its Limits say more, follows no redirect, uses no proxy, bounds time and
// size, and refuses every address that is not public, looking at the address
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
		Accept: "application/vc+jwt, application/ld+json, application/json;q=0.8",
	})
}

// NewGuardedFor returns a guarded fetcher for something else.
func NewGuardedFor(l Limits) *Guarded {
	return &Guarded{public: client(refusePrivate, l.Time), private: client(nil, l.Time), limits: l}
}

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

// Fetch implements Fetcher. Errors wrap ErrRefused or ErrUnreachable.
func (g *Guarded) Fetch(ctx context.Context, address string, origins []string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > 2048 {
		return nil, fmt.Errorf("%w: it is not a plain web address", ErrRefused)
	}
	use := g.public
	if slices.Contains(origins, u.Scheme+"://"+u.Host) {
		use = g.private
	} else if !g.limits.mayAsk(u) {
		return nil, fmt.Errorf("%w: only https on its usual port is asked", ErrRefused)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not a plain web address", ErrRefused)
	}
	request.Header.Set("Accept", g.limits.Accept)
	request.Header.Set("User-Agent", "attesta-verifier")
	response, err := use.Do(request)
	if err != nil {
		if errors.Is(err, ErrRefused) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer response.Body.Close()
	return g.limits.readAnswer(response)
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
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(l.Bytes)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if len(body) > l.Bytes {
		return nil, fmt.Errorf("%w: the answer is larger than %d bytes", ErrUnreachable, l.Bytes)
	}
	return body, nil
}

// global is the one part of IPv6 from which public addresses are given out.
const global = "2000::/3"

// notPublic are the prefixes of the IANA special-purpose registries that no
// outside address may lead to; those of IPv6 lie in the global part. The methods
// of net/netip know only some.
var notPublic = [...]string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
}

// refusePrivate looks at the address that is really dialled, after names were
// resolved, so that no name can lead inside.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrRefused, address)
	}
	if !Public(at.Addr()) {
		return fmt.Errorf("%w: it leads to a place that is not public", ErrRefused)
	}
	return nil
}

// Public tells whether an address may be asked on behalf of a stranger.
func Public(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	if !a.IsValid() || a.Is6() && !within(a, global) {
		return false
	}
	for _, prefix := range notPublic {
		if within(a, prefix) {
			return false
		}
	}
	return true
}

// within takes a prefix that cannot be read for one that holds every address.
func within(a netip.Addr, text string) bool {
	prefix, err := netip.ParsePrefix(text)
	return err != nil || prefix.Contains(a)
}
