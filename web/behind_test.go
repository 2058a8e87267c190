package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/go-chi/chi/v5/middleware"
)

// TestVisitorsBehindAProxy (W7): behind a proxy of ours each visitor is one; who
// is connected otherwise cannot say to be another, and neither can a visitor.
func TestVisitorsBehindAProxy(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("127.0.0.1/32")}
	for _, c := range []struct {
		name       string
		behind     []netip.Prefix
		from, says string
		want       string
	}{
		{"no proxy", nil, "192.0.2.7", "198.51.100.1", "192.0.2.7"},
		{"ours", ours, "10.1.2.3", "198.51.100.1", "198.51.100.1"},
		{"two of ours", ours, "127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"},
		{"a visitor who says another first", ours, "10.1.2.3", "203.0.113.9, 198.51.100.1", "198.51.100.1"},
		{"not ours", ours, "192.0.2.7", "198.51.100.1", "192.0.2.7"},
		{"rubbish", ours, "10.1.2.3", "198.51.100.1, <script>", ""},
	} {
		s := &Site{Config: Config{Behind: c.behind}}
		var got string
		h := s.visitorsIP()(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = middleware.GetClientIP(r.Context()) }))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.from + ":4711"
		r.Header.Set("X-Forwarded-For", c.says)
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
