package verifier

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// N1: addresses that no stranger may have us ask, and some that he may. The
// methods of net/netip would let more than half of the first through.
func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "93.184.216.34": true, "172.15.255.255": true, "172.32.0.1": true, "192.0.1.1": true,
		"198.17.255.255": true, "198.20.0.1": true, "100.63.255.255": true, "100.128.0.1": true, "223.255.255.255": true,
		"2606:2800:220:1::1": true, "2a00:1450:4002::1": true, "::ffff:8.8.8.8": true,

		"127.0.0.1": false, "127.255.255.254": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false, "0.0.0.0": false,
		"0.1.2.3": false, "192.0.0.1": false, "192.0.2.1": false, "192.88.99.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false,
		"255.255.255.255": false, "192.31.196.1": false, "192.52.193.1": false, "192.175.48.1": false,
		"::": false, "::1": false, "::127.0.0.1": false, "::8.8.8.8": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"::ffff:169.254.169.254": false, "64:ff9b::7f00:1": false, "64:ff9b::808:808": false, "64:ff9b:1::1": false, "100::1": false,
		"2001::1": false, "2001:0:7f00:1::": false, "2001:10::1": false, "2001:20::1": false, "2001:db8::1": false,
		"2002:7f00:1::": false, "2002:808:808::1": false, "3fff::1": false, "5f00::1": false, "fc00::1": false, "fd12:3456::1": false,
		"fe80::1": false, "fe80::1%eth0": false, "febf::1": false, "fec0::1": false, "ff02::1": false, "4000::1": false,
		"::ffff:0:127.0.0.1": false, "2620:4f:8000::1": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address at all is public")
	}
}

// canary counts who connects to it, on both families where there are two.
type canary struct {
	port  string
	count atomic.Int64
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{}
	var config net.ListenConfig
	first, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, c.port, err = net.SplitHostPort(first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	listeners := []net.Listener{first}
	if second, err := config.Listen(t.Context(), "tcp", "[::1]:"+c.port); err == nil {
		listeners = append(listeners, second)
	}
	for _, l := range listeners {
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				c.count.Add(1)
				conn.Close()
			}
		}()
	}
	return c
}

// N1, N2, N6, N8: whatever an address looks like, it does not lead inside.
func TestGuardedNeverConnectsInside(t *testing.T) {
	c := newCanary(t)
	proxy := "http://127.0.0.1:" + c.port
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, proxy)
	}
	g := NewGuarded()
	for _, host := range []string{
		"127.0.0.1", "localhost", "localhost.", "LOCALHOST", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1",
		"127.000.000.001", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]",
		"[fe80::1%25lo]", "user@127.0.0.1", "user:pass@127.0.0.1", "8.8.8.8@127.0.0.1", "127.0.0.1%2f", "127。0。0。1", "①②⑦.0.0.1",
		"ip6-localhost", "localhost%00.example.org", "example.org:80@127.0.0.1", "127.0.0.1.",
	} {
		for _, form := range []string{"https://%s:" + c.port + "/l", "http://%s:" + c.port + "/l", "https://%s/l", "http://%s/l", "https://%s:443/l"} {
			address := fmt.Sprintf(form, host)
			if data, err := g.Fetch(t.Context(), address, nil); err == nil {
				t.Errorf("%s answered %q", address, data)
			} else if !errors.Is(err, ErrRefused) && !errors.Is(err, ErrUnreachable) {
				t.Errorf("%s: the error is of no known kind: %v", address, err)
			}
		}
	}
	if n := c.count.Load(); n != 0 {
		t.Errorf("%d connections were made inside", n)
	}
}

// What is no plain https address on its usual port is refused unasked.
func TestGuardedRefusesUnusualAddresses(t *testing.T) {
	g := NewGuarded()
	for _, address := range []string{
		"", "x", "//example.org/l", "https://", "https:///l", "https:example.org", "http://example.org/l", "ftp://example.org/l",
		"file:///etc/passwd", "gopher://example.org", "javascript:alert(1)", "data:application/json,{}", "HTTP://example.org",
		"https://example.org:6379/l", "https://example.org:80/l", "https://example.org:0443/l", "https://example.org:4430/l",
		"https://user@example.org/l", "https://:@example.org/l", "https://example.org/l#x", "https://exa mple.org/l", "https://example.org:x/l",
		"https://example.org/" + strings.Repeat("l", 2048), "urn:credential:1", "https://example.org\r\nX: y", "\x00https://example.org",
	} {
		if _, err := g.Fetch(t.Context(), address, []string{"https://other.example.org"}); !errors.Is(err, ErrRefused) {
			t.Errorf("%.60q: %v", address, err)
		}
	}
}

