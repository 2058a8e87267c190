package verifier

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"attesta/keys"
)

// canaries are addresses that nobody outside may make us ask, one of each kind.
var canaries = []string{
	"127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "198.18.0.1", "240.0.0.1",
	"::1", "fd12:3456::1", "fec0::1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:7f00:1::1", "::127.0.0.1", "2001:db8::1", "5f00::1", "fe80::1",
}

// hostileAddresses are some 120 addresses that lead, or try to lead, inside.
func hostileAddresses() []string {
	var all []string
	for _, a := range canaries {
		host, named := a, strings.ReplaceAll(strings.ReplaceAll(a, ":", "-"), ".", "_")
		if strings.Contains(a, ":") {
			host = "[" + a + "]"
		}
		all = append(all, "https://"+host+"/l", "http://"+host+"/l", "https://ip-"+named+".canary.example/l")
		if strings.Contains(a, ".") && !strings.Contains(a, ":") {
			all = append(all, "https://[::ffff:"+a+"]/l")
		}
	}
	for _, host := range []string{
		"localhost", "localhost.", "LOCALHOST", "foo.localhost", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1",
		"127.000.000.001", "0", "127.0.0.1.", "127。0。0。1", "①②⑦.0.0.1", "ｌocalhost", "user@127.0.0.1", "user:pass@127.0.0.1",
		"public.canary.example@127.0.0.1", "public.canary.example:443@127.0.0.1", "127.0.0.1%2f", "localhost%00.canary.example",
		"127.0.0.1#@public.canary.example", "127.0.0.1\\@public.canary.example", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:7f00:1]", "[fe80::1%25lo]",
		"alias.canary.example", "intranet", "router.lan", "db.internal",
		"printer.local", "metadata.google.internal", "xn--lcalhost-54a", "a.home.arpa", "other.canary.example", "127.0.0.1.nip.canary.example",
	} {
		all = append(all, "https://"+host+"/l")
	}
	for _, port := range canaryPorts {
		if port != "443" {
			all = append(all, "https://127.0.0.1:"+port+"/l", "https://public.canary.example:"+port+"/l")
		}
	}
	return append(all,
		"gopher://127.0.0.1:6379/_x", "ftp://127.0.0.1/l", "file:///etc/passwd", "unix:///var/run/docker.sock", "//127.0.0.1/l", "https:127.0.0.1",
		"https://127.0.0.1:443:443/l", "https://127.0.0.1%3A6379/l", "HTTPS://127.0.0.1/l", "https:///127.0.0.1/l", "https://[::1", "javascript:alert(1)")
}

// N1 to N4, N6, N8, S6: every outside address goes through one fetcher. In a
// network in which every address answers, some 120 hostile ones, asked by every
// way there is and by redirects from a public place, make no connection inside.
func TestCanaries(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const public = "93.184.216.34"
	n := newNetwork(t, public)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:8080")
	}

	// The controls: canaries count, the fetcher lets public places through, and
	// what an anchor allows may be inside.
	dialable := 0
	for _, a := range canaries {
		if n.only4 && strings.Contains(a, ":") {
			continue
		}
		if a == "fe80::1" {
			a += "%lo"
		}
		if err := dialled(t.Context(), net.JoinHostPort(a, "443")); err != nil {
			t.Errorf("the canary %s: %v", a, err)
		}
		dialable++
	}
	controls := n.hits()
	if controls != dialable || dialable < 14 && !n.only4 {
		t.Fatalf("the canaries counted %d connections, of %d", controls, len(canaries))
	}
	for range 4 {
		if err := dialled(t.Context(), "flip.canary.example:443"); err != nil {
			t.Error(err)
		}
	}
	if n.hits() <= controls {
		t.Error("a name with two answers in turn leads inside nobody, not even who does not look")
	}
	if body, err := NewGuarded().Fetch(t.Context(), "https://public.canary.example/l", nil); err != nil || string(body) != "{}" {
		t.Fatalf("the public place: %q, %v", body, err)
	}
	if body, err := NewGuarded().Fetch(t.Context(), "https://public.canary.example/l?"+url.QueryEscape("https://both.canary.example/l"), nil); err != nil && !errors.Is(err, ErrRefused) {
		t.Fatalf("a redirect to a place that is both: %q, %v", body, err)
	}
	if _, err := NewGuarded().Fetch(t.Context(), "https://10.0.0.1/l", []string{"https://10.0.0.1"}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("what an anchor allows: %v", err)
	}
	if n.hits() <= controls+2 {
		t.Error("what an anchor allows was not dialled")
	}
	before := n.hits()

	ways := entryPoints(t)
	addresses := hostileAddresses()
	for _, address := range addresses {
		for name, way := range ways {
			if err := way(address); err == nil {
				t.Errorf("%s: %s was answered", name, address)
			} else if !errors.Is(err, ErrRefused) && !errors.Is(err, ErrUnreachable) {
				t.Errorf("%s: %s: %v", name, address, err)
			}
		}
	}
	// Two answers, in turn or at once: the public one may be taken, the other never.
	for range 20 {
		for _, way := range ways {
			_ = way("https://both.canary.example/l")
			_ = way("https://flip.canary.example/l")
		}
	}
	after := n.hits()
	if after != before {
		t.Errorf("%d connections were made inside: %v", after-before, n.inside)
	}
	if redirects := int(n.redirects.Load()); redirects < 3*len(addresses) {
		t.Errorf("only %d redirects were given out", redirects)
	}
	t.Logf("figures: %d addresses by %d ways, %d connections inside, after %d redirects; the controls made %d; %d questions to the DNS",
		len(addresses), len(ways), after-before, n.redirects.Load(), before, n.asked)
}

