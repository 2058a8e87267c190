package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestCommonCount (W7): what all servers counted bounds those who ask, this
// server's own count bounds how often the registry is asked, and a registry that
// is slow or fails neither lets more pass than that nor holds anybody up.
func TestCommonCount(t *testing.T) {
	const many = 2*requestsPerMinute + 60 // a minute may end in between
	for name, c := range map[string]struct {
		count              func(ctx context.Context, n int64) (int, error)
		passMin, passMost  int
		askedMin, askedMax int64
	}{
		"others asked already":   {func(_ context.Context, n int64) (int, error) { return int(n) + requestsPerMinute - 5, nil }, 5, 5, 6, 2 * requestsPerMinute},
		"nobody else asks":       {func(_ context.Context, n int64) (int, error) { return 1, nil }, requestsPerMinute - 9, 2 * requestsPerMinute, requestsPerMinute - 9, 2 * requestsPerMinute},
		"the registry fails":     {func(context.Context, int64) (int, error) { return 0, errors.New("broken") }, requestsPerMinute - 9, 2 * requestsPerMinute, 1, 1},
		"it says much and fails": {func(context.Context, int64) (int, error) { return 1000, errors.New("broken") }, requestsPerMinute - 9, 2 * requestsPerMinute, 1, 1},
		"the registry is slow":   {func(ctx context.Context, _ int64) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, requestsPerMinute - 9, 2 * requestsPerMinute, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			_, r := newSite(t, newWorld(), func(config *Config) {
				config.Count = func(ctx context.Context, door, who string, length time.Duration, most int) (int, error) {
					if door != "verify" || who != "192.0.2.7" || length != time.Minute || most != requestsPerMinute+1 {
						t.Errorf("counted %q at %q, %d in %v", who, door, most, length)
					}
					return c.count(ctx, asked.Add(1))
				}
			})
			passed, begun := 0, time.Now()
			for range many {
				q := httptest.NewRequest(http.MethodPost, "/verify", strings.NewReader("text=%7B%22valid%22:1%7D"))
				q.RemoteAddr = "192.0.2.7:1234"
				q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				w := httptest.NewRecorder()
				r.ServeHTTP(w, q)
				switch {
				case w.Code == http.StatusOK:
					passed++
				case w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "":
					t.Fatalf("answer %d, %v", w.Code, w.Header())
				}
			}
			if passed < c.passMin || passed > c.passMost {
				t.Errorf("%d of %d passed, want %d to %d", passed, many, c.passMin, c.passMost)
			}
			if n := asked.Load(); n < c.askedMin || n > c.askedMax {
				t.Errorf("the registry was asked %d times, want %d to %d", n, c.askedMin, c.askedMax)
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