// serve answers for one origin that the anchor allows.
func serve(t *testing.T, answer http.HandlerFunc) (address string, origins []string) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL + "/status/L1/revocation", []string{s.URL}
}

// An origin that the anchor allows may be asked although it is not public, and
// only exactly that one.
func TestGuardedAsksAllowedOriginsOnly(t *testing.T) {
	address, origins := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
			t.Errorf("headers %v", r.Header)
		}
		w.Header().Set("Content-Type", "application/vc+jwt")
		fmt.Fprint(w, "token")
	})
	g := NewGuarded()
	if data, err := g.Fetch(t.Context(), address, origins); err != nil || string(data) != "token" {
		t.Errorf("%q, %v", data, err)
	}
	origin := origins[0]
	u, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		"", "*", origin + "/", origin + "/status", strings.ToUpper(origin), "https://" + u.Host, u.Host, "http://127.0.0.1", origin + "0", "http://localhost:" + u.Port(),
	} {
		if _, err := g.Fetch(t.Context(), address, []string{other}); !errors.Is(err, ErrRefused) {
			t.Errorf("allowed by %q: %v", other, err)
		}
	}
	for _, other := range []string{"http://user@" + u.Host + "/l", origin + "/l#x"} {
		if _, err := g.Fetch(t.Context(), other, origins); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", other, err)
		}
	}
}

// N3: at most three redirects are followed, each under the rules of the first
// address, and none leads inside.
func TestGuardedFollowsFewRedirects(t *testing.T) {
	c := newCanary(t)
	for _, code := range []int{301, 302, 303, 307, 308} {
		for to, want := range map[string]error{
			"/0": nil, "/2": nil, "/3": ErrUnreachable, "/20": ErrUnreachable, "": ErrUnreachable,
			"http://127.0.0.1:" + c.port + "/": ErrRefused, "https://127.0.0.1:" + c.port + "/": ErrRefused,
			"https://127.0.0.1/": ErrRefused, "https://localhost/": ErrRefused, "https://u:p@example.org/": ErrRefused,
			"ftp://example.org/": ErrRefused, "file:///etc/passwd": ErrRefused, "/0#x": ErrRefused, "http://[::1]/": ErrRefused,
			"/" + strings.Repeat("l", maxAddress): ErrUnreachable, ":": ErrUnreachable,
		} {
			address, origins := serve(t, func(w http.ResponseWriter, r *http.Request) {
				left, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
				switch {
				case err != nil && to != "": // the first question
					w.Header().Set("Location", to)
					w.WriteHeader(code)
				case err == nil && left > 0:
					http.Redirect(w, r, fmt.Sprintf("/%d", left-1), code)
				case err == nil:
					w.Header().Set("Content-Type", "application/vc+jwt")
					fmt.Fprint(w, "token")
				default:
					w.WriteHeader(code)
				}
			})
			data, err := NewGuarded().Fetch(t.Context(), address, origins)
			if !errors.Is(err, want) || (want == nil) != (string(data) == "token") {
				t.Errorf("%d to %.40q: %q, %v", code, to, data, err)
			}
		}
	}
	if n := c.count.Load(); n != 0 {
		t.Errorf("%d redirects led inside", n)
	}
}

// N3: a redirect does not leave https, and a public place does not send to a
// place that only an anchor allows.
func TestRedirections(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"https://a.example.org/x", "/y", "https://a.example.org/y"},
		{"https://a.example.org/x", "https://b.example.org/y", "https://b.example.org/y"},
		{"https://a.example.org/x", "//b.example.org/y", "https://b.example.org/y"},
		{"https://a.example.org/x", "http://a.example.org/x", ""},
		{"https://a.example.org/x", "HTTP://a.example.org/x", ""},
		{"http://a.example.org/x", "https://a.example.org/x", "https://a.example.org/x"},
	} {
		from, err := url.Parse(c.from)
		if err != nil {
			t.Fatal(err)
		}
		next, err := redirection(&http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {c.to}}}, from)
		if (err == nil) != (c.want != "") || err == nil && next.String() != c.want {
			t.Errorf("%s to %s: %v, %v", c.from, c.to, next, err)
		}
	}
}