// entryPoints are the ways in which an address from outside is asked.
func entryPoints(t *testing.T) map[string]func(address string) error {
	t.Helper()
	fetch := func(f Fetcher) func(string) error {
		return func(address string) error {
			_, err := f.Fetch(t.Context(), address, []string{"http://192.168.77.1:8080"})
			return err
		}
	}
	redirected := func(scheme string, f Fetcher) func(string) error {
		return func(address string) error {
			return fetch(f)(scheme + "://public.canary.example/l?" + url.QueryEscape(address))
		}
	}
	plain := NewGuardedFor(Limits{Bytes: 1 << 20, Time: 20 * time.Second, Kinds: []string{"application/"}, Accept: "application/pkix-crl", Plain: true})
	lists := NewGuardedFor(Limits{Bytes: 1 << 20, Time: time.Minute, Kinds: []string{"application/", "text/"}, Accept: "application/xml", Plain: true})
	h := newHouse(t)
	judged := func(seal func(string) []byte, fetcher Fetcher) func(string) error {
		v := New(Config{Trust: func() keys.Trust { return h.trust }, Now: func() time.Time { return h.now }, Fetcher: fetcher})
		return func(address string) error {
			if strings.ContainsAny(address, "\\\"") {
				return ErrRefused // it cannot stand in a document as it is
			}
			r, err := v.Verify(t.Context(), seal(address))
			if err != nil {
				return err
			}
			switch r.Reason {
			case "status_refused":
				return ErrRefused
			case "status_unreachable":
				return ErrUnreachable
			}
			return fmt.Errorf("%s because of %s", r.Verdict, r.Reason)
		}
	}
	bits := func(address string) []byte {
		return h.seal(h.changed(h.document(), listURL("revocation"), address, listURL("suspension"), address))
	}
	return map[string]func(string) error{
		"a credential at an address":           fetch(NewGuarded()),
		"the same, by a redirect":              redirected("https", NewGuarded()),
		"what is kept":                         fetch(NewKept(NewGuarded(), time.Now)),
		"a list of revoked certificates":       fetch(plain),
		"the same, by a redirect of http":      redirected("http", plain),
		"a trusted list":                       fetch(lists),
		"the same, by a redirect of https":     redirected("https", lists),
		"a Bitstring Status List":              judged(bits, NewKept(NewGuarded(), time.Now)),
		"a Token Status List":                  judged(h.sealedAt, NewKept(NewGuarded(), time.Now)),
		"a Token Status List, by a redirect":   judged(func(a string) []byte { return h.sealedAt("https://public.canary.example/l?" + url.QueryEscape(a)) }, NewGuarded()),
		"a Bitstring Status List, unsheltered": judged(bits, NewGuarded()),
	}
}

// Every canary is one that the table of addresses refuses.
func TestCanariesAreNotPublic(t *testing.T) {
	for _, a := range canaries {
		if Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is taken for public", a)
		}
	}
}
