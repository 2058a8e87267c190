package web

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"
)

const (
	requestsPerMinute = 120 // for one remote address, on what costs work or guards a door
	limitWindow       = time.Minute
	countTime         = 300 * time.Millisecond // that a common count may take
	countPause        = 10 * time.Second       // without it after it failed
)

// limit bounds how often somebody does something in a length of time. This
// server's own bound comes first, so that a flood asks the registry no more often
// than is allowed; what all servers counted together comes second. If that cannot
// be had, the first one still holds.
type limit struct {
	own      *httprate.RateLimiter
	together commonCount
}

func (s *Site) limit(door string, length time.Duration, most int, options ...httprate.Option) *limit {
	return &limit{httprate.NewRateLimiter(most, length, options...), commonCount{Site: s, door: door, length: length, most: most}}
}

// reached counts one more time that who came, unless the limit is reached.
func (l *limit) reached(w http.ResponseWriter, r *http.Request, who string) bool {
	return l.own.OnLimit(w, r, who) || l.together.of(r, who) > l.together.most
}

// limiting bounds how often one remote address may ask at a door.
func (s *Site) limiting(door string) func(http.Handler) http.Handler {
	often := s.answering(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Retry-After", strconv.Itoa(int(limitWindow.Seconds())))
		return refusal{http.StatusTooManyRequests, "often"}
	})
	l := s.limit(door, limitWindow, requestsPerMinute)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if l.reached(w, r, visitor(r)) {
				often(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// visitor is the remote address of a request; of an IPv6 one the network.
func visitor(r *http.Request) string {
	return httprate.CanonicalizeIP(middleware.GetClientIP(r.Context()))
}

// visitorsIP finds out who a visitor is: who is connected, or behind proxies of
// ours the last address that they name which is none of theirs.
func (s *Site) visitorsIP() func(http.Handler) http.Handler {
	if len(s.Behind) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	var networks []string
	for _, n := range s.Behind {
		networks = append(networks, n.String())
	}
	return middleware.ClientIPFromXFF(networks...)
}

// commonCount asks what all servers counted at a door.
type commonCount struct {
	*Site
	door   string
	length time.Duration
	most   int
	again  atomic.Int64 // when it is asked again after it failed, in nanoseconds
}

// of counts a request of somebody, and returns zero if that cannot be had now.
func (c *commonCount) of(r *http.Request, who string) int {
	now, again := c.Now(), c.again.Load()
	if c.Count == nil || now.UnixNano() < again {
		return 0
	}
	ctx, cancel := context.WithTimeout(r.Context(), countTime)
	defer cancel()
	n, err := c.Count(ctx, c.door, who, c.length, c.most+1)
	if err != nil && r.Context().Err() == nil && c.again.CompareAndSwap(again, now.Add(countPause).UnixNano()) { // said once
		c.Log.LogAttrs(r.Context(), slog.LevelWarn, "requests are counted by this server alone for a while",
			slog.Any("error", err), slog.String("id", visitOf(r).id))
	}
	return n
}