// N5: answers without end, of the wrong kind, or none.
func TestGuardedBoundsWhatItTakes(t *testing.T) {
	typed := func(kind string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", kind); then(w, r) }
	}
	text := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }
	for name, answer := range map[string]http.HandlerFunc{
		"larger than the bound": typed("application/json", func(w http.ResponseWriter, _ *http.Request) {
			block := make([]byte, 1<<20)
			for range fetchBytes>>20 + 2 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}),
		"without end": typed("application/json", func(w http.ResponseWriter, r *http.Request) {
			block := make([]byte, 1<<16)
			for r.Context().Err() == nil {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}),
		"a page":                 typed("text/html", text),
		"a picture":              typed("image/png", text),
		"of no type":             typed("", text),
		"of a type that is none": typed("application", text),
		"not found":              typed("application/json", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }),
		"a fault":                typed("application/json", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
		"not modified":           typed("application/json", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }),
		"ten thousand headers": typed("application/json", func(w http.ResponseWriter, _ *http.Request) {
			for n := range 10_000 {
				w.Header().Set(fmt.Sprintf("X-%d", n), "x")
			}
		}),
		"cut short": typed("application/json", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "{")
		}),
	} {
		address, origins := serve(t, answer)
		if data, err := NewGuarded().Fetch(t.Context(), address, origins); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
	exact := strings.Repeat("x", fetchBytes)
	address, origins := serve(t, typed("application/json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, exact) }))
	if data, err := NewGuarded().Fetch(t.Context(), address, origins); err != nil || len(data) != fetchBytes {
		t.Errorf("as large as the bound: %d bytes, %v", len(data), err)
	}
}

// N5: a packed answer was not asked for and is not taken: whatever was in it,
// nobody unpacks it here.
func TestGuardedTakesNothingPacked(t *testing.T) {
	for packed, want := range map[string]error{"gzip": ErrUnreachable, "br": ErrUnreachable, "gzip, gzip": ErrUnreachable, "deflate": ErrUnreachable, "identity": nil, "": nil} {
		address, origins := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "" {
				t.Errorf("a packed answer is asked for: %v", r.Header)
			}
			w.Header().Set("Content-Type", "application/json")
			if packed != "" {
				w.Header().Set("Content-Encoding", packed)
			}
			fmt.Fprint(w, "\x1f\x8b not unpacked")
		})
		if _, err := NewGuarded().Fetch(t.Context(), address, origins); !errors.Is(err, want) {
			t.Errorf("%q: %v", packed, err)
		}
	}
}

// A slow answer ends with the patience of whoever waits.
func TestGuardedDoesNotOutwaitItsCaller(t *testing.T) {
	held := make(chan struct{})
	address, origins := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "{")
		w.(http.Flusher).Flush()
		select {
		case <-held:
		case <-r.Context().Done():
		}
	})
	defer close(held)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	started := time.Now()
	if _, err := NewGuarded().Fetch(ctx, address, origins); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
	if spent := time.Since(started); spent > 3*time.Second {
		t.Errorf("it took %v", spent)
	}
	if NewGuarded().public.Timeout != fetchTime || fetchTime > 5*time.Second {
		t.Error("the fetcher itself waits without bound")
	}
}

// Certificates of web servers are checked as everywhere.
func TestGuardedRefusesAServerThatNobodyVouchesFor(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("was asked") }))
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	if _, err := NewGuarded().Fetch(t.Context(), s.URL+"/l", []string{s.URL}); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
}

// N6: what is signed inside may come over http too, and from no other port.
func TestLimitsSayWhatIsAsked(t *testing.T) {
	for address, want := range map[string][2]bool{
		"https://a.example/x": {true, true}, "https://a.example:443/": {true, true}, "https://a.example:8443/": {false, false},
		"http://a.example/x": {false, true}, "http://a.example:80/": {false, true}, "http://a.example:8080/": {false, false},
		"http://a.example:443/": {false, false}, "https://a.example:80/": {false, false}, "ftp://a.example/": {false, false},
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{NewGuarded().limits.mayAsk(u), NewGuardedFor(Limits{Plain: true}).limits.mayAsk(u)}; got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}
