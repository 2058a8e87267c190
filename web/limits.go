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

// limiting bounds how often one remote address may ask at a door. This server's
// own bound comes first, so that a flood asks the registry no more often than
// is allowed; what all servers counted together comes second. If that cannot be
// had, the first one still holds.
func (s *Site) limiting(door string) func(http.Handler) http.Handler {
	often := s.answering(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Retry-After", strconv.Itoa(int(limitWindow.Seconds())))
		return refusal{http.StatusTooManyRequests, "often"}
	})
	own := httprate.LimitBy(requestsPerMinute, limitWindow, func(r *http.Request) (string, error) {
		return visitor(r), nil
	}, httprate.WithLimitHandler(often))
	together := commonCount{Site: s, door: door}
	return func(next http.Handler) http.Handler {
		return own(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if together.of(r) > requestsPerMinute {
				often(w, r)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// visitor is the remote address of a request; of an IPv6 one the network.
func visitor(r *http.Request) string {
	return httprate.CanonicalizeIP(middleware.GetClientIP(r.Context()))
}

// commonCount asks what all servers counted at a door.
type commonCount struct {
	*Site
	door  string
	again atomic.Int64 // when it is asked again after it failed, in nanoseconds
}

// of counts a request, and returns zero if that cannot be had now.
func (c *commonCount) of(r *http.Request) int {
	now, again := c.Now(), c.again.Load()
	if c.Count == nil || now.UnixNano() < again {
		return 0
	}
	ctx, cancel := context.WithTimeout(r.Context(), countTime)
	defer cancel()
	n, err := c.Count(ctx, c.door, visitor(r), limitWindow, requestsPerMinute+1)
	if err != nil && r.Context().Err() == nil && c.again.CompareAndSwap(again, now.Add(countPause).UnixNano()) { // said once
		c.Log.LogAttrs(r.Context(), slog.LevelWarn, "requests are counted by this server alone for a while",
			slog.Any("error", err), slog.String("id", visitOf(r).id))
	}
	return n
}
